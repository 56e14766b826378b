/**
 * Orders more of a product that runs out at a location, as a saga.
 *
 *     quote (supplier) -> plan -> place (supplier) -> notify
 *
 * The plan is recorded before the supplier hears of it: what is on order counts
 * for the next who looks, and the append of the record is conditional, so that
 * two who look at once order once. When the order cannot be placed it is
 * cancelled, at the supplier and then in our books: what he has sent already,
 * or cannot be asked about, stays on order here, so that nobody orders it again
 * and its delivery is received. Where nothing is to be ordered the saga halts
 * with the plan that says why.
 *
 * What became of an order later is `DeliveryTracking`'s to find out.
 */
import { Effect, Schema } from "effect"
import { Address, NoticeId, Notifier } from "../../adapters/Notifier.ts"
import { Supplier } from "../../adapters/Supplier.ts"
import type { PurchaseOrder } from "../../adapters/Supplier.ts"
import { plus } from "../../domain/Instant.ts"
import * as Reorder from "../../domain/reservation/Reorder.ts"
import type { Refusal } from "../../domain/reservation/StockCommand.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { LocationId, OperationKey, OrderId, ProductId } from "../../domain/reservation/StockEvent.ts"
import { Token } from "../../domain/Text.ts"
import { now } from "../Clocks.ts"
import * as Saga from "../saga/Saga.ts"
import type { Signal } from "../saga/SagaStep.ts"
import * as Inventory from "./Inventory.ts"
import type { Reversal } from "./StockStep.ts"
import * as StockStep from "./StockStep.ts"

/** Leaves room for what the keys of its steps add. */
const maxIdLength = 150

export const ReplenishmentId = Token(maxIdLength).pipe(Schema.brand("ReplenishmentId"))
export type ReplenishmentId = typeof ReplenishmentId.Type

export const Replenishment = Schema.Struct({
  /** The purchase order's number: asked for again, it is the same order. */
  replenishment: ReplenishmentId,
  product: ProductId,
  location: LocationId,
  policy: Reorder.ReorderPolicy,
  /** Orders nothing while any other order is open, even one that does not fill the shelf. */
  ifNoneOpen: Schema.optionalKey(Schema.Boolean),
  /** Who hears of it. */
  notify: Schema.optionalKey(Address)
})
export type Replenishment = typeof Replenishment.Type

/** A supplier's system is away for minutes at times; after that somebody has to be asked. */
const retry = { attempts: 4, backoff: "exponential", baseMillis: 500, capMillis: 10_000 } as const

/** A purchase order is a record at the supplier's; half a minute without an answer is none. */
const timeout = "30 seconds"

export const StockReplenishment = Saga.make("StockReplenishment", {
  input: Replenishment,
  idempotencyKey: ({ replenishment }) => replenishment,
  retry
})
  .step("quote", {
    takes: ({ input }) => ({ product: input.product }),
    gives: Reorder.Quote,
    timeout,
    run: ({ product }) => Effect.flatMap(Supplier, (supplier) => supplier.quote(product))
  })
  .step("plan", {
    takes: ({ input, steps }) => ({ wanted: input, quote: steps.quote }),
    gives: Reorder.Plan,
    run: ({ quote, wanted }) => plan(wanted, quote),
    compensate: ({ wanted }) => StockStep.compensate(ordering(wanted)),
    undo: (_, { wanted }) => Effect.andThen(cancel(wanted), StockStep.undo(ordering(wanted)))
  })
  .step("place", {
    takes: ({ input, steps }) => ({ wanted: input, quantity: steps.plan.quantity }),
    gives: Schema.Boolean,
    timeout,
    run: ({ quantity, wanted }) =>
      Effect.flatMap(Supplier, (supplier) => Effect.as(supplier.place(purchaseOrder(wanted, quantity)), true)),
    compensate: ({ wanted }) => cancel(wanted),
    undo: (_, { wanted }) => cancel(wanted)
  })
  .step("notify", {
    kind: "bestEffort",
    takes: ({ input, steps }) => ({ wanted: input, quantity: steps.plan.quantity }),
    waitFor: ["place"],
    gives: Schema.Boolean,
    run: ({ quantity, wanted }) => tell(wanted, quantity)
  })
  .returns("plan")

// --- Its operations ----------------------------------------------------------

const key = ({ replenishment }: Replenishment, step: string) =>
  OperationKey.make(`replenishment/${replenishment}/${step}`)
const stockOf = ({ location, product }: Replenishment): StockId => ({ product, location })
const orderOf = ({ replenishment }: Replenishment) => OrderId.make(replenishment)

const ordering = (wanted: Replenishment): Reversal => ({
  stock: stockOf(wanted),
  operation: { key: key(wanted, "order") },
  inverse: { _tag: "CancelOrder", key: key(wanted, "cancel"), order: orderOf(wanted) }
})

/**
 * What to order, recorded as ordered. An order that is recorded already is the
 * plan, whatever the numbers say now: it counts in them itself.
 */
const plan = Effect.fnUntraced(function* (wanted: Replenishment, quote: Reorder.Quote) {
  const { ifNoneOpen = false, policy } = wanted
  const reversal = ordering(wanted)
  const before = yield* StockStep.recorded(reversal.stock, reversal.operation.key)
  const { available, onOrder } = yield* Inventory.level(reversal.stock)
  const planned = Reorder.decide(policy, available + onOrder, quote)
  const chosen = before?._tag === "StockOrdered" ? { outcome: "order" as const, quantity: before.quantity } : planned
  if (chosen.outcome !== "order") return Saga.halt<Reorder.Plan>(chosen)
  const { quantity } = chosen
  const askAt = plus(yield* now, quote.leadTimeMillis)
  const numbers = { quantity, askAt, reorderPoint: policy.reorderPoint, ifNoneOpen }
  const operation = { _tag: "OrderStock", ...reversal.operation, order: orderOf(wanted), ...numbers } as const
  return yield* StockStep.run({ ...reversal, operation }).pipe(
    Effect.as<Reorder.Plan | Signal<Reorder.Plan>>(chosen),
    // Somebody else was quicker, with an order or a delivery.
    Effect.catchIf(
      (error) => error._tag === "StockRefused" && isOvertaken(error.refusal, ifNoneOpen),
      () => Effect.succeed(Saga.halt<Reorder.Plan>({ outcome: "enough", quantity: 0 }))
    )
  )
})

const isOvertaken = ({ _tag }: Refusal, ifNoneOpen: boolean) =>
  _tag === "Enough" || (ifNoneOpen && _tag === "OrderExists")

const purchaseOrder = (wanted: Replenishment, quantity: number): PurchaseOrder => ({
  order: orderOf(wanted),
  product: wanted.product,
  to: wanted.location,
  quantity
})

const cancel = (wanted: Replenishment) =>
  Effect.flatMap(Supplier, (supplier) => StockStep.patiently(supplier.cancel(orderOf(wanted))))

const tell = Effect.fnUntraced(function* (wanted: Replenishment, quantity: number) {
  const { location, notify: receiver, product, replenishment } = wanted
  if (receiver === undefined) return Saga.skip(false)
  const { notify } = yield* Notifier
  yield* notify({
    id: NoticeId.make(`replenishment/${replenishment}`),
    kind: "stock.ordered",
    to: receiver,
    subject: `${product}: ${quantity} ordered for ${location}`,
    text: `${quantity} of ${product} are ordered for ${location} (purchase order ${replenishment}).`
  })
  return true
})
