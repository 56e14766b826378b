/**
 * The life of a subscription.
 *
 *     New      -> Trialing | Active
 *     Trialing -> Active
 *     Active   -> Grace | Paused
 *     Grace    -> Active | PastDue | Paused
 *     PastDue  -> Active | Paused
 *     Paused   -> Active | PastDue
 *     Cancelled, Ended: from every state but New, and nothing comes after them.
 *
 * `Active`: what was due is paid, or its first charge is under way. `Grace`: a
 * charge failed, and nothing is taken away yet. `PastDue`: the grace is over.
 * `Paused`: by the customer, or by dunning with an invoice still open.
 *
 * At most one invoice is open at a time, and at most one charge of it under
 * way: the next is begun after a definite failure of the one before. What is
 * owed next is `SubscriptionPlan.next`'s to say. Amounts are minor units of the
 * plan's currency.
 */
import type { Instant } from "../Instant.ts"
import type { MethodToken } from "../payment/Gateway.ts"
import type { RequestId } from "../payment/PaymentEvent.ts"
import type { BillingPlan } from "./BillingPlan.ts"
import type { Coupon } from "./Coupon.ts"
import type { Failures } from "./Dunning.ts"
import type { Invoice } from "./Invoice.ts"
import type { CancelWhen, Period, Terms } from "./SubscriptionEvent.ts"

export interface OpenInvoice {
  readonly invoice: Invoice
  /** Charges so far, the one under way included. */
  readonly attempts: number
  readonly isCharging: boolean
  /** What the last charge was begun with; absent before the first. */
  readonly method: MethodToken | undefined
  /** Absent before the first failure. */
  readonly failures: Failures | undefined
  /** Rungs of the ladder that were taken. */
  readonly rungs: number
  /** There is a new method, or the customer is back: try it at once. */
  readonly retryNow: boolean
}

export interface Cancellation {
  readonly when: CancelWhen
  readonly at: Instant
}

export interface Known {
  readonly terms: Terms
  readonly plan: BillingPlan
  readonly method: MethodToken
  /** The coupon that holds from the next period on; `left` counts its periods, `undefined` without end. */
  readonly coupon: { readonly coupon: Coupon; readonly left: number | undefined } | undefined
  /** What the customer has to their credit. */
  readonly creditMinor: bigint
  /** Absent before the first. */
  readonly period: Period | undefined
  readonly open: OpenInvoice | undefined
  readonly cancellation: Cancellation | undefined
  /** Invoices so far. */
  readonly invoices: number
  /** It was past due or paused, so what passed meanwhile is not billed: the next period begins when it is. */
  readonly lapsed: boolean
  /** What was asked for and done: a repeat is a no-op. */
  readonly requests: ReadonlyArray<RequestId>
  readonly startedAt: Instant
}

export type State =
  | { readonly _tag: "New" }
  | (Known & { readonly _tag: "Trialing"; readonly trialEndsAt: Instant })
  | (Known & { readonly _tag: "Active" })
  | (Known & { readonly _tag: "Grace" })
  | (Known & { readonly _tag: "PastDue" })
  | (Known & { readonly _tag: "Paused" })
  | (Known & { readonly _tag: "Cancelled" })
  | (Known & { readonly _tag: "Ended" })

export type Begun = Exclude<State, { readonly _tag: "New" }>

export const initial: State = { _tag: "New" }

export const isOver = ({ _tag }: State): boolean => _tag === "Cancelled" || _tag === "Ended"

/** Until when what is paid for lasts: the trial's end, then the period's. */
export const paidUntil = (state: Begun): Instant | undefined =>
  state._tag === "Trialing" ? state.trialEndsAt : state.period?.end

/** When a cancellation takes effect; `undefined` without one. */
export const cancelsAt = (state: Begun): Instant | undefined => {
  const { cancellation } = state
  if (cancellation === undefined) return undefined
  return cancellation.when === "now" ? cancellation.at : (paidUntil(state) ?? cancellation.at)
}
