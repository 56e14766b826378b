/**
 * Where payments are kept: one append-only stream of events each, and the read
 * model beside them, written in the same statement (R8).
 *
 * An append is conditional on the stream's version, and that alone keeps the
 * invariants (R6). A claim is a lease that rides on the stream: it saves two
 * workers from doing the same work, and its fencing token, which grows with
 * every claim, stops a holder that stalled. Facts may be appended without a
 * claim; gateways are called only with one.
 *
 * Moments come from the caller's clock, so that a simulation can move it.
 */
import { Context, Schema } from "effect"
import type { Effect, Option, Result } from "effect"
import type { Fingerprint, IdempotencyKey } from "../domain/Idempotency.ts"
import { Instant } from "../domain/Instant.ts"
import { RunId } from "../domain/payment/Operation.ts"
import type { Event } from "../domain/payment/PaymentEvent.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import type { PaymentView, Status } from "../domain/payment/PaymentView.ts"
import { StorageUnavailable } from "./Storage.ts"

// --- Errors -----------------------------------------------------------------

/** Another writer appended first. Reload, decide again, append again. */
export class VersionConflict extends Schema.TaggedError<VersionConflict>()("VersionConflict", {
  expected: Schema.Int
}) {}

/** The claim was taken by another run since: this one must stop. */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", { token: Schema.Int }) {}

/** Another run holds the claim until then. */
export class Claimed extends Schema.TaggedError<Claimed>()("Claimed", { owner: RunId, until: Instant }) {}

/** Versions do not follow each other: an event is missing. Nothing is guessed; this payment stops. */
export class EventContinuityError extends Schema.TaggedError<EventContinuityError>()("EventContinuityError", {
  expected: Schema.Int,
  actual: Schema.Int
}) {}

/** A stored event is not one that this version of florin can read. */
export class UnreadableEvent extends Schema.TaggedError<UnreadableEvent>()("UnreadableEvent", {
  version: Schema.Int,
  detail: Schema.String
}) {}

/** A row of the read model is not one that this version of florin can read; rebuilding writes it anew. */
export class UnreadableView extends Schema.TaggedError<UnreadableView>()("UnreadableView", {
  payment: PaymentId,
  detail: Schema.String
}) {
  override get message() {
    return `${this.payment}: its view cannot be read, ${this.detail}`
  }
}

export class PaymentRepositoryError extends Schema.TaggedError<PaymentRepositoryError>()("PaymentRepositoryError", {
  payment: PaymentId,
  reason: Schema.Union([VersionConflict, Fenced, Claimed, EventContinuityError, UnreadableEvent, StorageUnavailable])
}) {
  override get message() {
    return `${this.payment}: ${this.reason._tag}${this.reason.message === "" ? "" : `, ${this.reason.message}`}`
  }
}

// --- Streams ----------------------------------------------------------------

/** `version` counts the events of `history`; an unknown id has none. */
export interface Stream {
  readonly history: ReadonlyArray<Event>
  readonly version: number
}

export interface Lease {
  readonly owner: RunId
  readonly until: Instant
}

export interface Claim extends Stream {
  readonly token: number
}

export interface Creation {
  readonly key: IdempotencyKey
  readonly fingerprint: Fingerprint
  readonly payment: PaymentId
  readonly merchant: MerchantId
  readonly events: ReadonlyArray<Event>
  readonly view: PaymentView
  readonly due: Instant | undefined
  /** The creator goes on with the payment itself, so it begins with the claim. */
  readonly lease: Lease
}

/**
 * A key names one payment for good; `answer` is its view when it first came to
 * rest. A key that another kind of request took names no payment.
 */
export type Created =
  | { readonly _tag: "Created"; readonly token: number }
  | {
      readonly _tag: "KeyTaken"
      readonly payment: PaymentId | undefined
      readonly fingerprint: Fingerprint
      readonly answer: PaymentView | undefined
    }

export interface Append {
  readonly payment: PaymentId
  readonly expected: number
  readonly events: ReadonlyArray<Event>
  readonly view: PaymentView
  /** When something is owed next; absent when the payment is at rest. */
  readonly due: Instant | undefined
  /** With a token, only while the claim is held; it goes on until then, or is given up with the same statement. */
  readonly claim: { readonly token: number; readonly until: Instant | "released" } | undefined
  /** What the creation's key answers from now on, if it has no answer yet. */
  readonly answer: PaymentView | undefined
}

// --- Reading ----------------------------------------------------------------

export interface Filter {
  readonly merchant?: MerchantId | undefined
  readonly status?: Status | undefined
  readonly customer?: string | undefined
  /** Created at or after, and before. */
  readonly from?: Instant | undefined
  readonly until?: Instant | undefined
}

/** A payment and since when it owes something. */
export interface Overdue {
  readonly payment: PaymentId
  readonly due: Instant
}

export interface Page {
  /** Newest first. */
  readonly payments: ReadonlyArray<PaymentView>
  /** Where the next page begins; absent on the last. */
  readonly cursor: PaymentId | undefined
}

export class PaymentRepository extends Context.Service<
  PaymentRepository,
  {
    /** Claims the key, appends the first events and the view, all or nothing, in one statement. */
    readonly create: (creation: Creation) => Effect.Effect<Created, PaymentRepositoryError>
    /** Appends all of it or none, and only onto exactly `expected`; no events at all only move the claim and `due`. */
    readonly append: (append: Append) => Effect.Effect<void, PaymentRepositoryError>
    readonly load: (payment: PaymentId) => Effect.Effect<Stream, PaymentRepositoryError>
    /** Loads with a new token, unless another run's lease still holds at `now`. */
    readonly claim: (payment: PaymentId, lease: Lease, now: Instant) => Effect.Effect<Claim, PaymentRepositoryError>
    /** Extends a claim that is still held. */
    readonly renew: (payment: PaymentId, token: number, until: Instant) => Effect.Effect<void, PaymentRepositoryError>
    /** Gives a claim up where it stands, so that others need not wait for it to lapse. */
    readonly release: (payment: PaymentId, token: number) => Effect.Effect<void, PaymentRepositoryError>

    /** The read model's row. */
    readonly find: (payment: PaymentId) => Effect.Effect<Option.Option<PaymentView>, StorageUnavailable>
    /** The newest first, by when they were created; a page's cursor is its last payment, and must be of the read model. */
    readonly list: (
      filter: Filter,
      page: { readonly limit: number; readonly cursor?: PaymentId | undefined }
    ) => Effect.Effect<Page, StorageUnavailable>
    /** Payments that have owed something since before `before` and that nobody holds at `now`, longest owed first. */
    readonly overdue: (query: {
      readonly before: Instant
      readonly now: Instant
      readonly limit: number
      readonly after?: Overdue | undefined
    }) => Effect.Effect<ReadonlyArray<Overdue>, StorageUnavailable>

    /** Whole streams by id, after `after`: for rebuilding and verifying. One that is broken does not stop the others. */
    readonly histories: (query: { readonly limit: number; readonly after?: PaymentId | undefined }) => Effect.Effect<
      ReadonlyArray<{
        readonly payment: PaymentId
        readonly stream: Result.Result<Stream, PaymentRepositoryError>
      }>,
      StorageUnavailable
    >
    /** The read model's rows by id, after `after` and up to `upTo`: for verifying. One that is broken does not stop the others. */
    readonly views: (query: {
      readonly limit: number
      readonly after?: PaymentId | undefined
      readonly upTo?: PaymentId | undefined
    }) => Effect.Effect<
      ReadonlyArray<{ readonly payment: PaymentId; readonly view: Result.Result<PaymentView, UnreadableView> }>,
      StorageUnavailable
    >
    /** How many streams there are. */
    readonly count: Effect.Effect<number, StorageUnavailable>
    /** Empties the read model, and nothing else. */
    readonly dropViews: Effect.Effect<void, StorageUnavailable>
    /** Writes views, each unless a later version of it is there already. */
    readonly putViews: (views: ReadonlyArray<PaymentView>) => Effect.Effect<void, StorageUnavailable>
  }
>()("florin/adapters/PaymentRepository") {}
