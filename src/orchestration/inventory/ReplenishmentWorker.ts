/**
 * Watches stock that has a reorder policy, and orders more of what runs out.
 *
 * The run that orders is named after the stock and its version: of two workers
 * that see the same stock one begins it, the other hears what came of it, and a
 * process that comes after a crash finds it again. Where the stock has changed in
 * between there are two runs, and the books take the order of one: none is
 * recorded while any is open.
 *
 * What cannot be ordered is put off, in the books, so that every worker leaves
 * it alone until then. Runs that a dead process has left are their runner's to
 * take up (`SagaRunner.recover`).
 */
import { Duration, Effect, Schema } from "effect"
import type { Address } from "../../adapters/Notifier.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import { plus } from "../../domain/Instant.ts"
import * as Reorder from "../../domain/reservation/Reorder.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { nameOf, OperationKey } from "../../domain/reservation/StockEvent.ts"
import { now } from "../Clocks.ts"
import { SagaRunner } from "../saga/SagaRunner.ts"
import * as DueStock from "./DueStock.ts"
import * as Inventory from "./Inventory.ts"
import { ReplenishmentId, StockReplenishment } from "./StockReplenishment.ts"

export interface Options {
  /** Who hears of orders. */
  readonly notify?: Address | undefined
}

export const Report = Schema.Struct({
  ordered: Schema.Int,
  /** Not to be had now, or not in a lot for which there is room: asked again later. */
  putOff: Schema.Int,
  /** The order was given up, or could not be asked for; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

/** Suppliers are restocked by the day; to ask every hour is soon enough, and no burden on anybody's system. */
export const askAgainMillis = 3_600_000

/**
 * A run that is tried as often as it may be takes five minutes at most. One that
 * takes longer has no process, and must not keep a pass from the rest.
 */
const patience = "6 minutes"

type Fate = keyof Report | "nothing"

/** One pass over every stock that wants an order; one that fails keeps it from no other. */
export const sweep = Effect.fn("ReplenishmentWorker.sweep")(function* (options: Options = {}) {
  const visit = (id: StockId) =>
    replenish(id, options).pipe(
      Effect.timeout(patience),
      Effect.catch((error) =>
        Effect.as(Effect.logError(`${nameOf(id)} could not be replenished`, error), "failed" as const)
      )
    )
  const fates = yield* DueStock.forEach(visit, "wanting")
  const count = (fate: Fate) => fates.filter((each) => each === fate).length
  return { ordered: count("ordered"), putOff: count("putOff"), failed: count("failed") } satisfies Report
})

const replenish = Effect.fnUntraced(function* (id: StockId, { notify }: Options) {
  const { load } = yield* StockRepository
  const { stock, version } = yield* load(id, {})
  const at = yield* now
  const current = Stock.lapse(stock, at)
  const wantedAt = Stock.reorderAt(current)
  if (current.reorder === undefined || wantedAt === undefined || wantedAt > at) return "nothing"
  const replenishment = ReplenishmentId.make(`reorder/${nameOf(id)}/${version}`)
  const { policy } = current.reorder
  const receiver = notify === undefined ? {} : { notify }
  const wanted = { replenishment, ...id, policy, ifNoneOpen: true, ...receiver }
  const runner = yield* SagaRunner
  const fate = yield* runner.run(StockReplenishment, wanted).pipe(
    Effect.flatMap((answer) =>
      answer._tag === "Completed" ? Effect.succeed<Fate>("ordered") : haltedOn(id, answer.value)
    ),
    Effect.catchTag("SagaFailed", (error) =>
      Effect.as(Effect.logError(`${nameOf(id)}: the order was given up`, error), "failed" as const)
    )
  )
  if (fate === "putOff" || fate === "failed") yield* putOff(id, replenishment)
  return fate
})

/** A halt shows its plan as JSON. */
const planOf = Schema.decodeUnknownEffect(Schema.toCodecJson(Reorder.Plan))

const haltedOn = Effect.fnUntraced(function* (id: StockId, shown: unknown) {
  const { outcome } = yield* Effect.orDie(planOf(shown))
  if (outcome === "enough") return "nothing" satisfies Fate
  yield* outcome === "noRoom"
    ? Effect.logWarning(`${nameOf(id)}: there is no room for the supplier's smallest lot; look at its reorder policy`)
    : Effect.logInfo(`${nameOf(id)}: the supplier has too little; asked again later`)
  return "putOff" satisfies Fate
})

const putOff = Effect.fnUntraced(function* (id: StockId, replenishment: ReplenishmentId) {
  const until = plus(yield* now, askAgainMillis)
  yield* Inventory.perform(id, { _tag: "PutOffReorder", key: OperationKey.make(`${replenishment}/put-off`), until })
})

/** Looks now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number, options: Options = {}) {
  const pass = sweep(options).pipe(
    Effect.tap((report) => (report.ordered > 0 ? Effect.logInfo("stock was ordered", report) : Effect.void)),
    Effect.catch((error) => Effect.logWarning("stock that runs out could not be looked for", error))
  )
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
