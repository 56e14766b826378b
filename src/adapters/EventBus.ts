/**
 * Tells others what happened.
 *
 * Handlers run in the relay's process, each event at least once and in the
 * order of its payment; publishing fails when one of them does, and the relay
 * tries again. Readers follow from anywhere, also from other processes: they
 * read what is recorded, each event once and in the order of its payment, and
 * whoever keeps the cursor of the last event comes back to the next one,
 * however long the gap and whatever restarted in it.
 */
import { Context, Schema } from "effect"
import type { Effect, Scope, Stream } from "effect"
import { Event, MerchantId, PaymentId } from "../domain/payment/PaymentEvent.ts"
import { Token } from "../domain/Text.ts"
import type { StorageUnavailable } from "./Storage.ts"

export const Envelope = Schema.Struct({
  /** `<payment>/<version>`: the same however often it is delivered. */
  id: Schema.String,
  payment: PaymentId,
  merchant: MerchantId,
  /** Counts the payment's events from 1. */
  version: Schema.Int,
  event: Event
})
export type Envelope = typeof Envelope.Type

/** An event as others are told of it: its merchant knows whose it is. Amounts in it are text, for they may exceed a JSON number. */
export const PublishedEvent = Schema.Struct({
  /** The same however often it is delivered. */
  id: Schema.String,
  payment: PaymentId,
  /** Counts the payment's events from 1. */
  version: Schema.Int,
  event: Event
})
export type PublishedEvent = typeof PublishedEvent.Type

export const fromEnvelope = ({ event, id, payment, version }: Envelope): PublishedEvent => ({
  id,
  payment,
  version,
  event
})

export const idOf = (payment: PaymentId, version: number): string => `${payment}/${version}`

/** A handler, or the bus itself, did not take the event. */
export class PublishError extends Schema.TaggedError<PublishError>()("PublishError", {
  event: Schema.String,
  handler: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `${this.event} was not taken by ${this.handler}`
  }
}

// --- Reading on -------------------------------------------------------------

/** Longer than any bus writes one; short enough for a header. */
const maxCursorLength = 100

/** A place in the order of all events: opaque text, that only the bus which gave it can read. */
export const Cursor = Token(maxCursorLength).pipe(Schema.brand("Cursor"))
export type Cursor = typeof Cursor.Type

/** The cursor before the first event, which every bus can read. */
export const beginning = Cursor.make("beginning")

/** This bus never gave that cursor out. */
export class CursorRefused extends Schema.TaggedError<CursorRefused>()("CursorRefused", { cursor: Schema.String }) {
  override get message() {
    return `Expected "${beginning}" or the cursor of an event, got ${JSON.stringify(this.cursor)}`
  }
}

/** Which events a reader wants: all that match each field that is given. */
export interface Wanted {
  readonly merchant?: MerchantId | undefined
  readonly payment?: PaymentId | undefined
  readonly types?: ReadonlyArray<Event["_tag"]> | undefined
}

export const isWanted = ({ event, merchant, payment }: Envelope, wanted: Wanted): boolean =>
  (wanted.merchant === undefined || wanted.merchant === merchant) &&
  (wanted.payment === undefined || wanted.payment === payment) &&
  (wanted.types === undefined || wanted.types.includes(event._tag))

export interface Delivery {
  /** Where to read on after this event. */
  readonly cursor: Cursor
  readonly envelope: Envelope
}

export interface Reading {
  /** Where it begins: who comes back with it before any event came has missed none. */
  readonly from: Cursor
  /** Without an end. It is read as fast as it is pulled; what waits, waits in the store. */
  readonly deliveries: Stream.Stream<Delivery, StorageUnavailable>
}

// --- Service ----------------------------------------------------------------

export type Handler = (envelope: Envelope) => Effect.Effect<void, unknown>

export class EventBus extends Context.Service<
  EventBus,
  {
    readonly publish: (envelope: Envelope) => Effect.Effect<void, PublishError>
    /** Handles every event that is published from here on, until the scope closes. */
    readonly handle: (name: string, handler: Handler) => Effect.Effect<void, never, Scope.Scope>
    /** Reads on after a cursor; without one, from now on: all that is recorded once this has answered is in it. */
    readonly follow: (
      request: Wanted & { readonly after?: Cursor | undefined }
    ) => Effect.Effect<Reading, CursorRefused | StorageUnavailable>
    /** Every event from here on. */
    readonly events: Stream.Stream<Envelope, StorageUnavailable>
  }
>()("florin/adapters/EventBus") {}
