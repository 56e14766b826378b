import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import type { GatewayError } from "../../../src/adapters/PaymentGateway.ts"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as AdyenGateway from "../../../src/infra/adyen/AdyenGateway.ts"
import { callsOf, eur, reasonOf, referenceOf, tagOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as PaymentGatewayContract from "../../../src/testing/contract/PaymentGatewayContract.ts"
import * as AdyenFixture from "./AdyenFixture.ts"

PaymentGatewayContract.suite("adyen", AdyenFixture.underTest, AdyenGateway.capabilities, {
  approved: ["adyen_visa", "mc", "M5N7TQ4TG5PFWR50"],
  declined: [
    { token: "poor", code: "12", category: "otherInstrument" },
    { token: "unavailable", code: "9", category: "retryLater" },
    { token: "fraud", code: "20", category: "final" },
    { token: "never_again", code: "2", category: "final" },
    { token: "unheard", code: "999", category: "final" },
    { token: "error", code: "4", category: "retryLater" },
    { token: "cancelled", code: "16", category: "final" },
    { token: "component", code: "ChallengeShopper", category: "otherInstrument" },
    { token: "fingerprint", code: "IdentifyShopper", category: "otherInstrument" },
    { token: "nobody_ever_stored", code: "error_803", category: "otherInstrument" },
    { token: "__proto__", code: "error_803", category: "otherInstrument" }
  ],
  challenged: { approved: "challenged", declined: "challenged_fails" }
})

const customer = { customer: "shopper-1" }

describe("AdyenGateway, what it sends", () => {
  it.effect("is what Adyen's manual asks for, and no more", () =>
    Effect.gen(function* () {
      const { gateway, simulator } = yield* AdyenFixture.start()
      const calls = callsOf(gateway, "adyen_visa", { ...customer, reference: "order 7" })
      const { payment } = calls
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.capture(calls.capture(reference, 4_00n))
      yield* gateway.refund(calls.refund(reference, 1_00n))
      yield* gateway.void(calls.void(reference))
      yield* gateway.void(calls.void(Reference.make(`${payment}/auth/1`), 2))
      const merchantAccount = "FlorinTest"
      assert.deepStrictEqual(simulator.seen, [
        {
          path: "/payments",
          key: `${payment}/auth/1`,
          body: {
            merchantAccount,
            amount: { currency: "EUR", value: 1000 },
            reference: `${payment}/auth/1`,
            merchantOrderReference: "order 7",
            paymentMethod: { type: "scheme", storedPaymentMethodId: "visa" },
            shopperReference: "shopper-1",
            shopperInteraction: "ContAuth",
            recurringProcessingModel: "CardOnFile",
            channel: "Web",
            returnUrl: "https://shop.example/back",
            authenticationData: { threeDSRequestData: { nativeThreeDS: "disabled" } },
            additionalData: { manualCapture: "true" },
            metadata: { operation: `${payment}/auth/1`, payment, merchant: calls.authorize.order.merchant }
          }
        },
        {
          path: `/payments/${reference}/captures`,
          key: `${payment}/capture/1`,
          body: { merchantAccount, amount: { currency: "EUR", value: 400 }, reference: `${payment}/capture/1` }
        },
        {
          path: `/payments/${reference}/refunds`,
          key: `${payment}/refund/1`,
          body: { merchantAccount, amount: { currency: "EUR", value: 100 }, reference: `${payment}/refund/1` }
        },
        {
          path: `/payments/${reference}/cancels`,
          key: `${payment}/void/1`,
          body: { merchantAccount, reference: `${payment}/void/1` }
        },
        {
          path: "/cancels",
          key: `${payment}/void/2`,
          body: { merchantAccount, paymentReference: `${payment}/auth/1`, reference: `${payment}/void/2` }
        }
      ])
    })
  )

  it.effect("prefers the return URL of the order, and sends no amount that Adyen cannot say", () =>
    Effect.gen(function* () {
      const { gateway, simulator } = yield* AdyenFixture.start()
      const own = callsOf(gateway, "visa", { ...customer, returnUrl: "https://shop.example/own" })
      yield* gateway.authorize(own.authorize)
      assert.strictEqual(simulator.seen[0]?.body["returnUrl"], "https://shop.example/own")
      const finer = callsOf(gateway, "visa", { ...customer, amount: { currency: "CVE", minor: 1_50n } })
      assert.strictEqual(yield* reasonOf(gateway.authorize(finer.authorize)), "NotSent Refused")
      const capture = { ...finer.capture(Reference.make("PSP1"), 1n), amount: { currency: "IDR", minor: 1n } } as const
      assert.deepStrictEqual(yield* gateway.capture(capture), {
        _tag: "Refused",
        code: "amount_not_representable",
        authorizationGone: false
      })
      assert.strictEqual(simulator.seen.length, 1)
    })
  )

  it.effect("has nothing to say to Adyen when the customer brought nothing back", () =>
    Effect.gen(function* () {
      const { gateway, simulator } = yield* AdyenFixture.start()
      const calls = callsOf(gateway, "challenged", customer)
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      assert.strictEqual(String(reference), calls.authorize.operation)
      assert.strictEqual(yield* reasonOf(gateway.confirm(calls.confirm(reference))), "Misconfigured")
      assert.strictEqual(yield* reasonOf(gateway.lookup(calls.authorize)), "Misconfigured")
      assert.strictEqual(simulator.seen.length, 1)
    })
  )

  it.effect("cancels by its own reference the payment of a customer who never came back", () =>
    Effect.gen(function* () {
      const { gateway, notifications } = yield* AdyenFixture.start()
      const calls = callsOf(gateway, "challenged", customer)
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      assert.strictEqual(yield* tagOf(gateway.void(calls.void(reference))), "Pending")
      const { operation } = calls.void(reference)
      assert.deepStrictEqual(
        (yield* notifications).map(({ news }) => news),
        [
          {
            _tag: "Answered",
            operation,
            // There never was a hold, which is what a void wants.
            answer: { _tag: "Refused", code: "original_payment_not_found", authorizationGone: true }
          }
        ]
      )
    })
  )
})

describe("AdyenGateway, what it makes of Adyen's silence", () => {
  const struck = Effect.fnUntraced(function* (
    fault: { readonly how: "close" | "error" | "throttle"; readonly when: "before" | "after" },
    expected: string
  ) {
    const { gateway, simulator } = yield* AdyenFixture.start()
    for (const { on, send } of [
      { on: "payments", send: "authorize" },
      { on: "captures", send: "capture" },
      { on: "refunds", send: "refund" },
      { on: "cancels", send: "void" }
    ] as const) {
      const calls = callsOf(gateway, "visa", customer)
      const held = send === "authorize" ? undefined : referenceOf(yield* gateway.authorize(calls.authorize))
      const reference = held ?? Reference.make("none")
      if (send === "refund") yield* gateway.capture(calls.capture(reference, 10_00n))
      const before = simulator.payments().length
      const told = simulator.delivered().length
      simulator.fault({ on, ...fault })
      const ask = Effect.suspend((): Effect.Effect<Answer, GatewayError> => {
        switch (send) {
          case "authorize":
            return gateway.authorize(calls.authorize)
          case "capture":
            return gateway.capture(calls.capture(reference, 10_00n))
          case "refund":
            return gateway.refund(calls.refund(reference, 10_00n))
          case "void":
            return gateway.void(calls.void(reference))
        }
      })
      assert.strictEqual(yield* reasonOf(ask), expected, `${send} ${fault.how} ${fault.when}`)
      // Sent again, it is done once, whether it had been done or not.
      const answer = yield* ask
      assert.strictEqual(answer._tag, send === "authorize" ? "Approved" : "Pending")
      assert.deepStrictEqual(yield* ask, answer)
      assert.strictEqual(simulator.payments().length, send === "authorize" ? before + 1 : before)
      assert.strictEqual(simulator.delivered().length, told + 1)
    }
  })

  it.effect.each([
    { how: "close", when: "before", expected: "InDoubt ConnectionLost" },
    { how: "close", when: "after", expected: "InDoubt ConnectionLost" },
    { how: "error", when: "before", expected: "InDoubt ServerError" },
    { how: "error", when: "after", expected: "InDoubt ServerError" },
    { how: "throttle", when: "before", expected: "NotSent Throttled" }
  ] as const)("$how $when acting: $expected, and the key makes it one operation", ({ expected, how, when }) =>
    struck({ how, when }, expected)
  )

  it.effect("was not sent to a port where nobody listens", () =>
    Effect.gen(function* () {
      const gateway = yield* AdyenGateway.make("adyen", { ...AdyenFixture.account, url: "http://127.0.0.1:1/v72" })
      const calls = callsOf(gateway, "visa", customer)
      assert.strictEqual(yield* reasonOf(gateway.authorize(calls.authorize)), "NotSent ConnectionRefused")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.effect("is misconfigured with another's key, and never says which", () =>
    Effect.gen(function* () {
      const { simulator } = yield* AdyenFixture.start()
      const secret = "AQE_not_the_key"
      const options = { ...AdyenFixture.account, apiKey: Redacted.make(secret), url: simulator.url }
      const gateway = yield* AdyenGateway.make("adyen", options)
      const error = yield* Effect.flip(gateway.authorize(callsOf(gateway, "visa", customer).authorize))
      assert.strictEqual(error.message.includes("Misconfigured (Adyen answered 401 (000)"), true)
      const nowhere = yield* AdyenGateway.make("adyen", { ...options, url: "http://127.0.0.1:1" })
      const silent = yield* Effect.flip(nowhere.authorize(callsOf(nowhere, "visa", customer).authorize))
      for (const one of [error, silent]) assert.notInclude(JSON.stringify([one, one.message, one.cause]), secret)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})

describe("AdyenGateway, what it makes of a reply", () => {
  /** A client whose server says this to everything. */
  const saying = (status: number, body: unknown) =>
    HttpClient.make((request) =>
      Effect.sync(() => {
        const text = typeof body === "string" ? body : JSON.stringify(body)
        return HttpClientResponse.fromWeb(request, new Response(text === "" ? null : text, { status }))
      })
    )
  const over = (client: HttpClient.HttpClient) =>
    AdyenGateway.make("adyen", { ...AdyenFixture.account, url: "http://adyen" }).pipe(
      Effect.provideService(HttpClient.HttpClient, client)
    )

  it.effect("believes what it can read, of what was asked for", () =>
    Effect.gen(function* () {
      const authorised = { resultCode: "Authorised", pspReference: "PSP1" }
      const redirect = { type: "redirect", method: "GET", url: "https://bank.example/3ds" }
      const table: ReadonlyArray<readonly [unknown, string]> = [
        [authorised, "Approved"],
        [{ ...authorised, amount: { currency: "EUR", value: 1000 } }, "Approved"],
        [{ resultCode: "Authorised" }, "InDoubt Unreadable"],
        [{ ...authorised, merchantReference: "pay_other/auth/1" }, "Misconfigured"],
        [{ ...authorised, amount: { currency: "EUR", value: 1001 } }, "Misconfigured"],
        [{ ...authorised, amount: { currency: "USD", value: 1000 } }, "Misconfigured"],
        [{ ...authorised, additionalData: { "tokenization.storedPaymentMethodId": "visa" } }, "Approved"],
        [{ ...authorised, additionalData: { "tokenization.storedPaymentMethodId": "mc" } }, "Misconfigured"],
        [{ resultCode: "Pending" }, "Pending"],
        [{ resultCode: "Received", pspReference: "PSP1" }, "Pending"],
        [{ resultCode: "Refused", refusalReason: "Refused" }, "Declined"],
        [{ resultCode: "Error" }, "Declined"],
        [{ resultCode: "RedirectShopper", action: redirect }, "ActionRequired"],
        [{ resultCode: "IdentifyShopper", action: redirect }, "ActionRequired"],
        [{ resultCode: "RedirectShopper", action: { ...redirect, method: "POST" } }, "Declined"],
        [{ resultCode: "RedirectShopper" }, "Declined"],
        [{ resultCode: "PresentToShopper" }, "InDoubt Unreadable"],
        [{ pspReference: "PSP1" }, "InDoubt Unreadable"],
        ["<html>", "InDoubt Unreadable"],
        ["", "InDoubt Unreadable"]
      ]
      for (const [body, expected] of table) {
        const gateway = yield* over(saying(200, body))
        const asked = gateway.authorize(callsOf(gateway, "visa", customer).authorize)
        const said = yield* Effect.catch(tagOf(asked), () => reasonOf(asked))
        assert.strictEqual(said, expected, JSON.stringify(body))
      }
    })
  )

  it.effect("takes a modification for taken on only when Adyen says so, of the same amount and operation", () =>
    Effect.gen(function* () {
      const received = { status: "received", pspReference: "PSP2" }
      const table: ReadonlyArray<readonly [unknown, string]> = [
        [received, "Pending"],
        [{ ...received, amount: { currency: "EUR", value: 1 } }, "Misconfigured"],
        [{ ...received, reference: "pay_other/capture/1" }, "Misconfigured"],
        [{ ...received, status: "done" }, "InDoubt Unreadable"],
        [{ status: "received" }, "InDoubt Unreadable"]
      ]
      for (const [body, expected] of table) {
        const gateway = yield* over(saying(201, body))
        const calls = callsOf(gateway, "visa", customer)
        const asked = gateway.capture({ ...calls.capture(Reference.make("PSP1"), 1n), amount: eur(10_00n) })
        assert.strictEqual(yield* Effect.catch(tagOf(asked), () => reasonOf(asked)), expected, JSON.stringify(body))
      }
    })
  )

  it.effect("reads an error without a body by its status", () =>
    Effect.gen(function* () {
      for (const [status, expected] of [
        [500, "InDoubt ServerError"],
        [422, "InDoubt Unreadable"],
        [429, "NotSent Throttled"],
        [302, "InDoubt Unreadable"]
      ] as const) {
        const gateway = yield* over(saying(status, "<html>"))
        assert.strictEqual(yield* reasonOf(gateway.authorize(callsOf(gateway, "visa").authorize)), expected)
      }
    })
  )
})
