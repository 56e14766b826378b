/** What every `RiskScreen` by rules must do. Each implementation's test runs it. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import { RiskScreen } from "../../src/adapters/RiskScreen.ts"
import { MethodToken } from "../../src/domain/payment/Gateway.ts"
import { MerchantId } from "../../src/domain/payment/PaymentEvent.ts"
import type * as Risk from "../../src/domain/Risk.ts"
import { at, creation, later, paymentId, shop, unique } from "./Samples.ts"

const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const

export const rules: ReadonlyArray<Risk.Rule> = [
  { _tag: "AmountAtLeast", name: "large", limit: eur(1000_00n), verdict: "challenge" },
  { _tag: "VelocityAbove", name: "hour", payments: 2, windowMillis: 3_600_000, verdict: "challenge" },
  { _tag: "VelocityAbove", name: "day", payments: 3, windowMillis: 86_400_000, verdict: "block" },
  { _tag: "MethodListed", name: "stolen", methods: ["tok_stolen"], verdict: "block" }
]

/** `implementation` screens by `rules`. */
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
