import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { setImmediate } from "node:timers/promises"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import { Shop, ShopError, ShopRefused } from "../../../src/adapters/Shop.ts"
import * as MemorySagaRuns from "../../../src/infra/memory/MemorySagaRuns.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call } from "./Api.ts"
import { withApi } from "./Api.ts"

const problem = (name: string) => `urn:florin:problem:${name}`

/** Declines every card but one. */
const picky = ScriptedGateway.make("bank", (asked) =>
  asked.call._tag === "Authorize" && asked.call.method !== "tok_visa"
    ? Effect.succeed(Workshop.declined("otherInstrument"))
    : Workshop.agreeable(asked)
)

const order = (reference: string, changes: Record<string, unknown> = {}) => ({
  reference,
  amount: 1999,
  currency: "EUR",
  paymentMethod: "tok_poor",
  notify: "ada@example.org",
  ...changes
})

/** A run that waits for a customer is answered at once. */
const waits = { answerMillis: 50 }

/** Asks until a run stands so; in between, everything else has its turn. */
const until = async (call: Call, id: unknown, status: string) => {
  for (let looks = 0; looks < 10_000; looks++) {
    const { body } = await call("GET", `/v1/sagas/${String(id)}`)
    if (body.status === status) return body
    await setImmediate()
  }
  throw new Error(`run ${String(id)} is not ${status}`)
}

/** Until it waits for another card. */
const asking = async (call: Call, reference: string) => {
  const begun = await call("POST", "/v1/sagas", { body: { saga: "AlternativePayment", ...order(reference) } })
  assert.deepInclude([begun.status, begun.body], 202)
  for (let looks = 0; looks < 10_000; looks++) {
    const { body } = await call("GET", `/v1/sagas/${String(begun.body.id)}`)
    const [question] = body.questions as ReadonlyArray<{ readonly step: string; readonly correlation: string }>
    if (question !== undefined) return { id: String(begun.body.id), question }
    await setImmediate()
  }
  throw new Error(`nothing is asked of ${reference}`)
}

describe("the API of sagas", () => {
  it.live("takes another card for a payment whose first one was declined", () =>
    Effect.flatMap(picky, (gateway) =>
      withApi({ gateways: [gateway], waits }, async (call) => {
        const { id, question } = await asking(call, "order-1")
        assert.deepStrictEqual(question, { step: "anotherCard", correlation: "shop/order-1" })
        const answer = (given: unknown, correlation = question.correlation) =>
          call("POST", "/v1/sagas/answers", { body: { saga: "AlternativePayment", correlation, answer: given } })

        const wrong = await answer({ card: "tok_visa" })
        assert.deepInclude(wrong.body, { status: 422, type: problem("answer-refused"), attemptsLeft: 2 })
        assert.strictEqual((await answer({ method: "tok_visa" }, "shop/order-2")).status, 404)
        const number = await answer({ method: "4111111111111111" })
        assert.deepInclude(number.body, { type: problem("card-number") })
        assert.strictEqual((await answer({ method: "tok_visa" })).status, 204)

        const run = await until(call, id, "completed")
        assert.deepInclude(run, { generation: 1, questions: [], rollbackFailures: [] })
        const { payments } = (await call("GET", "/v1/payments")).body
        assert.deepStrictEqual(
          (payments as ReadonlyArray<Record<string, unknown>>).map((one) => [one.paymentMethod, one.capturedAmount]),
          [
            ["tok_visa", 1999],
            ["tok_poor", 0]
          ]
        )
        // What has been answered asks nothing, and charges nothing more.
        assert.strictEqual((await answer({ method: "tok_visa" })).status, 404)
        const again = await call("POST", "/v1/sagas", { body: { saga: "AlternativePayment", ...order("order-1") } })
        assert.deepInclude(again.body, { id, status: "completed" })
        const authorized = (await Effect.runPromise(gateway.asked)).filter(({ call }) => call._tag === "Authorize")
        assert.strictEqual(authorized.length, 2)
      })
    )
  )

  it.live("cancels a run that waits, and takes back what it did", () =>
    Effect.flatMap(picky, (gateway) =>
      withApi({ gateways: [gateway], waits }, async (call) => {
        const { id, question } = await asking(call, "order-1")
        const cancelled = await call("POST", `/v1/sagas/${id}/cancel`)
        assert.strictEqual(cancelled.status, 202)
        const run = await until(call, id, "cancelled")
        assert.deepInclude(run, { questions: [], rollbackFailures: [] })
        const late = { saga: "AlternativePayment", correlation: question.correlation, answer: { method: "tok_visa" } }
        assert.strictEqual((await call("POST", "/v1/sagas/answers", { body: late })).status, 404)
        const again = await call("POST", `/v1/sagas/${id}/cancel`)
        assert.deepInclude(again.body, { status: 409, type: problem("saga-run-refused"), state: "cancelled" })
        const { payments } = (await call("GET", "/v1/payments")).body
        assert.deepStrictEqual(
          (payments as ReadonlyArray<Record<string, unknown>>).map(({ capturedAmount }) => capturedAmount),
          [0]
        )
      })
    )
  )

  it.live("goes on with a run that stalled past its charge, and charges nothing more", () =>
    Effect.flatMap(picky, (gateway) => {
      const recorded: Array<string> = []
      let isOpen = false
      const systems = Layer.succeed(Shop, {
        ship: () => Effect.die("nothing is sent"),
        withdraw: () => Effect.die("nothing is sent"),
        record: ({ reference }, key) => {
          recorded.push(`${reference} ${key}`)
          return isOpen
            ? Effect.void
            : Effect.fail(new ShopError({ about: "sale", reason: new ShopRefused({ detail: "the books are closed" }) }))
        }
      })
      return withApi({ gateways: [gateway], systems }, async (call) => {
        const body = { saga: "PaymentProcessing", ...order("order-1", { paymentMethod: "tok_visa" }) }
        const stalled = await call("POST", "/v1/sagas", { body })
        assert.deepInclude(stalled.body, { status: "stalled", step: "record", generation: 1 })
        const path = `/v1/sagas/${String(stalled.body.id)}`
        isOpen = true
        const resumed = await call("POST", `${path}/resume`)
        assert.strictEqual(resumed.status, 202)
        assert.deepInclude(await until(call, stalled.body.id, "completed"), { generation: 2 })
        assert.strictEqual(new Set(recorded).size, 1)
        const again = await call("POST", `${path}/resume`)
        assert.deepInclude(again.body, { status: 409, state: "completed" })
        const captures = (await Effect.runPromise(gateway.asked)).filter(({ call }) => call._tag === "Capture")
        assert.strictEqual(captures.length, 1)
      })
    })
  )

  it.live("lists its merchant's runs page by page", () =>
    Effect.gen(function* () {
      const gateway = yield* picky
      const runs = yield* Effect.provide(SagaRuns, MemorySagaRuns.layer)
      // Newer than all of ours, and more than a page of them.
      for (const execution of ["foreign-1", "foreign-2", "foreign-3", "foreign-4"]) {
        const input = { merchant: "other", reference: execution }
        yield* runs.begin({ execution, saga: "PaymentProcessing", key: execution, at: 4e12, input, sealed: input })
      }
      yield* withApi({ gateways: [gateway], runs }, async (call) => {
        assert.strictEqual((await call("GET", "/v1/sagas/foreign-1")).status, 404)
        assert.strictEqual((await call("POST", "/v1/sagas/foreign-1/cancel")).status, 404)
        const ids: Array<unknown> = []
        for (const reference of ["order-1", "order-2", "order-3", "order-4"]) {
          const body = { saga: "PaymentProcessing", ...order(reference, { paymentMethod: "tok_visa" }) }
          ids.unshift((await call("POST", "/v1/sagas", { body })).body.id)
        }
        const seen: Array<unknown> = []
        let cursor = ""
        for (const size of [3, 1]) {
          const { body } = await call("GET", `/v1/sagas?limit=3${cursor}`)
          const runs = body.runs as ReadonlyArray<Record<string, unknown>>
          assert.strictEqual(runs.length, size)
          seen.push(...runs.map(({ id }) => id))
          assert.strictEqual("nextCursor" in body, size === 3)
          cursor = `&cursor=${String(body.nextCursor)}`
        }
        assert.sameMembers(seen, ids)
        for (const wrong of ["x", "MTIz", Buffer.from("1 2 3").toString("base64url")]) {
          const { body, status } = await call("GET", `/v1/sagas?cursor=${wrong}`)
          assert.strictEqual(status, 400)
          assert.deepStrictEqual((body.errors as ReadonlyArray<{ path: unknown }>)[0]!.path, ["query", "cursor"])
        }
      })
    })
  )
})
