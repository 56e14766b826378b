/**
 * Asks suppliers what became of orders that should have come by now.
 *
 * What was delivered is received, what was cancelled is open no more, and what
 * is still on its way is asked about again later. An order that the supplier
 * does not know is cancelled there first, so that it cannot come after all.
 */
import { Duration, Effect, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { Lock } from "../../adapters/Lock.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import type { SupplierError } from "../../adapters/Supplier.ts"
import { Supplier } from "../../adapters/Supplier.ts"
import { later, plus } from "../../domain/Instant.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { nameOf, OperationKey } from "../../domain/reservation/StockEvent.ts"
import { now } from "../Clocks.ts"
import * as DueStock from "./DueStock.ts"
import * as Inventory from "./Inventory.ts"
import { StockRefused } from "./StockStep.ts"

export const Report = Schema.Struct({
  delivered: Schema.Int,
  /** Or unknown to the supplier. */
  cancelled: Schema.Int,
  /** Asked about again later. */
  delayed: Schema.Int,
  /** Could not be asked about now, or not be written down; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

/** Deliveries come by the day; to ask every hour is soon enough, and no burden on anybody's system. */
const askAgainMillis = 3_600_000

/** Half a minute without an answer is none, as for whoever places an order. */
const timeout = "30 seconds"

type Fate = keyof Report
type Needs = Supplier | StockRepository | Lock | SecureRandom.SecureRandom
type Trouble = SupplierError | Inventory.InventoryError | StockRefused

/** One pass over every order that is due; one that cannot be asked about keeps it from no other. */
export const sweep = Effect.fn("DeliveryTracking.sweep")(function* () {
  const fates = (yield* DueStock.forEach(fatesOf)).flat()
  const count = (fate: Fate) => fates.filter((each) => each === fate).length
  return {
    delivered: count("delivered"),
    cancelled: count("cancelled"),
    delayed: count("delayed"),
    failed: count("failed")
  } satisfies Report
})

const fatesOf = (id: StockId) =>
  dueOrders(id).pipe(
    Effect.flatMap((orders) =>
      Effect.forEach(orders, (open) =>
        Effect.catch(Effect.timeout(askAbout(id, open), timeout), (error) => failed(`order ${open.order}`, error))
      )
    ),
    Effect.catch((error) => Effect.map(failed(`the orders of ${nameOf(id)}`, error), (fate) => [fate]))
  )

const failed = (what: string, error: unknown): Effect.Effect<Fate> =>
  Effect.as(Effect.logError(`${what} could not be asked about`, error), "failed")

const dueOrders = Effect.fnUntraced(function* (id: StockId) {
  const { load } = yield* StockRepository
  const { stock } = yield* load(id, {})
  const at = yield* now
  return stock.orders.filter(({ askAt }) => askAt <= at)
})

const askAbout = Effect.fnUntraced(function* (
  id: StockId,
  { askAt, order }: Stock.OpenOrder
): Effect.fn.Return<Fate, Trouble, Needs> {
  const supplier = yield* Supplier
  const status = yield* supplier.status(order)
  const key = (what: string) => OperationKey.make(`order/${what}/${order}`)
  switch (status._tag) {
    case "Delivered": {
      const { quantity } = status
      yield* record(id, { _tag: "ReceiveStock", key: key("delivered"), order, quantity })
      return "delivered"
    }
    case "Unknown":
      yield* supplier.cancel(order)
      yield* record(id, { _tag: "CancelOrder", key: key("unknown"), order })
      return "cancelled"
    case "Cancelled":
      yield* record(id, { _tag: "CancelOrder", key: key("cancelled"), order })
      return "cancelled"
    case "Open": {
      const next = later(status.expectedAt, plus(yield* now, askAgainMillis))
      yield* record(id, { _tag: "DelayOrder", key: key(`delayed/${askAt}`), order, askAt: next })
      return "delayed"
    }
  }
})

/** What the books refuse is not done: pieces that came and cannot be received are for somebody to look at. */
const record = Effect.fnUntraced(function* (stock: StockId, operation: Inventory.Operation) {
  const answer = yield* Inventory.perform(stock, operation)
  if (answer._tag === "Refused") return yield* new StockRefused({ stock, refusal: answer.refusal })
})

/** Asks now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number) {
  const pass = Effect.catch(sweep(), (error) => Effect.logWarning("orders could not be looked for", error))
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
