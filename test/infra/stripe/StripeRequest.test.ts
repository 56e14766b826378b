/** Every request that the adapter can make, held to Stripe's own schemas. */
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import type { StripeApi } from "../../../src/infra/stripe/StripeApi.ts"
import * as StripeCustomers from "../../../src/infra/stripe/StripeCustomers.ts"
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import type { StripeRequest } from "../../../src/infra/stripe/StripeRequest.ts"
import * as StripeWebhook from "../../../src/infra/stripe/StripeWebhook.ts"
import { callsOf, referenceOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { apiOf } from "./StripeFixture.ts"
import { problemsInParams, problemsOnWire } from "./StripeSchemas.ts"

/** The SDK's type of each request's parameters; it declares none for what is retrieved by its id. */
const typeOf: Readonly<Record<StripeRequest["_tag"], string | undefined>> = {
  CreateIntent: "PaymentIntentCreateParams",
  RetrieveIntent: undefined,
  CaptureIntent: "PaymentIntentCaptureParams",
  CancelIntent: "PaymentIntentCancelParams",
  ListIntents: "PaymentIntentListParams",
  SearchIntents: "PaymentIntentSearchParams",
  CreateRefund: "RefundCreateParams",
  ListRefunds: "RefundListParams",
  RetrieveRefund: undefined,
  RetrieveDispute: undefined,
  ListEvents: "EventListParams",
  CreateCustomer: "CustomerCreateParams",
  AttachMethod: "PaymentMethodAttachParams"
}

/** What a creation may hold: each was in one request at least. */
const parts = [
  "return_url",
  "error_on_requires_action",
  "off_session",
  "payment_method_options",
  "customer",
  "setup_future_usage",
  "description",
  "statement_descriptor_suffix"
]

/** Every kind of call, in every form that changes what is asked. */
const everything = Effect.gen(function* () {
  const simulator = yield* StripeSimulator.Service
  const asked: Array<StripeRequest> = []
  const real = apiOf(simulator)
  const api: StripeApi = { ask: (request) => Effect.suspend(() => (asked.push(request), real.ask(request))) }
  const customer = yield* StripeCustomers.make(api).create({ reference: "ada", email: "ada@example.com", name: "Ada" })
  const card = yield* StripeCustomers.make(api).attach(customer, "pm_card_visa")

  const statementDescriptor = StripeGateway.StatementDescriptor.make("FLORIN TEST")
  const gateway = StripeGateway.over(api, {
    statementDescriptor,
    isOffSession: ({ reference }) => reference === "away",
    isToBeKept: ({ reference }) => reference === "keep"
  })
  const returnUrl = "https://shop.example/back?order=1&x=[1]"
  const keys = ["odd[key]", ...Array.from({ length: 49 }, (_, index) => `key ${index}`)]
  const metadata = Object.fromEntries(keys.map((key) => [key, "é".repeat(500)]))
  const held = callsOf(gateway, card, { customer, reference: "keep", returnUrl, metadata })
  const hold = referenceOf(yield* gateway.authorize(held.authorize))
  yield* gateway.capture(held.capture(hold, 4_00n))
  yield* gateway.refund(held.refund(hold, 1_00n))
  yield* gateway.authorize(callsOf(gateway, card, { customer, reference: "away", capture: "automatic" }).authorize)
  yield* gateway.authorize(callsOf(gateway, "pm_card_chargeDeclinedExpiredCard").authorize)
  const challenged = callsOf(gateway, "pm_card_visa", { returnUrl })
  const away = referenceOf(yield* gateway.authorize({ ...challenged.authorize, challenge: true }))
  yield* gateway.confirm(challenged.confirm(away))
  yield* gateway.void(challenged.void(away))

  const unknown = callsOf(gateway, card, { customer })
  const nowhere = Reference.make("pi_nowhere")
  const calls = [
    unknown.authorize,
    held.authorize,
    challenged.confirm(away),
    held.capture(hold, 4_00n),
    challenged.void(away),
    held.refund(hold, 1_00n),
    unknown.capture(nowhere, 1n)
  ]
  for (const call of calls) yield* gateway.lookup(call)

  simulator.books.dispute(hold, "fraudulent")
  const webhook = StripeWebhook.over(api, { secrets: [Redacted.make(simulator.webhookSecret)] })
  for (const event of simulator.books.events()) {
    yield* webhook.read(new TextEncoder().encode(simulator.sign(event).body))
  }
  return { asked, simulator }
})

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeRequest", (it) => {
  it.effect("asks nothing that Stripe's schemas do not allow, and asks everything", () =>
    Effect.gen(function* () {
      const { asked, simulator } = yield* everything
      for (const request of asked) {
        const type = typeOf[request._tag]
        const params = "params" in request ? request.params : {}
        if (type !== undefined) assert.deepStrictEqual(problemsInParams(type, params), [], JSON.stringify(request))
      }
      for (const { params, route } of simulator.seen) {
        assert.deepStrictEqual(problemsOnWire(route, params), [], `${route} ${JSON.stringify(params)}`)
      }
      assert.sameMembers([...new Set(asked.map(({ _tag }) => _tag))], Object.keys(typeOf))
      const creations = asked.flatMap((request) => (request._tag === "CreateIntent" ? Object.keys(request.params) : []))
      for (const part of parts) assert.include(creations, part)
      assert.isAtLeast(simulator.seen.length, asked.length)
    })
  )

  it.effect("names the operation in every key, and changes nothing without one", () =>
    Effect.gen(function* () {
      const { simulator } = yield* everything
      const changes = simulator.seen.filter(({ method }) => method === "POST")
      assert.isAbove(changes.length, 6)
      for (const { key, params, path, version } of changes) {
        assert.match(key ?? "", /^pay_\w+\/\w+\/1(\/abandon)?$|^florin\/customer\//, path)
        assert.strictEqual(version, "2026-10-28.endive")
        const { florin_operation = key } = (params["metadata"] ?? {}) as Readonly<Record<string, string>>
        assert.strictEqual(florin_operation, key, path)
      }
      const { florin_payment, ...metadata } = changes.find(({ path }) => path === "/v1/payment_intents")!.params[
        "metadata"
      ] as Readonly<Record<string, string>>
      assert.strictEqual(OperationId.make(metadata["florin_operation"]!), `${florin_payment}/auth/1`)
      assert.strictEqual(Object.keys(metadata).length, 48)
      assert.include(Object.keys(metadata), "key 0")
      assert.notInclude(Object.keys(metadata).join(), "odd")
    })
  )

  it.effect("sends no telemetry", () =>
    Effect.gen(function* () {
      const { simulator } = yield* everything
      assert.isAbove(simulator.seen.length, 20)
      for (const { headers } of simulator.seen) assert.isUndefined(headers["x-stripe-client-telemetry"])
    })
  )

  it.effect("would be told of a parameter that is wrong, however deep", () =>
    Effect.sync(() => {
      const create = "POST /v1/payment_intents"
      const good = { amount: "100", currency: "eur" }
      assert.deepStrictEqual(problemsOnWire(create, good), [])
      assert.notDeepEqual(problemsOnWire(create, { ...good, colour: "red" }), [])
      assert.notDeepEqual(problemsOnWire(create, { ...good, amount: "1.5" }), [])
      assert.notDeepEqual(
        problemsOnWire(create, { ...good, automatic_payment_methods: { enabled: "true", x: "1" } }),
        []
      )
      const type = "PaymentIntentCreateParams"
      assert.deepStrictEqual(problemsInParams(type, { amount: 100, currency: "eur" }), [])
      assert.notDeepEqual(problemsInParams(type, { amount: "100", currency: "eur" }), [])
      assert.notDeepEqual(
        problemsInParams(type, { amount: 1, currency: "eur", payment_method_options: { card: { colour: "red" } } }),
        []
      )
    })
  )
})
