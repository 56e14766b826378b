/** Stripe as a gateway: the contract that every gateway keeps, and what is Stripe's own. */
import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as StripeCustomers from "../../../src/infra/stripe/StripeCustomers.ts"
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import * as PaymentGatewayContract from "../../../src/testing/contract/PaymentGatewayContract.ts"
import { callsOf, only, referenceOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { apiOf, gatewayOf, optionsOf, overHttp } from "./StripeFixture.ts"

const challenged = {
  approved: "pm_card_authenticationRequired",
  declined: "pm_card_threeDSecure2Required",
  abandoned: "pm_card_authenticationRequiredSetupForOffSession"
}

PaymentGatewayContract.suite("stripe", overHttp(challenged), StripeGateway.capabilities, {
  approved: ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"],
  declined: [
    { token: "pm_card_visa_chargeDeclined", code: "generic_decline", category: "retryLater" },
    { token: "pm_card_visa_chargeDeclinedInsufficientFunds", code: "insufficient_funds", category: "retryLater" },
    { token: "pm_card_visa_chargeDeclinedLostCard", code: "lost_card", category: "final" },
    { token: "pm_card_visa_chargeDeclinedStolenCard", code: "stolen_card", category: "final" },
    { token: "pm_card_chargeDeclinedExpiredCard", code: "expired_card", category: "otherInstrument" },
    { token: "pm_card_chargeDeclinedIncorrectCvc", code: "incorrect_cvc", category: "otherInstrument" },
    { token: "pm_card_chargeDeclinedProcessingError", code: "processing_error", category: "retryLater" },
    { token: "pm_card_chargeDeclinedFraudulent", code: "fraudulent", category: "final" },
    { token: "pm_nobody_ever_issued", code: "resource_missing", category: "otherInstrument" }
  ],
  challenged
})

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeGateway", (it) => {
  const sent = (simulator: StripeSimulator.StripeSimulator, operation: string) =>
    simulator.seen.filter(({ key }) => key === operation)

  it.effect("sends no card number, and says nothing of it", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const { authorize } = callsOf(gateway, "4242424242424242")
      const error = yield* Effect.flip(gateway.authorize(authorize))
      assert.deepInclude(error.reason, { _tag: "NotSent", because: "Refused" })
      assert.notInclude(String(error.reason.cause), "4242")
      assert.deepStrictEqual(sent(simulator, authorize.operation), [])
    })
  )

  it.effect("sends amounts in Stripe's units, and refuses those that have none", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const isk = callsOf(gateway, "pm_card_visa", { amount: { currency: "ISK", minor: 5n } })
      const reference = referenceOf(yield* gateway.authorize(isk.authorize))
      assert.deepInclude(sent(simulator, isk.authorize.operation)[0]!.params, { amount: "500", currency: "isk" })
      const capture = { ...isk.capture(reference, 0n), amount: { currency: "ISK", minor: 3n } } as const
      assert.deepInclude(yield* gateway.capture(capture), { amount: { currency: "ISK", minor: 3n } })
      assert.strictEqual(sent(simulator, capture.operation)[0]!.params["amount_to_capture"], "300")

      const odd = { currency: "KWD", minor: 5_124n } as const
      const kwd = callsOf(gateway, "pm_card_visa", { amount: odd })
      const error = yield* Effect.flip(gateway.authorize(kwd.authorize))
      assert.include(String(error.reason.cause), "third decimal is 0 in KWD, got 5.124")
      assert.deepInclude(error.reason, { _tag: "NotSent", because: "Refused" })
      for (const answer of [
        yield* gateway.capture({ ...kwd.capture(reference, 0n), amount: odd }),
        yield* gateway.refund({ ...kwd.refund(reference, 0n), amount: odd })
      ]) {
        assert.deepStrictEqual(answer, { _tag: "Refused", code: "amount_not_representable", authorizationGone: false })
      }
      assert.deepStrictEqual(sent(simulator, kwd.authorize.operation), [])
    })
  )

  it.effect("declines what has to be authenticated where nobody is there, or there is no page to come back to", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const away = gatewayOf(simulator, { isOffSession: () => true })
      const charged = yield* away.authorize(callsOf(away, "pm_card_authenticationRequired").authorize)
      assert.deepInclude(only("Declined", charged).decline, {
        code: "authentication_required",
        category: "otherInstrument"
      })
      // This card was set up for that.
      const setUp = callsOf(away, "pm_card_authenticationRequiredSetupForOffSession")
      assert.strictEqual((yield* away.authorize(setUp.authorize))._tag, "Approved")
      const pageless = StripeGateway.make(optionsOf(simulator))
      const answer = yield* pageless.authorize(callsOf(pageless, "pm_card_threeDSecure2Required").authorize)
      assert.strictEqual(only("Declined", answer).decline.code, "authentication_not_handled")
    })
  )

  it.effect("keeps a customer and their card once, and charges them under their own id", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const customers = StripeCustomers.make(apiOf(simulator))
      const ada = yield* customers.create({ reference: "ada" })
      assert.strictEqual(yield* customers.create({ reference: "ada" }), ada)
      const card = yield* customers.attach(ada, "pm_card_visa")
      assert.strictEqual(yield* customers.attach(ada, "pm_card_visa"), card)
      const gateway = gatewayOf(simulator, { isToBeKept: () => true })
      const { authorize, payment } = callsOf(gateway, card, { customer: ada })
      yield* gateway.authorize(authorize)
      const intent = simulator.books.intents().find(({ metadata }) => metadata["florin_payment"] === payment)
      assert.deepInclude(intent, { customer: ada, setup_future_usage: "off_session" })
      // A merchant's own name for a customer is nothing that Stripe knows.
      const other = callsOf(gateway, "pm_card_visa", { customer: "ada" })
      assert.strictEqual((yield* gateway.authorize(other.authorize))._tag, "Approved")
    })
  )

  it.effect("says that a hold is gone when its time is over", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const calls = callsOf(gateway, "pm_card_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      simulator.faults.plan("POST /v1/payment_intents/{id}/capture", {
        _tag: "refuse",
        status: 400,
        error: { type: "invalid_request_error", code: "charge_expired_for_capture", message: "too late" }
      })
      assert.deepStrictEqual(yield* gateway.capture(calls.capture(reference, 1_00n)), {
        _tag: "Refused",
        code: "charge_expired_for_capture",
        authorizationGone: true
      })
    })
  )

  it.effect("does not take money that other hands took for a hold that is gone", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const calls = callsOf(gateway, "pm_card_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.capture(calls.capture(reference, 10_00n, 7))
      const answer = yield* gateway.capture(calls.capture(reference, 10_00n))
      assert.deepStrictEqual(answer, {
        _tag: "Refused",
        code: "payment_intent_unexpected_state",
        authorizationGone: false
      })
      assert.strictEqual((yield* gateway.void(calls.void(reference)))._tag, "Captured")
    })
  )

  it.effect("takes a descriptor that Stripe would take", () =>
    Effect.sync(() => {
      const isDescriptor = Schema.is(StripeGateway.StatementDescriptor)
      for (const text of ["FLORIN", "Shop 24/7 & more", "ab", "a".repeat(22)]) assert.isTrue(isDescriptor(text), text)
      for (const text of ["", "a", "12345", "a".repeat(23), "a<b", 'a"b', "it's", "a*b", "a\\b", "sch\u00f6n"]) {
        assert.isFalse(isDescriptor(text), text)
      }
    })
  )
})
