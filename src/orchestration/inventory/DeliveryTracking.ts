/**
 * Asks suppliers what became of orders that should have come by now.
 *
 * What was delivered is received, what was cancelled is open no more, and what
 * is still on its way is asked about again later. An order that the supplier
 * does not know is cancelled there first, so that it cannot come after all.
 */
import { Duration, Effect, Schema } from "effect"
import { StockRepository } from "../../adapters/StockRepository.ts"
import { Supplier } from "../../adapters/Supplier.ts"
import { later, plus } from "../../domain/Instant.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { nameOf, OperationKey } from "../../domain/reservation/StockEvent.ts"
import { now } from "../Clocks.ts"
import * as Inventory from "./Inventory.ts"

export const Report = Schema.Struct({
  delivered: Schema.Int,
  /** Or unknown to the supplier. */
  cancelled: Schema.Int,
  /** Asked about again later. */
  delayed: Schema.Int,
  /** Could not be asked about now; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

/** Deliveries come by the day; to ask every hour is soon enough, and no burden on anybody's system. */
const askAgainMillis = 3_600_000

/** A pass sees to so many stocks, and the next to the rest. */
const pageSize = 1000

/** One pass over every order that is due. */
export const sweep = Effect.fn("DeliveryTracking.sweep")(function* () {
  const repository = yield* StockRepository
  const due = yield* repository.due(yield* now, pageSize)
  const fates = yield* Effect.forEach(due, ({ id }) =>
    Effect.catch(ordersOf(id), (error) =>
      Effect.as(Effect.logError(`the orders of ${nameOf(id)} could not be asked about`, error), ["failed" as const])
    )
  )
  const count = (fate: keyof Report) => fates.flat().filter((each) => each === fate).length
  return {
    delivered: count("delivered"),
    cancelled: count("cancelled"),
    delayed: count("delayed"),
    failed: count("failed")
  } satisfies Report
})

const ordersOf = Effect.fnUntraced(function* (id: StockId) {
  const { load } = yield* StockRepository
  const { stock } = yield* load(id, {})
  const at = yield* now
  return yield* Effect.forEach(
    stock.orders.filter(({ askAt }) => askAt <= at),
    (open) => askAbout(id, open)
  )
})

const askAbout = Effect.fnUntraced(function* (id: StockId, { askAt, order }: Stock.OpenOrder) {
  const supplier = yield* Supplier
  const status = yield* supplier.status(order)
  const key = (what: string) => OperationKey.make(`order/${what}/${order}`)
  switch (status._tag) {
    case "Delivered": {
      const { quantity } = status
      yield* Inventory.perform(id, { _tag: "ReceiveStock", key: key("delivered"), order, quantity })
      return "delivered"
    }
    case "Unknown":
      yield* supplier.cancel(order)
      yield* Inventory.perform(id, { _tag: "CancelOrder", key: key("unknown"), order })
      return "cancelled"
    case "Cancelled":
      yield* Inventory.perform(id, { _tag: "CancelOrder", key: key("cancelled"), order })
      return "cancelled"
    case "Open": {
      const next = later(status.expectedAt, plus(yield* now, askAgainMillis))
      yield* Inventory.perform(id, { _tag: "DelayOrder", key: key(`delayed/${askAt}`), order, askAt: next })
      return "delayed"
    }
  }
})

/** Asks now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number) {
  const pass = Effect.catch(sweep(), (error) => Effect.logWarning("orders could not be looked for", error))
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
