/**
 * An operation on stock as a step of a saga, with what takes it back.
 *
 *     .step("reserve", {
 *       takes: ({ input }) => ({ order: input.order, quantity: input.quantity }),
 *       gives: Inventory.Level,
 *       run: (args) => StockStep.run(reserving(args)),
 *       compensate: (args) => StockStep.compensate(reserving(args)),
 *       undo: (_, args) => StockStep.undo(reserving(args))
 *     })
 *
 * Each of the three may be asked any number of times, after a crash and in any
 * engine: the keys are derived from what the saga is about. A step that was
 * taken back is refused when it is run again, so that a run which begins anew
 * cannot take for done what is undone.
 */
import { Effect, Schedule, Schema } from "effect"
import { StockRepository } from "../../adapters/StockRepository.ts"
import { explain, Refusal } from "../../domain/reservation/StockCommand.ts"
import type { OperationKey } from "../../domain/reservation/StockEvent.ts"
import { nameOf, StockId } from "../../domain/reservation/StockEvent.ts"
import { errorOf } from "../../domain/saga/StepOutcome.ts"
import type { Operation } from "./Inventory.ts"
import * as Inventory from "./Inventory.ts"

/** An operation that has a key, which is all but the expiry of what has lapsed. */
export type KeyedOperation = Extract<Operation, { readonly key: OperationKey }>

/** How an operation is taken back, which takes no more of it than its key. */
export interface Reversal {
  readonly stock: StockId
  readonly operation: { readonly key: OperationKey }
  readonly inverse: KeyedOperation
}

export interface Reversible extends Reversal {
  readonly operation: KeyedOperation
}

/** The stock said no, and would again. */
export class StockRefused extends Schema.TaggedError<StockRefused>()("StockRefused", {
  stock: StockId,
  refusal: Refusal
}) {
  override get message() {
    return `${nameOf(this.stock)}: ${explain(this.refusal)}`
  }
  get isRetryable(): boolean {
    return false
  }
}

export const run = Effect.fn("StockStep.run")(function* ({ inverse, operation, stock }: Reversible) {
  const answer = yield* Inventory.perform(stock, operation)
  if (answer._tag === "Refused") return yield* new StockRefused({ stock, refusal: answer.refusal })
  if (answer.changed) return answer.level
  const taken = yield* recorded(stock, inverse.key)
  if (taken !== undefined) {
    return yield* new StockRefused({ stock, refusal: { _tag: "Barred", key: operation.key } })
  }
  return answer.level
})

/** The event that answers the key, if there is one. */
export const recorded = Effect.fnUntraced(function* (stock: StockId, key: OperationKey) {
  const { load } = yield* StockRepository
  const { past } = yield* Effect.catchTag(load(stock, { key }), "StockRepositoryError", Inventory.failed)
  return past.operation
})

/** Nobody asks twice for what takes something back: the store is given half a minute to come back first. */
const persistently = Schedule.exponential("100 millis").pipe(Schedule.upTo({ duration: "30 seconds" }))

/** Takes it back; what became of a reservation since is left as it is. */
export const undo = ({ inverse, stock }: Reversal) =>
  Effect.gen(function* () {
    const answer = yield* Inventory.perform(stock, inverse)
    if (answer._tag === "Done" || answer.refusal._tag === "ReservationEnded") return
    return yield* new StockRefused({ stock, refusal: answer.refusal })
  }).pipe(patiently)

/** Takes back what it may have done, and keeps it from being done late. */
export const compensate = (step: Reversal) =>
  Effect.flatMap(patiently(Inventory.bar(step.stock, step.operation.key)), (event) =>
    event === undefined ? Effect.void : undo(step)
  )

/** Whatever takes something back, for as long as another attempt is of use. */
export const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { while: (error) => errorOf(error).isRetryable, schedule: persistently })
