/**
 * Where subscriptions are kept: one append-only stream of events each, the
 * view beside them, and the register of each merchant's invoices.
 *
 * An append is conditional on the stream's version, and that alone keeps the
 * invariants (R6): of two workers that bill one cycle, one does. Every invoice
 * that is finalized gets the next number of its merchant in the same
 * statement, so numbers have no gaps, and none is given twice.
 */
import { Context, Schema } from "effect"
import type { Effect, Option } from "effect"
import { Instant } from "../domain/Instant.ts"
import { given } from "../domain/payment/PaymentCommand.ts"
import { MerchantId, PaymentId } from "../domain/payment/PaymentEvent.ts"
import { Invoice, SubscriptionId } from "../domain/subscription/Invoice.ts"
import { Event } from "../domain/subscription/SubscriptionEvent.ts"
import type { SubscriptionView } from "../domain/subscription/SubscriptionView.ts"
import { StorageUnavailable } from "./Storage.ts"

// --- Errors -----------------------------------------------------------------

/** Another writer appended first. Reload, decide again, append again. */
export class VersionConflict extends Schema.TaggedError<VersionConflict>()("VersionConflict", {
  expected: Schema.Int
}) {}

/** Versions do not follow each other: an event is missing. Nothing is guessed; this subscription stops. */
export class EventContinuityError extends Schema.TaggedError<EventContinuityError>()("EventContinuityError", {
  expected: Schema.Int,
  actual: Schema.Int
}) {}

/** A stored event is not one that this version of florin can read. */
export class UnreadableEvent extends Schema.TaggedError<UnreadableEvent>()("UnreadableEvent", {
  version: Schema.Int,
  detail: Schema.String
}) {}

export class SubscriptionRepositoryError extends Schema.TaggedError<SubscriptionRepositoryError>()(
  "SubscriptionRepositoryError",
  {
    subscription: SubscriptionId,
    reason: Schema.Union([VersionConflict, EventContinuityError, UnreadableEvent, StorageUnavailable])
  }
) {
  override get message() {
    return `${this.subscription}: ${this.reason._tag}${this.reason.message === "" ? "" : `, ${this.reason.message}`}`
  }
}

// --- Streams ----------------------------------------------------------------

/** `version` counts the events of `history`; an unknown id has none. */
export interface Stream {
  readonly history: ReadonlyArray<Event>
  readonly version: number
}

export interface Append {
  readonly subscription: SubscriptionId
  readonly merchant: MerchantId
  /** 0 begins the stream. */
  readonly expected: number
  readonly events: ReadonlyArray<Event>
  readonly view: SubscriptionView
  /** When something is owed next; absent when only a command changes anything. */
  readonly due: Instant | undefined
}

// --- Reading ----------------------------------------------------------------

/** A subscription, and since when it owes something. */
export interface Due {
  readonly subscription: SubscriptionId
  readonly due: Instant
}

/** An invoice with its number in the merchant's books, from 1, and what its subscription's events say became of it. */
export const NumberedInvoice = Schema.Struct({
  number: Schema.Int,
  subscription: SubscriptionId,
  invoice: Invoice,
  status: Schema.Literals(["open", "paid", "void"]),
  /** What it was paid by; absent where nothing was due. */
  payment: Schema.optionalKey(PaymentId),
  /** When it was paid, or given up. */
  settledAt: Schema.optionalKey(Instant)
})
export type NumberedInvoice = typeof NumberedInvoice.Type

/** What is registered of an invoice once and for all. */
export type RegisteredInvoice = Pick<NumberedInvoice, "number" | "subscription" | "invoice">

export class SubscriptionRepository extends Context.Service<
  SubscriptionRepository,
  {
    /** Appends all of it or none, and only onto exactly `expected`; no events at all only move `due`. */
    readonly append: (append: Append) => Effect.Effect<void, SubscriptionRepositoryError>
    readonly load: (subscription: SubscriptionId) => Effect.Effect<Stream, SubscriptionRepositoryError>
    readonly find: (subscription: SubscriptionId) => Effect.Effect<Option.Option<SubscriptionView>, StorageUnavailable>
    /** By id, after `after`. */
    readonly list: (query: {
      readonly merchant: MerchantId
      readonly limit: number
      readonly after?: SubscriptionId | undefined
    }) => Effect.Effect<ReadonlyArray<SubscriptionView>, StorageUnavailable>
    /** What has owed something since `before` or longer, longest owed first, after `after`. */
    readonly due: (query: {
      readonly before: Instant
      readonly limit: number
      readonly after?: Due | undefined
    }) => Effect.Effect<ReadonlyArray<Due>, StorageUnavailable>
    /** A merchant's invoices by their numbers, after `after`; of one subscription where it is named. */
    readonly invoices: (query: {
      readonly merchant: MerchantId
      readonly limit: number
      readonly after?: number | undefined
      readonly subscription?: SubscriptionId | undefined
    }) => Effect.Effect<ReadonlyArray<NumberedInvoice>, StorageUnavailable>
  }
>()("florin/adapters/SubscriptionRepository") {}

/** The invoices that an append finalizes, in their order. */
export const finalizedIn = ({ events }: Append): ReadonlyArray<Invoice> =>
  events.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice] : []))

/** The events that settle an invoice. */
export const Settlement = Schema.Union([Event.cases.InvoicePaid, Event.cases.InvoiceVoided])
export type Settlement = typeof Settlement.Type

/** How an invoice stands by what settled it; open where nothing did. */
export const standingOf = (settlement: Settlement | undefined): Standing => {
  if (settlement === undefined) return { status: "open" }
  const { at: settledAt } = settlement
  if (settlement._tag === "InvoiceVoided") return { status: "void", settledAt }
  return { status: "paid", settledAt, ...given({ payment: settlement.payment }) }
}

type Standing = Omit<NumberedInvoice, keyof RegisteredInvoice>
