/**
 * Payments over two gateways that have nothing in common: Stripe, which answers
 * at once and can be asked again, and Adyen, which tells by notification and
 * cannot; each over its simulator.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { GatewayName, MethodToken } from "../../src/domain/payment/Gateway.ts"
import * as Notification from "../../src/domain/payment/Notification.ts"
import type { Event, PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import type * as Routing from "../../src/domain/Routing.ts"
import * as StripeGateway from "../../src/infra/stripe/StripeGateway.ts"
import * as GatewayCall from "../../src/orchestration/GatewayCall.ts"
import * as Notifications from "../../src/orchestration/Notifications.ts"
import * as PaymentPolicy from "../../src/orchestration/PaymentPolicy.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as AdyenFixture from "../infra/adyen/AdyenFixture.ts"

import * as StripeSimulator from "../simulators/stripe/StripeSimulator.ts"
import * as Workshop from "./Workshop.ts"

const [stripeName, adyenName] = [GatewayName.make("stripe"), GatewayName.make("adyen")]

interface Setting {
  readonly terms?: { readonly stripe?: Routing.Terms; readonly adyen?: Routing.Terms }
  readonly rules?: ReadonlyArray<Routing.Rule>
  /** Calls that must fail before a breaker opens. */
  readonly minimumCalls?: number
}

/** Quick to ask again, and quick to give up. */
const patience = { maxAttempts: 4, baseMillis: 20, factor: 1, capMillis: 20 }
const quick = { ...PaymentPolicy.defaults.authorizing, resend: patience, verify: patience }
const callPolicy = (calls: number): GatewayCall.CallPolicy => ({
  ...GatewayCall.defaultPolicy,
  retry: { maxAttempts: 1, baseMillis: 0, factor: 1, capMillis: 0 },
  breaker: { tripPolicy: CircuitBreaker.rate({ threshold: 1, minimumCalls: calls, size: calls }), openMillis: 60_000 }
})

const world = Effect.fnUntraced(function* ({ minimumCalls = 2, rules = [], terms = {} }: Setting = {}) {
  const stripe = yield* StripeSimulator.make()
  const { host, port, secretKey } = stripe
  const adyen = yield* AdyenFixture.start()
  const bank = StripeGateway.make({ secretKey: Redacted.make(secretKey), host, port, protocol: "http" })
  const gateways = [bank, adyen.gateway].map((gateway) => ({ gateway, asked: Effect.succeed([]) }))
  const routing: Routing.Table = {
    gateways: [
      { name: stripeName, capabilities: bank.capabilities, ...terms.stripe },
      { name: adyenName, capabilities: adyen.gateway.capabilities, ...terms.adyen }
    ],
    rules
  }
  const policies = new Map([stripeName, adyenName].map((name) => [name, callPolicy(minimumCalls)]))
  const services = Workshop.layer({ gateways, settings: { routing, authorizing: quick, lingerMillis: 500 } }).pipe(
    Layer.provide(Layer.succeed(GatewayCall.CallPolicies, policies))
  )
  return { stripe, adyen, services }
})

const own = { stripe: { methods: ["pm_"] }, adyen: { methods: ["adyen_"] } }

let orders = 0

const pay = Effect.fnUntraced(function* (cards: ReadonlyArray<string>, capture: "manual" | "automatic" = "manual") {
  const payments = yield* Payments
  const [first, ...others] = cards.map((card) => MethodToken.make(card))
  const order = Workshop.order({ capture, customer: "shopper-1", methods: [first!, ...others] })
  const { view } = yield* payments.create(Workshop.shop, Workshop.key(`order-${++orders}`), order)
  return { view, events: yield* payments.events(view.id) }
})

const begun = (events: ReadonlyArray<Event>) =>
  events.flatMap((event) => (event._tag === "AuthorizationBegun" ? [event] : []))
const route = (events: ReadonlyArray<Event>) => begun(events).map(({ gateway, method }) => `${gateway} ${method}`)

type World = Effect.Success<ReturnType<typeof world>>

/** How many charges each gateway's own books hold of a payment. */
const booked = ({ adyen, stripe }: World, payment: PaymentId) => ({
  stripe: stripe.books.chargesOf(payment).length,
  adyen: adyen.simulator.payments().filter(({ reference }) => reference.startsWith(`${payment}/`)).length
})

describe("a decline", () => {
  const table: ReadonlyArray<
    readonly [what: string, cards: ReadonlyArray<string>, status: string, route: ReadonlyArray<string>]
  > = [
    [
      "that another gateway may not share goes on to the next gateway with the same card",
      ["pm_card_visa_chargeDeclined"],
      "authorized",
      ["stripe 0", "adyen 0"]
    ],
    [
      "of one card goes on to the next card, which is the other gateway's",
      ["pm_card_chargeDeclinedExpiredCard", "adyen_visa"],
      "authorized",
      ["stripe 0", "adyen 1"]
    ],
    ["goes the other way as well", ["adyen_poor", "pm_card_visa"], "authorized", ["adyen 0", "stripe 1"]],
    [
      "for want of an issuer goes on past it",
      ["adyen_unavailable", "pm_card_visa"],
      "authorized",
      ["adyen 0", "stripe 1"]
    ],
    ["that is final ends it", ["adyen_fraud", "pm_card_visa"], "failed", ["adyen 0"]],
    [
      "that is final ends it, whoever says so",
      ["pm_card_visa_chargeDeclinedStolenCard", "adyen_visa"],
      "failed",
      ["stripe 0"]
    ],
    ["of every card ends it", ["adyen_poor", "pm_card_chargeDeclinedExpiredCard"], "failed", ["adyen 0", "stripe 1"]]
  ]
  it.live.each(table)("%s", ([, cards, status, expected]) =>
    Effect.gen(function* () {
      const isShared = cards.length === 1
      const stage = yield* world({ terms: isShared ? {} : own })
      yield* Effect.gen(function* () {
        const { events, view } = yield* pay(cards)
        assert.strictEqual(view.status, status)
        assert.deepStrictEqual(route(events), expected)
        const { adyen, stripe } = booked(stage, view.id)
        assert.strictEqual(adyen + stripe, status === "authorized" ? 1 : 0)
      }).pipe(Effect.provide(stage.services))
    })
  )
})

describe("doubt", () => {
  const cards = { stripe: ["pm_card_visa", "adyen_visa"], adyen: ["adyen_visa", "pm_card_visa"] } as const

  it.live.each(["stripe", "adyen"] as const)("at %s asks nobody else, whether it is resolved or not", (name) =>
    Effect.gen(function* () {
      for (const [times, status] of [
        [1, "authorized"],
        [1000, "in_doubt"]
      ] as const) {
        const stage = yield* world({ terms: own })
        const { adyen, stripe } = stage
        if (name === "adyen") adyen.simulator.fault({ on: "payments", how: "close", when: "after", times })
        else stripe.faults.plan("POST /v1/payment_intents", { _tag: "closeAfter" }, times)
        yield* Effect.gen(function* () {
          const { events, view } = yield* pay(cards[name])
          assert.strictEqual(view.status, status)
          assert.deepStrictEqual(route(events), [`${name} 0`])
          assert.deepStrictEqual(booked(stage, view.id), {
            stripe: name === "stripe" ? 1 : 0,
            adyen: name === "adyen" ? 1 : 0
          })
        }).pipe(Effect.provide(stage.services))
      }
    })
  )

  it.live("that no question can end is ended by Adyen's notification", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: own })
      stage.adyen.simulator.fault({ on: "payments", how: "close", when: "after", times: 1000 })
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* pay(cards.adyen)
        assert.strictEqual(view.status, "in_doubt")
        for (const one of yield* stage.adyen.notifications) yield* Notifications.receive(Notification.encode(one))
        assert.strictEqual((yield* payments.get(view.id)).status, "authorized")
        assert.deepStrictEqual(booked(stage, view.id), { stripe: 0, adyen: 1 })
      }).pipe(Effect.provide(stage.services))
    })
  )
})

describe("routing", () => {
  it.live("takes the cheaper, and says so of both in the event", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: { stripe: { costBasisPoints: 140 }, adyen: { costBasisPoints: 90 } } })
      yield* Effect.gen(function* () {
        const { events } = yield* pay(["pm_card_visa"])
        assert.deepStrictEqual(
          begun(events).map(({ gateway, routing }) => ({ gateway, routing })),
          [
            {
              gateway: adyenName,
              routing: {
                reasons: [{ _tag: "Cost", basisPoints: 90 }],
                passedOver: [],
                outranked: [{ gateway: stripeName, reasons: [{ _tag: "Cost", basisPoints: 140 }] }]
              }
            }
          ]
        )
      }).pipe(Effect.provide(stage.services))
    })
  )

  it.live("takes what a rule prefers, dearer or not, and leaves out what cannot serve", () =>
    Effect.gen(function* () {
      const rules = [{ name: "small ones", when: { maxMinor: 50_00n }, prefer: [stripeName] }]
      const dear = { stripe: { costBasisPoints: 140 }, adyen: { costBasisPoints: 90, currencies: ["USD"] as const } }
      const stage = yield* world({ rules, terms: dear })
      yield* Effect.gen(function* () {
        const { events } = yield* pay(["pm_card_visa"])
        assert.deepStrictEqual(
          begun(events).map(({ gateway, routing }) => ({ gateway, routing })),
          [
            {
              gateway: stripeName,
              routing: {
                reasons: [
                  { _tag: "Preferred", rule: "small ones" },
                  { _tag: "Cost", basisPoints: 140 }
                ],
                passedOver: [{ gateway: adyenName, reason: { _tag: "CurrencyUnsupported" } }]
              }
            }
          ]
        )
      }).pipe(Effect.provide(stage.services))
    })
  )

  it.live("goes past a gateway that lets nothing in, and then to the healthier one first, dearer or not", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: { stripe: { costBasisPoints: 1 }, adyen: { costBasisPoints: 90 } } })
      stage.stripe.faults.plan("POST /v1/payment_intents", { _tag: "throttle" }, 1000)
      yield* Effect.gen(function* () {
        for (let index = 0; index < 2; index++) {
          const { events, view } = yield* pay(["pm_card_visa"])
          assert.strictEqual(view.status, "authorized")
          assert.deepStrictEqual(route(events), ["stripe 0", "adyen 0"])
        }
        const { events, view } = yield* pay(["pm_card_visa"])
        assert.strictEqual(view.status, "authorized")
        assert.deepStrictEqual(
          begun(events).map(({ gateway, routing }) => ({ gateway, routing })),
          [
            {
              gateway: adyenName,
              routing: {
                reasons: [{ _tag: "Cost", basisPoints: 90 }],
                passedOver: [],
                outranked: [{ gateway: stripeName, reasons: [{ _tag: "Down" }, { _tag: "Cost", basisPoints: 1 }] }]
              }
            }
          ]
        )
      }).pipe(Effect.provide(stage.services))
    })
  )

  it.live("goes on to the next card when the only gateway of the first lets nothing in for too long", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: own, minimumCalls: 20 })
      stage.stripe.faults.plan("POST /v1/payment_intents", { _tag: "throttle", retryAfterSeconds: 0 }, 1000)
      yield* Effect.gen(function* () {
        const { events, view } = yield* pay(["pm_card_visa", "adyen_visa"])
        assert.strictEqual(view.status, "authorized")
        assert.deepStrictEqual(route(events), ["stripe 0", "adyen 1"])
        assert.deepStrictEqual(booked(stage, view.id), { stripe: 0, adyen: 1 })
      }).pipe(Effect.provide(stage.services))
    })
  )
})

describe("Adyen's notifications", () => {
  it.live("settle what was only taken on, in any order and as often as they come", () =>
    Effect.gen(function* () {
      for (const order of ["as decided", "reversed"] as const) {
        const stage = yield* world({ terms: own })
        yield* Effect.gen(function* () {
          const payments = yield* Payments
          const { events, view } = yield* pay(["adyen_visa"], "automatic")
          assert.strictEqual(view.status, "processing")
          assert.strictEqual(events.at(-1)?._tag, "OperationPending")
          const told = (yield* stage.adyen.notifications).map((one) => Notification.encode(one))
          assert.lengthOf(told, 2)
          const inOrder = order === "reversed" ? told.toReversed() : told
          for (const one of [...inOrder, ...inOrder]) yield* Notifications.receive(one)
          const settled = yield* payments.get(view.id)
          assert.deepInclude(settled, { status: "succeeded", capturedMinor: 10_99n })

          yield* payments.refund(view.id, Workshop.request("r1"), { amount: Workshop.eur(4_00n) })
          assert.strictEqual((yield* payments.get(view.id)).refundedMinor, 0n)
          const after = (yield* stage.adyen.notifications).map((one) => Notification.encode(one)).slice(told.length)
          for (const one of [...after, ...told, ...after]) yield* Notifications.receive(one)
          assert.strictEqual((yield* payments.get(view.id)).refundedMinor, 4_00n)
          const tags = (yield* payments.events(view.id)).map(({ _tag }) => _tag)
          assert.deepStrictEqual(tags, [
            "Initiated",
            "AuthorizationBegun",
            "Authorized",
            "CaptureBegun",
            "OperationPending",
            "Captured",
            "RefundBegun",
            "OperationPending",
            "Refunded"
          ])
        }).pipe(Effect.provide(stage.services))
      }
    })
  )

  it.live("end a capture that is refused with the hold given back", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: own })
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* pay(["adyen_capture_refused"], "automatic")
        for (let round = 0; round < 2; round++) {
          for (const one of yield* stage.adyen.notifications) yield* Notifications.receive(Notification.encode(one))
        }
        assert.strictEqual((yield* payments.get(view.id)).status, "failed")
        assert.deepStrictEqual(
          stage.adyen.simulator.payments().map(({ state }) => state),
          ["cancelled"]
        )
      }).pipe(Effect.provide(stage.services))
    })
  )

  it.live("open a dispute and close it", () =>
    Effect.gen(function* () {
      const stage = yield* world({ terms: own })
      const { simulator } = stage.adyen
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* pay(["adyen_visa"], "automatic")
        const [payment] = simulator.payments()
        const dispute = {
          success: true,
          pspReference: "PSPDISPUTE",
          originalReference: payment!.pspReference,
          merchantReference: payment!.reference,
          amount: { value: 1099, currency: "EUR" }
        }
        const hear = Effect.gen(function* () {
          for (const one of yield* stage.adyen.notifications) yield* Notifications.receive(Notification.encode(one))
          return (yield* payments.get(view.id)).disputedMinor
        })
        simulator.tell({ ...dispute, eventCode: "NOTIFICATION_OF_CHARGEBACK" })
        assert.strictEqual(yield* hear, 10_99n)
        simulator.tell({ ...dispute, eventCode: "CHARGEBACK", reason: "Fraudulent Processing" })
        assert.strictEqual(yield* hear, 10_99n)
        simulator.tell({ ...dispute, eventCode: "CHARGEBACK_REVERSED" })
        assert.strictEqual(yield* hear, 0n)
      }).pipe(Effect.provide(stage.services))
    })
  )
})
