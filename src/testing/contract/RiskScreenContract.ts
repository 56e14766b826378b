/** What every `RiskScreen` by rules must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { PaymentRepository } from "../../adapters/PaymentRepository.ts"
import { RiskScreen } from "../../adapters/RiskScreen.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import type * as Risk from "../../domain/Risk.ts"
import { at, creation, later, paymentId, shop, unique } from "./Samples.ts"

const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const

/** The rules that the screen under test is made with. */
export const rules: ReadonlyArray<Risk.Rule> = [
  { _tag: "AmountAtLeast", name: "large", limit: eur(1000_00n), verdict: "challenge" },
  { _tag: "VelocityAbove", name: "hour", payments: 2, windowMillis: 3_600_000, verdict: "challenge" },
  { _tag: "VelocityAbove", name: "day", payments: 3, windowMillis: 86_400_000, verdict: "block" },
  { _tag: "MethodListed", name: "stolen", methods: ["tok_stolen"], verdict: "block" }
]

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of a screen that goes by `rules`, and of the repository from
 * which it counts a customer's payments; the store need not be empty.
 *
 * Checks: amounts and cards are judged without a customer; a customer's
 * payments are counted within each window, this one included, and neither
 * another customer's nor another merchant's are; every rule that fires gives
 * its reason, and the strictest verdict wins.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const screen = Layer.mergeAll(AcmeRiskScreen.layer(RiskScreenContract.rules), AcmePaymentRepository.layer)
 *     RiskScreenContract.suite("acme", screen.pipe(Layer.provide(database)))
 */
export const suite = <E>(name: string, implementation: Layer.Layer<RiskScreen | PaymentRepository, E>) =>
  layer(implementation)(`RiskScreen (${name})`, (it) => {
    const request = (customer: string | undefined, method = "tok_visa", minor = 10_00n) => ({
      payment: paymentId(),
      merchant: shop,
      amount: eur(minor),
      methods: [MethodToken.make(method)],
      customer,
      at
    })
    const verdict = (asked: ReturnType<typeof request>) =>
      Effect.map(
        Effect.flatMap(RiskScreen, (screen) => screen.screen(asked)),
        ({ reasons, verdict }) => [verdict, ...reasons.map(({ _tag }) => _tag)]
      )
    /** Takes a payment of the customer `millis` before now. */
    const pay = (customer: string, millis: number, merchant = shop) =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const created = creation(paymentId(), { order: { customer }, merchant })
        yield* repository.create({ ...created, view: { ...created.view, merchant, createdAt: later(-millis) } })
      })

    it.effect("judges by amount and method without asking anybody", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* verdict(request(undefined)), ["allow"])
        assert.deepStrictEqual(yield* verdict(request(undefined, "tok_visa", 1000_00n)), ["challenge", "AmountAtLeast"])
        assert.deepStrictEqual(yield* verdict(request(undefined, "tok_stolen")), ["block", "MethodListed"])
      })
    )

    it.effect("counts a customer's payments within each window, and nobody else's", () =>
      Effect.gen(function* () {
        const customer = unique("customer-")
        yield* pay(unique("customer-"), 1)
        yield* pay(customer, 0, MerchantId.make("other"))
        yield* pay(customer, 3_600_000)
        yield* pay(customer, 10)
        yield* pay(customer, 0)
        assert.deepStrictEqual(yield* verdict(request(customer)), ["allow"])
        yield* pay(customer, 0)
        assert.deepStrictEqual(yield* verdict(request(customer)), ["block", "VelocityAbove", "VelocityAbove"])
      })
    )
  })
