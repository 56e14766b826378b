/** Goods between locations and from the supplier: moved and ordered once, or as if nothing had been. */
import { Context, Effect, Layer } from "effect"
import type { Lock } from "../../adapters/Lock.ts"
import type { Notice, Notifier } from "../../adapters/Notifier.ts"
import { Address } from "../../adapters/Notifier.ts"
import type { StockRepository } from "../../adapters/StockRepository.ts"
import { Supplier } from "../../adapters/Supplier.ts"
import type { Plan } from "../../domain/reservation/Reorder.ts"
import { LocationId, OperationKey, OrderId, ProductId } from "../../domain/reservation/StockEvent.ts"
import * as MemorySupplier from "../../infra/memory/MemorySupplier.ts"
import * as Inventory from "../../orchestration/inventory/Inventory.ts"
import * as StockReplenishment from "../../orchestration/inventory/StockReplenishment.ts"
import * as StockTransfer from "../../orchestration/inventory/StockTransfer.ts"
import * as FakeStep from "./FakeStep.ts"
import { keeping, ofNotices } from "./PayingStories.ts"
import * as SagaBoundaries from "./SagaBoundaries.ts"
import type { Plot, Story } from "./SagaStory.ts"
import * as SagaStory from "./SagaStory.ts"
import * as StoryShelf from "./StoryShelf.ts"

type Outside = Notifier | StockRepository | Lock
type Transferring = Plot<StockTransfer.Transfer, Inventory.Level, Outside>
type Ordering = Plot<StockReplenishment.Replenishment, Plan, Outside | Supplier>

const product = ProductId.make("beans")
const at = (location: string) => ({ product, location: LocationId.make(location) })
const [north, south] = [at("north"), at("south")]
const notify = Address.make("stock@example.org")

const stocked = 10
const wanted = 4

const differing = (what: string, expected: ReadonlyArray<number>, actual: ReadonlyArray<number>) =>
  String(expected) === String(actual) ? [] : [`${what}: expected ${expected.join(", ")}, actual ${actual.join(", ")}`]

const error = { message: "the gate is shut", isRetryable: false }

// --- From one location to another -------------------------------------------

const transferring = (arrives: boolean) => (): Transferring => {
  const sent: Array<Notice> = []
  const shelf = StoryShelf.make()
  const saga = StockTransfer.StockTransfer
  return {
    saga: arrives ? saga : FakeStep.failing(saga, "receive", { error, when: "after" }),
    input: {
      transfer: StockTransfer.TransferId.make("transfer-1"),
      product,
      from: north.location,
      to: south.location,
      quantity: wanted,
      notify
    },
    begin: StoryShelf.receive(shelf, north, stocked),
    outside: (process, world) =>
      Layer.mergeAll(
        SagaBoundaries.stock(process, shelf),
        StoryShelf.locks(process, world),
        SagaBoundaries.notifier(process, sent)
      ),
    judge: () =>
      Effect.gen(function* () {
        const [from, to] = [yield* StoryShelf.level(shelf, north), yield* StoryShelf.level(shelf, south)]
        const moved = arrives ? wanted : 0
        return [
          ...differing("on hand", [stocked - moved, moved], [from.onHand, to.onHand]),
          ...differing("reserved", [0, 0], [from.reserved, to.reserved]),
          ...ofNotices(arrives ? ["stock.transferred"] : [], sent)
        ]
      })
  }
}

/** Pieces that are received as often as somebody says so. */
const unkeyed = (plot: Transferring): Transferring => {
  let times = 0
  const run = () =>
    Inventory.perform(south, {
      _tag: "ReceiveStock",
      key: OperationKey.make(`by-hand-${++times}`),
      quantity: wanted
    }).pipe(Effect.andThen(Inventory.level(south)))
  return { ...plot, saga: FakeStep.replace(plot.saga, "receive", { run }) }
}

const moved = SagaStory.make({
  name: "stock-transfer",
  ending: "completed",
  plot: transferring(true),
  bugs: { "pieces that are received without a key": unkeyed }
})

const broughtBack = SagaStory.make({
  name: "stock-transfer-undone",
  ending: "failed",
  plot: transferring(false),
  bugs: { "pieces that do not come back": keeping("ship") }
})

// --- From the supplier ------------------------------------------------------

const quote = { available: 100, minimum: 5, maximum: 50, leadTimeMillis: 86_400_000 }
const policy = { reorderPoint: 20, maximum: 40 }

const ordering = (isTaken: boolean) => (): Ordering => {
  const sent: Array<Notice> = []
  const shelf = StoryShelf.make()
  const warehouse = Effect.runSync(Effect.scoped(Layer.build(Layer.fresh(MemorySupplier.layer([[product, quote]])))))
  const { orders } = Context.get(warehouse, MemorySupplier.SupplierBooks)
  const saga = StockReplenishment.StockReplenishment
  return {
    saga: isTaken ? saga : FakeStep.failing(saga, "place", { error, when: "after" }),
    input: {
      replenishment: StockReplenishment.ReplenishmentId.make("po-1"),
      product,
      location: north.location,
      policy,
      notify
    },
    begin: StoryShelf.receive(shelf, north, stocked),
    outside: (process, world) =>
      Layer.mergeAll(
        SagaBoundaries.stock(process, shelf),
        SagaBoundaries.supplier(process, Context.get(warehouse, Supplier)),
        StoryShelf.locks(process, world),
        SagaBoundaries.notifier(process, sent)
      ),
    judge: () =>
      Effect.gen(function* () {
        const { onOrder } = yield* StoryShelf.level(shelf, north)
        const open = [...orders.values()].filter(({ status }) => status._tag === "Open")
        const due = isTaken ? policy.maximum - stocked : 0
        return [
          ...differing("on order", [due], [onOrder]),
          ...differing(
            "open at the supplier",
            isTaken ? [due] : [],
            open.map(({ order }) => order!.quantity)
          ),
          ...ofNotices(isTaken ? ["stock.ordered"] : [], sent)
        ]
      })
  }
}

/** A purchase order under another number each time. */
const renumbered = (plot: Ordering): Ordering => {
  let times = 0
  const run = () =>
    Effect.flatMap(Supplier, ({ place }) =>
      place({
        order: OrderId.make(`po-1-${++times}`),
        product,
        to: north.location,
        quantity: policy.maximum - stocked
      })
    ).pipe(Effect.as(true))
  return { ...plot, saga: FakeStep.replace(plot.saga, "place", { run }) }
}

const ordered = SagaStory.make({
  name: "stock-replenishment",
  ending: "completed",
  plot: ordering(true),
  bugs: { "an order under another number": renumbered }
})

/** A supplier who hears of no cancellation, and nobody who notices. */
const unheard = (plot: Ordering): Ordering => ({
  ...plot,
  outside: (process, world) =>
    Layer.provideMerge(
      Layer.effect(
        Supplier,
        Effect.map(Supplier, (supplier) => Supplier.of({ ...supplier, cancel: () => Effect.void }))
      ),
      plot.outside(process, world)
    )
})

const cancelled = SagaStory.make({
  name: "stock-replenishment-undone",
  ending: "failed",
  plot: ordering(false),
  bugs: { "an order that is not cancelled": unheard, "an order that stays in the books": keeping("plan") }
})

export const all: ReadonlyArray<Story> = [moved, broughtBack, ordered, cancelled]
