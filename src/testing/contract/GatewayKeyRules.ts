/**
 * One key, one operation: what a gateway does with a request that it gets more
 * than once, or many times at once, and what it says of it when asked.
 *
 * These rules are why florin may send again what is in doubt (R3).
 */
import type { Vitest } from "@effect/vitest"
import { assert } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { GatewayError } from "../../adapters/PaymentGateway.ts"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { begin, captured, eur, GatewayUnderTest, held, reasonOf, referenceOf, tagOf } from "./GatewayUnderTest.ts"
import type { TestCards } from "./TestCards.ts"

type Tests = Vitest.MethodsNonLive<GatewayUnderTest>

/** Registers the rules that the gateway's promises call for. */
export const keyRules = (it: Tests, capabilities: Capabilities, cards: TestCards) => {
  if (capabilities.idempotencyKey.retentionMillis > 0) repeats(it, capabilities, cards)
  if (capabilities.multipleCaptures && capabilities.partialRefund) sums(it, cards)
  if (capabilities.lookup === "authoritative") lookups(it, cards)
  if (capabilities.lookup !== "none") ignorance(it, cards)
}

/** A gateway may tell all but one of those who use a key at once that another is being worked on. */
const isInUse = ({ reason }: GatewayError) => reason._tag === "InDoubt" && reason.because === "KeyInUse"

const repeats = (it: Tests, capabilities: Capabilities, cards: TestCards) => {
  const [card, otherCard] = cards.approved

  it.effect("gives the same answer to the same key, and charges once", () =>
    Effect.gen(function* () {
      const { chargesOf } = yield* GatewayUnderTest
      const { calls, gateway } = yield* begin(card)
      const answers = yield* Effect.all([gateway.authorize(calls.authorize), gateway.authorize(calls.authorize)])
      assert.deepStrictEqual(answers[0], answers[1])
      if (chargesOf !== undefined) assert.strictEqual(yield* chargesOf(calls.payment), 1)
      const capture = calls.capture(referenceOf(answers[0]), 6_00n)
      assert.deepStrictEqual(yield* gateway.capture(capture), yield* gateway.capture(capture))
      // Had it been captured twice, this would be more than was authorized.
      const rest = calls.capture(referenceOf(answers[0]), 4_00n, 2)
      if (capabilities.multipleCaptures) assert.strictEqual(yield* tagOf(gateway.capture(rest)), "Captured")
    })
  )

  it.effect("gives a declined key the same decline, and a refused one the same refusal", () =>
    Effect.gen(function* () {
      const declined = yield* begin(cards.declined[0].token)
      const decline = declined.gateway.authorize(declined.calls.authorize)
      assert.deepStrictEqual(yield* decline, yield* decline)
      const { calls, gateway, reference } = yield* held(card)
      const tooMuch = gateway.capture(calls.capture(reference, 10_01n))
      assert.deepStrictEqual(yield* tooMuch, yield* tooMuch)
    })
  )

  it.effect("is misconfigured for whoever uses a key for something else", () =>
    Effect.gen(function* () {
      const { calls, gateway, reference } = yield* held(card)
      const order = { ...calls.authorize.order, amount: eur(10_01n) }
      assert.strictEqual(yield* reasonOf(gateway.authorize({ ...calls.authorize, order })), "Misconfigured")
      const method = MethodToken.make(otherCard)
      assert.strictEqual(yield* reasonOf(gateway.authorize({ ...calls.authorize, method })), "Misconfigured")
      yield* gateway.capture(calls.capture(reference, 1_00n))
      assert.strictEqual(yield* reasonOf(gateway.capture(calls.capture(reference, 2_00n))), "Misconfigured")
    })
  )

  it.effect("of ten sends of one key at once, makes one charge", () =>
    Effect.gen(function* () {
      const { chargesOf } = yield* GatewayUnderTest
      const { calls, gateway } = yield* begin(card)
      const sends = Array.from({ length: 10 }, () => Effect.result(gateway.authorize(calls.authorize)))
      const results = yield* Effect.all(sends, { concurrency: "unbounded" })
      assert.isTrue(results.every((result) => Result.isSuccess(result) || isInUse(result.failure)))
      const references = results.filter(Result.isSuccess).map(({ success }) => referenceOf(success))
      assert.strictEqual(new Set(references).size, 1)
      if (chargesOf !== undefined) assert.strictEqual(yield* chargesOf(calls.payment), 1)
    })
  )
}

const count = (answers: ReadonlyArray<Answer>, tag: Answer["_tag"]) => answers.filter(({ _tag }) => _tag === tag).length

const sums = (it: Tests, { approved: [card] }: TestCards) => {
  it.effect("of ten captures and ten refunds at once, lets through what the sums allow", () =>
    Effect.gen(function* () {
      const { calls, gateway, reference } = yield* held(card)
      const ten = Array.from({ length: 10 }, (_, index) => index + 1)
      const captures = yield* Effect.all(
        ten.map((ordinal) => gateway.capture(calls.capture(reference, 3_00n, ordinal))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([count(captures, "Captured"), count(captures, "Refused")], [3, 7])
      const refunds = yield* Effect.all(
        ten.map((ordinal) => gateway.refund(calls.refund(reference, 2_00n, ordinal))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([count(refunds, "Refunded"), count(refunds, "Refused")], [4, 6])
    })
  )
}

const lookups = (it: Tests, { approved: [card] }: TestCards) => {
  it.effect("looks up what became of every operation", () =>
    Effect.gen(function* () {
      const { calls, gateway, reference } = yield* captured(card)
      const capture = calls.capture(reference, 10_00n)
      const refund = calls.refund(reference, 10_00n)
      assert.deepStrictEqual(yield* gateway.lookup(refund), { _tag: "NotFound" })
      const sent = [
        [calls.authorize, yield* gateway.authorize(calls.authorize)],
        [capture, yield* gateway.capture(capture)],
        [refund, yield* gateway.refund(refund)],
        [calls.void(reference), yield* gateway.void(calls.void(reference))]
      ] as const
      for (const [call, answer] of sent) {
        assert.deepStrictEqual(yield* gateway.lookup(call), { _tag: "Found", answer })
      }
    })
  )
}

const ignorance = (it: Tests, { approved: [card] }: TestCards) => {
  it.effect("has never heard of what was not sent", () =>
    Effect.gen(function* () {
      const { calls, gateway } = yield* begin(card)
      assert.deepStrictEqual(yield* gateway.lookup(calls.authorize), { _tag: "NotFound" })
    })
  )
}
