/** What requests do to runs, subscriptions and stock is on record, or not done. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { AuditLog } from "../../../src/adapters/AuditLog.ts"
import { StorageUnavailable } from "../../../src/adapters/Storage.ts"
import type { Draft } from "../../../src/domain/audit/AuditEntry.ts"
import * as MemoryAuditLog from "../../../src/infra/memory/MemoryAuditLog.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call } from "./Api.ts"
import { withApi } from "./Api.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)
const memoryLog = Effect.provide(AuditLog, Layer.provide(MemoryAuditLog.layer, Layer.fresh(MemoryDatabase.layer)))
const plan = { id: "basic", name: "Basic", amount: 1000, currency: "EUR", interval: { unit: "month", count: 1 } }
const subscription = { customer: "ada", plan, paymentMethod: "tok_visa" }
const stock = "/v1/inventory/pen/north"
const order = {
  reference: "order-1",
  amount: 1999,
  currency: "EUR",
  paymentMethod: "tok_visa",
  notify: "ada@example.org"
}

/** Each thing that is done, and what the record says of it and of its outcome. */
const moves = async (call: Call) => {
  const done: Array<readonly [what: string, outcome: string, status: number]> = []
  const move = async (what: string, outcome: string, path: string, body?: unknown) => {
    const reply = await call("POST", path, { key: `k-${done.length}`, body })
    done.push([what, outcome, reply.status])
    return reply.body
  }
  const operations = `${stock}/operations`
  await move("receive 10 pen north", "Done", operations, { type: "receive", quantity: 10 })
  await move("reserve 11 pen north", "Unavailable Insufficient", operations, {
    type: "reserve",
    reservation: "cart",
    quantity: 11
  })
  await move("adjust -1 pen north; release pen north", "Done", "/v1/inventory/operations", {
    operations: [
      { key: "b-1", product: "pen", location: "north", type: "adjust", by: -1, reason: "broken" },
      { key: "b-2", product: "pen", location: "north", type: "release", reservation: "nobody" }
    ]
  })
  await move("begin StockTransfer t-1", "Done", "/v1/inventory/transfers", {
    transfer: "t-1",
    product: "pen",
    from: "north",
    to: "south",
    quantity: 1
  })
  const paid = await move("begin PaymentProcessing shop/order-1", "Done", "/v1/sagas", {
    saga: "PaymentProcessing",
    ...order
  })
  const run = `/v1/sagas/${String(paid.id)}`
  await move(`cancel saga ${String(paid.id)}`, "Unavailable NotNow", `${run}/cancel`)
  await move(`resume saga ${String(paid.id)}`, "Unavailable NotNow", `${run}/resume`)
  await move(`undo saga ${String(paid.id)}`, "Done", `${run}/undo`)
  const begun = await move("begin subscription ", "Done", "/v1/subscriptions", subscription)
  const one = `/v1/subscriptions/${String(begun.id)}`
  const of = `subscription ${String(begun.id)}`
  await move(`pause ${of}`, "Done", `${one}/pause`)
  await move(`resume ${of}`, "Done", `${one}/resume`)
  await move(`apply a coupon to ${of}`, "Done", `${one}/coupon`, { coupon: { code: "C", percent: 10, periods: 1 } })
  await move(`change the payment method of ${of}`, "Done", `${one}/payment-method`, { paymentMethod: "tok_other" })
  await move(`change the plan of ${of}`, "Done", `${one}/plan`, { plan: { ...plan, id: "pro" } })
  await move(`cancel ${of}`, "Done", `${one}/cancel`, { when: "now" })
  await move(`resume ${of}`, "Unavailable Subscription.Rejected", `${one}/resume`)
  return done
}

describe("requests that change runs, subscriptions and stock", () => {
  it.live("are on record with their caller and what came of them, in their order", () =>
    Effect.gen(function* () {
      const drafts: Array<Draft> = []
      const memory = yield* memoryLog
      const log = AuditLog.of({
        ...memory,
        append: (given) =>
          Effect.andThen(
            Effect.sync(() => void drafts.push(...given)),
            memory.append(given)
          )
      })
      const gateways = [yield* bank]
      yield* withApi({ gateways, log }, async (call) => {
        const done = await moves(call)
        const asked = drafts.flatMap((draft) => (draft._tag === "Asked" ? [draft] : []))
        const answered = drafts.flatMap((draft) => (draft._tag === "Answered" ? [draft] : []))
        assert.strictEqual(asked.length, done.length)
        for (const [index, [what, outcome]] of done.entries()) {
          const { caller, merchant, request } = asked[index]!
          assert(request._tag === "Operate")
          assert.isTrue(request.what.startsWith(what), `${request.what} is not ${what}`)
          assert.strictEqual(merchant, "shop")
          assert.deepStrictEqual(caller, { actor: "shop", origin: "in process" })
          const came = answered[index]!.outcome
          assert.strictEqual(came._tag === "Unavailable" ? `Unavailable ${came.because}` : came._tag, outcome, what)
        }
        assert.notMatch(JSON.stringify(drafts), /tok_|ada@|k-\d/)
      })
    })
  )

  it.live("are refused, and change nothing, while nothing can be put on record", () =>
    Effect.gen(function* () {
      let isDown = false
      const memory = yield* memoryLog
      const down = new StorageUnavailable({ operation: "append to the audit log", cause: "gone" })
      const log = AuditLog.of({
        ...memory,
        append: (given) => Effect.suspend(() => (isDown ? Effect.fail(down) : memory.append(given)))
      })
      const gateway = yield* bank
      yield* withApi({ gateways: [gateway], log }, async (call) => {
        await call("POST", `${stock}/operations`, { key: "in", body: { type: "receive", quantity: 5 } })
        const begun = await call("POST", "/v1/subscriptions", { key: "s", body: subscription })
        const paid = await call("POST", "/v1/sagas", { body: { saga: "PaymentProcessing", ...order } })
        const state = async () => [
          (await call("GET", stock)).body,
          (await call("GET", `/v1/subscriptions/${String(begun.body.id)}`)).body,
          (await call("GET", "/v1/subscriptions")).body,
          (await call("GET", "/v1/sagas")).body
        ]
        const before = await state()
        const asks = (await Effect.runPromise(gateway.asked)).length
        isDown = true
        const one = `/v1/subscriptions/${String(begun.body.id)}`
        const requests: ReadonlyArray<readonly [string, unknown?]> = [
          [`${stock}/operations`, { type: "receive", quantity: 5 }],
          [
            "/v1/inventory/operations",
            { operations: [{ key: "b", product: "pen", location: "north", type: "receive", quantity: 1 }] }
          ],
          ["/v1/inventory/transfers", { transfer: "t", product: "pen", from: "north", to: "south", quantity: 1 }],
          ["/v1/sagas", { saga: "PaymentProcessing", ...order, reference: "order-2" }],
          ["/v1/subscriptions", subscription],
          [`/v1/sagas/${String(paid.body.id)}/undo`],
          [`${one}/pause`],
          [`${one}/plan`, { plan: { ...plan, id: "pro", amount: 2000 } }],
          [`${one}/cancel`, { when: "now" }]
        ]
        for (const [index, [path, body]] of requests.entries()) {
          const { status } = await call("POST", path, { key: `r-${index}`, body })
          assert.strictEqual(status, 503, path)
        }
        assert.deepStrictEqual(await state(), before)
        assert.strictEqual((await Effect.runPromise(gateway.asked)).length, asks)
      })
    })
  )
})
