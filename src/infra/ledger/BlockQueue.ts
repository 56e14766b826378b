/**
 * Group commit of a journal: blocks that come while a group is being written
 * wait, and the next group is all of them.
 *
 *     append -> queue -> group, written and synced once -> to each its outcome
 *
 * 1. A block that comes while nothing is under way is decided on by the store;
 *    one that finds others before it has to follow the last of them.
 * 2. One group is under way at a time, so that blocks are stored in the order
 *    of their sequence.
 * 3. A group that fails takes those with it that wait behind it: they follow
 *    what may not be there.
 * 4. Whoever is interrupted leaves; the block is stored all the same. Closing
 *    the scope waits for what was accepted.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import type * as Scope from "effect/Scope"
import type { Block } from "../../adapters/LedgerJournal.ts"
import { JournalConflict, LedgerJournalError } from "../../adapters/LedgerJournal.ts"

export type Append = (block: Block) => Effect.Effect<void, LedgerJournalError>

/** The sequence of the last event after the block. */
export const lastOf = ({ count, first }: Pick<Block, "count" | "first">): number => first + count - 1

interface Waiting {
  readonly block: Block
  readonly stored: Deferred.Deferred<void, LedgerJournalError>
}

/** More than fills a disk's or a connection's buffers; a group of more gains nothing and waits in memory. */
const maxGroupBytes = 4 * 1024 * 1024

/**
 * Of a group, `commit` stores all blocks or none, and fails when the first does
 * not follow what is stored. It runs to its end.
 */
export const make = Effect.fnUntraced(function* (
  commit: (group: readonly [Block, ...ReadonlyArray<Block>]) => Effect.Effect<void, LedgerJournalError>
): Effect.fn.Return<Append, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const turn = Semaphore.makeUnsafe(1)
  let queue: Array<Waiting> = []
  /** The last event of what is queued or under way. */
  let tail: number | undefined
  let isRunning = false
  let isClosed = false

  const take = (): ReadonlyArray<Waiting> => {
    let bytes = 0
    const end = queue.findIndex(({ block }) => (bytes += block.events.byteLength) > maxGroupBytes)
    return queue.splice(0, end === -1 ? queue.length : Math.max(1, end))
  }

  const settle = (group: ReadonlyArray<Waiting>, exit: Exit.Exit<void, LedgerJournalError>) => {
    for (const { stored } of group) Deferred.doneUnsafe(stored, exit)
  }

  const run = Effect.gen(function* () {
    while (queue.length > 0) {
      const group = take()
      const [first, ...others] = group.map(({ block }) => block)
      const exit = yield* Effect.exit(commit([first!, ...others]))
      // Whoever is told goes on at once, and may append: by then all is as it is.
      const followers = Exit.isFailure(exit) ? queue.splice(0) : []
      if (Exit.isFailure(exit)) tail = undefined
      settle([...group, ...followers], exit)
    }
    tail = undefined
    isRunning = false
  }).pipe(turn.withPermits(1), Effect.uninterruptible)

  yield* Effect.addFinalizer(() => {
    isClosed = true
    return turn.withPermits(1)(Effect.void)
  })

  return (block) =>
    Effect.uninterruptibleMask((restore) => {
      if (isClosed) return Effect.interrupt
      if (tail !== undefined && block.first !== tail + 1) {
        return new LedgerJournalError({ reason: new JournalConflict({ expected: block.first - 1, actual: tail }) })
      }
      const stored = Deferred.makeUnsafe<void, LedgerJournalError>()
      queue.push({ block, stored })
      tail = lastOf(block)
      const started = isRunning ? Effect.void : Effect.forkIn(run, scope, { startImmediately: true })
      isRunning = true
      return Effect.andThen(started, restore(Deferred.await(stored)))
    })
})
