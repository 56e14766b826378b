/**
 * What a subscription's own loop decides: periods, invoices, charges and what
 * follows one that failed.
 *
 * An invoice and the beginning of its charge are one decision, so that a
 * number is never given to an invoice that nobody will collect.
 */
import type { Instant } from "../Instant.ts"
import { given } from "../payment/PaymentCommand.ts"
import * as BillingAnchor from "./BillingAnchor.ts"
import { isSameInterval } from "./BillingPlan.ts"
import * as Coupon from "./Coupon.ts"
import * as Dunning from "./Dunning.ts"
import * as Invoice from "./Invoice.ts"
import * as Proration from "./Proration.ts"
import * as Subscription from "./Subscription.ts"
import { accept, reject } from "./SubscriptionCommand.ts"
import type { Decision, Of } from "./SubscriptionCommand.ts"
import type { Event, Period } from "./SubscriptionEvent.ts"
import { evolve } from "./SubscriptionFold.ts"

/** What the merchant decided. */
export interface Policy {
  readonly proration: Proration.By
  readonly dunning: Dunning.Policy
}

export const defaults: Policy = { proration: "second", dunning: Dunning.defaults }

// --- Periods and invoices ---------------------------------------------------

interface Place {
  readonly anchor: Instant
  readonly index: number
}

export const firstPeriod = (state: Subscription.State, at: Instant): ReadonlyArray<Event> =>
  beginPeriod(state, { anchor: at, index: 0 }, [], at)

/** A period of the subscription's plan with its invoice, which begins with `lines`. */
export const beginPeriod = (
  state: Subscription.State,
  place: Place,
  lines: ReadonlyArray<Invoice.Draft>,
  at: Instant
): ReadonlyArray<Event> => {
  if (state._tag === "New") return []
  const { interval, name, price } = state.plan
  const { zone } = state.terms
  const start = BillingAnchor.boundary(place.anchor, zone, interval, place.index)
  const end = BillingAnchor.boundary(place.anchor, zone, interval, place.index + 1)
  const coupon = state.coupon?.coupon
  const reduction = Coupon.reduction(coupon, price.minor)
  const period: Period = {
    ...place,
    start,
    end,
    interval,
    priceMinor: price.minor - reduction,
    ...given({ coupon })
  }
  const begun: Event = { _tag: "PeriodBegun", period, at }
  return [
    begun,
    ...finalize(
      evolve(state, begun),
      [
        ...lines,
        { kind: "plan", description: name, amountMinor: price.minor, start, end },
        ...Invoice.line("discount", `Coupon ${coupon?.code ?? ""}`, -reduction, start, end)
      ],
      at
    )
  ]
}

/** An invoice over `lines`, and its charge where something is due; nothing without lines. */
export const finalize = (
  state: Subscription.State,
  lines: ReadonlyArray<Invoice.Draft>,
  at: Instant
): ReadonlyArray<Event> => {
  if (state._tag === "New" || lines.length === 0) return []
  const { creditMinor, invoices, method, plan, terms } = state
  const id = Invoice.idOf(terms.subscription, invoices + 1)
  const invoice = Invoice.of({ id, currency: plan.price.currency, lines, creditMinor, at })
  return [
    { _tag: "InvoiceFinalized", invoice, at },
    invoice.dueMinor === 0n
      ? { _tag: "InvoicePaid", invoice: id, at }
      : { _tag: "ChargeBegun", invoice: id, attempt: 1, method, at }
  ]
}

/** What is left at `at` of what the period costs, credited. */
export const creditLine = (
  { plan, terms }: Subscription.Known,
  period: Period,
  at: Instant,
  { proration }: Policy
): ReadonlyArray<Invoice.Draft> =>
  Invoice.line(
    "credit",
    `Unused time on ${plan.name}`,
    -Proration.unused(period.priceMinor, period, at, proration, terms.zone),
    at,
    period.end
  )

/** The next period, with its invoice. */
export const bill = (command: Of<"Bill">, state: Subscription.Begun): Decision => {
  const { at } = command
  if (state.open !== undefined) return reject(command, state, "InvoiceOpen")
  if (state._tag !== "Trialing" && state._tag !== "Active") return reject(command, state, "WrongState")
  const due = Subscription.paidUntil(state)
  const cancelsAt = Subscription.cancelsAt(state)
  if (due === undefined || at < due) return reject(command, state, "NotYet")
  if (cancelsAt !== undefined && cancelsAt <= at) return reject(command, state, "WrongState")
  return accept(...beginPeriod(state, nextPlace(state, due, at), [], at))
}

/** After the trial or with another interval, a new anchor; after a lapse, one that is now. */
const nextPlace = ({ lapsed, period, plan }: Subscription.Begun, due: Instant, at: Instant): Place => {
  if (lapsed) return { anchor: at, index: 0 }
  if (period === undefined || !isSameInterval(period.interval, plan.interval)) return { anchor: due, index: 0 }
  return { anchor: period.anchor, index: period.index + 1 }
}

// --- Charges ----------------------------------------------------------------

/** When the open invoice is charged again; `undefined` when it is not, or not yet known. */
export const retryAt = (state: Subscription.Begun, { dunning }: Policy, now: Instant): Instant | undefined => {
  const { open } = state
  if (open?.failures === undefined || open.isCharging) return undefined
  if (state._tag !== "Grace" && state._tag !== "PastDue" && state._tag !== "Paused") return undefined
  if (open.retryNow) return now
  // Whoever is paused is left alone until they come back with another method.
  return state._tag === "Paused" ? undefined : Dunning.nextRetry(dunning, open.failures)
}

export const retryCharge = (command: Of<"RetryCharge">, state: Subscription.Begun, policy: Policy): Decision => {
  const { at } = command
  const due = retryAt(state, policy, at)
  if (state.open === undefined || due === undefined) return reject(command, state, "WrongState")
  if (at < due) return reject(command, state, "NotYet")
  const { attempts, invoice } = state.open
  return accept({ _tag: "ChargeBegun", invoice: invoice.id, attempt: attempts + 1, method: state.method, at })
}

/** A charge ends once; what is said of it again is known. */
export const recordCharge = (command: Of<"RecordCharge">, state: Subscription.Begun): Decision => {
  const { at, attempt, failure, invoice, payment } = command
  const { open } = state
  const isOpen = open?.invoice.id === invoice
  if (!isOpen) return isEarlier(command, state) ? accept() : reject(command, state, "UnknownCharge")
  if (attempt > open.attempts || attempt < 1) return reject(command, state, "UnknownCharge")
  if (attempt < open.attempts || !open.isCharging) return accept()
  return failure === undefined
    ? accept({ _tag: "InvoicePaid", invoice, ...given({ payment }), at })
    : accept({ _tag: "ChargeFailed", invoice, attempt, ...given({ payment }), failure, at })
}

const isEarlier = ({ invoice }: Of<"RecordCharge">, { invoices, open, terms }: Subscription.Begun): boolean =>
  Array.from({ length: open === undefined ? invoices : invoices - 1 }).some(
    (_, index) => Invoice.idOf(terms.subscription, index + 1) === invoice
  )

// --- Dunning and the end ----------------------------------------------------

/** The rung of the ladder that is reached next, while no charge is under way. */
export const rungOf = ({ open }: Subscription.Begun, { dunning }: Policy) =>
  open?.failures === undefined || open.isCharging ? undefined : Dunning.nextRung(dunning, open.failures, open.rungs)

export const advance = (command: Of<"Advance">, state: Subscription.Begun, policy: Policy): Decision => {
  const { at } = command
  const rung = rungOf(state, policy)
  if (Subscription.isOver(state) || rung === undefined) return reject(command, state, "WrongState")
  if (at < rung.at) return reject(command, state, "NotYet")
  switch (rung.to) {
    case "pastDue":
      return accept({ _tag: "FellPastDue", at })
    case "paused":
      return accept({ _tag: "Paused", at })
    case "cancelled":
      return accept(...settle(state, at, at, policy), { _tag: "Cancelled", because: "unpaid", at })
  }
}

/** A cancellation takes effect, unless a charge is under way: what became of it decides what is credited. */
export const conclude = (command: Of<"Conclude">, state: Subscription.Begun, policy: Policy): Decision => {
  const { at } = command
  if (Subscription.isOver(state)) return accept()
  const since = Subscription.cancelsAt(state)
  if (since === undefined) return reject(command, state, "WrongState")
  if (at < since) return reject(command, state, "NotYet")
  if (state.open?.isCharging === true) return reject(command, state, "InvoiceOpen")
  return state.cancellation?.when === "periodEnd"
    ? accept(...settle(state, since, at, policy), { _tag: "Ended", at })
    : accept(...settle(state, since, at, policy), { _tag: "Cancelled", because: "requested", at })
}

/**
 * Voids what is open, and credits what is left at `since` of what was paid:
 * what is left of the period's price, less what of it nobody paid.
 */
const settle = (state: Subscription.Begun, since: Instant, at: Instant, policy: Policy): ReadonlyArray<Event> => {
  const { open, period } = state
  const voided: ReadonlyArray<Event> =
    open === undefined ? [] : [{ _tag: "InvoiceVoided", invoice: open.invoice.id, at }]
  if (period === undefined || policy.proration === "none") return voided
  const [credit] = creditLine(state, period, since, policy)
  const creditMinor = credit === undefined ? 0n : credit.amountMinor + (open?.invoice.totalMinor ?? 0n)
  if (credit === undefined || creditMinor >= 0n) return voided
  const after = voided.reduce<Subscription.State>(evolve, state)
  return [...voided, ...finalize(after, [{ ...credit, amountMinor: creditMinor }], at)]
}
