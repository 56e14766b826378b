/**
 * The five flows at Stripe, each with a response flow and an error flow.
 *
 *     create_payment_intent, create_product, create_price, create_subscription, create_coupon
 *
 * A response flow sets the object's id in the context: `payment_intent_id` and
 * `payment_status`, `product_id`, `price_id`, `subscription_id` and
 * `subscription_status`, `coupon_id`. An error flow sets `<object>_error`, and
 * logs it by whom it concerns. The caller's own handler runs after that.
 */
import { Effect, Layer } from "effect"
import type { Schema } from "effect"
import { FlowGateways } from "../../adapters/FlowGateway.ts"
import * as FlowErrors from "../../domain/flow/FlowError.ts"
import type { FlowName } from "../../domain/flow/FlowName.ts"
import * as StripeFlowGateway from "../../infra/stripe/flows/StripeFlowGateway.ts"
import { names } from "../../infra/stripe/flows/StripeFlowRequest.ts"
import * as Requests from "../../infra/stripe/flows/StripeFlowRequest.ts"
import type * as StripeSdk from "../../infra/stripe/StripeSdk.ts"
import * as Flow from "../../orchestration/Flow.ts"

/** Stripe, as the gateway that performs them. */
export const gateway = (options: StripeSdk.Options): Layer.Layer<FlowGateways> =>
  Layer.succeed(FlowGateways, [StripeFlowGateway.make(options)])

/** What the caller does with the answer, or with the error. */
export interface Handlers<Response, E1 = never, R1 = never, E2 = never, R2 = never> {
  readonly onResponse?: (response: Response, handling: Flow.Handling) => Effect.Effect<unknown, E1, R1>
  readonly onError?: (failure: Flow.Failure, handling: Flow.Handling) => Effect.Effect<unknown, E2, R2>
}

export const createPaymentIntent = <E1 = never, R1 = never, E2 = never, R2 = never>(
  handlers: Handlers<Requests.PaymentIntent, E1, R1, E2, R2> = {}
): Flow.Flow<Requests.PaymentIntentRequest, R1 | R2> =>
  define(
    names.paymentIntent,
    "payment_intent",
    Requests.PaymentIntentRequest,
    Requests.PaymentIntent,
    handlers,
    (intent) => ({
      payment_intent_id: intent.id,
      payment_status: intent.status
    })
  )

export const createProduct = <E1 = never, R1 = never, E2 = never, R2 = never>(
  handlers: Handlers<Requests.Product, E1, R1, E2, R2> = {}
): Flow.Flow<Requests.ProductRequest, R1 | R2> =>
  define(names.product, "product", Requests.ProductRequest, Requests.Product, handlers, ({ id }) => ({
    product_id: id
  }))

export const createPrice = <E1 = never, R1 = never, E2 = never, R2 = never>(
  handlers: Handlers<Requests.Price, E1, R1, E2, R2> = {}
): Flow.Flow<Requests.PriceRequest, R1 | R2> =>
  define(names.price, "price", Requests.PriceRequest, Requests.Price, handlers, ({ id }) => ({ price_id: id }))

export const createSubscription = <E1 = never, R1 = never, E2 = never, R2 = never>(
  handlers: Handlers<Requests.Subscription, E1, R1, E2, R2> = {}
): Flow.Flow<Requests.SubscriptionRequest, R1 | R2> =>
  define(
    names.subscription,
    "subscription",
    Requests.SubscriptionRequest,
    Requests.Subscription,
    handlers,
    ({ id, status }) => ({ subscription_id: id, subscription_status: status })
  )

export const createCoupon = <E1 = never, R1 = never, E2 = never, R2 = never>(
  handlers: Handlers<Requests.Coupon, E1, R1, E2, R2> = {}
): Flow.Flow<Requests.CouponRequest, R1 | R2> =>
  define(names.coupon, "coupon", Requests.CouponRequest, Requests.Coupon, handlers, ({ id }) => ({ coupon_id: id }))

// --- What they share --------------------------------------------------------

/** More of an error than this says no more about it. */
const maxSummaryLength = 500

const define = <Request, Response, E1, R1, E2, R2>(
  name: FlowName,
  object: string,
  request: Schema.Codec<Request, unknown>,
  response: Schema.Codec<Response, unknown>,
  { onError, onResponse }: Handlers<Response, E1, R1, E2, R2>,
  entries: (response: Response) => Readonly<Record<string, string>>
): Flow.Flow<Request, R1 | R2> =>
  Flow.make(name, {
    request,
    response,
    onResponse: (value, handling) =>
      Effect.gen(function* () {
        for (const [key, entry] of Object.entries(entries(value))) yield* handling.context.set(key, entry)
        if (onResponse !== undefined) yield* onResponse(value, handling)
      }),
    onError: (failure, handling) =>
      Effect.gen(function* () {
        const { advice, error, inDoubt } = failure
        const summary = FlowErrors.keptText(FlowErrors.summary(error)).slice(0, maxSummaryLength)
        yield* handling.context.set(`${object}_error`, { advice, inDoubt, summary })
        yield* said(failure, summary).pipe(Effect.annotateLogs({ flow: handling.flowId, handler: handling.name }))
        if (onError !== undefined) yield* onError(failure, handling)
      })
  })

/** A doubt is for a person, whatever it is about. */
const said = ({ advice, inDoubt }: Flow.Failure, summary: string): Effect.Effect<void> => {
  if (inDoubt) return Effect.logError("it is not known whether Stripe did it", summary)
  switch (advice) {
    case "notify":
      return Effect.logError("the customer has to hear of it", summary)
    case "retryLater":
      return Effect.logWarning("Stripe was busy; it may be dispatched again later", summary)
    case "log":
      return Effect.logWarning("Stripe did not do it", summary)
  }
}

// --- All of them ------------------------------------------------------------

/** All five, with nothing of the caller's: what a worker needs that only performs them. */
export const all: ReadonlyArray<Flow.Flow<never>> = [
  createPaymentIntent(),
  createProduct(),
  createPrice(),
  createSubscription(),
  createCoupon()
]
