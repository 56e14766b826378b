/**
 * Books whose every event is in a journal: restored when they are opened, and
 * written to while they are applied to.
 *
 *     rows -> books -> groups of packed events -> blocks -> journal
 *                                                       \-> now and then a snapshot
 *
 * What makes a row applied once: a block is stored whole or not at all, with
 * how far into its source it goes, and a source that is sent again is taken up
 * behind that. An event's idempotency key is therefore its source and its line;
 * the source and its tx name the same deposit or withdrawal, because ids are
 * used once, and the line tells apart the disputes of one tx.
 *
 * The books run ahead of the journal by what is on its way, which is bounded.
 * A run that is killed loses that, and nobody was told of it.
 *
 * A snapshot is of the books at one moment: its bytes are copied at once, which
 * takes some milliseconds for a million transactions, and written while rows go
 * on being applied, once the journal has everything that is in it.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { LedgerJournalError, SourcePosition } from "../../adapters/LedgerJournal.ts"
import { Instant, later } from "../../domain/Instant.ts"
import { bytesPerEvent } from "../../domain/ledger/PackedEvents.ts"
import * as BooksSnapshot from "../../infra/ledger/BooksSnapshot.ts"
import type { ColumnarBooks } from "../../infra/ledger/ColumnarBooks.ts"
import type { EventGroup } from "../../infra/ledger/EventPacker.ts"
import type { Cut } from "../../infra/ledger/FileJournal.ts"
import * as JournalPlace from "./JournalPlace.ts"
import * as PastBooks from "./PastBooks.ts"

export interface Options extends PastBooks.Options {
  readonly place: JournalPlace.Place
  /**
   * Events between two snapshots. Without it a million, and as many more as it takes for the journal to grow by what the
   * last snapshot had in bytes: a snapshot has 16 bytes for each transaction that there ever was, and so a run never
   * writes more snapshots than journal, however long it is.
   */
  readonly snapshotEvery?: number | undefined
  readonly onRestore?: ((done: number, total: number) => Effect.Effect<void>) | undefined
}

/**
 * Where nobody says how often: a start then replays a million events or a few,
 * at some three million a second.
 */
const minEvents = 1_000_000

/** What may be on its way: 2.6 MB of events, more than a slow disk or a database takes in while the next are made. */
const maxBlocksUnderWay = 16

export interface JournaledLedger {
  readonly books: ColumnarBooks
  readonly cut: Cut | undefined
  /** The last event and the snapshot that the books were restored from. */
  readonly restored: { readonly sequence: number; readonly snapshot: number }
  /** How far a source was taken before. */
  readonly positionOf: (source: string) => SourcePosition | undefined
  /** Takes events of a source as they are packed, in the order in which the books applied them. */
  readonly take: (source: string, group: EventGroup) => void
  /**
   * Sends off what was taken, and waits while too much is on its way. Fails when the journal has. Before a snapshot is
   * made, `cut` has to hand over all that the books hold; where it answers that it cannot, there is none yet.
   */
  readonly flush: (cut: () => boolean) => Effect.Effect<void, LedgerJournalError>
  /** When all readers have ended: waits for everything that was taken, and for a snapshot that is due or being written. */
  readonly finish: Effect.Effect<void, LedgerJournalError>
  /** The last event that was taken. */
  readonly sequence: () => number
}

export const open = Effect.fnUntraced(function* ({ onRestore, place, snapshotEvery, ...options }: Options) {
  const { cut, journal, snapshots } = yield* JournalPlace.write(place)
  const {
    at: restoredAt,
    books,
    sequence: restored,
    snapshot
  } = yield* PastBooks.restore({ journal, snapshots }, options, {}, onRestore)
  const { sources } = yield* journal.head
  const scope: Scope.Scope = yield* Effect.scope

  interface Taken {
    readonly source: string
    readonly group: EventGroup
  }
  let taken: Array<Taken> = []
  let sequence = restored
  /** Never before the block before it, whatever the clock does: a moment has to divide the journal in two. */
  let at = restoredAt ?? Instant.make(1)
  const underWay = new Set<Fiber.Fiber<void, LedgerJournalError>>()
  let failure: Exit.Exit<never, LedgerJournalError> | undefined
  let lastSnapshot = snapshot
  let lastSnapshotBytes = 0
  let snapshotting: Fiber.Fiber<void> | undefined
  let room = Deferred.makeUnsafe<void>()

  const send = Effect.fnUntraced(function* ({ group, source }: Taken) {
    const { count, events, line, to } = group
    const append = journal.append({ first: sequence + 1, count, at, source, line, to, events, keys: [] })
    sequence += count
    const fiber = yield* Effect.forkIn(append, scope, { startImmediately: true })
    underWay.add(fiber)
    fiber.addObserver((exit) => {
      underWay.delete(fiber)
      if (Exit.isFailure(exit)) failure ??= Exit.failCause(exit.cause)
      Deferred.doneUnsafe(room, Exit.void)
    })
  })

  const waitFor = (most: number): Effect.Effect<void, LedgerJournalError> =>
    Effect.suspend(() => {
      if (failure !== undefined) return failure
      if (underWay.size <= most) return Effect.void
      room = Deferred.makeUnsafe<void>()
      return Effect.flatMap(Deferred.await(room), () => waitFor(most))
    })

  const sendTaken = Effect.gen(function* () {
    const blocks = taken
    taken = []
    for (const block of blocks) yield* send(block)
  })

  /** Of the books as they are now, saved when all that they hold is in the journal. */
  const startSnapshot = Effect.gen(function* () {
    lastSnapshot = sequence
    const made = { sequence, at }
    const parts = [...BooksSnapshot.parts(books)]
    lastSnapshotBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const before = [...underWay]
    const save = Effect.gen(function* () {
      yield* Fiber.awaitAll(before)
      if (failure === undefined) yield* snapshots.save(made, parts)
    }).pipe(
      // It is derived: without it, the next start takes longer.
      Effect.catchTag("StorageUnavailable", (error) => Effect.logWarning("a snapshot could not be saved", error)),
      Effect.ensuring(Effect.sync(() => (snapshotting = undefined)))
    )
    snapshotting = yield* Effect.forkIn(save, scope)
  })

  const isSnapshotDue = (): boolean => {
    const events = sequence - lastSnapshot
    return snapshotEvery === undefined
      ? events >= minEvents && events * bytesPerEvent >= lastSnapshotBytes
      : events >= snapshotEvery
  }

  const flush = Effect.fnUntraced(function* (cut: () => boolean) {
    at = later(at, Instant.make(yield* Clock.currentTimeMillis))
    yield* sendTaken
    // One that is still being written may take as long as it does; the next is then made a little later.
    if (snapshotting === undefined && isSnapshotDue() && cut()) {
      yield* sendTaken
      yield* startSnapshot
    }
    yield* waitFor(maxBlocksUnderWay)
  })

  const ledger: JournaledLedger = {
    books,
    cut,
    restored: { sequence: restored, snapshot },
    positionOf: (source) => sources.get(source),
    take: (source, group) => void taken.push({ source, group }),
    flush,
    finish: Effect.gen(function* () {
      yield* flush(() => true)
      yield* waitFor(0)
      if (snapshotting !== undefined) yield* Fiber.join(snapshotting)
      // One that became due while the one before was being written.
      yield* flush(() => true)
      if (snapshotting !== undefined) yield* Fiber.join(snapshotting)
    }),
    sequence: () => sequence
  }
  return ledger
})
