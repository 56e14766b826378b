import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Misconfigured } from "../../../src/adapters/PaymentGateway.ts"
import type { Call } from "../../../src/domain/payment/PaymentPlan.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call as Request } from "./Api.ts"
import { order, withApi } from "./Api.ts"

/** A bank that florin cannot talk to about one kind of operation: each of them is escalated at once. */
const mute = (tag: Call["_tag"]) =>
  ScriptedGateway.make("bank", (asked) =>
    asked.call._tag === tag ? Effect.fail(new Misconfigured({ detail: "unknown format" })) : Workshop.agreeable(asked)
  )

const said = { operator: "Ada", reason: "seen in the bank's console" }

interface Escalated {
  readonly path: string
  readonly operation: string
}

/** A payment whose operation of that kind waits for a decision. */
const escalated = async (call: Request, tag: Call["_tag"]): Promise<Escalated> => {
  const capture = tag === "Void" ? "manual" : "automatic"
  const { body } = await call("POST", "/v1/payments", { key: `k-${tag}`, body: { ...order, capture } })
  const path = `/v1/payments/${String(body.id)}`
  if (tag === "Void") await call("POST", `${path}/cancel`)
  if (tag === "Refund") await call("POST", `${path}/refunds`, { body: { amount: 99 } })
  const { body: now } = await call("GET", path)
  const [one, ...others] = now.escalations as ReadonlyArray<Record<string, unknown>>
  assert.isTrue(now.escalated)
  assert.deepStrictEqual(others, [])
  return { path, operation: String(one!.operation) }
}

describe("POST /v1/payments/{id}/decision", () => {
  it.live("shows what waits for a decision: which operation, of what kind, where, why, since when, how much", () =>
    Effect.flatMap(mute("Refund"), (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { path } = await escalated(call, "Refund")
        const { body } = await call("GET", path)
        const [{ since, ...known }] = body.escalations as [Record<string, unknown>]
        assert.deepStrictEqual(known, {
          operation: `${String(body.id)}/refund/1`,
          kind: "refund",
          gateway: "bank",
          reason: "Misconfigured",
          amount: 99
        })
        assert.isTrue(String(since) >= String(body.createdAt) && String(since) <= String(body.updatedAt))
        assert.deepStrictEqual((await call("GET", "/v1/payments?status=in_doubt")).body.payments, [])
      })
    )
  )

  const cases: ReadonlyArray<
    readonly [tag: Call["_tag"], found: Record<string, unknown>, after: Record<string, unknown>]
  > = [
    ["Authorize", { found: "approved", reference: "ch_7" }, { status: "succeeded", capturedAmount: 1099 }],
    ["Authorize", { found: "approved", reference: "ch_7", captured: true }, { status: "succeeded", version: 5 }],
    ["Authorize", { found: "declined", code: "51" }, { status: "failed", failure: { code: "51", category: "final" } }],
    [
      "Authorize",
      { found: "not_taken_effect" },
      { status: "failed", failure: { code: "not_taken_effect", category: "final" } }
    ],
    ["Capture", { found: "captured", amount: 1000 }, { status: "succeeded", capturedAmount: 1000 }],
    [
      "Capture",
      { found: "refused", code: "expired", authorizationGone: true },
      { status: "cancelled", capturedAmount: 0 }
    ],
    ["Refund", { found: "refunded" }, { status: "succeeded", refundedAmount: 99 }],
    ["Refund", { found: "not_taken_effect" }, { status: "succeeded", refundedAmount: 0 }],
    ["Void", { found: "voided" }, { status: "cancelled", capturedAmount: 0 }],
    ["Void", { found: "captured", amount: 1099 }, { status: "succeeded", capturedAmount: 1099 }]
  ]
  for (const [tag, found, after] of cases) {
    it.live(`settles: ${tag} found ${JSON.stringify(found)}`, () =>
      Effect.gen(function* () {
        const database = MemoryDatabase.make()
        yield* withApi({ gateways: [yield* mute(tag)], database }, async (call) => {
          const { operation, path } = await escalated(call, tag)
          const settled = await call("POST", `${path}/decision`, { body: { operation, ...said, ...found } })
          assert.deepInclude(settled.body, { ...after, escalated: false })
          assert.notProperty(settled.body, "escalations")
          // The name and the reason stay with the payment.
          const { events } = (await call("GET", `${path}/events`)).body as {
            events: ReadonlyArray<{ event: { evidence?: unknown; operation?: unknown } }>
          }
          const decided = events.filter(({ event }) => JSON.stringify(event.evidence)?.includes("Operator"))
          assert.isAtLeast(decided.length, 1)
          for (const { event } of decided) {
            assert.deepStrictEqual(event.evidence, { _tag: "Operator", name: said.operator, reason: said.reason })
            assert.strictEqual(event.operation, operation)
          }
        })
      })
    )
  }

  it.live("is made once per key, and a repeat without one changes nothing", () =>
    Effect.flatMap(mute("Refund"), (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { operation, path } = await escalated(call, "Refund")
        const body = { operation, ...said, found: "refunded" }
        const first = await call("POST", `${path}/decision`, { key: "d1", body })
        const again = await call("POST", `${path}/decision`, { key: "d1", body })
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(again.body, first.body)
        const other = await call("POST", `${path}/decision`, { key: "d1", body: { ...body, reason: "another" } })
        assert.deepInclude(other.body, { status: 422, field: "reason" })
        const without = await call("POST", `${path}/decision`, { body })
        assert.strictEqual(without.body.version, first.body.version)
        const contrary = await call("POST", `${path}/decision`, { body: { ...body, found: "refused", code: "x" } })
        assert.deepInclude(contrary.body, { status: 409, rule: "NotEscalated" })
      })
    )
  )

  it.live("is refused with the rule: not escalated, not such an answer, no such payment", () =>
    Effect.flatMap(mute("Capture"), (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { operation, path } = await escalated(call, "Capture")
        const decide = (body: Record<string, unknown>, at = path) =>
          call("POST", `${at}/decision`, { body: { operation, ...said, found: "captured", amount: 1099, ...body } })
        const { body: before } = await call("GET", path)
        // The authorization of the same payment was answered long ago.
        const other = await decide({
          operation: `${String(before.id)}/auth/1`,
          found: "declined",
          code: "51",
          amount: undefined
        })
        assert.deepInclude(other.body, { status: 409, rule: "NotEscalated", state: "Capturing" })
        const unfit = await decide({ found: "refunded", amount: undefined })
        assert.deepInclude(unfit.body, { status: 409, rule: "AnswerMismatch" })
        const tooMuch = await decide({ amount: 1100 })
        assert.deepInclude(tooMuch.body, { status: 409, rule: "AboveAuthorized" })
        const nowhere = await decide({}, "/v1/payments/pay_01jd8m2r6v0000000000000000")
        assert.deepInclude(nowhere.body, { status: 404, type: "urn:florin:problem:payment-not-found" })
        assert.deepStrictEqual((await call("GET", path)).body, before)
      })
    )
  )

  it.live("names each field that is missing, unknown or wrong", () =>
    Effect.flatMap(mute("Refund"), (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { operation, path } = await escalated(call, "Refund")
        const complaints = async (body: unknown) => {
          const reply = await call("POST", `${path}/decision`, { body })
          assert.strictEqual(reply.status, 400)
          return (reply.body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>).map(
            ({ message, path }) => `${path.join(".")}: ${message}`
          )
        }
        const words = "approved, declined, captured, voided, refunded, refused, not_taken_effect"
        assert.deepStrictEqual(await complaints({ found: "lost" }), [
          `payload: Expected "found" to be one of ${words}, got {"found":"lost"}`
        ])
        assert.deepStrictEqual(await complaints({ found: "refunded" }), [
          "payload.operation: Missing key",
          "payload.operator: Missing key",
          "payload.reason: Missing key"
        ])
        assert.deepStrictEqual(await complaints({ operation, ...said, found: "refunded", amount: 5 }), [
          "payload.amount: Unexpected key with value 5"
        ])
        assert.deepStrictEqual(await complaints({ operation, ...said, operator: "", found: "voided" }), [
          'payload.operator: Expected text that is not empty, got ""'
        ])
        assert.deepStrictEqual(await complaints({ ...said, operation: "refund/1", found: "voided" }), [
          'payload.operation: Expected an operation id such as "pay_1/auth/1", got "refund/1"'
        ])
      })
    )
  )
})
