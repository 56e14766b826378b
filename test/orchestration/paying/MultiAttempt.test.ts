import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import type { Script } from "../../../src/infra/memory/ScriptedGateway.ts"
import * as MultiAttempt from "../../../src/orchestration/paying/MultiAttempt.ts"
import * as Paying from "./PayingWorkshop.ts"
import { Workshop } from "./PayingWorkshop.ts"

/** Answers an authorization by its card, and agrees to everything else. */
const byCard =
  (answers: Readonly<Record<string, Answer>>): Script =>
  (asked) => {
    const answer = asked.call._tag === "Authorize" ? answers[asked.call.method] : undefined
    return answer === undefined ? Workshop.agreeable(asked) : Effect.succeed(answer)
  }

const cards = (...backups: ReadonlyArray<string>) => ({ order: Paying.order(), backups: backups.map(Paying.card) })
const another = Workshop.declined("otherInstrument")

describe("a payment with backup cards", () => {
  it.effect("answers with the card that worked, and why not those before it", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(byCard({ tok_visa: another, tok_second: another }))
      const { result } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_second", "tok_third", "tok_fourth")).pipe(
        Effect.provide(Paying.layer(bank))
      )
      assert.deepInclude(Result.getOrThrow(result).value, {
        method: "tok_third",
        amount: { currency: "EUR", minor: 80_00n },
        declined: [
          { method: "tok_visa", code: "51" },
          { method: "tok_second", code: "51" }
        ]
      })
      assert.deepStrictEqual(yield* Paying.heard(bank), [
        "Authorize tok_visa",
        "Authorize tok_second",
        "Authorize tok_third",
        "Capture"
      ])
    })
  )

  it.effect("asks the first card again while it is in doubt, and no other", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.failing(5, Workshop.lost))
      const { result } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_second"), 10).pipe(
        Effect.provide(Paying.layer(bank))
      )
      assert.deepInclude(Result.getOrThrow(result).value, { method: "tok_visa", declined: [] })
      const authorizations = (yield* Paying.heard(bank)).filter((ask) => ask.startsWith("Authorize"))
      assert.deepStrictEqual(authorizations, [
        "Authorize tok_visa",
        ...Array.from({ length: 5 }, () => "Authorize tok_visa again")
      ])
    })
  )

  it.effect("goes on to the backup when the doubt ends in a decline", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway((asked) =>
        asked.call._tag === "Authorize" && asked.call.method === "tok_visa"
          ? asked.before < 3
            ? Effect.fail(Workshop.lost)
            : Effect.succeed(another)
          : Workshop.agreeable(asked)
      )
      const { result } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_second"), 10).pipe(
        Effect.provide(Paying.layer(bank))
      )
      assert.deepInclude(Result.getOrThrow(result).value, {
        method: "tok_second",
        declined: [{ method: "tok_visa", code: "51" }]
      })
    })
  )

  it.effect("ends with the last card's decline, once, and no receipt", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(byCard({ tok_visa: another, tok_second: another }))
      yield* Effect.gen(function* () {
        const { result, trace } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_second"))
        assert.deepInclude(Result.getOrThrow(Result.flip(result)), { ending: "failed", step: "pay" })
        assert.deepStrictEqual(trace.slice(3), ["run pay", "failed pay", "compensate pay", "end failed"])
        assert.deepStrictEqual(yield* Paying.notices, [])
      }).pipe(Effect.provide(Paying.layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Authorize tok_second"])
    })
  )

  it.effect("stops at a decline that says to stop asking", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(byCard({ tok_visa: Workshop.declined("final") }))
      const { result } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_second")).pipe(
        Effect.provide(Paying.layer(bank))
      )
      assert.isTrue(Result.isFailure(result))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa"])
    })
  )

  it.effect("refuses a card that is named twice", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const { result } = yield* Paying.rehearse(MultiAttempt.saga, cards("tok_visa")).pipe(
        Effect.provide(Paying.layer(bank))
      )
      assert.include(Result.getOrThrow(Result.flip(result)).message, "expected each card once, got tok_visa again")
      assert.deepStrictEqual(yield* Paying.heard(bank), [])
    })
  )
})
