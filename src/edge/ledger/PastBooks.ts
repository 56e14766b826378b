/**
 * The books as they stood: from the latest snapshot before that, and the events
 * that came after it. Without a snapshot that can be used, from the beginning.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { SnapshotUnreadable } from "../../adapters/LedgerBooks.ts"
import type { Block } from "../../adapters/LedgerJournal.ts"
import { JournalDamaged, LedgerJournalError } from "../../adapters/LedgerJournal.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import { bytesPerEvent } from "../../domain/ledger/PackedEvents.ts"
import { maxNarrowClient } from "../../domain/ledger/Transaction.ts"
import * as BooksSnapshot from "../../infra/ledger/BooksSnapshot.ts"
import { ColumnarBooks } from "../../infra/ledger/ColumnarBooks.ts"
import type * as JournalPlace from "./JournalPlace.ts"

export interface Options {
  readonly policy: LedgerPolicy
  readonly wideClients: boolean
  /** What the table's keys are hashed with, where no snapshot says. */
  readonly seed: number
}

/** Up to and with an event, or those of a moment; without either, all. */
export interface Bound {
  readonly sequence?: number | undefined
  readonly at?: Instant | undefined
}

export interface Restored {
  readonly books: ColumnarBooks
  /** The last event in them. */
  readonly sequence: number
  /** When it was appended; `undefined` without events. */
  readonly at: Instant | undefined
  /** The last event of the snapshot that it began with. */
  readonly snapshot: number
}

/** The journal has clients that narrow books have no place for. */
export class WideClientsNeeded extends Schema.TaggedError<WideClientsNeeded>()("WideClientsNeeded", {
  client: Schema.Int
}) {
  override get message() {
    return `the journal has client ${this.client}, which is beyond ${maxNarrowClient}: give --wide-clients`
  }
}

type Stores = Pick<JournalPlace.Opened, "journal" | "snapshots">

export const restore = Effect.fnUntraced(function* (
  { journal, snapshots }: Stores,
  options: Options,
  bound: Bound = {},
  onProgress: (done: number, total: number) => Effect.Effect<void> = () => Effect.void
) {
  const head = yield* journal.head
  const upTo = Math.min(head.sequence, bound.sequence ?? Infinity)
  const found = yield* latest({ journal, snapshots }, options, head.sequence, bound)
  const books = found?.books ?? new ColumnarBooks(options)
  const snapshot = found?.sequence ?? 0
  let sequence = snapshot
  let at = found?.at
  if (upTo > snapshot) {
    const blocks = journal.read({ after: snapshot, upTo })
    yield* blocks.pipe(
      Stream.takeWhile((block) => bound.at === undefined || block.at <= bound.at),
      Stream.runForEachArray(
        Effect.fnUntraced(function* (some) {
          for (const block of some) {
            const events = within(block, sequence, upTo)
            if (!options.wideClients) yield* refuseWide(events)
            books.replayPacked(events)
            sequence = Math.min(upTo, block.first + block.count - 1)
            at = block.at
          }
          yield* onProgress(sequence - snapshot, upTo - snapshot)
        })
      )
    )
  }
  return { books, sequence, at, snapshot } satisfies Restored
})

/** The events of a block that are in `(after, upTo]`. */
export const within = ({ count, events, first }: Block, after: number, upTo: number): Uint8Array =>
  events.subarray(
    Math.max(0, after + 1 - first) * bytesPerEvent,
    Math.max(0, Math.min(count, upTo + 1 - first)) * bytesPerEvent
  )

/** The latest snapshot that can be used, restored. Each that cannot costs time only. */
const latest = (
  stores: Stores,
  options: Options,
  head: number,
  bound: Bound
): Effect.Effect<(Restored & { readonly at: Instant }) | undefined, LedgerJournalError | StorageUnavailable> =>
  Effect.gen(function* () {
    const snapshot = Option.getOrUndefined(yield* stores.snapshots.latest(bound))
    if (snapshot === undefined) return undefined
    const { at, parts, sequence } = snapshot
    if (sequence > head) {
      const detail = `a snapshot was made after event ${sequence}, which the journal does not have`
      return yield* new LedgerJournalError({ reason: new JournalDamaged({ after: head, detail }) })
    }
    const toCome = Math.min(head, bound.sequence ?? Infinity) - sequence
    const books = yield* ofSnapshot(parts, { ...options, toCome }).pipe(
      Effect.catchTag("SnapshotUnreadable", (error) =>
        Effect.as(Effect.logWarning(`the snapshot after event ${sequence} is passed over: ${error.detail}`), undefined)
      )
    )
    return books === undefined
      ? yield* latest(stores, options, head, { ...bound, sequence: sequence - 1 })
      : { books, sequence, at, snapshot: sequence }
  })

/** The books that a snapshot is of. */
export const ofSnapshot = Effect.fnUntraced(function* <E>(
  parts: Stream.Stream<Uint8Array, E>,
  { policy, toCome = 0, wideClients }: Omit<Options, "seed"> & { readonly toCome?: number }
) {
  const restoration = new BooksSnapshot.Restoration(policy, { wideClients, toCome })
  yield* Stream.runForEach(parts, (part) => attempt(() => restoration.take(part)))
  return yield* attempt(() => restoration.end())
})

const attempt = <A>(run: () => A): Effect.Effect<A, SnapshotUnreadable> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      if (error instanceof SnapshotUnreadable) return error
      throw error
    }
  })

const refuseWide = (events: Uint8Array): Effect.Effect<void, WideClientsNeeded> => {
  const view = new DataView(events.buffer, events.byteOffset, events.byteLength)
  for (let at = 8; at < events.byteLength; at += bytesPerEvent) {
    const client = view.getUint32(at, true)
    if (client > maxNarrowClient) return Effect.fail(new WideClientsNeeded({ client }))
  }
  return Effect.void
}
