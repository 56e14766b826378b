import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Supplier } from "../../src/adapters/Supplier.ts"
import { LocationId, OperationKey, ProductId } from "../../src/domain/reservation/StockEvent.ts"
import * as SagaCore from "../../src/edge/SagaCore.ts"
import * as ShopCore from "../../src/edge/ShopCore.ts"
import * as InventoryJson from "../../src/edge/http/InventoryJson.ts"
import * as MemorySubscriptionRepository from "../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as MemorySupplier from "../../src/infra/memory/MemorySupplier.ts"
import * as OwnShop from "../../src/infra/memory/OwnShop.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as Inventory from "../../src/orchestration/inventory/Inventory.ts"
import { ReplenishmentId, StockReplenishment } from "../../src/orchestration/inventory/StockReplenishment.ts"
import { SagaRunner } from "../../src/orchestration/saga/SagaRunner.ts"
import { at } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "../orchestration/Workshop.ts"

const stock = { product: ProductId.make("espresso"), location: LocationId.make("north") }
const catalogue = MemorySupplier.layer([
  [stock.product, { available: 1000, minimum: 1, maximum: 1000, leadTimeMillis: 60_000 }]
])
const wanted = {
  replenishment: ReplenishmentId.make("po-1"),
  ...stock,
  policy: { reorderPoint: 10, maximum: 50 }
}

const core = (supplier: Layer.Layer<Supplier>) =>
  Layer.unwrap(
    Effect.map(ScriptedGateway.make("bank", Workshop.agreeable), (bank) =>
      ShopCore.layer({ ...ShopCore.defaults, supplier }).pipe(
        Layer.provideMerge(SagaCore.memory),
        Layer.provide([ShopCore.unsent, OwnShop.layer, MemorySubscriptionRepository.layer]),
        Layer.provideMerge(Workshop.layer({ gateways: [bank] }))
      )
    )
  )

describe("the shop's sagas and workers", () => {
  it.effect("order from the supplier that they have, and receive what he has delivered", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const context = yield* Layer.build(catalogue)
      yield* Effect.gen(function* () {
        const runner = yield* SagaRunner
        const answer = yield* runner.run(StockReplenishment, wanted)
        assert.deepInclude(answer, { _tag: "Completed", value: { outcome: "order", quantity: 50 } })
        const { deliver, orders } = Context.get(context, MemorySupplier.SupplierBooks)
        assert.strictEqual(orders.size, 1)
        for (const order of orders.keys()) deliver(order, 48)
        assert.strictEqual((yield* Inventory.level(stock)).onHand, 0)
        yield* TestClock.adjust("20 minutes")
        assert.strictEqual((yield* Inventory.level(stock)).onHand, 48)
      }).pipe(Effect.provide(core(Layer.succeed(Supplier, Context.get(context, Supplier)))))
    })
  )

  it.effect("order by themselves what runs out, once, where the stock is watched", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const context = yield* Layer.build(catalogue)
      const { orders } = Context.get(context, MemorySupplier.SupplierBooks)
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(orders.size, 0)
        const { policy } = wanted
        const watch = InventoryJson.toOperation(OperationKey.make("watch-1"), { type: "watch", policy })
        yield* Inventory.perform(stock, watch)
        yield* TestClock.adjust("20 minutes")
        assert.deepStrictEqual(
          [...orders.values()].map(({ order }) => order?.quantity),
          [50]
        )
        assert.strictEqual((yield* Inventory.level(stock)).onOrder, 50)
      }).pipe(Effect.provide(core(Layer.succeed(Supplier, Context.get(context, Supplier)))))
    })
  )
})
