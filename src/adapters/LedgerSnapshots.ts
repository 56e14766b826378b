/**
 * The books as they stood after an event, kept so that a start need not read
 * the journal from its beginning.
 *
 * A snapshot is bytes that only the books that wrote it read. It is derived:
 * one that is missing, damaged or of another version costs time and nothing
 * else, because the one before it, or the journal's beginning, does as well.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Instant } from "../domain/Instant.ts"
import type { StorageUnavailable } from "./Storage.ts"

export interface Snapshot {
  /** The last event in it. */
  readonly sequence: number
  /** When that event was appended. */
  readonly at: Instant
}

export class LedgerSnapshots extends Context.Service<
  LedgerSnapshots,
  {
    /** Whole or not at all; durable when it is answered. */
    readonly save: (snapshot: Snapshot, parts: Iterable<Uint8Array>) => Effect.Effect<void, StorageUnavailable>
    /** The latest whose last event is at most `sequence` and not later than `at`. */
    readonly latest: (bound: {
      readonly sequence?: number | undefined
      readonly at?: Instant | undefined
    }) => Effect.Effect<
      Option.Option<Snapshot & { readonly parts: Stream.Stream<Uint8Array, StorageUnavailable> }>,
      StorageUnavailable
    >
  }
>()("florin/adapters/LedgerSnapshots") {}
