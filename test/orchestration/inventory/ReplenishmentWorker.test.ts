import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import { Supplier, SupplierError, SupplierRefused } from "../../../src/adapters/Supplier.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import { ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import type { StockId } from "../../../src/domain/reservation/StockEvent.ts"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as MemorySupplier from "../../../src/infra/memory/MemorySupplier.ts"
import { SupplierBooks } from "../../../src/infra/memory/MemorySupplier.ts"
import * as SqlLock from "../../../src/infra/sql/SqlLock.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as SqlStockRepository from "../../../src/infra/sql/SqlStockRepository.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import * as ReplenishmentWorker from "../../../src/orchestration/inventory/ReplenishmentWorker.ts"
import { StockReplenishment } from "../../../src/orchestration/inventory/StockReplenishment.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"
import * as Crashes from "./Crashes.ts"
import { counts, key, north, product, receive, reserve, south } from "./Storehouse.ts"

const policy = { reorderPoint: 10, maximum: 50 }
const watch = (id: StockId, changes: Partial<typeof policy> = {}) =>
  Inventory.perform(id, { _tag: "SetReorderPolicy", key: key("watch"), policy: { ...policy, ...changes } })
const report = (changes: Partial<ReplenishmentWorker.Report>) => ({ ordered: 0, putOff: 0, failed: 0, ...changes })

const sagas = SagaRunner.register(StockReplenishment)
const runner = sagas.pipe(Layer.provideMerge(SagaRunner.layer), Layer.provide(SagaEngine.layerMemory))
/** One pass of a process of its own, for which time goes on. */
const pass = Effect.suspend(() => ReplenishmentWorker.sweep()).pipe(
  Effect.raceFirst(Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust(100)))),
  Effect.provide(Layer.fresh(runner))
)
const beginning = Effect.gen(function* () {
  yield* TestClock.setTime(1)
  yield* Inventory.perform(north, receive("in", 10))
  yield* watch(north)
})
const placed = Effect.map(SupplierBooks, ({ orders }) =>
  [...orders].map(([number, { order, status }]) => `${number} ${order?.quantity ?? "-"} ${status._tag}`)
)
const events = (id: StockId) =>
  Effect.flatMap(StockRepository, ({ history }) => Effect.map(history(id), (all) => all.map(({ _tag }) => _tag)))

describe("a pass of replenishment", () => {
  it.effect("orders for the stock that runs out, once, and for no other", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* Inventory.perform(south, receive("in", 11))
      yield* watch(south)
      assert.deepStrictEqual(yield* pass, report({ ordered: 1 }))
      assert.deepStrictEqual(yield* placed, ["reorder/espresso@north/2 40 Open"])
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
      assert.deepStrictEqual(yield* pass, report({}))
      yield* Inventory.perform(south, reserve("a", 1))
      assert.deepStrictEqual(yield* pass, report({ ordered: 1 }))
      assert.deepStrictEqual(yield* counts(south), [11, 1, 10, 40])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("counts no reservation that has lapsed", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* Inventory.perform(north, receive("more", 1))
      yield* Inventory.perform(north, reserve("a", 5, 10))
      yield* TestClock.setTime(10)
      const { wanting } = yield* StockRepository
      assert.strictEqual((yield* wanting(Instant.make(10), 10)).length, 1)
      assert.deepStrictEqual(yield* pass, report({}))
      assert.deepStrictEqual(yield* placed, [])
      // Nobody is asked for what is not wanted.
      assert.deepStrictEqual(yield* Effect.flatMap(SagaRuns, ({ find }) => find({ limit: 10 })), [])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("waits for an order that is open, though it does not fill the shelf", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* Inventory.perform(north, { _tag: "AdjustStock", key: key("lost"), by: -10, reason: "lost" })
      const { quotes } = yield* SupplierBooks
      quotes.set(product, { ...quotes.get(product)!, available: 5 })
      assert.deepStrictEqual(yield* pass, report({ ordered: 1 }))
      quotes.set(product, { ...quotes.get(product)!, available: 100 })
      assert.deepStrictEqual(yield* pass, report({}))
      assert.deepStrictEqual(yield* counts(north), [0, 0, 0, 5])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("asks an hour later where the supplier has too little, however much is sold meanwhile", () =>
    Effect.gen(function* () {
      yield* beginning
      const { quotes } = yield* SupplierBooks
      const quote = quotes.get(product)!
      quotes.set(product, { ...quote, available: 4 })
      assert.deepStrictEqual(yield* pass, report({ putOff: 1 }))
      quotes.set(product, quote)
      yield* Inventory.perform(north, reserve("a", 1))
      yield* TestClock.adjust(ReplenishmentWorker.askAgainMillis - 1000)
      assert.deepStrictEqual(yield* pass, report({}))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* pass, report({ ordered: 1 }))
      assert.deepStrictEqual(yield* counts(north), [10, 1, 9, 41])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("puts off what has no room for the smallest lot", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* Inventory.perform(north, {
        _tag: "SetReorderPolicy",
        key: key("tight"),
        policy: { ...policy, maximum: 14 }
      })
      assert.deepStrictEqual(yield* pass, report({ putOff: 1 }))
      assert.deepStrictEqual(yield* pass, report({}))
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("gives an order up that is refused, puts it off, and goes on with the others", () =>
    Effect.gen(function* () {
      yield* beginning
      const gone = { ...north, product: ProductId.make("decaf") }
      yield* watch(gone)
      yield* watch(south)
      const supplier = yield* Supplier
      const refuses = Supplier.of({
        ...supplier,
        place: (each) =>
          each.to === south.location
            ? Effect.fail(
                new SupplierError({ about: each.order, reason: new SupplierRefused({ detail: "not there" }) })
              )
            : supplier.place(each)
      })
      const passing = Effect.provideService(pass, Supplier, refuses)
      assert.deepStrictEqual(yield* passing, report({ ordered: 1, failed: 2 }))
      assert.deepStrictEqual(yield* passing, report({}))
      assert.deepStrictEqual(yield* events(gone), ["ReorderPolicySet", "ReorderPutOff"])
      assert.includeMembers(yield* events(south), ["StockOrdered", "OrderCancelled", "ReorderPutOff"])
      assert.deepStrictEqual(yield* counts(south), [0, 0, 0, 0])
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("places one order wherever its process dies", () =>
    Effect.gen(function* () {
      const died = yield* Crashes.explore({
        begin: beginning,
        // What a process does: it takes up what was left, and looks.
        program: Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          yield* runner.recover
          const report = yield* ReplenishmentWorker.sweep()
          for (const { execution } of yield* runner.find({ status: "running", limit: 10 })) {
            yield* runner.result(StockReplenishment, execution)
          }
          return report
        }),
        sagas,
        check: (exit, death) =>
          Effect.gen(function* () {
            assert.isTrue(Exit.isSuccess(exit), JSON.stringify(death))
            assert.deepStrictEqual(yield* placed, ["reorder/espresso@north/2 40 Open"], JSON.stringify(death))
            assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40], JSON.stringify(death))
          })
      })
      assert.isAbove(died, 60)
    })
  )
})

describe("two workers over PostgreSQL", () => {
  const supplier = MemorySupplier.layer([
    [product, { available: 1000, minimum: 1, maximum: 5, leadTimeMillis: 86_400_000 }]
  ])
  const world = Layer.mergeAll(
    SqlStockRepository.layer,
    SqlLock.layer,
    SqlSagaRuns.layer,
    SecureRandom.layerWebCrypto,
    MemoryNotifier.layer,
    supplier
  ).pipe(Layer.provide(Layer.fresh(FlorinDatabase.layer)))
  const worker = Effect.provide(
    Effect.suspend(() => ReplenishmentWorker.sweep()),
    Layer.fresh(runner)
  )

  it.live("place one order for one stock, at the same time and with sales in between", () =>
    Effect.gen(function* () {
      yield* Inventory.perform(north, receive("in", 10))
      yield* watch(north)
      const sell = Effect.forEach([1, 2, 3, 4, 5], (each) => Inventory.perform(north, reserve(`c${each}`, 1)))
      const [one, other] = yield* Effect.all([worker, worker, sell], { concurrency: "unbounded" })
      assert.deepStrictEqual([one.failed, other.failed], [0, 0])
      assert.isAbove(one.ordered + other.ordered, 0)
      assert.deepStrictEqual(
        (yield* placed).map((each) => each.split(" ").slice(1).join(" ")),
        ["5 Open"]
      )
      assert.strictEqual((yield* events(north)).filter((tag) => tag === "StockOrdered").length, 1)
      assert.deepStrictEqual(yield* worker, report({}))
    }).pipe(Effect.provide(world))
  )

  it.live("place one order where one of them waits for the supplier while a piece is sold and the other orders", () =>
    Effect.gen(function* () {
      yield* Inventory.perform(south, receive("in", 2))
      yield* watch(south)
      const supplier = yield* Supplier
      const [asked, answered] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = Supplier.of({
        ...supplier,
        quote: (product) =>
          Effect.andThen(
            Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answered)),
            supplier.quote(product)
          )
      })
      const waiting = yield* Effect.forkChild(Effect.provideService(worker, Supplier, slow))
      yield* Deferred.await(asked)
      yield* Inventory.perform(south, reserve("between", 1))
      assert.deepStrictEqual(yield* worker, report({ ordered: 1 }))
      yield* Deferred.succeed(answered, undefined)
      assert.deepStrictEqual(yield* Fiber.join(waiting), report({}))
      assert.deepStrictEqual(yield* placed, ["reorder/espresso@south/3 5 Open"])
      assert.deepStrictEqual(yield* counts(south), [2, 1, 1, 5])
    }).pipe(Effect.provide(world))
  )
})
