/**
 * Events on their way to merchants' endpoints, and what became of each.
 *
 *     queued -> pending -> delivered
 *                  |  \-> exhausted     its endpoint is disabled by then
 *                  \_ replayed: pending once more, whatever it was
 *
 * At one endpoint a payment's events go one after the other: while an earlier
 * one is not delivered, no later one is given out. A worker claims under a
 * lease; one that dies lets it lapse, and another delivers again.
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { Event } from "../domain/payment/PaymentEvent.ts"
import type { Endpoint, EndpointId } from "../domain/webhook/WebhookEndpoint.ts"
import type { Envelope } from "./EventBus.ts"
import type { StorageUnavailable } from "./Storage.ts"

/** One event for one endpoint. */
export interface Address {
  readonly endpoint: EndpointId
  /** The envelope's id. */
  readonly event: Envelope["id"]
}

export interface Claimed {
  readonly endpoint: Endpoint
  readonly envelope: Envelope
  /** Tries so far, all of which failed, and when the first of them was. */
  readonly attempts: number
  readonly firstAt: Instant | undefined
}

/** One try: a status when there was an answer, an error when there was none. */
export interface Attempt {
  readonly at: Instant
  readonly status: number | undefined
  readonly error: string | undefined
  readonly latencyMillis: number
}

export type State = "pending" | "delivered" | "exhausted"

export interface Logged {
  readonly event: Envelope["id"]
  readonly type: Event["_tag"]
  readonly state: State
  readonly queuedAt: Instant
  /** When it is tried next, while it is pending. */
  readonly nextAt: Instant | undefined
  /** Every try there was, the first one first. */
  readonly attempts: ReadonlyArray<Attempt>
}

export class WebhookDeliveries extends Context.Service<
  WebhookDeliveries,
  {
    /** For every endpoint of the event's merchant that is enabled and wants it; once, however often it is said. */
    readonly enqueue: (envelope: Envelope, at: Instant) => Effect.Effect<void, StorageUnavailable>
    /** What is due, at most `perEndpoint` of an endpoint in all workers' hands, and at most `limit` of all now. */
    readonly claim: (request: {
      readonly owner: RunId
      readonly now: Instant
      readonly until: Instant
      readonly limit: number
      readonly perEndpoint: number
    }) => Effect.Effect<ReadonlyArray<Claimed>, StorageUnavailable>
    /** Done, if `owner` still holds it. */
    readonly delivered: (owner: RunId, address: Address, attempt: Attempt) => Effect.Effect<void, StorageUnavailable>
    /** Not done: it is tried at `nextAt`, or, without one, exhausted. */
    readonly failed: (
      owner: RunId,
      address: Address,
      attempt: Attempt,
      nextAt: Instant | undefined
    ) => Effect.Effect<void, StorageUnavailable>
    /** Not tried: it is given back until then. */
    readonly postpone: (owner: RunId, address: Address, until: Instant) => Effect.Effect<void, StorageUnavailable>
    /** All that is not delivered to the endpoint is due now, as if it had never been tried. */
    readonly resume: (endpoint: EndpointId, now: Instant) => Effect.Effect<void, StorageUnavailable>
    /** Delivers one event again, or at last; `false` when the endpoint's merchant has no such event. */
    readonly replay: (address: Address, now: Instant) => Effect.Effect<boolean, StorageUnavailable>
    /** The same for all events that the endpoint wants and that happened since then; says how many are pending now for it. */
    readonly replaySince: (
      endpoint: EndpointId,
      since: Instant,
      now: Instant
    ) => Effect.Effect<number, StorageUnavailable>
    /** A page, in the order of the events, the newest first; from behind the event `before`, if one is given. */
    readonly list: (
      endpoint: EndpointId,
      page: { readonly limit: number; readonly before?: Envelope["id"] | undefined }
    ) => Effect.Effect<ReadonlyArray<Logged>, StorageUnavailable>
    /** Forgets what was delivered and queued before that moment. */
    readonly forget: (before: Instant) => Effect.Effect<void, StorageUnavailable>
  }
>()("florin/adapters/WebhookDeliveries") {}
