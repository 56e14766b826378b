import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Payments } from "../../../src/orchestration/Payments.ts"
import type { Sale } from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as PaymentProcessing from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as FakeStep from "../../../src/testing/saga/FakeStep.ts"
import type * as SagaRehearsal from "../../../src/testing/saga/SagaRehearsal.ts"
import * as Paying from "./PayingWorkshop.ts"
import { Workshop } from "./PayingWorkshop.ts"

const large = {
  _tag: "AmountAtLeast",
  name: "large",
  limit: Workshop.eur(500_00n),
  verdict: "allow"
} as const

const make = (sales: Array<Sale> = []) =>
  PaymentProcessing.make({
    fraud: { points: { large: 80 }, threshold: 79 },
    record: (sale) => Effect.sync(() => void sales.push(sale))
  })

const statuses = Effect.flatMap(Payments, ({ list }) =>
  Effect.map(list({}, { limit: 10 }), ({ payments }) => payments.map(({ status }) => status))
)

/** What a run that went through answered. */
const completed = <A>(result: SagaRehearsal.Rehearsed<A>["result"]) => {
  const answer = Result.getOrThrow(result)
  if (answer._tag !== "Completed") throw new Error(`it halted at ${answer.step}`)
  return answer
}

describe("payment processing", () => {
  it.effect("holds, charges, puts on record and sends a receipt, each once", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const sales: Array<Sale> = []
      yield* Effect.gen(function* () {
        const { result, trace } = yield* Paying.rehearse(make(sales), Paying.order())
        const { value } = completed(result)
        assert.deepStrictEqual(
          trace.filter((line) => line.startsWith("run ") || line.startsWith("end ")),
          [
            "run validate",
            "run fraudCheck",
            "run preauthorize",
            "run charge",
            "run record",
            "run receipt",
            "end completed"
          ]
        )
        assert.deepInclude(value, { amount: Workshop.eur(80_00n), method: Paying.card("tok_visa") })
        assert.deepStrictEqual(sales, [{ ...value, order: Paying.order() }])
        assert.deepStrictEqual(yield* statuses, ["succeeded"])
        assert.deepStrictEqual(yield* Paying.notices, ["receipt"])
      }).pipe(Effect.provide(Paying.layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Capture"])
    })
  )

  it.effect("refuses what is above the threshold of risk at once, and the bank never hears of it", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const order = Paying.order({ amount: Workshop.eur(500_00n) })
      const { result, trace } = yield* Paying.rehearse(make(), order).pipe(
        Effect.provide(Paying.layer(bank, { rules: [large] }))
      )
      assert.deepInclude(Result.getOrThrow(Result.flip(result)), {
        _tag: "SagaFailed",
        ending: "failed",
        step: "fraudCheck",
        error: {
          message: "the order has 80 points of risk, where at most 79 are taken (large)",
          code: "HighRisk",
          isRetryable: false,
          isDefect: false
        }
      })
      assert.deepStrictEqual(trace, [
        "start",
        "run validate",
        "succeeded validate",
        "run fraudCheck",
        "failed fraudCheck",
        "end failed"
      ])
      assert.deepStrictEqual(yield* Paying.heard(bank), [])
    })
  )

  it.effect("takes an order at the threshold", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const saga = PaymentProcessing.make({
        fraud: { points: { large: 80 }, threshold: 80 },
        record: () => Effect.void
      })
      const { trace } = yield* Paying.rehearse(saga, Paying.order({ amount: Workshop.eur(500_00n) })).pipe(
        Effect.provide(Paying.layer(bank, { rules: [large] }))
      )
      assert.strictEqual(trace.at(-1), "end completed")
    })
  )

  it.effect("tells what is wrong with an order that cannot be paid, without the card's number", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const { result } = yield* Paying.rehearse(make(), Paying.order({ method: Paying.card("4242424242424242") })).pipe(
        Effect.provide(Paying.layer(bank))
      )
      const error = Result.getOrThrow(Result.flip(result))
      assert.include(error.message, "method: expected a gateway's token for a card, got ")
      assert.notInclude(error.message, "4242424242424242")
      assert.deepStrictEqual(yield* Paying.heard(bank), [])
    })
  )

  it.effect("voids the hold when the gateway refuses the capture, and says what it was told", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway((asked) =>
        asked.call._tag === "Capture"
          ? Effect.succeed({ _tag: "Refused", code: "capture_refused", authorizationGone: false })
          : Workshop.agreeable(asked)
      )
      yield* Effect.gen(function* () {
        const { result, trace } = yield* Paying.rehearse(make(), Paying.order())
        assert.include(Result.getOrThrow(Result.flip(result)).message, "was refused: capture_refused")
        assert.deepStrictEqual(trace.slice(-4), [
          "failed charge",
          "compensate charge",
          "undo preauthorize",
          "end failed"
        ])
        assert.deepStrictEqual(yield* statuses, ["cancelled"])
      }).pipe(Effect.provide(Paying.layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Capture", "Void"])
    })
  )

  it.effect("waits out a doubt, asking under the same key, and charges once", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.failing(6, Workshop.lost))
      yield* Effect.gen(function* () {
        const { trace } = yield* Paying.rehearse(make(), Paying.order(), 10)
        assert.deepStrictEqual(
          trace.filter((line) => line.includes("preauthorize")),
          ["run preauthorize", "succeeded preauthorize"]
        )
        assert.strictEqual(trace.at(-1), "end completed")
        assert.deepStrictEqual(yield* statuses, ["succeeded"])
      }).pipe(Effect.provide(Paying.layer(bank)))
      const again = Array.from({ length: 6 }, (_, index) => index)
      assert.deepStrictEqual(yield* Paying.heard(bank), [
        "Authorize tok_visa",
        ...again.map(() => "Authorize tok_visa again"),
        "Capture",
        ...again.map(() => "Capture again")
      ])
    })
  )

  it.effect("tries three payments where no gateway is reached, then gives up with nothing charged", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(() => Effect.fail(Workshop.unreachable))
      const settings = {
        authorizing: {
          verify: { maxAttempts: 2, baseMillis: 1000, factor: 1, capMillis: 1000 },
          poll: { maxAttempts: 2, baseMillis: 1000, factor: 1, capMillis: 1000 },
          resend: { maxAttempts: 1, baseMillis: 1000, factor: 1, capMillis: 1000 },
          keyMarginMillis: 0,
          settleMillis: 1000
        }
      }
      yield* Effect.gen(function* () {
        const { trace } = yield* Paying.rehearse(make(), Paying.order())
        assert.deepStrictEqual(
          trace.filter((line) => /^(run|retry|compensate|end) (preauth|fail)/.test(line)),
          [
            "run preauthorize",
            "retry preauthorize in 1000",
            "run preauthorize",
            "retry preauthorize in 2000",
            "run preauthorize",
            "compensate preauthorize",
            "end failed"
          ]
        )
        assert.deepStrictEqual(yield* statuses, ["failed", "failed", "failed"])
      }).pipe(Effect.provide(Paying.layer(bank, { settings })))
    })
  )

  it.effect("refunds nobody because a receipt cannot be sent", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      yield* Effect.gen(function* () {
        const saga = FakeStep.failing(make(), "receipt", { error: new Error("no such mailbox") })
        const { trace } = yield* Paying.rehearse(saga, Paying.order())
        assert.deepStrictEqual(trace.slice(-9), [
          "run receipt",
          "failed receipt",
          "retry receipt in 1000",
          "run receipt",
          "failed receipt",
          "retry receipt in 2000",
          "run receipt",
          "failed receipt",
          "end completed"
        ])
        assert.deepStrictEqual(yield* statuses, ["succeeded"])
      }).pipe(Effect.provide(Paying.layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Capture"])
    })
  )

  it.effect("goes only forward past the charge: books that stay closed stall it, five attempts later", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      yield* Effect.gen(function* () {
        const saga = FakeStep.failing(make(), "record", { error: new Error("the books are closed") })
        const { result, trace } = yield* Paying.rehearse(saga, Paying.order())
        assert.deepInclude(Result.getOrThrow(Result.flip(result)), { ending: "stalled", step: "record" })
        assert.strictEqual(trace.filter((line) => line === "run record").length, 5)
        assert.strictEqual(trace.filter((line) => line === "retry record in 2000").length, 4)
        assert.deepStrictEqual(yield* statuses, ["succeeded"])
      }).pipe(Effect.provide(Paying.layer(bank)))
    })
  )
})
