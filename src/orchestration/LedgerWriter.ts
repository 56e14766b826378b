/**
 * The one hand that writes to a ledger's journal, and answers nobody before
 * what it answers is durable.
 *
 * 1. All that waits when a turn begins is one group, up to a bound. Its
 *    commands are decided in their order, on the books and on each other
 *    (`LedgerDraft`); what they record is one block, appended at the sequence
 *    that they were decided on.
 * 2. Appended: the block goes into the books, and everybody is answered.
 * 3. Anything else is settled by reading on in the journal. The block is there:
 *    it was recorded, only the answer was lost. Another writer's block is in its
 *    place: ours can never be recorded, and the group is decided again, on the
 *    books with the other's in them. Neither: the same block is appended again.
 *    It is known by its source, which is this writer's alone, and its line in it.
 * 4. When the journal stays away for all tries, the group fails with
 *    `Unavailable`. A block that gets there after that is somebody else's to the
 *    next group: it stands where that would be appended, and is read first.
 * 5. A group that records nothing, of refusals, repeats and readings only, is
 *    confirmed by the journal's head: so nobody is refused for what another
 *    process has changed since, and a reading shows all that was recorded
 *    before it was asked for.
 *
 * The books never hold what is not durable, so nothing is ever taken back.
 */
import { Duration, Effect, Exit, Queue, Result } from "effect"
import type { Scope } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { LedgerBooks } from "../adapters/LedgerBooks.ts"
import type { Block } from "../adapters/LedgerJournal.ts"
import { JournalDamaged, LedgerJournal, LedgerJournalError } from "../adapters/LedgerJournal.ts"
import type { LedgerSnapshots } from "../adapters/LedgerSnapshots.ts"
import { StorageUnavailable } from "../adapters/Storage.ts"
import type { LedgerPolicy } from "../domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../domain/ledger/PackedEvents.ts"
import type { RetryPolicy } from "../domain/RetryPolicy.ts"
import * as RetryPolicies from "../domain/RetryPolicy.ts"
import type { ClientAccountsError } from "./ClientAccountsError.ts"
import * as Errors from "./ClientAccountsError.ts"
import { newRun, now } from "./Clocks.ts"
import type { Answer, Command, Drafted } from "./LedgerDraft.ts"
import * as LedgerDraft from "./LedgerDraft.ts"
import type { LedgerReplica } from "./LedgerReplica.ts"
import * as ReplicaKeeping from "./ReplicaKeeping.ts"

export interface Settings {
  readonly policy: LedgerPolicy
  /** How many commands and readings a group holds at most. */
  readonly maxGroup: number
  /** How long an append may take before it counts as unanswered. */
  readonly appendMillis: number
  /** How often, and how far apart, an append without a clear answer is tried. */
  readonly settling: RetryPolicy
  /** Events between two snapshots; without it, as `ReplicaKeeping` says. */
  readonly snapshotEvery?: number | undefined
}

/** A command that waits. Whoever sets `isLeft` before `isTaken` has withdrawn it. */
export interface Order {
  readonly _tag: "Order"
  readonly command: Command
  /** What came of it; of one that was withdrawn, an interruption. */
  readonly done: (exit: Exit.Exit<Answer, ClientAccountsError>) => void
  isTaken: boolean
  isLeft: boolean
}

/** Something to be read from the books, once they are confirmed. */
export interface Reading {
  readonly _tag: "Reading"
  readonly done: (exit: Exit.Exit<void, ClientAccountsError>) => unknown
}

export type Item = Order | Reading

export interface LedgerWriter {
  readonly replica: LedgerReplica
  readonly submit: (item: Item) => void
}

/** Restores the books first; writes until the scope closes. */
export const make = Effect.fnUntraced(function* (
  settings: Settings
): Effect.fn.Return<
  LedgerWriter,
  LedgerJournalError,
  LedgerBooks | LedgerJournal | LedgerSnapshots | SecureRandom.SecureRandom | Scope.Scope
> {
  const journal = yield* LedgerJournal
  const source = `accounts/${yield* newRun}`
  const restored = yield* ReplicaKeeping.restore(settings.policy)
  const { replica } = restored
  const snapshotWhenDue = yield* ReplicaKeeping.keep(restored, settings.snapshotEvery)
  yield* snapshotWhenDue
  const queue = yield* Queue.unbounded<Item>()

  /** Events that this writer has tried to record. No two of its blocks begin at one line, or they could be mistaken. */
  let tried = 0

  const blockOf = (drafted: ReadonlyArray<Drafted>, at: Block["at"]): Block => {
    const line = tried
    tried += drafted.length
    return {
      first: replica.sequence() + 1,
      count: drafted.length,
      at,
      source,
      line,
      to: { line: tried, byte: 0, checksum: 0 },
      events: PackedEvents.pack(
        drafted.map(({ event }, index) => ({ event, line: line + index + 1 })),
        line
      ),
      keys: drafted.flatMap(({ key }, index) => (key === undefined ? [] : [[index, key] as const]))
    }
  }

  const append = (block: Block) =>
    journal.append(block).pipe(
      Effect.timeoutOrElse({
        duration: Duration.millis(settings.appendMillis),
        orElse: () => unanswered(`no answer in ${settings.appendMillis} ms`)
      })
    )

  /** `false`: another writer was first, and this block can never be recorded. */
  const record = Effect.fnUntraced(function* (block: Block) {
    for (let attempt = 1; ; attempt++) {
      const appended = yield* Effect.result(append(block))
      if (appended._tag === "Success") {
        replica.take(block)
        return true
      }
      const found = yield* Effect.result(replica.follow)
      if (found._tag === "Success" && found.success !== undefined) {
        return found.success.source === source && found.success.line === block.line
      }
      const error = found._tag === "Failure" ? found.failure : appended.failure
      const retryable = error.reason._tag !== "JournalDamaged"
      const verdict = RetryPolicies.decide(settings.settling, { retryable }, attempt)
      if (verdict._tag === "GiveUp") return yield* error
      yield* Effect.logWarning("the journal gave no clear answer to an append, asking again", error)
      yield* Effect.sleep(Duration.millis(verdict.millis))
    }
  })

  /** `false`: the books were behind, and are no more. */
  const confirm = Effect.gen(function* () {
    const { sequence } = yield* journal.head
    const known = replica.sequence()
    if (sequence === known) return true
    if (sequence < known) {
      const detail = `it held ${known} events before`
      return yield* new LedgerJournalError({ reason: new JournalDamaged({ after: sequence, detail }) })
    }
    yield* replica.follow
    return false
  })

  /** What the commands come to, durable. Each turn of the loop means that another writer was faster. */
  const carryOut = Effect.fnUntraced(function* (commands: ReadonlyArray<Command>) {
    while (true) {
      const draft = LedgerDraft.make(replica)
      const outcomes = commands.map(draft.decide)
      const { events } = draft
      const isDone =
        events.length === 0
          ? yield* Effect.mapError(confirm, (error) => Errors.ofJournal(error, false))
          : yield* Effect.mapError(record(blockOf(events, yield* now)), (error) => Errors.ofJournal(error, true))
      if (isDone) return outcomes
    }
  })

  const turn = Effect.gen(function* () {
    const items = yield* Queue.takeBetween(queue, 1, settings.maxGroup)
    const readings = items.filter((item) => item._tag === "Reading")
    const orders: Array<Order> = []
    for (const item of items) {
      if (item._tag === "Reading") continue
      item.isTaken = !item.isLeft
      if (item.isTaken) orders.push(item)
      else item.done(Exit.interrupt())
    }
    if (orders.length + readings.length === 0) return
    const exit = yield* Effect.exit(carryOut(orders.map(({ command }) => command)))
    for (const { done } of readings) done(Exit.asVoid(exit))
    for (const [index, { done }] of orders.entries()) {
      if (Exit.isFailure(exit)) done(Exit.failCause(exit.cause))
      else done(Result.match(exit.value[index]!, { onFailure: Exit.fail, onSuccess: Exit.succeed }))
    }
  })

  yield* Effect.forkScoped(Effect.forever(Effect.andThen(turn, snapshotWhenDue)))
  return { replica, submit: (item) => void Queue.offerUnsafe(queue, item) }
})

const unanswered = (detail: string) =>
  new LedgerJournalError({ reason: new StorageUnavailable({ operation: "append", cause: new Error(detail) }) })
