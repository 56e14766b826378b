import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Address, Notifier, NotifierError, NotSent } from "../../../src/adapters/Notifier.ts"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import { Supplier, SupplierError, SupplierInDoubt, SupplierRefused } from "../../../src/adapters/Supplier.ts"
import { SentNotices } from "../../../src/infra/memory/MemoryNotifier.ts"
import { SupplierBooks } from "../../../src/infra/memory/MemorySupplier.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import * as DeliveryTracking from "../../../src/orchestration/inventory/DeliveryTracking.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import type { Replenishment } from "../../../src/orchestration/inventory/StockReplenishment.ts"
import { ReplenishmentId, StockReplenishment } from "../../../src/orchestration/inventory/StockReplenishment.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as Crashes from "./Crashes.ts"
import { counts, key, north, order, product, receive, reserve } from "./Storehouse.ts"

const day = 86_400_000

const wanted = (changes: Partial<Replenishment> = {}): Replenishment => ({
  replenishment: ReplenishmentId.make("po-1"),
  product,
  location: north.location,
  policy: { reorderPoint: 10, maximum: 50 },
  notify: Address.make("stores@example.org"),
  ...changes
})

const beginning = Effect.andThen(TestClock.setTime(1), Inventory.perform(north, receive("in", 10)))

const ordering = (input: Replenishment) =>
  Effect.gen(function* () {
    const runner = yield* SagaRunner.SagaRunner
    yield* runner.recover
    return yield* runner.run(StockReplenishment, input)
  })
const sagas = SagaRunner.register(StockReplenishment)

const runner = sagas.pipe(Layer.provideMerge(SagaRunner.layer), Layer.provide(SagaEngine.layerMemory))

/** A world of its own, with what this test puts in the place of its adapters. */
const inWorld = <A, E>(
  effect: Effect.Effect<A, E, Layer.Success<typeof runner> | Layer.Success<typeof Crashes.world>>,
  instead: Layer.Layer<never, never, Layer.Success<typeof Crashes.world>> = Layer.empty
) => Effect.provide(effect, runner.pipe(Layer.provideMerge(instead), Layer.provideMerge(Crashes.world)))

/** The supplier's orders: number, how many, and how they stand. */
const placed = Effect.map(SupplierBooks, ({ orders }) =>
  [...orders].map(([number, { order, status }]) => `${number} ${order?.quantity ?? "-"} ${status._tag}`)
)

/** A supplier that does not place orders. */
const refusing = (reason: SupplierError["reason"], isPlaced: boolean) =>
  Layer.effect(
    Supplier,
    Effect.map(Supplier, (supplier) =>
      Supplier.of({
        ...supplier,
        place: (each) =>
          Effect.andThen(
            isPlaced ? supplier.place(each) : Effect.void,
            Effect.fail(new SupplierError({ about: each.order, reason }))
          )
      })
    )
  )

/** A supplier that is never heard of, and sends what is ordered before anybody can cancel it. */
const sendingAtOnce = Layer.effect(
  Supplier,
  Effect.gen(function* () {
    const supplier = yield* Supplier
    const { deliver, orders } = yield* SupplierBooks
    return Supplier.of({
      ...supplier,
      place: (each) =>
        Effect.gen(function* () {
          yield* supplier.place(each)
          if (orders.get(each.order)?.status._tag === "Open") deliver(each.order)
          return yield* new SupplierError({ about: each.order, reason: new SupplierInDoubt() })
        })
    })
  })
)

describe("a replenishment", () => {
  it.effect("orders what fills the shelf, counts it as on order, and tells of it", () =>
    inWorld(
      Effect.gen(function* () {
        yield* beginning
        const answer = yield* ordering(wanted())
        assert.deepInclude(answer, { _tag: "Completed", value: { outcome: "order", quantity: 40 } })
        assert.deepStrictEqual(yield* placed, ["po-1 40 Open"])
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
        const [sent] = [...(yield* SentNotices).values()]
        assert.strictEqual(sent!.text, "40 of espresso are ordered for north (purchase order po-1).")
      })
    )
  )

  it.effect("orders nothing while there is enough, there or on its way, and says so", () =>
    inWorld(
      Effect.gen(function* () {
        yield* beginning
        yield* ordering(wanted())
        const again = yield* ordering(wanted({ replenishment: ReplenishmentId.make("po-2") }))
        assert.deepInclude(again, { _tag: "Halted", step: "plan", value: { outcome: "enough", quantity: 0 } })
        yield* Inventory.perform(north, reserve("a", 10))
        const more = yield* ordering(
          wanted({ replenishment: ReplenishmentId.make("po-3"), policy: { reorderPoint: 45, maximum: 50 } })
        )
        assert.deepInclude(more, { _tag: "Completed", value: { outcome: "order", quantity: 10 } })
        assert.deepStrictEqual(yield* placed, ["po-1 40 Open", "po-3 10 Open"])
      })
    )
  )

  it.effect("orders once when many look at once", () =>
    inWorld(
      Effect.gen(function* () {
        yield* beginning
        const answers = yield* Effect.forEach(
          Array.from({ length: 8 }, (_, each) => wanted({ replenishment: ReplenishmentId.make(`po-${each}`) })),
          ordering,
          { concurrency: "unbounded" }
        ).pipe(Effect.raceFirst(Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust(10)))))
        assert.deepStrictEqual(answers.map(({ _tag }) => _tag).toSorted(), [
          "Completed",
          ...Array.from({ length: 7 }, () => "Halted")
        ])
        assert.strictEqual((yield* placed).length, 1)
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
      })
    )
  )

  const refusals: ReadonlyArray<readonly [string, SupplierError["reason"], boolean, string]> = [
    ["refuses it", new SupplierRefused({ detail: "closed" }), false, "po-1 - Cancelled"],
    ["never says whether he has it", new SupplierInDoubt(), true, "po-1 40 Cancelled"]
  ]
  for (const [what, reason, isPlaced, left] of refusals) {
    it.effect(`is cancelled, there and here, when the supplier ${what}`, () =>
      inWorld(
        Effect.gen(function* () {
          yield* beginning
          const error = yield* Effect.flip(ordering(wanted())).pipe(
            Effect.raceFirst(Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust(100))))
          )
          assert.deepInclude(error, { _tag: "SagaFailed", step: "place", ending: "failed", rollbackFailures: [] })
          assert.deepStrictEqual(yield* placed, [left])
          assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
        }),
        refusing(reason, isPlaced)
      )
    )
  }

  it.effect("stays on order here when the supplier, in doubt about it, has sent it already, and is received", () =>
    Effect.gen(function* () {
      yield* beginning
      // The runner looks after its runs every second, and is gone before the days go by.
      const error = yield* Effect.flip(ordering(wanted())).pipe(
        Effect.raceFirst(Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust(100)))),
        Effect.provide(Layer.fresh(runner))
      )
      assert.deepInclude(error, { _tag: "SagaFailed", step: "place", ending: "failed" })
      assert.deepStrictEqual(yield* placed, ["po-1 40 Delivered"])
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
      yield* TestClock.setTime(2 * day)
      assert.deepInclude(yield* DeliveryTracking.sweep(), { delivered: 1 })
      assert.deepStrictEqual(yield* counts(north), [50, 0, 50, 0])
    }).pipe(Effect.provide(Layer.provideMerge(sendingAtOnce, Crashes.world)))
  )

  it.effect("stands although nobody could be told", () =>
    inWorld(
      Effect.gen(function* () {
        yield* beginning
        const answer = yield* ordering(wanted()).pipe(
          Effect.raceFirst(Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust(100))))
        )
        assert.strictEqual(answer._tag, "Completed")
        assert.deepStrictEqual(yield* placed, ["po-1 40 Open"])
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
      }),
      Layer.succeed(Notifier, {
        notify: ({ id }) =>
          Effect.fail(new NotifierError({ notice: id, notifier: "broken", reason: new NotSent({ detail: "down" }) }))
      })
    )
  )

  it.effect("is ordered once wherever it dies, and counted", () =>
    Effect.gen(function* () {
      const died = yield* Crashes.explore({
        begin: beginning,
        program: ordering(wanted()),
        sagas,
        check: (exit, death) =>
          Effect.gen(function* () {
            assert.isTrue(Exit.isSuccess(exit), JSON.stringify(death))
            assert.deepStrictEqual(yield* placed, ["po-1 40 Open"], JSON.stringify(death))
            assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40], JSON.stringify(death))
          })
      })
      assert.isAbove(died, 60)
    })
  )
})

describe("what became of orders", () => {
  // The runner looks after its runs every second, and days go by here.
  const orderOnly = (input: Replenishment) => Effect.provide(ordering(input), Layer.fresh(runner))
  const ordered = Effect.andThen(beginning, orderOnly(wanted()))
  const report = (changes: Partial<DeliveryTracking.Report>) => ({
    delivered: 0,
    cancelled: 0,
    delayed: 0,
    failed: 0,
    ...changes
  })

  it.effect("is asked when they are due, and what came is received once", () =>
    Effect.provide(
      Effect.gen(function* () {
        yield* ordered
        yield* TestClock.setTime(day)
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({}))
        ;(yield* SupplierBooks).deliver(order("po-1"), 38)
        yield* TestClock.setTime(day + 1)
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ delivered: 1 }))
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({}))
        assert.deepStrictEqual(yield* counts(north), [48, 0, 48, 0])
      }),
      Crashes.world
    )
  )

  it.effect("is asked again an hour later while they are on their way", () =>
    Effect.provide(
      Effect.gen(function* () {
        yield* ordered
        yield* TestClock.setTime(day + 1)
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ delayed: 1 }))
        yield* TestClock.adjust("59 minutes")
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({}))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ delayed: 1 }))
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 40])
      }),
      Crashes.world
    )
  )

  it.effect("is a failure where what came cannot be received, until it can", () =>
    Effect.provide(
      Effect.gen(function* () {
        yield* ordered
        ;(yield* SupplierBooks).deliver(order("po-1"))
        yield* TestClock.setTime(day + 1)
        // As many as the books can count.
        const most = 1_000_000_000_000
        const { append, load } = yield* StockRepository
        const { stock, version } = yield* load(north, {})
        const filled = Array.from({ length: 1000 }, (_, each) => ({
          ...receive(`fill-${each}`, each === 0 ? 999_999_990 : 1_000_000_000),
          _tag: "StockReceived" as const,
          at: Instant.make(1)
        }))
        const full = { ...stock, onHand: most }
        yield* append({ id: north, expected: version, events: filled, stock: full, due: Stock.dueAt(full) })
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ failed: 1 }))
        assert.deepStrictEqual(yield* counts(north), [most, 0, most, 40])
        yield* Inventory.perform(north, { _tag: "AdjustStock", key: key("sold"), by: -40, reason: "sold" })
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ delivered: 1 }))
        assert.deepStrictEqual(yield* counts(north), [most, 0, most, 0])
      }),
      Crashes.world
    )
  )

  it.effect("is asked of each, though the supplier keeps silent about one and fails for another", () =>
    Effect.provide(
      Effect.gen(function* () {
        yield* TestClock.setTime(1)
        const orders = ["silent", "failing", "open"]
        for (const each of orders) {
          const about = { order: order(each), quantity: 1, askAt: Instant.make(2), reorderPoint: 10 }
          yield* Inventory.perform(north, { _tag: "OrderStock", key: key(each), ...about })
        }
        yield* TestClock.setTime(2)
        const open = { _tag: "Open", expectedAt: Instant.make(day) } as const
        const supplier = Supplier.of({
          ...(yield* Supplier),
          status: (each) => {
            if (each === "silent") return Effect.never
            const gone = new SupplierError({ about: each, reason: new SupplierInDoubt() })
            return each === "failing" ? Effect.fail(gone) : Effect.succeed(open)
          }
        })
        const sweep = yield* Effect.forkChild(Effect.provideService(DeliveryTracking.sweep(), Supplier, supplier))
        yield* TestClock.adjust("31 seconds")
        assert.deepStrictEqual(yield* Fiber.join(sweep), report({ failed: 2, delayed: 1 }))
      }),
      Crashes.world
    )
  )

  it.effect("closes an order that was cancelled, and bars one that the supplier does not know", () =>
    Effect.provide(
      Effect.gen(function* () {
        yield* ordered
        const { orders } = yield* SupplierBooks
        yield* TestClock.setTime(day + 1)
        orders.delete(order("po-1"))
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ cancelled: 1 }))
        assert.deepStrictEqual(yield* placed, ["po-1 - Cancelled"])
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
        yield* orderOnly(wanted({ replenishment: ReplenishmentId.make("po-2") }))
        yield* Effect.flatMap(Supplier, ({ cancel }) => cancel(order("po-2")))
        yield* TestClock.adjust("2 days")
        assert.deepStrictEqual(yield* DeliveryTracking.sweep(), report({ cancelled: 1 }))
        assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
        const { history } = yield* StockRepository
        assert.strictEqual((yield* history(north)).filter(({ _tag }) => _tag === "OrderCancelled").length, 2)
      }),
      Crashes.world
    )
  )
})
