/** Watches a world for the timelines of its payments, and changes nothing in it. */
import { Effect, Exit, Schema } from "effect"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { GatewayError } from "../adapters/PaymentGateway.ts"
import * as Money from "../domain/Money.ts"
import * as Notification from "../domain/payment/Notification.ts"
import type { Kind } from "../domain/payment/Operation.ts"
import type { Event } from "../domain/payment/PaymentEvent.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"
import type { Tables } from "../infra/simulated/MemorySandboxBooks.ts"
import type { Charge } from "../infra/simulated/SandboxCharge.ts"
import type { Entry, Outcome } from "./Timeline.ts"

export interface Chronicle {
  readonly calls: (gateway: PaymentGateway) => PaymentGateway
  /** The same books, watched. */
  readonly books: (gateway: string, tables: Tables) => Tables
  readonly notified: (message: Notification.Json) => void
  readonly lived: (how: "Booted" | "Died", process: string) => void
  /** A payment's entries in time, with its events. */
  readonly of: (payment: string, events: ReadonlyArray<{ readonly event: Event }>) => ReadonlyArray<Entry>
}

export const make = (now: () => number): Chronicle => {
  const told = new Map<string, Array<Entry>>()
  const lives: Array<Entry> = []
  const tell = (payment: string, entry: Entry) => {
    const entries = told.get(payment) ?? []
    told.set(payment, entries)
    entries.push(entry)
  }

  const called = <A extends { readonly _tag: string }>(
    kind: Kind | "lookup",
    gateway: string,
    { operation }: Call,
    effect: Effect.Effect<A, GatewayError>
  ) =>
    Effect.suspend(() => {
      const payment = paymentOf(operation)
      tell(payment, { _tag: "Called", at: now(), operation, kind, gateway })
      return Effect.onExit(effect, (exit) =>
        Effect.sync(() => tell(payment, { _tag: "Answered", at: now(), operation, outcome: outcomeOf(exit) }))
      )
    })

  return {
    calls: (inner) => ({
      name: inner.name,
      capabilities: inner.capabilities,
      authorize: (call) => called("authorize", inner.name, call, inner.authorize(call)),
      confirm: (call) => called("confirm", inner.name, call, inner.confirm(call)),
      capture: (call) => called("capture", inner.name, call, inner.capture(call)),
      void: (call) => called("void", inner.name, call, inner.void(call)),
      refund: (call) => called("refund", inner.name, call, inner.refund(call)),
      lookup: (call) => called("lookup", inner.name, call, inner.lookup(call))
    }),
    books: (gateway, tables) => ({
      operations: tables.operations,
      charges: watched(tables.charges, (before, after) => {
        const what = changeOf(before, after)
        if (what !== undefined) tell(after.payment, { _tag: "Acted", at: now(), gateway, what })
      })
    }),
    notified: (message) => {
      const notification = read(message)
      const { gateway, news } = notification
      const what = news._tag === "Answered" ? `${news.answer._tag} ${pathOf(news.operation)}` : news._tag
      tell(Notification.paymentOf(notification), { _tag: "Notified", at: now(), what: `${gateway}: ${what}` })
    },
    lived: (how, process) => void lives.push({ _tag: how, at: now(), process }),
    of: (payment, events) => {
      const own = merge(
        told.get(payment) ?? [],
        events.map(({ event }) => event)
      )
      const times = own.map(({ at }) => at)
      const [from, to] = [Math.min(...times), Math.max(...times)]
      return [...own, ...lives.filter(({ at }) => at >= from && at <= to)].toSorted((one, other) => one.at - other.at)
    }
  }
}

/** Entries with the events among them. Of the same millisecond, an event that begins a call comes before the call. */
const merge = (entries: ReadonlyArray<Entry>, events: ReadonlyArray<Event>): ReadonlyArray<Entry> => {
  const left = [...events]
  const merged: Array<Entry> = []
  const record = (count: number) => {
    for (const event of left.splice(0, count)) merged.push({ _tag: "Recorded", at: event.at, event })
  }
  for (const entry of entries) {
    const later = left.findIndex((event) => event.at >= entry.at)
    record(later === -1 ? left.length : later)
    if (entry._tag === "Called") record(left.findIndex((event) => begins(event, entry.operation, entry.at)) + 1)
    merged.push(entry)
  }
  record(left.length)
  return merged
}

const begins = (event: Event, operation: string, at: number): boolean =>
  event.at === at &&
  "operation" in event &&
  event.operation === operation &&
  (event._tag.endsWith("Begun") || event._tag === "OperationResumed")

const read = Schema.decodeUnknownSync(Notification.Json)

const paymentOf = (operation: string) => operation.slice(0, operation.indexOf("/"))
const pathOf = (operation: string) => operation.slice(operation.indexOf("/") + 1)

/** `from` with what is set in it noticed. */
const watched = <K>(from: Map<K, Charge>, notice: (before: Charge | undefined, after: Charge) => void) => {
  const set = from.set.bind(from)
  from.set = (key, charge) => {
    notice(from.get(key), charge)
    set(key, charge)
    return from
  }
  return from
}

const outcomeOf = (exit: Exit.Exit<{ readonly _tag: string }, GatewayError>): Outcome => {
  if (Exit.isSuccess(exit)) return { _tag: "Arrived", what: exit.value._tag }
  const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  const reason = failure?.error.reason
  if (reason === undefined) return { _tag: "Lost", what: "florin gave up waiting" }
  if (reason._tag === "NotSent") return { _tag: "NotSent", what: reason.because }
  return { _tag: "Lost", what: reason._tag === "InDoubt" ? reason.because : reason.detail }
}

const changeOf = (before: Charge | undefined, after: Charge): string | undefined => {
  const captured = after.capturedMinor - (before?.capturedMinor ?? 0n)
  const refunded = after.refundedMinor - (before?.refundedMinor ?? 0n)
  const amount = (minor: bigint) => `${Money.format({ currency: after.currency, minor })} ${after.currency}`
  if (captured > 0n) return `${after.reference} captures ${amount(captured)}`
  if (refunded > 0n) return `${after.reference} refunds ${amount(refunded)}`
  return before?.status === after.status ? undefined : `${after.reference} is ${after.status}`
}
