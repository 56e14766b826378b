/**
 * What every `PaymentGateway` must do. What a gateway does not promise it must
 * refuse: the suite holds it to its capabilities in both directions.
 *
 * Two sets of rules have modules of their own: `GatewayKeyRules` (one key, one
 * operation) and `GatewayChallengeRules` (3-D Secure).
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import type { Capabilities } from "../../domain/payment/Gateway.ts"
import { Reference } from "../../domain/payment/Gateway.ts"
import { challengeRules } from "./GatewayChallengeRules.ts"
import { keyRules } from "./GatewayKeyRules.ts"
import { begin, captured, eur, GatewayUnderTest, held, only, reasonOf, tagOf } from "./GatewayUnderTest.ts"
import type { TestCards } from "./TestCards.ts"
import { sandbox } from "./TestCards.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of `GatewayUnderTest`, which is the gateway and, where its
 * books can be read, how many charges they hold of a payment; the
 * `capabilities` that it promises; and the acquirer's test `cards`, which are
 * those of florin's sandbox when absent. Time is real. Each test makes payments
 * of its own, of 10.00 EUR, so the gateway may be shared and need not be empty.
 * A gateway that settles captures, voids and refunds by notification brings
 * `settled`, and is held to what those say; one without must answer at once.
 *
 * Checks: the capabilities are declared as promised; approvals and declines
 * with their category; captures, voids and refunds within what is left, in
 * parts only where promised; a refusal moves nothing and is an answer; what
 * concerns an unknown charge is `NotSent`; one key makes one charge, also when
 * it is used ten times at once, gives the same answer again, and is
 * `Misconfigured` for another request; a lookup tells what was answered; and
 * 3-D Secure from the redirect to its end. It does not check what a lost
 * connection or a 5xx means: only the adapter's own tests can break its wire.
 *
 *     const acme = Layer.effect(GatewayUnderTest, Effect.map(AcmeGateway.make(url), (gateway) => ({ gateway })))
 *     PaymentGatewayContract.suite("acme", acme, AcmeGateway.capabilities, cards)
 */
export const suite = <E>(
  name: string,
  implementation: Layer.Layer<GatewayUnderTest, E>,
  capabilities: Capabilities,
  cards: TestCards = sandbox
) =>
  layer(implementation, { excludeTestServices: true })(`PaymentGateway (${name})`, (it) => {
    const [card] = cards.approved

    it.effect("declares what it promises", () =>
      Effect.gen(function* () {
        const { gateway } = yield* GatewayUnderTest
        assert.deepStrictEqual(gateway.capabilities, capabilities)
      })
    )

    it.effect("approves", () =>
      Effect.gen(function* () {
        for (const token of cards.approved) {
          const { calls, gateway } = yield* begin(token)
          const answer = yield* gateway.authorize(calls.authorize)
          assert.strictEqual(only("Approved", answer).captured, false)
        }
      })
    )

    it.effect("captures with the authorization where it can and is asked to", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin(card, { capture: "automatic" })
        const answer = yield* gateway.authorize(calls.authorize)
        assert.strictEqual(only("Approved", answer).captured, capabilities.autoCapture)
      })
    )

    it.effect("declines, and says what that leaves open", () =>
      Effect.gen(function* () {
        for (const { category, code, token } of cards.declined) {
          const { calls, gateway } = yield* begin(token)
          const answer = yield* gateway.authorize(calls.authorize)
          assert.deepInclude(only("Declined", answer).decline, { code, category }, token)
        }
      })
    )

    it.effect("captures all that was authorized", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        const answer = yield* gateway.capture(calls.capture(reference, 10_00n))
        assert.deepStrictEqual(only("Captured", answer).amount, eur(10_00n))
      })
    )

    it.effect("captures a part where it can, and never more than is left", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        const first = yield* tagOf(gateway.capture(calls.capture(reference, 4_00n, 1)))
        assert.strictEqual(first, capabilities.partialCapture ? "Captured" : "Refused")
        if (!capabilities.partialCapture) return
        const second = yield* tagOf(gateway.capture(calls.capture(reference, 6_00n, 2)))
        assert.strictEqual(second, capabilities.multipleCaptures ? "Captured" : "Refused")
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n, 3))), "Refused")
      })
    )

    if (capabilities.partialCapture) {
      it.effect("captures nothing more after the last capture", () =>
        Effect.gen(function* () {
          const { calls, gateway, reference } = yield* held(card)
          yield* gateway.capture(calls.capture(reference, 4_00n, 1, true))
          assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n, 2))), "Refused")
        })
      )
    }

    it.effect("refuses to capture one cent more than was authorized, or nothing, and keeps the hold", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        for (const [ordinal, minor] of [10_01n, 0n, -1n].entries()) {
          const answer = yield* gateway.capture(calls.capture(reference, minor, ordinal + 1))
          assert.strictEqual(only("Refused", answer).authorizationGone, false)
        }
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 10_00n, 4))), "Captured")
      })
    )

    it.effect("refuses to capture in another currency", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        const capture = { ...calls.capture(reference, 1_00n), amount: { currency: "USD", minor: 1_00n } } as const
        assert.strictEqual(yield* tagOf(gateway.capture(capture)), "Refused")
      })
    )

    it.effect("voids, and then the hold is gone", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        assert.strictEqual(yield* tagOf(gateway.void(calls.void(reference))), "Voided")
        const answer = yield* gateway.capture(calls.capture(reference, 10_00n))
        assert.strictEqual(only("Refused", answer).authorizationGone, true)
      })
    )

    it.effect("answers a void after the capture with what was captured", () =>
      Effect.gen(function* () {
        const { settled } = yield* GatewayUnderTest
        const { calls, gateway, reference } = yield* captured(card)
        const answer = yield* gateway.void(calls.void(reference))
        // A notification may only say that it was too late; the capture has one of its own.
        if (settled !== undefined && answer._tag === "Refused") assert.strictEqual(answer.authorizationGone, false)
        else assert.deepStrictEqual(only("Captured", answer).amount, eur(10_00n))
      })
    )

    it.effect("answers at once, or says that it will and then tells what became of the operation by its id", () =>
      Effect.gen(function* () {
        const { gateway, settled } = yield* GatewayUnderTest
        const { calls, reference } = yield* held(card)
        const capture = calls.capture(reference, 10_00n)
        const refund = calls.refund(reference, 10_00n)
        for (const [ask, tag] of [
          [() => gateway.capture(capture), "Captured"],
          [() => gateway.refund(refund), "Refunded"]
        ] as const) {
          const answer = yield* ask()
          if (settled === undefined) assert.strictEqual(answer._tag, tag)
          else {
            // The reference by which a person finds it at the gateway, and the same when the call is repeated.
            assert.isDefined(only("Pending", answer).reference)
            assert.deepStrictEqual(yield* ask(), answer)
            const { operation } = tag === "Captured" ? capture : refund
            assert.strictEqual((yield* settled(operation))._tag, tag)
          }
        }
      })
    )

    it.effect("refunds all that was captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* captured(card)
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 10_00n))), "Refunded")
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 1n, 2))), "Refused")
      })
    )

    it.effect("refunds in parts where it can, and never more than was captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* captured(card)
        const expected = capabilities.partialRefund ? "Refunded" : "Refused"
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 4_00n, 1))), expected)
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 10_01n, 2))), "Refused")
        if (!capabilities.partialRefund) return
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 6_01n, 3))), "Refused")
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 6_00n, 4))), "Refunded")
      })
    )

    it.effect("refuses to refund what was never captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held(card)
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 1n))), "Refused")
      })
    )

    it.effect("was not sent what concerns a charge it does not have", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin(card)
        const nowhere = Reference.make("ch_nowhere")
        assert.strictEqual(yield* reasonOf(gateway.capture(calls.capture(nowhere, 1n))), "NotSent Refused")
        assert.strictEqual(yield* reasonOf(gateway.void(calls.void(nowhere))), "NotSent Refused")
      })
    )

    keyRules(it, capabilities, cards)
    if (cards.challenged !== undefined) challengeRules(it, capabilities, card, cards.challenged)
  })
