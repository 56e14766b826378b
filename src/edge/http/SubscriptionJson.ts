/**
 * Subscriptions and their invoices in JSON. Amounts are integers of the
 * currency's minor unit; moments are ISO 8601 in UTC.
 */
import { DateTime, Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { Address } from "../../adapters/Notifier.ts"
import type { NumberedInvoice } from "../../adapters/SubscriptionRepository.ts"
import { Currency } from "../../domain/Currency.ts"
import type { Instant } from "../../domain/Instant.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { TimeZone } from "../../domain/subscription/BillingAnchor.ts"
import * as BillingPlan from "../../domain/subscription/BillingPlan.ts"
import * as Coupon from "../../domain/subscription/Coupon.ts"
import * as Invoice from "../../domain/subscription/Invoice.ts"
import { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { Terms } from "../../domain/subscription/SubscriptionEvent.ts"
import { CancelWhen } from "../../domain/subscription/SubscriptionEvent.ts"
import type { SubscriptionView } from "../../domain/subscription/SubscriptionView.ts"
import { Status } from "../../domain/subscription/SubscriptionView.ts"
import { Text } from "../../domain/Text.ts"
import { Limit, usualLimit } from "./PaymentList.ts"

const optional = Schema.optionalKey

// --- Requests ---------------------------------------------------------------

/** Millions of lines of the largest price still add up within 64 bits. */
const maxPrice = 1_000_000_000_000

const Price = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: maxPrice }, { expected: `a price of 0 to ${maxPrice} minor units` })
).annotate({ description: "Minor units of the currency: 1099 EUR is 10.99 euros" })

export const Plan = Schema.Struct({
  id: BillingPlan.PlanId,
  name: Text(120),
  amount: Price,
  currency: Currency,
  /** `{ "unit": "month", "count": 3 }` is a quarter. */
  interval: BillingPlan.Interval,
  trialDays: optional(BillingPlan.BillingPlan.fields.trialDays)
}).annotate({ identifier: "Plan" })
export type Plan = typeof Plan.Type

const Periods = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 120 }))

/** `percent` has up to two decimals. */
const Percent = Schema.Finite.check(
  Schema.makeFilter(
    (percent) =>
      (percent >= 0.01 && percent <= 100 && Math.abs(Math.round(percent * 100) - percent * 100) < 1e-6) ||
      "Expected a percentage of 0.01 to 100 with at most two decimals"
  )
)

export const CouponJson = Schema.Struct({
  code: Coupon.CouponCode,
  percent: optional(Percent),
  amount: optional(Price),
  currency: optional(Currency),
  /** How many periods it holds for, or `forever`. */
  periods: Schema.Union([Periods, Schema.Literal("forever")])
})
  .check(
    Schema.makeFilter(({ amount, currency, percent }) => {
      if ((percent === undefined) === (amount === undefined)) {
        return { path: ["percent"], issue: "Expected either `percent`, or `amount` with `currency`" }
      }
      if ((amount === undefined) === (currency === undefined)) return undefined
      return { path: ["currency"], issue: "Expected `currency` with `amount`, and only with it" }
    })
  )
  .annotate({ identifier: "Coupon" })

export const CreateSubscription = Schema.Struct({
  customer: Text(255),
  email: optional(Address.annotate({ description: "Where notices go; without it, there are none" })),
  plan: Plan,
  paymentMethod: MethodToken,
  timeZone: optional(TimeZone.annotate({ description: "Whose calendar the periods go by; `UTC` unless it is said" })),
  coupon: optional(CouponJson)
}).annotate({ identifier: "CreateSubscription" })

export const ChangePlan = Schema.Struct({ plan: Plan }).annotate({ identifier: "ChangePlan" })
export const ApplyCoupon = Schema.Struct({ coupon: CouponJson }).annotate({ identifier: "ApplyCoupon" })
export const UpdateMethod = Schema.Struct({ paymentMethod: MethodToken }).annotate({ identifier: "UpdateMethod" })
export const CancelSubscription = Schema.Struct({
  /** `now`: at once, with what is left credited. `periodEnd`: what is paid for is still delivered. */
  when: optional(CancelWhen)
}).annotate({ identifier: "CancelSubscription" })

export const toPlan = ({ amount, currency, id, interval, name, trialDays = 0 }: Plan): BillingPlan.BillingPlan => ({
  id,
  name,
  price: { currency, minor: BigInt(amount) },
  interval,
  trialDays
})

export const toCoupon = ({ amount, code, currency, percent, periods }: typeof CouponJson.Type): Coupon.Coupon => ({
  code,
  off:
    amount !== undefined && currency !== undefined
      ? { _tag: "Amount", amount: { currency, minor: BigInt(amount) } }
      : { _tag: "Percent", basisPoints: Math.round((percent ?? 0) * 100) },
  duration:
    periods === "forever" ? { _tag: "Forever" } : periods === 1 ? { _tag: "Once" } : { _tag: "Repeating", periods }
})

const utc = TimeZone.make("UTC")

export const toTerms = (
  merchant: MerchantId,
  subscription: SubscriptionId,
  { coupon, customer, email, paymentMethod, plan, timeZone = utc }: typeof CreateSubscription.Type
): Terms => ({
  subscription,
  merchant,
  customer,
  ...(email !== undefined && { email }),
  plan: toPlan(plan),
  method: paymentMethod,
  zone: timeZone,
  ...(coupon !== undefined && { coupon: toCoupon(coupon) })
})

// --- Pages ------------------------------------------------------------------

const decodeId = Schema.decodeUnknownOption(SubscriptionId)

export const cursorOf = (place: string | number): string => Base64Url.encode(String(place))

const placeOf = (cursor: string): Option.Option<string> => Result.getSuccess(Base64Url.decodeString(cursor))

const expected = "Expected a cursor that a page gave as nextCursor"
const numberOf = (cursor: string): Option.Option<number> =>
  Option.filter(Option.map(placeOf(cursor), Number), (place) => Number.isSafeInteger(place) && place >= 0)

const Cursor = (isPlace: (cursor: string) => boolean) =>
  Schema.String.annotate({ description: "The `nextCursor` of the page before" }).check(
    Schema.makeFilter((text) => isPlace(text) || expected)
  )

const idOf = (cursor: string) => Option.flatMap(placeOf(cursor), decodeId)

export const Query = { limit: optional(Limit), cursor: optional(Cursor((text) => Option.isSome(idOf(text)))) }
export const InvoiceQuery = {
  limit: optional(Limit),
  cursor: optional(Cursor((text) => Option.isSome(numberOf(text))))
}

interface Asked {
  readonly limit?: number
  readonly cursor?: string
}

/** One more than a page holds, so that it is known whether there is another. */
export const toPage = ({ cursor, limit = usualLimit }: Asked) => ({
  limit: limit + 1,
  after: cursor === undefined ? undefined : Option.getOrUndefined(idOf(cursor))
})
export const toInvoicePage = ({ cursor, limit = usualLimit }: Asked) => ({
  limit: limit + 1,
  after: cursor === undefined ? undefined : Option.getOrUndefined(numberOf(cursor))
})

export const paged = <A>(
  items: ReadonlyArray<A>,
  { limit = usualLimit }: Asked,
  placeOf: (item: A) => string | number
) => {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  return { page, next: items.length > limit && last !== undefined ? { nextCursor: cursorOf(placeOf(last)) } : {} }
}

// --- Answers ----------------------------------------------------------------

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))

export const Subscription = Schema.Struct({
  id: SubscriptionId,
  status: Status,
  customer: Schema.String,
  plan: Plan,
  paymentMethod: MethodToken,
  /** What the customer has to their credit. */
  credit: Schema.Int,
  coupon: optional(Coupon.CouponCode),
  trialEndsAt: optional(Schema.String),
  period: optional(Schema.Struct({ start: Schema.String, end: Schema.String })),
  /** When it ends, where it is cancelled. */
  cancelsAt: optional(Schema.String),
  openInvoice: optional(Schema.Struct({ id: Schema.String, due: Schema.Int, attempts: Schema.Int })),
  createdAt: Schema.String,
  updatedAt: Schema.String,
  version: Schema.Int
}).annotate({ identifier: "Subscription" })
export type Subscription = typeof Subscription.Type

const nextCursor = optional(Schema.String.annotate({ description: "Where the next page begins; absent on the last" }))

export const Subscriptions = Schema.Struct({ subscriptions: Schema.Array(Subscription), nextCursor }).annotate({
  identifier: "Subscriptions"
})

const fromPlan = ({ id, interval, name, price, trialDays }: BillingPlan.BillingPlan): Plan => ({
  id,
  name,
  amount: Number(price.minor),
  currency: price.currency,
  interval,
  trialDays
})

export const fromView = (view: SubscriptionView): Subscription => {
  const { cancelsAt, coupon, createdAt, creditMinor, customer, id, method, openInvoice, period, plan } = view
  const { status, trialEndsAt, updatedAt, version } = view
  return {
    id,
    status,
    customer,
    plan: fromPlan(plan),
    paymentMethod: method,
    credit: Number(creditMinor),
    ...(coupon !== undefined && { coupon }),
    ...(trialEndsAt !== undefined && { trialEndsAt: iso(trialEndsAt) }),
    ...(period !== undefined && { period: { start: iso(period.start), end: iso(period.end) } }),
    ...(cancelsAt !== undefined && { cancelsAt: iso(cancelsAt) }),
    ...(openInvoice !== undefined && {
      openInvoice: { id: openInvoice.id, due: Number(openInvoice.dueMinor), attempts: openInvoice.attempts }
    }),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
    version
  }
}

const InvoiceJson = Schema.Struct({
  id: Schema.String,
  /** In the merchant's books: without gaps. */
  number: Schema.Int,
  subscription: SubscriptionId,
  currency: Currency,
  lines: Schema.Array(
    Schema.Struct({
      number: Schema.Int,
      kind: Invoice.LineKind,
      description: Schema.String,
      amount: Schema.Int,
      start: Schema.String,
      end: Schema.String
    })
  ),
  total: Schema.Int,
  /** What the customer's credit paid of it; below zero: what it added to that credit. */
  fromCredit: Schema.Int,
  due: Schema.Int,
  at: Schema.String
}).annotate({ identifier: "Invoice" })

export const Invoices = Schema.Struct({ invoices: Schema.Array(InvoiceJson), nextCursor }).annotate({
  identifier: "Invoices"
})

export const fromInvoice = ({ invoice, number, subscription }: NumberedInvoice): typeof InvoiceJson.Type => ({
  id: invoice.id,
  number,
  subscription,
  currency: invoice.currency,
  lines: invoice.lines.map(({ amountMinor, description, end, kind, number: line, start }) => ({
    number: line,
    kind,
    description,
    amount: Number(amountMinor),
    start: iso(start),
    end: iso(end)
  })),
  total: Number(invoice.totalMinor),
  fromCredit: Number(invoice.fromCreditMinor),
  due: Number(invoice.dueMinor),
  at: iso(invoice.at)
})
