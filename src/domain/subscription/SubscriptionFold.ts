/**
 * A subscription's state from its events. `evolve` never refuses: an event that
 * cannot follow is a defect of whoever stored it, and throws.
 */
import * as Coupon from "./Coupon.ts"
import type { Invoice } from "./Invoice.ts"
import type { OpenInvoice, State } from "./Subscription.ts"
import * as Subscription from "./Subscription.ts"
import type { Event, Of } from "./SubscriptionEvent.ts"

export const fold = (history: ReadonlyArray<Event>, from: State = Subscription.initial): State =>
  history.reduce(evolve, from)

export const evolve = (state: State, event: Event): State => {
  if (event._tag === "Subscribed") return subscribed(event)
  if (state._tag === "New") throw new Error(`${event._tag} cannot be the first event`)
  switch (event._tag) {
    case "PeriodBegun":
      return { ...begun(state, event), _tag: "Active" }
    case "InvoiceFinalized": {
      const { invoice } = event
      return {
        ...state,
        open: untried(invoice),
        invoices: state.invoices + 1,
        creditMinor: state.creditMinor - invoice.fromCreditMinor
      }
    }
    case "ChargeBegun":
      return withOpen(state, (open) => ({
        ...open,
        attempts: event.attempt,
        isCharging: true,
        method: event.method,
        retryNow: false
      }))
    case "ChargeFailed":
      return chargeFailed(state, event)
    case "InvoicePaid":
      return paid(state, event)
    case "InvoiceVoided": {
      const back = state.open?.invoice.fromCreditMinor ?? 0n
      return { ...state, open: undefined, creditMinor: state.creditMinor + back }
    }
    case "FellPastDue":
      return { ...withOpen(state, nextRung), _tag: "PastDue", lapsed: true }
    case "PlanChanged": {
      const { period, requests } = state
      return {
        ...state,
        plan: event.plan,
        period: period && { ...period, priceMinor: event.priceMinor },
        requests: [...requests, event.request]
      }
    }
    case "CouponApplied":
      return {
        ...state,
        coupon: { coupon: event.coupon, left: Coupon.periods(event.coupon) },
        requests: [...state.requests, event.request]
      }
    case "MethodUpdated":
      return {
        ...withOpen(state, (open) => ({ ...open, retryNow: true })),
        method: event.method,
        requests: [...state.requests, event.request]
      }
    case "CancellationRequested":
      return {
        ...state,
        cancellation: { when: event.when, at: event.at },
        requests: [...state.requests, event.request]
      }
    case "CancellationWithdrawn":
      return { ...state, cancellation: undefined, requests: [...state.requests, event.request] }
    case "Paused":
      return event.request === undefined
        ? { ...withOpen(state, nextRung), _tag: "Paused", lapsed: true }
        : { ...state, _tag: "Paused", lapsed: true, requests: [...state.requests, event.request] }
    case "Resumed":
      return resumed(state, event)
    case "Cancelled":
      return { ...state, _tag: "Cancelled" }
    case "Ended":
      return { ...state, _tag: "Ended" }
  }
}

const subscribed = ({ at, terms, trialEndsAt }: Of<"Subscribed">): State => {
  const known: Subscription.Known = {
    terms,
    plan: terms.plan,
    method: terms.method,
    coupon: terms.coupon && { coupon: terms.coupon, left: Coupon.periods(terms.coupon) },
    creditMinor: 0n,
    period: undefined,
    open: undefined,
    cancellation: undefined,
    invoices: 0,
    lapsed: false,
    requests: [],
    startedAt: at
  }
  return trialEndsAt === undefined ? { ...known, _tag: "Active" } : { ...known, _tag: "Trialing", trialEndsAt }
}

/** The period's coupon has one period less to hold for. */
const begun = (state: Subscription.Known, { period }: Of<"PeriodBegun">): Subscription.Known => {
  const { coupon } = state
  if (coupon === undefined || period.coupon?.code !== coupon.coupon.code) return { ...state, period, lapsed: false }
  const left = coupon.left === undefined ? undefined : coupon.left - 1
  return { ...state, period, lapsed: false, coupon: left === 0 ? undefined : { ...coupon, left } }
}

const withOpen = <S extends Subscription.Known>(state: S, change: (open: OpenInvoice) => OpenInvoice): S =>
  state.open === undefined ? state : { ...state, open: change(state.open) }

const chargeFailed = (state: Subscription.Begun, event: Of<"ChargeFailed">): State => {
  const known = withOpen(state, (open) => failed(open, event))
  return known._tag === "Active" ? { ...known, _tag: "Grace" } : known
}

const untried = (invoice: Invoice): OpenInvoice => ({
  invoice,
  attempts: 0,
  isCharging: false,
  method: undefined,
  failures: undefined,
  rungs: 0,
  retryNow: false
})

const failed = (open: OpenInvoice, { at, failure }: Of<"ChargeFailed">): OpenInvoice => ({
  ...open,
  isCharging: false,
  failures: { firstAt: open.failures?.firstAt ?? at, lastAt: at, category: failure.category }
})

const nextRung = (open: OpenInvoice): OpenInvoice => ({ ...open, rungs: open.rungs + 1 })

/** Paid late, within its period, it goes on; after it, a new one begins. An open invoice was dunning's reason to pause. */
const paid = (state: Subscription.Begun, { at }: Of<"InvoicePaid">): State => {
  const known = { ...state, open: undefined, lapsed: state.lapsed && isAfterPeriod(state, at) }
  const isOwing = state._tag === "Grace" || state._tag === "PastDue" || state._tag === "Paused"
  return isOwing ? { ...known, _tag: "Active" } : known
}

const resumed = (state: Subscription.Begun, { at, request }: Of<"Resumed">): State => {
  const known = { ...state, requests: [...state.requests, request] }
  return state.open === undefined
    ? { ...known, _tag: "Active", lapsed: isAfterPeriod(state, at) }
    : { ...withOpen(known, (open) => ({ ...open, retryNow: true })), _tag: "PastDue" }
}

const isAfterPeriod = ({ period }: Subscription.Known, at: number): boolean => period !== undefined && at >= period.end
