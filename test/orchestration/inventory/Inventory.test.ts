import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { Held, Lock, LockError } from "../../../src/adapters/Lock.ts"
import { StorageUnavailable } from "../../../src/adapters/Storage.ts"
import { StockRepository, StockRepositoryError, StockVersionConflict } from "../../../src/adapters/StockRepository.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { StockId } from "../../../src/domain/reservation/StockEvent.ts"
import { ReservationId } from "../../../src/domain/reservation/StockEvent.ts"
import * as SqlLock from "../../../src/infra/sql/SqlLock.ts"
import * as SqlStockRepository from "../../../src/infra/sql/SqlStockRepository.ts"
import * as BulkInventory from "../../../src/orchestration/inventory/BulkInventory.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import { usual } from "../../../src/orchestration/inventory/InventoryPolicy.ts"
import * as InventoryWorker from "../../../src/orchestration/inventory/InventoryWorker.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"
import * as Crashes from "./Crashes.ts"
import { at, consume, counts, key, memory, north, order, receive, release, reserve, south } from "./Storehouse.ts"

const sql = Layer.mergeAll(SqlStockRepository.layer, SqlLock.layer, SecureRandom.layerWebCrypto).pipe(
  Layer.provide(Layer.fresh(FlorinDatabase.layer))
)

/** What is stored is what its events come to. */
const assertStored = (id: StockId) =>
  Effect.gen(function* () {
    const { history, load } = yield* StockRepository
    assert.deepStrictEqual((yield* load(id, {})).stock, Stock.fold(yield* history(id)))
  })

const stores = [
  ["memory", memory],
  ["PostgreSQL", sql]
] as const

/** A lock that whoever asks for it gets. */
const broken = Layer.succeed(Lock, {
  acquire: (name, owner) => Effect.succeed({ name, owner, token: 1 }),
  extend: () => Effect.void,
  release: () => Effect.void
})

const locks = [
  ["with a lock", usual, Layer.empty],
  ["without a lock", { ...usual, lock: "none" }, Layer.empty],
  ["with a lock that everybody gets", usual, broken]
] as const

describe("fifty at once for the last ten pieces", () => {
  for (const [name, store] of stores) {
    for (const [what, policy, lock] of locks) {
      it.live(`serves exactly ten, over ${name}, ${what}`, () =>
        Effect.gen(function* () {
          yield* Inventory.perform(north, receive("in", 10), policy)
          const answers = yield* Effect.forEach(
            Array.from({ length: 50 }, (_, customer) => reserve(`customer-${customer}`, 1)),
            (operation) => Inventory.perform(north, operation, policy),
            { concurrency: "unbounded" }
          )
          const done = answers.filter(({ _tag }) => _tag === "Done")
          assert.strictEqual(done.length, 10)
          const refused = answers.flatMap((answer) => (answer._tag === "Refused" ? [answer.refusal] : []))
          assert.deepStrictEqual(
            refused,
            Array.from({ length: 40 }, () => ({ _tag: "Insufficient", requested: 1, available: 0 }))
          )
          assert.deepStrictEqual(yield* counts(north), [10, 10, 0, 0])
          yield* assertStored(north)
        }).pipe(Effect.provide(Layer.provideMerge(lock, store)))
      )
    }
  }

  it.live("serves each customer once who asks with all he has", () =>
    Effect.gen(function* () {
      yield* Inventory.perform(north, receive("in", 10))
      const answers = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, ask) => reserve(`customer-${ask % 3}`, 2)),
        (operation) => Inventory.perform(north, operation),
        { concurrency: "unbounded" }
      )
      const changed = answers.filter((answer) => answer._tag === "Done" && answer.changed)
      assert.deepStrictEqual([changed.length, answers.every(({ _tag }) => _tag === "Done")], [3, true])
      assert.deepStrictEqual(yield* counts(north), [10, 6, 4, 0])
    }).pipe(Effect.provide(memory))
  )
})

describe("Inventory", () => {
  it.effect("answers what there is after it, and a repeat without doing it again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      yield* Inventory.perform(north, receive("in", 10))
      const level = { onHand: 10, reserved: 4, available: 6, onOrder: 0 }
      const reserving = Inventory.perform(north, reserve("a", 4))
      assert.deepStrictEqual(yield* reserving, { _tag: "Done", level, changed: true })
      assert.deepStrictEqual(yield* reserving, { _tag: "Done", level, changed: false })
      assert.deepStrictEqual(yield* Inventory.perform(north, consume("a")), {
        _tag: "Done",
        level: { onHand: 6, reserved: 0, available: 6, onOrder: 0 },
        changed: true
      })
      assert.deepStrictEqual(yield* Inventory.perform(north, release("a")), {
        _tag: "Refused",
        refusal: { _tag: "ReservationEnded", reservation: ReservationId.make("a"), ending: "consumed" }
      })
      assert.deepStrictEqual(yield* counts(south), [0, 0, 0, 0])
    }).pipe(Effect.provide(memory))
  )

  it.effect("bars what has not happened, and tells what has", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      yield* Inventory.perform(north, receive("in", 10))
      yield* Inventory.perform(north, reserve("a", 4))
      assert.deepInclude(yield* Inventory.bar(north, key("reserve/a")), { _tag: "StockReserved", quantity: 4 })
      assert.isUndefined(yield* Inventory.bar(north, key("reserve/b")))
      assert.isUndefined(yield* Inventory.bar(north, key("reserve/b")))
      assert.deepStrictEqual(yield* Inventory.perform(north, reserve("b", 1)), {
        _tag: "Refused",
        refusal: { _tag: "Barred", key: key("reserve/b") }
      })
    }).pipe(Effect.provide(memory))
  )

  it.effect("ends what has lapsed when it sweeps, and counts it for nobody before", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      yield* Inventory.perform(north, receive("in", 10))
      yield* Inventory.perform(south, receive("in", 10))
      yield* Inventory.perform(north, reserve("a", 4, 60_000))
      yield* Inventory.perform(south, reserve("b", 4, 120_000))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* InventoryWorker.sweep(), { expired: 0, failed: 0 })
      assert.deepStrictEqual(yield* counts(north), [10, 4, 6, 0])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
      assert.deepStrictEqual(yield* InventoryWorker.sweep(), { expired: 1, failed: 0 })
      assert.deepStrictEqual(yield* InventoryWorker.sweep(), { expired: 0, failed: 0 })
      const { history, load } = yield* StockRepository
      assert.deepStrictEqual((yield* load(north, {})).stock.holds, [])
      assert.deepStrictEqual(
        (yield* history(north)).map(({ _tag }) => _tag),
        ["StockReceived", "StockReserved", "StockExpired"]
      )
      assert.deepStrictEqual(yield* counts(south), [10, 4, 6, 0])
    }).pipe(Effect.provide(memory))
  )

  it.effect("ends what has lapsed behind any number of stocks for which nothing can be done", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      // Orders that nobody has been asked about, all of them due before the reservation.
      for (let each = 100; each < 350; each++) {
        const about = { order: order("po"), quantity: 1, askAt: Instant.make(2), reorderPoint: 10 }
        yield* Inventory.perform(at(`store-${each}`), { _tag: "OrderStock", key: key("order"), ...about })
      }
      yield* Inventory.perform(north, receive("in", 10))
      yield* Inventory.perform(north, reserve("a", 4, 60_000))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* InventoryWorker.sweep(), { expired: 1, failed: 0 })
      const { history } = yield* StockRepository
      assert.deepInclude((yield* history(north)).at(-1), { _tag: "StockExpired" })
    }).pipe(Effect.provide(memory))
  )

  const stubborn = (failure: Held | StorageUnavailable) =>
    Layer.succeed(
      Lock,
      Lock.of({
        acquire: (name, owner) => Effect.fail(new LockError({ name, owner, reason: failure })),
        extend: () => Effect.die("there is no lease to extend"),
        release: () => Effect.die("there is no lease to give back")
      })
    )
  it.live("goes on without a lock that somebody keeps, or that cannot be had", () =>
    Effect.gen(function* () {
      const held = new Held({ until: Instant.make(1) })
      for (const failure of [held, new StorageUnavailable({ operation: "acquire", cause: "down" })]) {
        const answer = yield* Inventory.perform(north, receive(failure._tag, 1), {
          ...usual,
          lockPatienceMillis: 20
        }).pipe(Effect.provide(stubborn(failure)))
        assert.strictEqual(answer._tag, "Done")
      }
      assert.deepStrictEqual(yield* counts(north), [2, 0, 2, 0])
    }).pipe(Effect.provide(memory))
  )

  it.live("gives its lock back, so that the next need not wait for it to lapse", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const names: Array<string> = []
      const watched = Lock.of({
        ...lock,
        release: (lease) =>
          Effect.andThen(
            lock.release(lease),
            Effect.sync(() => names.push(lease.name))
          )
      })
      yield* Effect.provideService(Inventory.perform(north, receive("in", 1)), Lock, watched)
      yield* Effect.provideService(Inventory.perform(south, reserve("a", 1)), Lock, watched)
      assert.deepStrictEqual(names, ["stock/espresso", "stock/espresso"])
    }).pipe(Effect.provide(memory))
  )

  it.live("says when it cannot get through, and that asking again is of use", () =>
    Effect.gen(function* () {
      const repository = yield* StockRepository
      const failing = (reason: StockRepositoryError["reason"]) =>
        Effect.provideService(
          Effect.flip(Inventory.perform(north, receive("in", 1), { ...usual, attempts: 3 })),
          StockRepository,
          { ...repository, append: () => Effect.fail(new StockRepositoryError({ stock: north, reason })) }
        )
      const contended = yield* failing(new StockVersionConflict({ expected: 0 }))
      assert.deepStrictEqual(
        [contended.message, contended.isRetryable],
        ["espresso@north: Contended, others were quicker 3 times", true]
      )
      const down = yield* failing(new StorageUnavailable({ operation: "append", cause: "down" }))
      assert.deepStrictEqual(
        [down.message, down.isRetryable],
        ["espresso@north: StorageUnavailable, append: the store did not answer", true]
      )
    }).pipe(Effect.provide(memory))
  )
})

describe("many operations at once", () => {
  it.effect("does what can be done and says of each what became of it, in the order of the request", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      const repository = yield* StockRepository
      const broken = at("broken")
      const report = yield* BulkInventory.performAll([
        { stock: north, operation: receive("in", 5) },
        { stock: broken, operation: receive("in", 5) },
        { stock: north, operation: reserve("a", 3) },
        { stock: south, operation: reserve("b", 1) },
        { stock: north, operation: reserve("c", 3) },
        { stock: north, operation: reserve("a", 3) },
        { stock: north, operation: release("a") }
      ]).pipe(
        Effect.provideService(StockRepository, {
          ...repository,
          append: (append) =>
            append.id.location === "broken"
              ? Effect.fail(
                  new StockRepositoryError({
                    stock: append.id,
                    reason: new StorageUnavailable({ operation: "append", cause: "down" })
                  })
                )
              : repository.append(append)
        })
      )
      const said = report.lines.map((line) =>
        line._tag === "Done"
          ? `Done ${line.changed}`
          : line._tag === "Refused"
            ? line.refusal._tag
            : line.error.reason._tag
      )
      assert.deepStrictEqual(said, [
        "Done true",
        "StorageUnavailable",
        "Done true",
        "Insufficient",
        "Insufficient",
        "Done false",
        "Done true"
      ])
      assert.deepStrictEqual([report.done, report.refused, report.failed], [4, 2, 1])
      assert.deepStrictEqual(yield* counts(north), [5, 0, 5, 0])
    }).pipe(Effect.provide(memory))
  )

  it.effect("takes a hundred, and nothing of a hundred and one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1)
      const many = (count: number) =>
        Array.from({ length: count }, (_, each) => ({ stock: north, operation: receive(`in-${each}`, 1) }))
      const error = yield* Effect.flip(BulkInventory.performAll(many(101)))
      assert.strictEqual(error.message, "operations: expected at most 100, got 101")
      assert.deepStrictEqual(yield* counts(north), [0, 0, 0, 0])
      assert.strictEqual((yield* BulkInventory.performAll(many(100))).done, 100)
      assert.deepStrictEqual(yield* counts(north), [100, 0, 100, 0])
    }).pipe(Effect.provide(memory))
  )
})

describe("a reservation", () => {
  it.effect("is made once wherever it dies", () =>
    Effect.gen(function* () {
      const died = yield* Crashes.explore({
        begin: Effect.andThen(TestClock.setTime(1), Inventory.perform(north, receive("in", 10))),
        program: Inventory.perform(north, reserve("a", 4)),
        check: (exit, death) =>
          Effect.gen(function* () {
            assert.isTrue(Exit.isSuccess(exit) && exit.value._tag === "Done", JSON.stringify(death))
            assert.deepStrictEqual(yield* counts(north), [10, 4, 6, 0], JSON.stringify(death))
            yield* assertStored(north)
          })
      })
      assert.strictEqual(died, 24)
    })
  )
})
