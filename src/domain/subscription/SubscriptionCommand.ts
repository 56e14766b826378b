/**
 * What can be asked of a subscription: the customer's wishes, the steps of its
 * own loop, and what came of a charge. All of it is answered by
 * `SubscriptionDecision.decide`.
 */
import { Result, Schema } from "effect"
import { Instant } from "../Instant.ts"
import { MethodToken } from "../payment/Gateway.ts"
import { given } from "../payment/PaymentCommand.ts"
import { PaymentId, RequestId } from "../payment/PaymentEvent.ts"
import { BillingPlan } from "./BillingPlan.ts"
import { Coupon } from "./Coupon.ts"
import { InvoiceId } from "./Invoice.ts"
import type { State } from "./Subscription.ts"
import { CancelWhen, ChargeFailure, Terms } from "./SubscriptionEvent.ts"
import type { Event } from "./SubscriptionEvent.ts"

const at = Instant
const request = RequestId

export const Command = Schema.TaggedUnion({
  Subscribe: { terms: Terms, at },
  ChangePlan: { request, plan: BillingPlan, at },
  ApplyCoupon: { request, coupon: Coupon, at },
  UpdateMethod: { request, method: MethodToken, at },
  Cancel: { request, when: CancelWhen, at },
  Pause: { request, at },
  /** Goes on after a pause, or takes a cancellation back that has not taken effect. */
  Resume: { request, at },

  /** Begins the next period, and finalizes its invoice. */
  Bill: { at },
  /** Charges the open invoice again. */
  RetryCharge: { at },
  RecordCharge: {
    invoice: InvoiceId,
    attempt: Schema.Int,
    payment: Schema.optionalKey(PaymentId),
    /** Absent when it was paid. */
    failure: Schema.optionalKey(ChargeFailure),
    at
  },
  /** Takes the next rung of the dunning ladder. */
  Advance: { at },
  /** Carries a cancellation out. */
  Conclude: { at }
})
export type Command = typeof Command.Type
export type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/**
 * Why a command was refused.
 *
 * - `WrongState`: this state has no such move.
 * - `TermsDiffer`: the subscription began with other terms.
 * - `CurrencyMismatch`: a plan or a coupon of another currency.
 * - `NoMailbox`: the address for notices is not one; `detail` says what came.
 * - `InvoiceOpen`: an invoice has to be paid, or to fail, first.
 * - `NotYet`: it is not due.
 * - `UnknownCharge`: no such charge was begun.
 */
export const Rule = Schema.Literals([
  "WrongState",
  "TermsDiffer",
  "CurrencyMismatch",
  "NoMailbox",
  "InvoiceOpen",
  "NotYet",
  "UnknownCharge"
])
export type Rule = typeof Rule.Type

export class Rejected extends Schema.TaggedError<Rejected>()("Subscription.Rejected", {
  command: Schema.String,
  state: Schema.String,
  rule: Rule,
  /** Which field, what was expected of it, and what came. */
  detail: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    const { command, detail, rule, state } = this
    return `${command} refused in ${state}: ${rule}${detail === undefined ? "" : `, ${detail}`}`
  }
}

/** The events to record, `[]` when they are recorded already (R9), or the rule that forbids it. */
export type Decision = Result.Result<ReadonlyArray<Event>, Rejected>

export const accept = (...events: ReadonlyArray<Event>): Decision => Result.succeed(events)

export const reject = (command: Command, state: State, rule: Rule, detail?: string): Decision =>
  Result.fail(new Rejected({ command: command._tag, state: state._tag, rule, ...given({ detail }) }))
