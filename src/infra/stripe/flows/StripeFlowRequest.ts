/**
 * The five requests that are made of Stripe by flows, and what florin keeps of
 * the objects that it answers with.
 *
 * Names and units are Stripe's own: amounts are integers in the currency's unit
 * as Stripe counts it, currencies are in lower case. Fields that are not listed
 * here are not sent; of an object, what is not listed is not kept, so that its
 * `client_secret` is nowhere in florin.
 */
import { Schema } from "effect"
import { FlowName } from "../../../domain/flow/FlowName.ts"
import { Text, Token } from "../../../domain/Text.ts"

// --- Parts ------------------------------------------------------------------

/** Stripe refuses amounts of more than eight digits. */
const maxAmount = 99_999_999

const amountFrom = (minimum: number) =>
  Schema.Int.check(
    Schema.isBetween({ minimum, maximum: maxAmount }, { expected: `a whole amount from ${minimum} to ${maxAmount}` })
  )

const Currency = Schema.String.check(
  Schema.isPattern(/^[a-z]{3}$/, { expected: 'a currency in lower case such as "eur"' })
)

/** Stripe's id of one of its objects. */
const Id = Token(255)

/** Room for the flow's id beside the caller's own fifty. */
const Metadata = Schema.Record(Token(40), Text(500)).check(
  Schema.isMaxProperties(49, { expected: "at most 49 metadata keys" })
)

const positive = Schema.Int.check(Schema.isGreaterThan(0))

// --- Requests ---------------------------------------------------------------

export const PaymentIntentRequest = Schema.Struct({
  amount: amountFrom(1),
  currency: Currency,
  customer: Schema.optionalKey(Id),
  payment_method: Schema.optionalKey(Id),
  confirm: Schema.optionalKey(Schema.Boolean),
  off_session: Schema.optionalKey(Schema.Boolean),
  capture_method: Schema.optionalKey(Schema.Literals(["automatic", "manual"])),
  return_url: Schema.optionalKey(Token(2048)),
  description: Schema.optionalKey(Text(1000)),
  statement_descriptor_suffix: Schema.optionalKey(Text(22)),
  automatic_payment_methods: Schema.optionalKey(
    Schema.Struct({
      enabled: Schema.Boolean,
      allow_redirects: Schema.optionalKey(Schema.Literals(["always", "never"]))
    })
  ),
  metadata: Schema.optionalKey(Metadata)
})
export type PaymentIntentRequest = typeof PaymentIntentRequest.Type

export const ProductRequest = Schema.Struct({
  name: Text(250),
  description: Schema.optionalKey(Text(1000)),
  active: Schema.optionalKey(Schema.Boolean),
  metadata: Schema.optionalKey(Metadata)
})
export type ProductRequest = typeof ProductRequest.Type

export const PriceRequest = Schema.Struct({
  product: Id,
  currency: Currency,
  unit_amount: amountFrom(0),
  nickname: Schema.optionalKey(Text(250)),
  recurring: Schema.optionalKey(
    Schema.Struct({
      interval: Schema.Literals(["day", "week", "month", "year"]),
      interval_count: Schema.optionalKey(positive)
    })
  ),
  metadata: Schema.optionalKey(Metadata)
})
export type PriceRequest = typeof PriceRequest.Type

export const SubscriptionRequest = Schema.Struct({
  customer: Id,
  items: Schema.NonEmptyArray(Schema.Struct({ price: Id, quantity: Schema.optionalKey(positive) })),
  discounts: Schema.optionalKey(Schema.Array(Schema.Struct({ coupon: Id }))),
  default_payment_method: Schema.optionalKey(Id),
  payment_behavior: Schema.optionalKey(
    Schema.Literals(["allow_incomplete", "default_incomplete", "error_if_incomplete"])
  ),
  metadata: Schema.optionalKey(Metadata)
})
export type SubscriptionRequest = typeof SubscriptionRequest.Type

const coupon = {
  duration: Schema.Literals(["forever", "once", "repeating"]),
  duration_in_months: Schema.optionalKey(positive),
  name: Schema.optionalKey(Text(40)),
  metadata: Schema.optionalKey(Metadata)
}

/** A share of the price, or an amount of a currency. */
export const CouponRequest = Schema.Union([
  Schema.Struct({
    percent_off: Schema.Finite.check(
      Schema.isGreaterThan(0, { expected: "more than 0 percent" }),
      Schema.isLessThanOrEqualTo(100, { expected: "at most 100 percent" })
    ),
    ...coupon
  }),
  Schema.Struct({ amount_off: amountFrom(1), currency: Currency, ...coupon })
])
export type CouponRequest = typeof CouponRequest.Type

// --- Responses --------------------------------------------------------------

export const PaymentIntent = Schema.Struct({
  id: Id,
  /** Not a closed set: Stripe may add one. */
  status: Schema.String,
  amount: Schema.optionalKey(Schema.Int),
  currency: Schema.optionalKey(Schema.String)
})
export type PaymentIntent = typeof PaymentIntent.Type

export const Product = Schema.Struct({ id: Id, name: Schema.String })
export type Product = typeof Product.Type

export const Price = Schema.Struct({
  id: Id,
  product: Schema.String,
  currency: Schema.String,
  unit_amount: Schema.NullOr(Schema.Int)
})
export type Price = typeof Price.Type

export const Subscription = Schema.Struct({ id: Id, status: Schema.String, customer: Schema.String })
export type Subscription = typeof Subscription.Type

export const Coupon = Schema.Struct({
  id: Id,
  percent_off: Schema.NullOr(Schema.Finite),
  amount_off: Schema.NullOr(Schema.Int)
})
export type Coupon = typeof Coupon.Type

// --- Names ------------------------------------------------------------------

export const names = {
  paymentIntent: FlowName.make("create_payment_intent"),
  product: FlowName.make("create_product"),
  price: FlowName.make("create_price"),
  subscription: FlowName.make("create_subscription"),
  coupon: FlowName.make("create_coupon")
}
