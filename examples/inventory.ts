/**
 * Stock for orders: reserve, consume, move between locations, and order more.
 *
 *     npm exec -- node examples/inventory.ts
 *
 * Everything is kept in memory here. Over PostgreSQL it is the same program on
 * `SqlStockRepository.layer` and `SqlLock.layer`.
 */
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Inventory, StockCommand, StockEvent, StockTransfer } from "florin"
import { MemoryDatabase, MemoryLock, MemoryNotifier, MemoryStockRepository } from "florin/testing"
import * as MemorySagaRuns from "../src/infra/memory/MemorySagaRuns.ts"
import * as SagaEngine from "../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../src/orchestration/saga/SagaRunner.ts"

const product = StockEvent.ProductId.make("espresso-1kg")
const shop = { product, location: StockEvent.LocationId.make("shop") }
const warehouse = { product, location: StockEvent.LocationId.make("warehouse") }

const key = (name: string) => StockEvent.OperationKey.make(name)

/** The order's number names the reservation, so that an order that is sent twice reserves once. */
const reserve = (order: string, quantity: number): Inventory.Operation => ({
  _tag: "ReserveStock",
  key: key(`${order}/reserve`),
  reservation: StockEvent.ReservationId.make(order),
  quantity
})

const say = (what: string, answer: Inventory.Answer) =>
  Console.log(
    answer._tag === "Done"
      ? `${what}: ${answer.level.available} of ${answer.level.onHand} available`
      : `${what}: ${StockCommand.explain(answer.refusal)}`
  )

export const day = Effect.gen(function* () {
  yield* Inventory.perform(warehouse, { _tag: "ReceiveStock", key: key("delivery-1"), quantity: 20 })
  yield* Inventory.perform(shop, { _tag: "ReceiveStock", key: key("delivery-1"), quantity: 3 })

  yield* say("order-1 reserves 2", yield* Inventory.perform(shop, reserve("order-1", 2)))
  yield* say("order-1 once more", yield* Inventory.perform(shop, reserve("order-1", 2)))
  yield* say("order-2 reserves 2", yield* Inventory.perform(shop, reserve("order-2", 2)))

  const runner = yield* SagaRunner.SagaRunner
  yield* runner.run(StockTransfer.StockTransfer, {
    transfer: StockTransfer.TransferId.make("transfer-1"),
    product,
    from: warehouse.location,
    to: shop.location,
    quantity: 5
  })
  // A new wish of the customer's: the key of the one that was refused is free still.
  yield* say("order-2 reserves 2", yield* Inventory.perform(shop, reserve("order-2", 2)))
  const consume = { _tag: "ConsumeStock", key: key("order-1/consume") } as const
  const reservation = StockEvent.ReservationId.make("order-1")
  yield* say("order-1 is handed over", yield* Inventory.perform(shop, { ...consume, reservation }))
  return yield* Inventory.level(warehouse)
})

export const layer = SagaRunner.register(StockTransfer.StockTransfer).pipe(
  Layer.provideMerge(SagaRunner.layer),
  Layer.provide(SagaEngine.layerMemory),
  Layer.provide(MemorySagaRuns.layer),
  Layer.provide(MemoryNotifier.layer),
  Layer.provideMerge(MemoryStockRepository.layer),
  Layer.provideMerge(Layer.provide(MemoryLock.layer, MemoryDatabase.layer)),
  Layer.provideMerge(SecureRandom.layerWebCrypto)
)

if (import.meta.main) {
  const { available } = await Effect.runPromise(Effect.provide(day, layer))
  process.stdout.write(`${available} left in the warehouse\n`)
}
