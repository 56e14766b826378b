/**
 * Events still to publish, written in the same statement as the events
 * themselves: what is recorded is published, at least once, in the order of
 * each payment.
 *
 * A relay claims under a lease; a relay that dies lets it lapse, and another
 * publishes again. What cannot be published after so many tries goes to the
 * dead letters, from which an operator replays it: later than its successors,
 * which do not wait for it.
 */
import { Context } from "effect"
import type { Effect, Option } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { Envelope } from "./EventBus.ts"
import type { StorageUnavailable } from "./Storage.ts"

export interface Entry {
  readonly envelope: Envelope
  /** How often publishing it has failed. */
  readonly failures: number
}

export interface DeadLetter {
  readonly envelope: Envelope
  readonly failures: number
  /** What the last failure said. */
  readonly error: string
  readonly at: Instant
}

export class Outbox extends Context.Service<
  Outbox,
  {
    /** The entries of up to `limit` payments that are due, oldest first; at most one relay holds those of one payment. */
    readonly claim: (request: {
      readonly owner: RunId
      readonly now: Instant
      readonly until: Instant
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Entry>, StorageUnavailable>
    /** Done: the entries are gone, if `owner` still holds them. */
    readonly published: (owner: RunId, ids: ReadonlyArray<string>) => Effect.Effect<void, StorageUnavailable>
    /** Not done: nothing of that payment is due before `retryAt`. */
    readonly failed: (owner: RunId, id: string, retryAt: Instant) => Effect.Effect<void, StorageUnavailable>
    /** Given up: moves the entry to the dead letters. */
    readonly bury: (owner: RunId, id: string, error: string, at: Instant) => Effect.Effect<void, StorageUnavailable>
    /** The longest dead first. */
    readonly deadLetters: (limit: number) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageUnavailable>
    readonly deadLetter: (id: string) => Effect.Effect<Option.Option<DeadLetter>, StorageUnavailable>
    /** Puts a dead letter back to be published; `false` when there is none of that id. */
    readonly replay: (id: string, now: Instant) => Effect.Effect<boolean, StorageUnavailable>
    /** How many entries wait. */
    readonly pending: Effect.Effect<number, StorageUnavailable>
  }
>()("florin/adapters/Outbox") {}
