/**
 * What happens to a subscription, as it is stored.
 *
 * Stored events change only by adding: a new kind, or a new optional field.
 * The terms that an event was decided under (the plan, the coupon, what the
 * period costs) are in it, so that a policy that changes rewrites nothing.
 */
import { Schema } from "effect"
import { Instant } from "../Instant.ts"
import { Mailbox } from "../Mailbox.ts"
import * as Money from "../Money.ts"
import { DeclineCategory, MethodToken } from "../payment/Gateway.ts"
import { MerchantId, PaymentId, RequestId } from "../payment/PaymentEvent.ts"
import { Text, Token } from "../Text.ts"
import { TimeZone } from "./BillingAnchor.ts"
import { BillingPlan } from "./BillingPlan.ts"
import { Coupon } from "./Coupon.ts"
import { Invoice, InvoiceId, SubscriptionId } from "./Invoice.ts"

/** What is subscribed to, and by whom: as it may be asked for. */
export const Terms = Schema.Struct({
  subscription: SubscriptionId,
  merchant: MerchantId,
  customer: Text(255),
  /** Where notices go; without it, there are none. */
  email: Schema.optionalKey(Mailbox),
  plan: BillingPlan,
  method: MethodToken,
  /** Whose calendar and clocks the periods go by. */
  zone: TimeZone,
  coupon: Schema.optionalKey(Coupon)
})
export type Terms = typeof Terms.Type

/** As they are stored: an address that is refused today may have been taken before, and stays readable. */
export const StoredTerms = Schema.Struct({ ...Terms.fields, email: Schema.optionalKey(Schema.String) })

/** `now`: at once, with what is left credited. `periodEnd`: what is paid for is still delivered. */
export const CancelWhen = Schema.Literals(["now", "periodEnd"])
export type CancelWhen = typeof CancelWhen.Type

/** The period that is delivered, or was last. */
export const Period = Schema.Struct({
  anchor: Instant,
  /** Counts intervals from the anchor. */
  index: Schema.Int,
  start: Instant,
  end: Instant,
  interval: BillingPlan.fields.interval,
  /** What the whole of it costs on the plan that it is on now, coupon included. */
  priceMinor: Money.Minor,
  /** The coupon that holds for it. */
  coupon: Schema.optionalKey(Coupon)
})
export type Period = typeof Period.Type

/** Of a charge that failed: a scheme's, a gateway's or florin's own code, and what another try is worth. */
export const ChargeFailure = Schema.Struct({ code: Token(64), category: DeclineCategory })
export type ChargeFailure = typeof ChargeFailure.Type

/** From 1: each is a payment of its own, begun after a definite failure of the one before. */
const attempt = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const at = Instant
const request = RequestId

export const Event = Schema.TaggedUnion({
  Subscribed: { terms: StoredTerms, trialEndsAt: Schema.optionalKey(Instant), at },
  PeriodBegun: { period: Period, at },
  InvoiceFinalized: { invoice: Invoice, at },
  /** Before the payment is asked for, so that its key and its method are known whatever happens (R2, R3). */
  ChargeBegun: { invoice: InvoiceId, attempt, method: MethodToken, at },
  /** Without a payment where nothing was due. */
  InvoicePaid: { invoice: InvoiceId, payment: Schema.optionalKey(PaymentId), at },
  ChargeFailed: {
    invoice: InvoiceId,
    attempt,
    payment: Schema.optionalKey(PaymentId),
    failure: ChargeFailure,
    at
  },
  /** It will not be paid; its number stays taken. */
  InvoiceVoided: { invoice: InvoiceId, at },
  FellPastDue: { at },

  PlanChanged: { request, plan: BillingPlan, /** Of the whole period. */ priceMinor: Money.Minor, at },
  CouponApplied: { request, coupon: Coupon, at },
  MethodUpdated: { request, method: MethodToken, at },
  CancellationRequested: { request, when: CancelWhen, at },
  CancellationWithdrawn: { request, at },
  /** Without a request where dunning did it. */
  Paused: { request: Schema.optionalKey(RequestId), at },
  Resumed: { request, at },
  Cancelled: { because: Schema.Literals(["requested", "unpaid"]), at },
  /** Cancelled before, and delivered to the end of its period. */
  Ended: { at }
})
export type Event = typeof Event.Type
export type Of<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>
