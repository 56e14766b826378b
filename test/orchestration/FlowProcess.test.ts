import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { FlowStore } from "../../src/adapters/FlowStore.ts"
import { ContextId } from "../../src/domain/flow/FlowName.ts"
import * as Flow from "../../src/orchestration/Flow.ts"
import * as FlowRetry from "../../src/orchestration/FlowRetry.ts"
import { Flows } from "../../src/orchestration/Flows.ts"
import type { Seen } from "./FlowWorkshop.ts"
import {
  chain,
  flowsOver,
  inDoubt,
  inTime,
  makeBank,
  notSent,
  policy,
  refused,
  stateOf,
  statusOf,
  worker,
  working
} from "./FlowWorkshop.ts"

const here = { worker, context: "order-1", key: "one" }
const gold = { name: "Gold `plan` for ${everyone}" }

const contextOf = (id: string) =>
  Effect.flatMap(FlowStore, (store) => Effect.map(store.readContext(ContextId.make(id)), ({ entries }) => entries))

/** A bank, the chain over it, and what its handlers saw. */
const stage = (onHandling?: (name: string) => Effect.Effect<unknown, unknown>) => {
  const bank = makeBank()
  const seen: Seen = []
  const { coupon, product } = chain(seen, onHandling)
  return { bank, seen, product, coupon, layer: flowsOver(bank, [product, coupon]) }
}

/** So many milliseconds, a few at a time, so that each thing that becomes due happens at its moment. */
const pass = (millis: number) =>
  Effect.forEach(Array.from({ length: Math.ceil(millis / 100) }), () => TestClock.adjust(100), { discard: true })

describe("FlowProcess", () => {
  it.effect("performs a flow, handles its response, and goes on with the next one", () => {
    const { bank, layer, product, seen } = stage()
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      assert.strictEqual(yield* statusOf(flowId), "dispatched")
      assert.strictEqual(bank.calls.length, 0)
      yield* working
      yield* pass(500)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      assert.deepStrictEqual(seen, [
        "new_create_product_response create_product_1",
        "new_create_coupon_response create_coupon_2"
      ])
      assert.deepStrictEqual(yield* contextOf("order-1"), {
        product_id: "create_product_1",
        note: "made `here` for ${you}",
        coupon_id: "create_coupon_2"
      })
      assert.deepStrictEqual(bank.calls[0]!.request, gold)
      assert.strictEqual(bank.calls[0]!.key, `${flowId}/1`)
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("sends again what was not sent, and fails when it never is", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan(notSent, notSent, notSent)
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(900)
      assert.strictEqual(bank.calls.length, 1)
      yield* pass(200)
      assert.strictEqual(bank.calls.length, 2)
      yield* pass(3000)
      assert.strictEqual(bank.calls.length, 3)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      assert.deepStrictEqual(seen, ["new_create_product_error Transport log"])
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("asks again about a doubt under the same key, and finds what was done", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan({ _tag: "Acts", but: inDoubt }, notSent, inDoubt)
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(900)
      assert.strictEqual(yield* statusOf(flowId), "performed")
      yield* pass(8000)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      assert.deepStrictEqual(
        bank.calls.slice(0, 4).map(({ key }) => key),
        Array.from({ length: 4 }, () => `${flowId}/1`)
      )
      assert.strictEqual(seen[0], "new_create_product_response create_product_1")
      assert.strictEqual(bank.books.size, 2)
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("never fails a doubt: it is escalated, its error flow told, and an answer still ends it", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan({ _tag: "Acts", but: inDoubt }, inDoubt, inDoubt, inDoubt, inDoubt, inDoubt)
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(30_000)
      assert.strictEqual(yield* statusOf(flowId), "in_doubt")
      assert.deepStrictEqual(seen, ["new_create_product_error Transport in doubt log"])
      yield* FlowRetry.retry(flowId, "ada")
      yield* pass(1000)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      assert.strictEqual(seen[1], "new_create_product_response create_product_1")
      assert.strictEqual(new Set(bank.calls.slice(0, 7).map(({ key }) => key)).size, 1)
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("is in doubt when the gateway is silent, or its adapter throws", () => {
    const { bank, layer, product } = stage()
    bank.plan({ _tag: "Hangs" }, { _tag: "Throws" })
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(1100)
      const silent = yield* stateOf(flowId)
      assert.isTrue(silent._tag === "Performed" && silent.doubted?.error._tag === "Transport")
      assert.deepInclude(silent, { doubts: 1 })
      yield* pass(1000)
      assert.deepInclude(yield* stateOf(flowId), { _tag: "Performed", doubts: 2 })
      yield* pass(3000)
      assert.strictEqual(yield* statusOf(flowId), "handled")
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("gives a definite refusal to the error flow, and asks nothing again", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan(refused(402, "card_error"))
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(5000)
      assert.deepStrictEqual(seen, ["new_create_product_error Refused notify"])
      assert.strictEqual(bank.calls.length, 1)
      assert.deepStrictEqual(yield* contextOf("order-1"), { error: "Refused" })
      assert.deepInclude(yield* stateOf(flowId), { _tag: "Handled" })
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("an answer that the flow cannot read goes to the error flow, with its body", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan({ _tag: "Answered", response: { id: 7, note: "`x` ${y}" } })
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(500)
      assert.deepStrictEqual(seen, ["new_create_product_error Undecodable log"])
      const state = yield* stateOf(flowId)
      assert.isTrue(state._tag === "Handled" && state.result._tag === "Failed")
      if (state._tag !== "Handled" || state.result._tag !== "Failed") return
      assert.deepStrictEqual(state.result.error, {
        _tag: "Undecodable",
        detail: "id: Expected string, got 7",
        body: { id: 7, note: "`x` ${y}" }
      })
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("a handler that fails, throws or takes too long runs again, and what it did is done once", () => {
    const ways = [
      Effect.fail("not now"),
      Effect.sync(() => {
        throw new Error("a bug")
      }),
      Effect.never
    ]
    const { bank, layer, product, seen } = stage((name) =>
      name === "new_create_product_response" ? (ways.shift() ?? Effect.void) : Effect.void
    )
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(10_000)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      assert.deepStrictEqual(seen, [
        ...Array.from({ length: 4 }, () => "new_create_product_response create_product_1"),
        "new_create_coupon_response create_coupon_2"
      ])
      assert.strictEqual(bank.calls.length, 2)
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect(
    "an error handler that always fails is given up in the open, and runs again when an operator says so",
    () => {
      let isBroken = true
      const { bank, layer, product, seen } = stage(() => (isBroken ? Effect.fail("the mailer is down") : Effect.void))
      bank.plan(refused(400, "invalid_request_error"))
      return Effect.gen(function* () {
        const store = yield* FlowStore
        const { flowId } = yield* Flow.dispatch(product, gold, here)
        yield* working
        yield* pass(20_000)
        assert.strictEqual(seen.length, 4)
        assert.deepInclude(yield* stateOf(flowId), { _tag: "Dead", detail: "the mailer is down" })
        const dead = yield* store.list({ status: "dead" }, 10)
        assert.deepStrictEqual(
          dead.map(({ id }) => id),
          [flowId]
        )
        isBroken = false
        assert.strictEqual(yield* FlowRetry.retry(flowId, "ada"), "failed")
        yield* pass(500)
        assert.strictEqual(yield* statusOf(flowId), "handled")
        assert.strictEqual(bank.calls.length, 1)
      }).pipe(Effect.scoped, Effect.provide(layer), inTime)
    }
  )

  it.effect("what failed for good is asked anew by an operator, as another operation", () => {
    const { bank, layer, product, seen } = stage()
    bank.plan(refused(400, "invalid_request_error"))
    return Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* working
      yield* pass(500)
      yield* FlowRetry.retry(flowId, "ada")
      yield* pass(500)
      assert.deepStrictEqual(
        bank.calls.slice(0, 2).map(({ key }) => key),
        [`${flowId}/1`, `${flowId}/2`]
      )
      assert.strictEqual(seen[1], "new_create_product_response create_product_1")
      const refusedAgain = yield* Effect.flip(FlowRetry.retry(flowId, "ada"))
      assert.deepInclude(refusedAgain, { _tag: "Flow.Rejected", rule: "NothingToRetry" })
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("stops asking a gateway that is silent for everybody, and loses nothing meanwhile", () => {
    const { bank, coupon, product } = stage()
    const layer = flowsOver(bank, [product, coupon], { ...policy, lingerMillis: 0 })
    bank.plan(...Array.from({ length: 10 }, () => inDoubt))
    return Effect.gen(function* () {
      const flows = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => `key-${index}`),
        (key) => Flow.dispatch(product, gold, { worker, key })
      )
      yield* working
      yield* pass(900)
      assert.strictEqual(bank.calls.length, 10)
      const held = yield* stateOf(flows[11]!.flowId)
      assert.isTrue(held._tag === "Dispatched" && held.refused?.error._tag === "Transport")
      yield* pass(60_000)
      for (const { flowId } of flows) assert.strictEqual(yield* statusOf(flowId), "handled")
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("two workers on one flow ask under one key, and record one outcome", () => {
    const { bank, layer, product } = stage()
    return Effect.gen(function* () {
      const flows = yield* Flows
      const store = yield* FlowStore
      const { flowId } = yield* Flow.dispatch(product, gold, here)
      yield* Effect.all([flows.run(flowId), flows.run(flowId), flows.run(flowId)], { concurrency: "unbounded" }).pipe(
        Effect.forkScoped
      )
      yield* pass(5000)
      assert.strictEqual(yield* statusOf(flowId), "handled")
      const events = yield* store.load(flowId)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "OutcomeRecorded").length, 1)
      assert.strictEqual(bank.books.size, 1)
    }).pipe(Effect.scoped, Effect.provide(layer), inTime)
  })

  it.effect("handlers that write one context at once lose nothing of each other's", () => {
    const keys = Array.from({ length: 8 }, (_, index) => `key-${index}`)
    const bank = makeBank()
    const Any = Schema.Struct({ id: Schema.String })
    const product = Flow.make("create_product", {
      request: Any,
      response: Any,
      onResponse: (_, { context, flowId }) => context.set(flowId, true),
      onError: () => Effect.void
    })
    return Effect.gen(function* () {
      const flows = yield* Flows
      const made = yield* Effect.forEach(keys, (key) =>
        Flow.dispatch(product, { id: key }, { worker, context: "shared", key })
      )
      yield* Effect.forEach(made, ({ flowId }) => flows.run(flowId), { concurrency: "unbounded" })
      assert.sameMembers(
        Object.keys(yield* contextOf("shared")),
        made.map(({ flowId }) => flowId)
      )
    }).pipe(Effect.provide(flowsOver(bank, [product])), inTime)
  })
})
