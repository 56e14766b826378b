/** What the five requests are on the wire, held to the schemas of Stripe's SDK. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { Effect, Redacted } from "effect"
import sdkSchema from "../../../fixtures/stripe/stripe-node-23-params.schema.json" with { type: "json" }
import { FlowId, FlowName } from "../../../../src/domain/flow/FlowName.ts"
import * as StripeFlowGateway from "../../../../src/infra/stripe/flows/StripeFlowGateway.ts"
import * as Requests from "../../../../src/infra/stripe/flows/StripeFlowRequest.ts"
import * as StripeSdk from "../../../../src/infra/stripe/StripeSdk.ts"
import * as StripeSimulator from "../../../simulators/stripe/StripeSimulator.ts"

const flow = FlowId.make(`flow_${"0".repeat(40)}`)
const metadata = { order: "1001" }

/** Each request with every field that it can have, and the schema of the SDK that it must fit. */
const requests = [
  [
    Requests.names.paymentIntent,
    "PaymentIntentCreateParams",
    {
      amount: 1099,
      currency: "eur",
      customer: "cus_1",
      payment_method: "pm_card_visa",
      confirm: true,
      off_session: true,
      capture_method: "manual",
      return_url: "https://shop.test/back",
      description: "Order 1001",
      statement_descriptor_suffix: "1001",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      metadata
    }
  ],
  [Requests.names.product, "ProductCreateParams", { name: "Gold", description: "Everything", active: true, metadata }],
  [
    Requests.names.price,
    "PriceCreateParams",
    {
      product: "prod_1",
      currency: "eur",
      unit_amount: 0,
      nickname: "monthly",
      recurring: { interval: "month", interval_count: 3 },
      metadata
    }
  ],
  [
    Requests.names.subscription,
    "SubscriptionCreateParams",
    {
      customer: "cus_1",
      items: [{ price: "price_1", quantity: 2 }],
      discounts: [{ coupon: "coupon_1" }],
      default_payment_method: "pm_1",
      payment_behavior: "default_incomplete",
      metadata
    }
  ],
  [
    Requests.names.coupon,
    "CouponCreateParams",
    { percent_off: 12.5, duration: "repeating", duration_in_months: 3, name: "Welcome", metadata }
  ],
  [Requests.names.coupon, "CouponCreateParams", { amount_off: 500, currency: "eur", duration: "once" }]
] as const

/** A Stripe that keeps what it is asked and does nothing. */
const recording = () => {
  const asked: Array<{ readonly params: unknown; readonly key: string | undefined }> = []
  const stripe = StripeSdk.client({ secretKey: Redacted.make("sk_test_x") })
  for (const resource of ["paymentIntents", "products", "prices", "subscriptions", "coupons"] as const) {
    Object.assign(stripe[resource], {
      create: (params: unknown, options: { readonly idempotencyKey?: string }) => {
        asked.push({ params, key: options.idempotencyKey })
        return Promise.resolve({ id: "x_1", lastResponse: { statusCode: 200 } })
      }
    })
  }
  return { asked, gateway: StripeFlowGateway.of(stripe) }
}

describe("StripeFlowGateway", () => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  ajv.addSchema(sdkSchema, "sdk")

  it.effect.each(requests)("%s sends what %s allows, with the flow's key and id", ([name, schema, request]) =>
    Effect.gen(function* () {
      const { asked, gateway } = recording()
      const key = `${flow}/1`
      const outcome = yield* gateway.perform({ flow, name, key, request })
      assert.strictEqual(outcome._tag, "Answered", JSON.stringify(outcome))
      const [{ key: sentKey, params }] = asked as [(typeof asked)[number]]
      assert.strictEqual(sentKey, key)
      const validate = ajv.getSchema(`sdk#/definitions/${schema}`)!
      assert.isTrue(validate(params), JSON.stringify(validate.errors))
      assert.isFalse(validate({ ...Object(params), no_such_field: 1 }))
      assert.deepStrictEqual(params, {
        ...request,
        metadata: { ...("metadata" in request && request.metadata), florin_flow: flow }
      })
    })
  )

  it.effect("sends nothing that it does not know", () =>
    Effect.gen(function* () {
      const { asked, gateway } = recording()
      const call = { flow, key: "k", request: { name: "Gold" } }
      const stranger = yield* gateway.perform({ ...call, name: FlowName.make("create_world") })
      assert.deepInclude(stranger, { _tag: "Failed" })
      const odd = yield* gateway.perform({ ...call, name: Requests.names.product, request: { name: 7 } })
      assert.isTrue(odd._tag === "Failed" && odd.error._tag === "Undecodable")
      assert.deepStrictEqual(asked, [])
    })
  )

  it.live("a repeat under one key is one object, and another key another", () =>
    Effect.gen(function* () {
      const { host, machine, port, secretKey } = yield* StripeSimulator.make()
      const gateway = StripeFlowGateway.make({ secretKey: Redacted.make(secretKey), host, port, protocol: "http" })
      const perform = (key: string) =>
        gateway.perform({ flow, name: Requests.names.product, key, request: { name: "Gold" } })
      const [first, again, other] = [
        yield* perform(`${flow}/1`),
        yield* perform(`${flow}/1`),
        yield* perform(`${flow}/2`)
      ]
      assert.deepStrictEqual(first, again)
      assert.notDeepEqual(first, other)
      assert.strictEqual([...machine.tables.kept.values()].filter(({ object }) => object === "product").length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("a key that stands for another request is a doubt that asking again does not end", () =>
    Effect.gen(function* () {
      const { host, port, secretKey } = yield* StripeSimulator.make()
      const gateway = StripeFlowGateway.make({ secretKey: Redacted.make(secretKey), host, port, protocol: "http" })
      const perform = (name: string) =>
        gateway.perform({ flow, name: Requests.names.product, key: `${flow}/1`, request: { name } })
      yield* perform("Gold")
      assert.deepInclude(yield* perform("Silver"), { _tag: "InDoubt", settled: true })
    }).pipe(Effect.scoped)
  )

  it.live("Stripe's word on when to come back is passed on, and a wrong key fails at once", () =>
    Effect.gen(function* () {
      const { faults, host, port, secretKey } = yield* StripeSimulator.make()
      const gateway = (key: string) =>
        StripeFlowGateway.make({ secretKey: Redacted.make(key), host, port, protocol: "http" })
      const call = { flow, name: Requests.names.product, key: `${flow}/1`, request: { name: "Gold" } }
      faults.plan("POST /v1/products", { _tag: "throttle", retryAfterSeconds: 7 })
      assert.deepInclude(yield* gateway(secretKey).perform(call), {
        _tag: "NotSent",
        because: "Throttled",
        retryAfterMillis: 7000
      })
      const outcome = yield* gateway("sk_test_wrong").perform(call)
      assert.isTrue(outcome._tag === "Failed" && outcome.error._tag === "Refused")
      if (outcome._tag === "Failed") assert.deepInclude(outcome.error, { status: 401 })
      assert.notInclude(JSON.stringify(outcome), "sk_test_wrong")
    }).pipe(Effect.scoped)
  )
})
