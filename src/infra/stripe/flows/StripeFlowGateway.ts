/**
 * Stripe as the gateway of the five flows, over its official SDK: no retries,
 * the version pinned, the flow's key as `Idempotency-Key` and the flow's id in
 * the object's metadata, by which a person finds it in Stripe's books.
 */
import { Effect, Result, Schema } from "effect"
import type { Stripe } from "stripe"
import type { FlowCall, FlowGateway } from "../../../adapters/FlowGateway.ts"
import * as FlowError from "../../../domain/flow/FlowError.ts"
import type { Outcome } from "../../../domain/flow/FlowEvent.ts"
import type { FlowName } from "../../../domain/flow/FlowName.ts"
import { GatewayName } from "../../../domain/payment/Gateway.ts"
import { StripeTrouble } from "../StripeApi.ts"
import type { Options } from "../StripeSdk.ts"
import * as StripeSdk from "../StripeSdk.ts"
import * as StripeFlowOutcome from "./StripeFlowOutcome.ts"
import * as Requests from "./StripeFlowRequest.ts"

/** Stripe removes keys that are at least 24 hours old. */
const keyRetentionMillis = 24 * 60 * 60 * 1000

/** The metadata key that holds the flow's id. */
export const metadataKey = "florin_flow"

export const make = (options: Options): FlowGateway => of(StripeSdk.client(options))

export const of = (stripe: Stripe): FlowGateway => {
  const performers = performersOf(stripe)
  return {
    name: GatewayName.make("stripe"),
    flows: new Set(performers.keys()),
    keyRetentionMillis,
    perform: (call) => {
      const perform = performers.get(call.name)
      return perform === undefined ? Effect.succeed(unknown(call)) : perform(call)
    }
  }
}

interface Answered {
  readonly lastResponse: { readonly statusCode: number }
}

type Perform = (call: FlowCall) => Effect.Effect<Outcome>

const performersOf = (stripe: Stripe): ReadonlyMap<FlowName, Perform> => {
  const { names } = Requests
  return new Map([
    [
      names.paymentIntent,
      performing(Requests.PaymentIntentRequest, (params, call) =>
        stripe.paymentIntents.create(marked(params, call), keyed(call))
      )
    ],
    [
      names.product,
      performing(Requests.ProductRequest, (params, call) => stripe.products.create(marked(params, call), keyed(call)))
    ],
    [
      names.price,
      performing(Requests.PriceRequest, (params, call) => stripe.prices.create(marked(params, call), keyed(call)))
    ],
    [
      names.subscription,
      performing(Requests.SubscriptionRequest, ({ discounts, items, ...params }, call) =>
        stripe.subscriptions.create(
          marked({ ...params, items: [...items], ...(discounts && { discounts: [...discounts] }) }, call),
          keyed(call)
        )
      )
    ],
    [
      names.coupon,
      performing(Requests.CouponRequest, (params, call) => stripe.coupons.create(marked(params, call), keyed(call)))
    ]
  ])
}

const keyed = ({ key }: FlowCall) => ({ idempotencyKey: key })

type Metadata = Readonly<Record<string, string>>

/** The request with the flow's id in its metadata. */
const marked = <P extends { readonly metadata?: Metadata }>(params: P, { flow }: FlowCall) => ({
  ...params,
  metadata: { ...params.metadata, [metadataKey]: flow }
})

const performing = <Request>(
  schema: Schema.Codec<Request, unknown>,
  send: (request: Request, call: FlowCall) => Promise<Answered>
): Perform => {
  const decode = Schema.decodeUnknownResult(Schema.toCodecJson(schema))
  return (call) => {
    const request = decode(call.request)
    if (Result.isFailure(request)) return Effect.succeed(unreadable(call, request.failure.message))
    return Effect.tryPromise({ try: () => send(request.success, call), catch: StripeSdk.troubleOf }).pipe(
      // An error page without an error in it passes for an object.
      Effect.filterOrFail(
        ({ lastResponse }) => lastResponse.statusCode < 300,
        () => new StripeTrouble({ seen: { _tag: "Unreadable" } })
      ),
      Effect.match({
        onSuccess: (object): Outcome => ({ _tag: "Answered", response: jsonOf(object) }),
        onFailure: StripeFlowOutcome.of
      })
    )
  }
}

/** As it came: the SDK's own members are not enumerable. */
const jsonOf = (object: unknown): Schema.Json => JSON.parse(JSON.stringify(object)) as Schema.Json

const unknown = ({ name }: FlowCall): Outcome => ({
  _tag: "Failed",
  error: { _tag: "NotConfigured", detail: `Stripe's adapter does not know ${name}` }
})

/** A flow of the caller's own under a name of Stripe's, or one of another version of florin: nothing was sent. */
const unreadable = ({ request }: FlowCall, detail: string): Outcome => ({
  _tag: "Failed",
  error: {
    _tag: "Undecodable",
    detail: `the request: ${FlowError.keptText(detail)}`,
    body: FlowError.keptJson(request)
  }
})
