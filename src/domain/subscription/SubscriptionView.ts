/** A subscription as its merchant sees it: a function of its history alone. Amounts are minor units of `currency`. */
import { Schema } from "effect"
import * as Currency from "../Currency.ts"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { MethodToken } from "../payment/Gateway.ts"
import { given } from "../payment/PaymentCommand.ts"
import { MerchantId } from "../payment/PaymentEvent.ts"
import { Text } from "../Text.ts"
import { BillingPlan } from "./BillingPlan.ts"
import { CouponCode } from "./Coupon.ts"
import { InvoiceId, SubscriptionId } from "./Invoice.ts"
import * as Subscription from "./Subscription.ts"

export const Status = Schema.Literals(["trialing", "active", "grace", "past_due", "paused", "cancelled", "ended"])
export type Status = typeof Status.Type

const optional = Schema.optionalKey

export const SubscriptionView = Schema.Struct({
  id: SubscriptionId,
  merchant: MerchantId,
  customer: Text(255),
  status: Status,
  plan: BillingPlan,
  method: MethodToken,
  currency: Currency.Currency,
  creditMinor: Money.Minor,
  /** Of the next period. */
  coupon: optional(CouponCode),
  trialEndsAt: optional(Instant),
  period: optional(Schema.Struct({ start: Instant, end: Instant })),
  /** When it ends, where it is cancelled. */
  cancelsAt: optional(Instant),
  openInvoice: optional(Schema.Struct({ id: InvoiceId, dueMinor: Money.Minor, attempts: Schema.Int })),
  createdAt: Instant,
  updatedAt: Instant,
  version: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
})
export type SubscriptionView = typeof SubscriptionView.Type

const statuses = {
  Trialing: "trialing",
  Active: "active",
  Grace: "grace",
  PastDue: "past_due",
  Paused: "paused",
  Cancelled: "cancelled",
  Ended: "ended"
} as const

/** The view of `state` after `version` events, the last of them at `updatedAt`. */
export const of = (state: Subscription.Begun, version: number, updatedAt: Instant): SubscriptionView => {
  const { open, period, plan, terms } = state
  return {
    id: terms.subscription,
    merchant: terms.merchant,
    customer: terms.customer,
    status: statuses[state._tag],
    plan,
    method: state.method,
    currency: plan.price.currency,
    creditMinor: state.creditMinor,
    ...given({
      coupon: state.coupon?.coupon.code,
      trialEndsAt: state._tag === "Trialing" ? state.trialEndsAt : undefined,
      period: period && { start: period.start, end: period.end },
      cancelsAt: Subscription.cancelsAt(state),
      openInvoice: open && { id: open.invoice.id, dueMinor: open.invoice.dueMinor, attempts: open.attempts }
    }),
    createdAt: state.startedAt,
    updatedAt,
    version
  }
}
