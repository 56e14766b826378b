/**
 * How a replica comes back after a start, and what is kept for that.
 *
 * 1. The newest snapshot that can be used, and the events that the journal has
 *    behind it. One that is damaged, of another version or of another journal is
 *    passed over, and said so; without any, the journal is read from its
 *    beginning. A snapshot is derived: nothing is lost with it but time.
 * 2. A snapshot that is newer than the journal is no matter of time: events have
 *    gone that were answered for. Nothing starts then.
 * 3. While the service runs, another snapshot is taken every so many events. It
 *    is of what is durable, copied at once between two groups, and written while
 *    commands go on being answered. One is written at a time.
 */
import { Effect, Option, Stream } from "effect"
import type { Scope } from "effect"
import { LedgerBooks, SnapshotUnreadable } from "../adapters/LedgerBooks.ts"
import { JournalDamaged, LedgerJournal, LedgerJournalError } from "../adapters/LedgerJournal.ts"
import { LedgerSnapshots } from "../adapters/LedgerSnapshots.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { LedgerPolicy } from "../domain/ledger/LedgerPolicy.ts"
import { bytesPerEvent } from "../domain/ledger/PackedEvents.ts"
import type { LedgerReplica } from "./LedgerReplica.ts"
import * as Replica from "./LedgerReplica.ts"
import type { Contents } from "./ReplicaSnapshot.ts"
import * as ReplicaSnapshot from "./ReplicaSnapshot.ts"

export interface Restored {
  readonly replica: LedgerReplica
  /** The last event of the snapshot that it came from, and how many bytes that had; of none, 0. */
  readonly snapshot: { readonly sequence: number; readonly bytes: number }
}

/** A replica that has all that the journal has. */
export const restore = Effect.fn("ReplicaKeeping.restore")(function* (
  policy: LedgerPolicy
): Effect.fn.Return<Restored, LedgerJournalError, LedgerBooks | LedgerJournal | LedgerSnapshots> {
  const found = yield* newest(policy, undefined).pipe(
    Effect.catchTag("StorageUnavailable", (error) =>
      Effect.as(Effect.logWarning("no snapshot of the accounts could be read", error), undefined)
    )
  )
  const replica = yield* Replica.make(policy, found?.contents)
  const snapshot = { sequence: replica.sequence(), bytes: found?.bytes ?? 0 }
  yield* replica.follow
  const behind = replica.sequence() - snapshot.sequence
  const from = found === undefined ? "the journal's beginning" : `the snapshot after event ${snapshot.sequence}`
  if (replica.sequence() > 0) {
    yield* Effect.logInfo(`the accounts are restored from ${from} and ${behind} events behind it`)
  }
  return { replica, snapshot }
})

interface Found {
  readonly contents: Contents
  readonly bytes: number
}

const newest = (
  policy: LedgerPolicy,
  upTo: number | undefined
): Effect.Effect<
  Found | undefined,
  LedgerJournalError | StorageUnavailable,
  LedgerBooks | LedgerJournal | LedgerSnapshots
> =>
  Effect.gen(function* () {
    const snapshots = yield* LedgerSnapshots
    const found = Option.getOrUndefined(yield* snapshots.latest({ sequence: upTo }))
    if (found === undefined) return undefined
    const { parts, sequence } = found
    const restoration = new ReplicaSnapshot.Restoration((yield* LedgerBooks).restore(policy))
    let bytes = 0
    const take = (part: Uint8Array) =>
      reading(() => {
        bytes += part.byteLength
        restoration.take(part)
      })
    const contents = yield* Stream.runForEach(parts, take).pipe(
      Effect.andThen(reading(() => restoration.end())),
      Effect.tap((contents) => refuseForeign(contents, sequence)),
      Effect.catchTag("SnapshotUnreadable", ({ detail }) =>
        Effect.as(Effect.logWarning(`the snapshot after event ${sequence} is passed over: ${detail}`), undefined)
      )
    )
    return contents === undefined ? yield* newest(policy, sequence - 1) : { contents, bytes }
  })

const reading = <A>(run: () => A): Effect.Effect<A, SnapshotUnreadable> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      if (error instanceof SnapshotUnreadable) return Effect.fail(error)
      throw error
    }
  })

/** The journal has to have the snapshot's last event, and to have it as the snapshot says. */
const refuseForeign = Effect.fnUntraced(function* (
  contents: Contents,
  sequence: number
): Effect.fn.Return<void, LedgerJournalError | SnapshotUnreadable, LedgerJournal> {
  if (contents.sequence !== sequence) {
    return yield* new SnapshotUnreadable({ detail: `it says that it is of event ${contents.sequence}` })
  }
  const journal = yield* LedgerJournal
  const head = yield* journal.head
  if (sequence > head.sequence) {
    const detail = `a snapshot was made after event ${sequence}, which the journal does not have`
    return yield* new LedgerJournalError({ reason: new JournalDamaged({ after: head.sequence, detail }) })
  }
  const [block] = yield* Stream.runCollect(journal.read({ after: sequence - 1, upTo: sequence }))
  if (block === undefined || Replica.markOf(block, sequence) !== contents.mark) {
    return yield* new SnapshotUnreadable({ detail: "it is of another journal" })
  }
})

/**
 * Where nobody says how often: at least so many events, and as many more as it takes for the journal to grow by what the
 * last snapshot had in bytes, so that a service never writes more snapshots than journal. The fewer, the sooner a service
 * that starts answers, and the more often all of its books are copied.
 */
const minEvents = 250_000

/** Takes a snapshot when one is due, in the background; asked whenever the replica has grown. */
export const keep = Effect.fnUntraced(function* (
  { replica, snapshot }: Restored,
  every: number | undefined
): Effect.fn.Return<Effect.Effect<void>, never, LedgerSnapshots | Scope.Scope> {
  const snapshots = yield* LedgerSnapshots
  const scope = yield* Effect.scope
  let last = snapshot.sequence
  let bytes = snapshot.bytes
  let isWriting = false

  const isDue = (): boolean => {
    const events = replica.sequence() - last
    return every === undefined ? events >= minEvents && events * bytesPerEvent >= bytes : events >= every
  }

  function* counted(parts: Iterable<Uint8Array>): Iterable<Uint8Array> {
    bytes = 0
    for (const part of parts) {
      bytes += part.byteLength
      yield part
    }
  }

  return Effect.suspend(() => {
    if (isWriting || !isDue()) return Effect.void
    const taken = replica.snapshot()
    if (taken === undefined) return Effect.void
    last = taken.of.sequence
    isWriting = true
    const save = snapshots.save(taken.of, counted(taken.parts)).pipe(
      // It is derived: without it, the next start takes longer.
      Effect.catchTag("StorageUnavailable", (error) =>
        Effect.logWarning(`the snapshot after event ${taken.of.sequence} could not be saved`, error)
      ),
      Effect.ensuring(Effect.sync(() => (isWriting = false)))
    )
    return Effect.asVoid(Effect.forkIn(save, scope))
  })
})
