/**
 * Tells others what happened.
 *
 * Handlers run in the relay's process, each event at least once and in the
 * order of its payment; publishing fails when one of them does, and the relay
 * tries again. Streams follow from anywhere, also from other processes: they
 * show each event once it is published, and after a gap they catch up.
 */
import { Context, Schema } from "effect"
import type { Effect, Scope, Stream } from "effect"
import { Event, MerchantId, PaymentId } from "../domain/payment/PaymentEvent.ts"
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

export type Handler = (envelope: Envelope) => Effect.Effect<void, unknown>

export class EventBus extends Context.Service<
  EventBus,
  {
    readonly publish: (envelope: Envelope) => Effect.Effect<void, PublishError>
    /** Handles every event that is published from here on, until the scope closes. */
    readonly handle: (name: string, handler: Handler) => Effect.Effect<void, never, Scope.Scope>
    /** Every event that is published from here on. */
    readonly events: Stream.Stream<Envelope, StorageUnavailable>
  }
>()("florin/adapters/EventBus") {}
