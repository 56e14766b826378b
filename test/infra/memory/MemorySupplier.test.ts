import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Supplier } from "../../../src/adapters/Supplier.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import { LocationId, OrderId, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as MemorySupplier from "../../../src/infra/memory/MemorySupplier.ts"
import * as SupplierContract from "../../../src/testing/contract/SupplierContract.ts"

const sold = ProductId.make("espresso")
const supplier = MemorySupplier.layer([[sold, { available: 1000, minimum: 1, maximum: 1000, leadTimeMillis: 5 }]])

SupplierContract.suite("memory", supplier, { sold, unsold: ProductId.make("tea") })

describe("MemorySupplier", () => {
  it.effect("delivers when it is told to, and cancels nothing that is on its way", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100)
      const { cancel, place, status } = yield* Supplier
      const order = OrderId.make("po-1")
      yield* place({ order, product: sold, to: LocationId.make("north"), quantity: 5 })
      assert.deepInclude(yield* status(order), { _tag: "Open", expectedAt: Instant.make(105) })
      const { deliver } = yield* MemorySupplier.SupplierBooks
      deliver(order)
      assert.deepStrictEqual(yield* status(order), { _tag: "Delivered", quantity: 5 })
      assert.strictEqual((yield* Effect.flip(cancel(order))).message, "po-1: SupplierRefused, it is on its way")
      assert.throws(() => deliver(order), "there is no open order po-1")
    }).pipe(Effect.provide(supplier))
  )
})
