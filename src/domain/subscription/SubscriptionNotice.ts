/** What a customer is told of, as data: which events are worth a notice, and what it says. */
import { Schema } from "effect"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { given } from "../payment/PaymentCommand.ts"
import { TimeZone } from "./BillingAnchor.ts"
import { InvoiceId, SubscriptionId } from "./Invoice.ts"
import type * as Subscription from "./Subscription.ts"
import { retryAt } from "./SubscriptionBilling.ts"
import type { Policy } from "./SubscriptionBilling.ts"
import { ChargeFailure } from "./SubscriptionEvent.ts"
import type { Event } from "./SubscriptionEvent.ts"
import { evolve } from "./SubscriptionFold.ts"

export const SubscriptionNotice = Schema.Struct({
  /** The same for the same event, so that whoever hears it twice can tell. */
  id: Schema.String,
  kind: Schema.Literals(["receipt", "chargeFailed", "pastDue", "paused", "cancelled", "ended"]),
  subscription: SubscriptionId,
  customer: Schema.String,
  email: Schema.optionalKey(Schema.String),
  /** By whose calendar its days are told. */
  zone: TimeZone,
  plan: Schema.String,
  invoice: Schema.optionalKey(InvoiceId),
  /** What was paid, or is still due. */
  amount: Schema.optionalKey(Money.Money),
  failure: Schema.optionalKey(ChargeFailure),
  /** When it is charged again by itself; absent when only another method helps. */
  retriesAt: Schema.optionalKey(Instant)
})
export type SubscriptionNotice = typeof SubscriptionNotice.Type

/** Of events that follow `version` events which left `state`. */
export const of = (
  events: ReadonlyArray<Event>,
  before: Subscription.State,
  version: number,
  policy: Policy
): ReadonlyArray<SubscriptionNotice> => {
  const notices: Array<SubscriptionNotice> = []
  let state = before
  for (const [index, event] of events.entries()) {
    const after = evolve(state, event)
    const notice = state._tag === "New" || after._tag === "New" ? undefined : ofEvent(event, state, after, policy)
    if (notice !== undefined && after._tag !== "New") {
      const { customer, email, subscription, zone } = after.terms
      const id = `${subscription}/${version + index + 1}`
      notices.push({ id, subscription, customer, ...given({ email }), zone, plan: after.plan.name, ...notice })
    }
    state = after
  }
  return notices
}

type Told = Omit<SubscriptionNotice, "id" | "subscription" | "customer" | "email" | "zone" | "plan">

const ofEvent = (
  event: Event,
  before: Subscription.Begun,
  after: Subscription.Begun,
  policy: Policy
): Told | undefined => {
  const invoice = before.open?.invoice
  const about = invoice && { invoice: invoice.id, amount: Money.of(invoice.currency, invoice.dueMinor) }
  switch (event._tag) {
    case "InvoicePaid":
      return event.payment === undefined ? undefined : { kind: "receipt", ...about }
    case "ChargeFailed": {
      const retriesAt = retryAt(after, policy, event.at)
      return { kind: "chargeFailed", ...about, failure: event.failure, ...(retriesAt && { retriesAt }) }
    }
    case "FellPastDue":
      return { kind: "pastDue", ...about }
    case "Paused":
      return { kind: "paused", ...about }
    case "Cancelled":
      return { kind: "cancelled" }
    case "Ended":
      return { kind: "ended" }
    case "Subscribed":
    case "PeriodBegun":
    case "InvoiceFinalized":
    case "ChargeBegun":
    case "InvoiceVoided":
    case "PlanChanged":
    case "CouponApplied":
    case "MethodUpdated":
    case "CancellationRequested":
    case "CancellationWithdrawn":
    case "Resumed":
      return undefined
  }
}
