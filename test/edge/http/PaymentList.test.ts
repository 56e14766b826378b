import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call } from "./Api.ts"
import { order, withApi } from "./Api.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)

interface Listed {
  readonly payments: ReadonlyArray<{ readonly id: string; readonly createdAt: string }>
  readonly nextCursor?: string
}

const list = async (call: Call, query: Record<string, string> = {}) => {
  const { body } = await call("GET", `/v1/payments?${String(new URLSearchParams(query))}`)
  return body as unknown as Listed
}
const idsOf = ({ payments }: Listed) => payments.map(({ id }) => id)

describe("GET /v1/payments", () => {
  it.live("shows the newest first, a page at a time, each payment once", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const made: Array<string> = []
        for (let count = 1; count <= 5; count++) {
          const { body } = await call("POST", "/v1/payments", { key: `k${count}`, body: order })
          made.push(String(body.id))
        }
        const whole = await list(call)
        // Two that were made in one millisecond are told apart by their ids, which are random below it.
        assert.deepStrictEqual(idsOf(whole).toSorted(), made.toSorted())
        assert.notProperty(whole, "nextCursor")
        const moments = whole.payments.map(({ createdAt }) => createdAt)
        assert.deepStrictEqual(moments, moments.toSorted().toReversed())
        const pages = [await list(call, { limit: "2" })]
        while (pages.at(-1)!.nextCursor !== undefined) {
          pages.push(await list(call, { limit: "2", cursor: pages.at(-1)!.nextCursor! }))
        }
        assert.deepStrictEqual(
          pages.map(({ payments }) => payments.length),
          [2, 2, 1]
        )
        assert.deepStrictEqual(pages.flatMap(idsOf), idsOf(whole))
        const one = await call("GET", `/v1/payments/${made[0]}`)
        assert.deepStrictEqual(
          whole.payments.find(({ id }) => id === made[0]),
          one.body
        )
      })
    )
  )

  it.live("finds by status, customer and time", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const first = await call("POST", "/v1/payments", { key: "k1", body: { ...order, customer: "ada" } })
        const held = await call("POST", "/v1/payments", { key: "k2", body: { ...order, capture: "manual" } })
        const one = String(first.body.id)
        const two = String(held.body.id)
        assert.deepStrictEqual(idsOf(await list(call, { status: "succeeded" })), [one])
        assert.deepStrictEqual(idsOf(await list(call, { status: "authorized" })), [two])
        assert.deepStrictEqual(idsOf(await list(call, { status: "failed" })), [])
        assert.deepStrictEqual(idsOf(await list(call, { customer: "ada" })), [one])
        assert.deepStrictEqual(idsOf(await list(call, { customer: "ada", status: "authorized" })), [])
        const at = String(first.body.createdAt)
        assert.include(idsOf(await list(call, { createdFrom: at })), one)
        assert.notInclude(idsOf(await list(call, { createdBefore: at })), one)
        assert.deepStrictEqual(idsOf(await list(call, { createdBefore: "2026-01-01T02:00:00+02:00" })), [])
        assert.strictEqual(
          idsOf(await list(call, { createdFrom: "2026-01-01", createdBefore: "2999-01-01" })).length,
          2
        )
      })
    )
  )

  it.live("shows the payments of the service's own merchant, and takes no other's for a cursor", () =>
    Effect.gen(function* () {
      const database = MemoryDatabase.make()
      const gateways = [yield* bank]
      const foreign = yield* Effect.flatMap(Payments, (payments) =>
        payments.create(MerchantId.make("other"), Workshop.key("k1"), Workshop.order())
      ).pipe(Effect.provide(Workshop.layer({ gateways, database, seed: 2 })))
      yield* withApi({ gateways, database }, async (call) => {
        const { body } = await call("POST", "/v1/payments", { key: "k1", body: order })
        assert.deepStrictEqual(idsOf(await list(call)), [String(body.id)])
        const cursor = Buffer.from(foreign.view.id).toString("base64url")
        const reply = await call("GET", `/v1/payments?cursor=${cursor}`)
        assert.strictEqual(reply.status, 400)
        assert.deepStrictEqual(reply.body.errors, [
          { path: ["query", "cursor"], message: `Expected a cursor that a page gave as nextCursor, got "${cursor}"` }
        ])
      })
    })
  )

  const bad: ReadonlyArray<readonly [query: string, said: string]> = [
    ["status=paid", 'status: Expected "initiated" | "authenticated" | '],
    ["customer=", 'customer: Expected text that is not empty, got ""'],
    ["limit=0", 'limit: Expected a whole number from 1 to 100, got "0"'],
    ["limit=101", 'limit: Expected a whole number from 1 to 100, got "101"'],
    ["limit=1e1", 'limit: Expected a whole number from 1 to 100, got "1e1"'],
    ["cursor=abc", 'cursor: Expected a cursor that a page gave as nextCursor, got "abc"'],
    ["cursor=cGF5XzAx=", 'cursor: Expected a cursor that a page gave as nextCursor, got "cGF5XzAx="'],
    ["createdFrom=yesterday", 'createdFrom: Expected a moment such as "2026-11-21T12:00:00Z" or "2026-11-21"'],
    ["createdFrom=2026-02-31", 'or "2026-11-21", got "2026-02-31"'],
    ["createdFrom=2026-11-21T12:00:00", 'got "2026-11-21T12:00:00"'],
    ["createdBefore=0001-01-01", "createdBefore: Expected a moment such as"],
    ["stauts=failed", 'stauts: Unexpected key with value "failed"']
  ]
  it.live("names what is wrong with a query, what was expected and what came", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        for (const [query, said] of bad) {
          const { body, status } = await call("GET", `/v1/payments?${query}`)
          assert.strictEqual(status, 400)
          const errors = body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>
          assert.strictEqual(errors.length, 1)
          assert.strictEqual(errors[0]!.path[0], "query")
          assert.include(`${errors[0]!.path[1]}: ${errors[0]!.message}`, said)
        }
        const all = await call("GET", "/v1/payments?limit=x&status=y")
        assert.strictEqual((all.body.errors as ReadonlyArray<unknown>).length, 2)
        const card = await call("GET", "/v1/payments?customer=4111-1111-1111-1111")
        assert.deepInclude(card.body, { type: "urn:florin:problem:card-number", path: ["query", "customer"] })
        assert.notInclude(JSON.stringify(card.body), "1111")
      })
    )
  )
})
