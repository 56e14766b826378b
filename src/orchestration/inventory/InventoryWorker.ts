/**
 * Ends reservations that have lapsed.
 *
 * Nothing waits for it: a lapsed reservation counts for nobody already. It
 * writes down what time has made true, so that stores and reports say it too.
 */
import { Duration, Effect, Schema } from "effect"
import { StockRepository } from "../../adapters/StockRepository.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { now } from "../Clocks.ts"
import * as DueStock from "./DueStock.ts"
import * as Inventory from "./Inventory.ts"

export const Report = Schema.Struct({
  /** Stocks on which something had lapsed. */
  expired: Schema.Int,
  /** Could not be worked on now; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

/** One pass over everything that is due now. */
export const sweep = Effect.fn("InventoryWorker.sweep")(function* () {
  const fates = yield* DueStock.forEach((id) =>
    Effect.catchTags(expire(id), {
      InventoryError: (error) => Effect.as(Effect.logError("reservations could not be ended", error), "failed"),
      StockRepositoryError: (error) => Effect.as(Effect.logError("stock could not be read", error), "failed")
    })
  )
  const count = (fate: (typeof fates)[number]) => fates.filter((each) => each === fate).length
  return { expired: count("expired"), failed: count("failed") } satisfies Report
})

const expire = Effect.fnUntraced(function* (id: StockId) {
  const { load } = yield* StockRepository
  const { stock } = yield* load(id, {})
  if (Stock.next(stock, yield* now)._tag !== "ExpireReservations") return "nothing"
  yield* Inventory.perform(id, { _tag: "ExpireReservations" })
  return "expired"
})

/** Sweeps now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number) {
  const pass = sweep().pipe(
    Effect.tap((report) => (report.expired > 0 ? Effect.logInfo("reservations have lapsed", report) : Effect.void)),
    Effect.catch((error) => Effect.logWarning("inventory could not look for what has lapsed", error))
  )
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
