/**
 * Webhooks that gateways delivered and that are still to be applied.
 *
 *     stored -> applied                          gone, and its keys stay known
 *            \-> failed -> ... -> dead letter -> replayed
 *
 * A delivery is stored before the gateway is told so, and known by what it
 * tells: an event comes in once, however often it is delivered. A worker
 * claims under a lease; one that dies lets it lapse, and another applies the
 * delivery again, which records nothing twice.
 *
 * A body is kept as it came, for as long as it waits and no longer: it may
 * hold what a customer is called.
 */
import { Context } from "effect"
import type { Effect, Option } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { GatewayName } from "../domain/payment/Gateway.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { Verified } from "./GatewayWebhooks.ts"
import type { StorageUnavailable } from "./Storage.ts"

export interface Arrival {
  /** Florin's own name of the delivery. */
  readonly id: string
  readonly gateway: GatewayName
  /** All that the delivery tells of. */
  readonly events: ReadonlyArray<Verified>
  readonly body: Uint8Array
  readonly at: Instant
}

export interface Received {
  readonly id: string
  readonly gateway: GatewayName
  readonly body: Uint8Array
  readonly at: Instant
  /** How often applying it has failed. */
  readonly failures: number
}

export interface DeadWebhook extends Received {
  /** What the last failure said. */
  readonly error: string
  readonly diedAt: Instant
}

/** Under what an event is known. Both must be new for it to be new. */
export const keysOf = ({ about, id }: Verified): ReadonlyArray<string> =>
  about === undefined ? [`id ${id}`] : [`id ${id}`, `about ${about}`]

export class WebhookInbox extends Context.Service<
  WebhookInbox,
  {
    /** `false` when every event in it is known already, and nothing is stored. */
    readonly store: (arrival: Arrival) => Effect.Effect<boolean, StorageUnavailable>
    /** Up to `limit` deliveries of that gateway that are due, the longest waiting first. */
    readonly claim: (request: {
      readonly gateway: GatewayName
      readonly owner: RunId
      readonly now: Instant
      readonly until: Instant
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Received>, StorageUnavailable>
    /** Done: it is gone, if `owner` still holds it. */
    readonly applied: (owner: RunId, id: string) => Effect.Effect<void, StorageUnavailable>
    /** Not done: it is not due before `retryAt`. */
    readonly failed: (owner: RunId, id: string, retryAt: Instant) => Effect.Effect<void, StorageUnavailable>
    /** Given up: moves it to the dead letters. */
    readonly bury: (owner: RunId, id: string, error: string, at: Instant) => Effect.Effect<void, StorageUnavailable>
    /** The longest dead first. */
    readonly deadLetters: (limit: number) => Effect.Effect<ReadonlyArray<DeadWebhook>, StorageUnavailable>
    readonly deadLetter: (id: string) => Effect.Effect<Option.Option<DeadWebhook>, StorageUnavailable>
    /** Puts a dead letter back to be applied; `false` when there is none of that id. */
    readonly replay: (id: string, now: Instant) => Effect.Effect<boolean, StorageUnavailable>
    /** Forgets events that came before that moment: one that is delivered after so long is applied again. */
    readonly forget: (before: Instant) => Effect.Effect<void, StorageUnavailable>
    /** How many deliveries wait. */
    readonly pending: Effect.Effect<number, StorageUnavailable>
  }
>()("florin/adapters/WebhookInbox") {}
