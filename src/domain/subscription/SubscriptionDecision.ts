/**
 * What a subscription answers to a command.
 *
 * `decide` is total: a command gives the events to record, `[]` when they are
 * recorded already (R9), or `Rejected` with the rule that forbids it. Here are
 * the customer's wishes; what the loop itself decides is in
 * `SubscriptionBilling`.
 */
import { Schema } from "effect"
import * as CardNumber from "../CardNumber.ts"
import { Mailbox } from "../Mailbox.ts"
import type { RequestId } from "../payment/PaymentEvent.ts"
import * as BillingAnchor from "./BillingAnchor.ts"
import { isSameInterval } from "./BillingPlan.ts"
import * as Coupon from "./Coupon.ts"
import { line } from "./Invoice.ts"
import type { Draft } from "./Invoice.ts"
import * as Proration from "./Proration.ts"
import * as Subscription from "./Subscription.ts"
import * as SubscriptionBilling from "./SubscriptionBilling.ts"
import type { Policy } from "./SubscriptionBilling.ts"
import { accept, reject } from "./SubscriptionCommand.ts"
import type { Command, Decision, Of } from "./SubscriptionCommand.ts"
import { Terms } from "./SubscriptionEvent.ts"
import type { Event } from "./SubscriptionEvent.ts"
import { fold } from "./SubscriptionFold.ts"

export const decide = (command: Command, state: Subscription.State, policy: Policy): Decision => {
  if (command._tag === "Subscribe") return subscribe(command, state)
  if (state._tag === "New") return reject(command, state, "WrongState")
  if ("request" in command && isRepeated(command.request, state)) return accept()

  switch (command._tag) {
    case "ChangePlan":
      return changePlan(command, state, policy)
    case "ApplyCoupon":
      return applyCoupon(command, state)
    case "UpdateMethod":
      return updateMethod(command, state)
    case "Cancel":
      return cancel(command, state)
    case "Pause":
      return pause(command, state)
    case "Resume":
      return resume(command, state)
    case "Bill":
      return SubscriptionBilling.bill(command, state)
    case "RetryCharge":
      return SubscriptionBilling.retryCharge(command, state, policy)
    case "RecordCharge":
      return SubscriptionBilling.recordCharge(command, state)
    case "Advance":
      return SubscriptionBilling.advance(command, state, policy)
    case "Conclude":
      return SubscriptionBilling.conclude(command, state, policy)
  }
}

const isRepeated = (request: RequestId, { requests }: Subscription.Begun): boolean => requests.includes(request)

const isSameTerms = Schema.toEquivalence(Terms)
const isMailbox = Schema.is(Mailbox)

/** What came is quoted, but not at length. */
const maxQuoteLength = 100

/** To its type, an address is any text: what is none is found here, before it is stored. */
const complaint = ({ email }: Terms): string | undefined => {
  if (email === undefined || isMailbox(email)) return undefined
  const quote = CardNumber.mask(JSON.stringify(email)).slice(0, maxQuoteLength)
  return `email: expected one mail address, such as ada@example.org, got ${quote}`
}

/** Without a trial, the first period begins with it. */
const subscribe = (command: Of<"Subscribe">, state: Subscription.State): Decision => {
  const { at, terms } = command
  if (state._tag !== "New") return isSameTerms(state.terms, terms) ? accept() : reject(command, state, "TermsDiffer")
  const detail = complaint(terms)
  if (detail !== undefined) return reject(command, state, "NoMailbox", detail)
  const { coupon, plan, zone } = terms
  if (coupon !== undefined && !Coupon.isFor(coupon, plan.price)) return reject(command, state, "CurrencyMismatch")
  if (plan.trialDays > 0) {
    return accept({ _tag: "Subscribed", terms, trialEndsAt: BillingAnchor.daysAfter(at, zone, plan.trialDays), at })
  }
  const subscribed: Event = { _tag: "Subscribed", terms, at }
  return accept(subscribed, ...SubscriptionBilling.firstPeriod(fold([subscribed]), at))
}

// --- Another plan -----------------------------------------------------------

/**
 * With the same interval the period goes on: what is left of the old price is
 * credited, and what is left of the new one charged. With another interval a
 * new period begins at once. During a trial nothing is owed for either.
 */
const changePlan = (command: Of<"ChangePlan">, state: Subscription.Begun, policy: Policy): Decision => {
  const { at, plan, request } = command
  if (plan.price.currency !== state.plan.price.currency) return reject(command, state, "CurrencyMismatch")
  if (state.open !== undefined) return reject(command, state, "InvoiceOpen")
  if (state._tag !== "Trialing" && state._tag !== "Active") return reject(command, state, "WrongState")
  const cancelsAt = Subscription.cancelsAt(state)
  if (cancelsAt !== undefined && cancelsAt <= at) return reject(command, state, "WrongState")
  const { period } = state
  const changed = (priceMinor: bigint): Event => ({ _tag: "PlanChanged", request, plan, priceMinor, at })
  if (period === undefined) return accept(changed(plan.price.minor))
  // What is over costs what it cost; and without proration, so does what is not.
  if (at >= period.end || policy.proration === "none") return accept(changed(period.priceMinor))

  const credit = SubscriptionBilling.creditLine(state, period, at, policy)
  if (!isSameInterval(plan.interval, period.interval)) {
    const change = changed(period.priceMinor)
    return accept(
      change,
      ...SubscriptionBilling.beginPeriod(fold([change], state), { anchor: at, index: 0 }, credit, at)
    )
  }
  const priceMinor = plan.price.minor - Coupon.reduction(period.coupon, plan.price.minor)
  const rest = Proration.unused(priceMinor, period, at, policy.proration, state.terms.zone)
  const charge: ReadonlyArray<Draft> = line("charge", `Remaining time on ${plan.name}`, rest, at, period.end)
  const change = changed(priceMinor)
  return accept(change, ...SubscriptionBilling.finalize(fold([change], state), [...credit, ...charge], at))
}

// --- Other wishes -----------------------------------------------------------

const applyCoupon = (command: Of<"ApplyCoupon">, state: Subscription.Begun): Decision => {
  const { at, coupon, request } = command
  if (Subscription.isOver(state)) return reject(command, state, "WrongState")
  if (!Coupon.isFor(coupon, state.plan.price)) return reject(command, state, "CurrencyMismatch")
  return accept({ _tag: "CouponApplied", request, coupon, at })
}

const updateMethod = (command: Of<"UpdateMethod">, state: Subscription.Begun): Decision => {
  const { at, method, request } = command
  if (Subscription.isOver(state)) return reject(command, state, "WrongState")
  // The same card once more is a wish to have it tried once more.
  if (method === state.method && state.open === undefined) return accept()
  return accept({ _tag: "MethodUpdated", request, method, at })
}

/** Recorded at once; `Conclude` carries it out when its time has come and no charge is under way. */
const cancel = ({ at, request, when }: Of<"Cancel">, state: Subscription.Begun): Decision => {
  const isKnown = state.cancellation?.when === when || state.cancellation?.when === "now"
  if (Subscription.isOver(state) || isKnown) return accept()
  return accept({ _tag: "CancellationRequested", request, when, at })
}

const pause = (command: Of<"Pause">, state: Subscription.Begun): Decision => {
  const { at, request } = command
  if (state._tag === "Paused") return accept()
  if (state.open !== undefined) return reject(command, state, "InvoiceOpen")
  if (state._tag !== "Active") return reject(command, state, "WrongState")
  return accept({ _tag: "Paused", request, at })
}

const resume = (command: Of<"Resume">, state: Subscription.Begun): Decision => {
  const { at, request } = command
  const cancelsAt = Subscription.cancelsAt(state)
  const isCancelled = cancelsAt !== undefined && (cancelsAt <= at || state.cancellation?.when === "now")
  if (Subscription.isOver(state) || isCancelled) return reject(command, state, "WrongState")
  return accept(
    ...(cancelsAt === undefined ? [] : [{ _tag: "CancellationWithdrawn", request, at } as const]),
    ...(state._tag === "Paused" ? [{ _tag: "Resumed", request, at } as const] : [])
  )
}
