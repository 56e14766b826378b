import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Schema } from "effect"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import type { Script } from "../../../src/infra/memory/ScriptedGateway.ts"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as AlternativePayment from "../../../src/orchestration/paying/AlternativePayment.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as SagaRehearsal from "../../../src/testing/saga/SagaRehearsal.ts"
import * as SagaTrace from "../../../src/testing/saga/SagaTrace.ts"
import * as Paying from "./PayingWorkshop.ts"
import { Workshop } from "./PayingWorkshop.ts"

const saga = AlternativePayment.make({
  page: (correlation) => `https://shop.example/pay/${correlation}`,
  patience: "30 minutes"
})

const poor: Answer = { _tag: "Declined", decline: { code: "51", category: "otherInstrument" } }

const declining =
  (...tokens: ReadonlyArray<string>): Script =>
  (asked) =>
    asked.call._tag === "Authorize" && tokens.includes(asked.call.method)
      ? Effect.succeed(poor)
      : Workshop.agreeable(asked)

/** The run, with the customer giving these answers once they were asked. */
const withAnswers = Effect.fnUntraced(function* (...payloads: ReadonlyArray<Schema.Json>) {
  const trace = SagaTrace.make()
  const runner = yield* SagaRunner.SagaRunner
  const fiber = yield* Effect.forkChild(
    Effect.result(runner.run(saga, Paying.order())).pipe(SagaObserver.observedBy(trace.observer))
  )
  const asked = () => trace.lines.includes("ask anotherCard shop/order-1")
  yield* Effect.repeat(TestClock.adjust("1 second"), { until: asked, times: 100 })
  const refusals: Array<string> = []
  for (const payload of payloads) {
    const told = yield* Effect.result(runner.answer(AlternativePayment.name, "shop/order-1", payload))
    if (Result.isFailure(told)) refusals.push(told.failure.message)
  }
  for (let minute = 0; minute < 40; minute++) yield* TestClock.adjust("1 minute")
  return { result: yield* Fiber.join(fiber), trace: trace.lines, refusals }
})

/** The clock is set first: the runner looks every second, and would look for all the years before. */
const over = (bank: Parameters<typeof Paying.layer>[0]) =>
  Layer.unwrap(
    Effect.as(
      Paying.started,
      Layer.provideMerge(Layer.provideMerge(SagaRunner.register(saga), SagaRehearsal.layer), Paying.layer(bank))
    )
  )

describe("a payment whose card does not do", () => {
  it.effect("is over with the first card when that works", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      yield* Effect.gen(function* () {
        const { result, trace } = yield* Paying.rehearse(saga, Paying.order())
        const answer = Result.getOrThrow(result)
        assert.strictEqual(AlternativePayment.paidBy(answer).method, Paying.card("tok_visa"))
        assert.deepStrictEqual(trace, ["start", "run first", "halted first", "end halted"])
        assert.deepStrictEqual(yield* Paying.notices, ["receipt"])
      }).pipe(Effect.provide(Paying.layer(bank)))
    })
  )

  it.effect("tells the customer of insufficient funds after one attempt, and takes the card they give then", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(declining("tok_visa"))
      yield* Effect.gen(function* () {
        const { result, trace } = yield* withAnswers({ method: "tok_other" })
        assert.strictEqual(AlternativePayment.paidBy(Result.getOrThrow(result)).method, Paying.card("tok_other"))
        assert.deepStrictEqual(trace.slice(0, 7), [
          "start",
          "run first",
          "succeeded first",
          "run notice",
          "succeeded notice",
          "run anotherCard",
          "ask anotherCard shop/order-1"
        ])
        const sent = [...(yield* MemoryNotifier.SentNotices).values()]
        assert.deepStrictEqual(sent.map(({ kind, text }) => [kind, text]).slice(0, 1), [
          [
            "payment.declined",
            "Your bank says that there are not enough funds. Nothing was charged. " +
              "You can pay with another card: https://shop.example/pay/shop/order-1"
          ]
        ])
        assert.deepStrictEqual(yield* Paying.notices, ["payment.declined", "receipt"])
      }).pipe(Effect.provide(over(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Authorize tok_other", "Capture"])
    })
  )

  it.effect("ends unpaid when the other card is declined too, and says so", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(declining("tok_visa", "tok_other"))
      yield* Effect.gen(function* () {
        const { result } = yield* withAnswers({ method: "tok_other" })
        assert.deepInclude(Result.getOrThrow(Result.flip(result)), { ending: "failed", step: "second" })
        assert.deepStrictEqual(yield* Paying.notices, ["payment.declined", "payment.abandoned"])
      }).pipe(Effect.provide(over(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Authorize tok_other"])
    })
  )

  it.effect("ends unpaid when no other card comes in time, and says so", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(declining("tok_visa"))
      yield* Effect.gen(function* () {
        const { result } = yield* withAnswers()
        assert.deepInclude(Result.getOrThrow(Result.flip(result)), { ending: "failed", step: "anotherCard" })
        assert.deepStrictEqual(yield* Paying.notices, ["payment.declined", "payment.abandoned"])
      }).pipe(Effect.provide(over(bank)))
    })
  )

  it.effect("ends at the third answer that is no card", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(declining("tok_visa"))
      yield* Effect.gen(function* () {
        const { refusals, result } = yield* withAnswers({}, { method: "" }, { card: 1 }, { method: "tok_other" })
        assert.strictEqual(refusals.length, 4)
        assert.deepInclude(Result.getOrThrow(Result.flip(result)), { ending: "failed", step: "anotherCard" })
      }).pipe(Effect.provide(over(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa"])
    })
  )

  it.effect("tries three times where no gateway is reached, then says that nothing was charged", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(() => Effect.fail(Workshop.unreachable))
      yield* Effect.gen(function* () {
        const { result, trace } = yield* Paying.rehearse(saga, Paying.order(), 10)
        assert.include(Result.getOrThrow(Result.flip(result)).message, "was declined: gateway_unreachable")
        assert.deepStrictEqual(
          trace.filter((line) => line.startsWith("retry") || line === "run first"),
          ["run first", "retry first in 1000", "run first", "retry first in 2000", "run first"]
        )
        assert.deepStrictEqual(yield* Paying.notices, ["payment.unreachable"])
      }).pipe(Effect.provide(Paying.layer(bank)))
    })
  )

  it.effect("waits where a gateway does not answer: no other card, no notice, one charge", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.failing(6, Workshop.lost))
      yield* Effect.gen(function* () {
        const { trace } = yield* Paying.rehearse(saga, Paying.order(), 10)
        assert.deepStrictEqual(trace, ["start", "run first", "halted first", "end halted"])
        assert.deepStrictEqual(yield* Paying.notices, ["receipt"])
      }).pipe(Effect.provide(Paying.layer(bank)))
    })
  )
})
