/**
 * Works on stock: loads it, decides, appends, and decides again when somebody
 * else was quicker.
 *
 * Every operation has a key. Whoever did not hear what became of one asks again
 * with the same key: what has happened is answered and not done again.
 *
 * A refusal is an answer and a value (`Refused`); errors are what kept it from
 * being answered, and say whether asking again is of use.
 */
import { Clock, Duration, Effect, Random, Result, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { Lock } from "../../adapters/Lock.ts"
import type { Lease } from "../../adapters/Lock.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import type { About, Loaded, StockRepositoryError } from "../../adapters/StockRepository.ts"
import { StockRepository, UnreadableStock } from "../../adapters/StockRepository.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { Command } from "../../domain/reservation/StockCommand.ts"
import { Refusal } from "../../domain/reservation/StockCommand.ts"
import type { Event, OperationKey } from "../../domain/reservation/StockEvent.ts"
import { nameOf, StockId } from "../../domain/reservation/StockEvent.ts"
import { newRun, now } from "../Clocks.ts"
import type { InventoryPolicy } from "./InventoryPolicy.ts"
import { usual } from "./InventoryPolicy.ts"

// --- Answers ----------------------------------------------------------------

/** What is there after the operation. */
export const Level = Schema.Struct({
  onHand: Schema.Int,
  reserved: Schema.Int,
  available: Schema.Int,
  onOrder: Schema.Int
})
export type Level = typeof Level.Type

export const Answer = Schema.TaggedUnion({
  /** Nothing has changed where it had happened before, or there was nothing left to do. */
  Done: { level: Level, changed: Schema.Boolean },
  Refused: { refusal: Refusal }
})
export type Answer = typeof Answer.Type

/** Others were quicker, again and again. */
export class Contended extends Schema.TaggedError<Contended>()("Contended", { attempts: Schema.Int }) {
  override get message() {
    return `others were quicker ${this.attempts} times`
  }
}

export class InventoryError extends Schema.TaggedError<InventoryError>()("InventoryError", {
  stock: StockId,
  reason: Schema.Union([Contended, UnreadableStock, StorageUnavailable])
}) {
  override get message() {
    return `${nameOf(this.stock)}: ${this.reason._tag}, ${this.reason.message}`
  }
  /** With the same key: it may have taken effect. */
  get isRetryable(): boolean {
    return this.reason._tag !== "UnreadableStock"
  }
}

// --- Operations -------------------------------------------------------------

/** A command without its moment, which is now. */
export type Operation = Command extends infer C ? (C extends Command ? Omit<C, "at"> : never) : never

type Needs = StockRepository | Lock | SecureRandom.SecureRandom

/** Does it, once for its key. */
export const perform = (
  id: StockId,
  operation: Operation,
  policy: InventoryPolicy = usual
): Effect.Effect<Answer, InventoryError, Needs> =>
  exclusively(id, policy, attempt(id, operation, policy)).pipe(Effect.withSpan("Inventory.perform"))

/**
 * Finds out whether the operation of this key has happened; if it has not, it
 * never will. What a saga asks before it takes back what it heard nothing of.
 */
export const bar = Effect.fn("Inventory.bar")(function* (
  id: StockId,
  key: OperationKey,
  policy: InventoryPolicy = usual
): Effect.fn.Return<Event | undefined, InventoryError, Needs> {
  yield* perform(id, { _tag: "BarOperation", key }, policy)
  const { past } = yield* load(id, { key })
  return past.operation?._tag === "OperationBarred" ? undefined : past.operation
})

/** What is there now, lapsed reservations not counted. */
export const level = Effect.fn("Inventory.level")(function* (
  id: StockId
): Effect.fn.Return<Level, InventoryError, StockRepository> {
  const { stock } = yield* load(id, {})
  return levelOf(Stock.lapse(stock, yield* now))
})

export const levelOf = (stock: Stock.Stock): Level => ({
  onHand: stock.onHand,
  reserved: Stock.reserved(stock),
  available: Stock.available(stock),
  onOrder: Stock.position(stock) - Stock.available(stock)
})

// --- Deciding and appending ---------------------------------------------------

const attempt = Effect.fnUntraced(function* (id: StockId, operation: Operation, policy: InventoryPolicy) {
  const repository = yield* StockRepository
  for (let tried = 0; tried < policy.attempts; tried++) {
    const command: Command = { ...operation, at: yield* now }
    const { past, stock, version } = yield* load(id, aboutOf(command))
    const decided = Stock.decide(command, stock, past)
    if (Result.isFailure(decided)) return { _tag: "Refused", refusal: decided.failure } satisfies Answer
    const events = decided.success
    if (events.length === 0) return { _tag: "Done", level: levelOf(stock), changed: false } satisfies Answer
    const after = events.reduce(Stock.evolve, stock)
    const isAppended = yield* repository
      .append({ id, expected: version, events, stock: after, due: Stock.dueAt(after) })
      .pipe(
        Effect.as(true),
        Effect.catchTag("StockRepositoryError", (error) =>
          error.reason._tag === "StockVersionConflict" ? Effect.succeed(false) : failed(error)
        )
      )
    if (isAppended) return { _tag: "Done", level: levelOf(after), changed: true } satisfies Answer
    yield* pause(tried)
  }
  return yield* new InventoryError({ stock: id, reason: new Contended({ attempts: policy.attempts }) })
})

const aboutOf = (command: Command): About =>
  command._tag === "ExpireReservations"
    ? {}
    : { key: command.key, reservation: "reservation" in command ? command.reservation : undefined }

const load = (id: StockId, about: About): Effect.Effect<Loaded, InventoryError, StockRepository> =>
  Effect.flatMap(StockRepository, (repository) => repository.load(id, about)).pipe(
    Effect.catchTag("StockRepositoryError", failed)
  )

/** A conflict is only ever an append's, and is caught there. */
export const failed = ({ reason, stock }: StockRepositoryError): Effect.Effect<never, InventoryError> =>
  reason._tag === "StockVersionConflict" ? Effect.die(reason) : Effect.fail(new InventoryError({ stock, reason }))

/** Grows by this up to the longest: long enough to let the others finish, and never as long as a person notices. */
const pauseMillis = 2
const longestPauseMillis = 50

/** Whole milliseconds drawn by lot, so that those who met once do not meet again. */
const pause = (tried: number) =>
  Effect.flatMap(Random.nextIntBetween(0, Math.min(longestPauseMillis, pauseMillis * (tried + 1))), (millis) =>
    Effect.sleep(Duration.millis(millis))
  )

// --- The lock, which only saves work -----------------------------------------

/** Without a lock, when there is none to be had: what is promised does not rest on it. */
const exclusively = <A, E, R>(
  { product }: StockId,
  policy: InventoryPolicy,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Lock | SecureRandom.SecureRandom> =>
  policy.lock === "none"
    ? work
    : Effect.acquireUseRelease(
        acquire(`stock/${product}`, policy),
        () => work,
        (lease) =>
          lease === undefined ? Effect.void : Effect.flatMap(Lock, (lock) => Effect.ignore(lock.release(lease)))
      )

const acquire = Effect.fnUntraced(function* (
  name: string,
  { lockMillis, lockPatienceMillis }: InventoryPolicy
): Effect.fn.Return<Lease | undefined, never, Lock | SecureRandom.SecureRandom> {
  const lock = yield* Lock
  const owner = yield* newRun
  const giveUpAt = (yield* Clock.currentTimeMillis) + lockPatienceMillis
  for (let tried = 0; ; tried++) {
    const taken = yield* Effect.result(lock.acquire(name, owner, lockMillis))
    if (Result.isSuccess(taken)) return taken.success
    const isHeld = taken.failure.reason._tag === "Held"
    if (!isHeld || (yield* Clock.currentTimeMillis) >= giveUpAt) return undefined
    yield* pause(tried)
  }
})
