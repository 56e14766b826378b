import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { Lock } from "../../src/adapters/Lock.ts"
import { LedgerSubscriptions } from "../../src/adapters/LedgerSubscriptions.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryLedgerJournal from "../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSubscriptions from "../../src/infra/memory/MemoryLedgerSubscriptions.ts"
import * as MemoryLock from "../../src/infra/memory/MemoryLock.ts"
import type { Handler, Settings } from "../../src/orchestration/LedgerHandlers.ts"
import * as LedgerHandlers from "../../src/orchestration/LedgerHandlers.ts"
import * as World from "./LedgerWorld.ts"

const mailer = { ledger: "shop", handler: "mailer" }
const settings: Settings = {
  retry: { maxAttempts: 4, baseMillis: 1000, factor: 2, capMillis: 3000 },
  saveEvery: 3,
  idleMillis: 200,
  leaseMillis: 30_000
}

/** A journal of so many deposits, what is stored of handlers, and processes over both. */
const world = Effect.fnUntraced(function* (deposits: number) {
  const journal = MemoryLedgerJournal.store()
  const stored = MemoryLedgerSubscriptions.store()
  const database = MemoryDatabase.make()
  const accounts = yield* World.start(MemoryLedgerJournal.layerOver(journal))
  const more = (first: number, count: number) =>
    Effect.forEach(Array.from({ length: count }), (_, index) => accounts.submit(World.deposit(1, first + index, 1n)))
  yield* more(1, deposits)
  const stores = Layer.mergeAll(
    MemoryLedgerJournal.layerOver(journal),
    MemoryLedgerSubscriptions.layerOver(stored),
    MemoryLock.layer.pipe(Layer.provide(Layer.succeed(MemoryDatabase.MemoryDatabase, database))),
    SecureRandom.layerWebCrypto
  )
  const subscriptions = yield* Effect.provide(LedgerSubscriptions, MemoryLedgerSubscriptions.layerOver(stored))
  const run = (handler: Handler, subscription = mailer) =>
    Effect.forkScoped(Effect.provide(LedgerHandlers.daemon(subscription, handler, settings), stores))
  /** A process that dies in its handler: nothing of it runs on, its lease included, and nothing of it is tidied up. */
  const runDoomed = (handler: Handler, isDead: () => boolean) =>
    Effect.forkDetach(
      Effect.gen(function* () {
        const lock = yield* Lock
        const extend: typeof lock.extend = (...of) =>
          Effect.suspend(() => (isDead() ? Effect.never : lock.extend(...of)))
        return yield* Effect.provideService(LedgerHandlers.daemon(mailer, handler, settings), Lock, { ...lock, extend })
      }).pipe(Effect.provide(stores))
    )
  return { runDoomed, run, more, stored, subscriptions, stores }
})

/** Notes the sequences that it is given; `fate` may fail some of them. */
const noting = (fate: (sequence: number, times: number) => Effect.Effect<void, unknown> = () => Effect.void) => {
  const seen: Array<number> = []
  const handler: Handler = ({ sequence }) =>
    Effect.suspend(() => {
      seen.push(sequence)
      return fate(sequence, seen.filter((each) => each === sequence).length)
    })
  return { seen, handler }
}

describe("a handler", () => {
  it.effect("gets every event in order, also those that come later, and its position is stored", () =>
    Effect.gen(function* () {
      const { more, run, subscriptions } = yield* world(5)
      const { handler, seen } = noting()
      yield* run(handler)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, [1, 2, 3, 4, 5])
      assert.strictEqual(yield* subscriptions.position(mailer), 5)
      yield* more(6, 2)
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(seen, [1, 2, 3, 4, 5, 6, 7])
    })
  )

  it.effect("gets the whole event, with the name that it always has", () =>
    Effect.gen(function* () {
      const { run } = yield* world(1)
      const got = yield* Deferred.make<unknown>()
      yield* run((recorded) => Deferred.succeed(got, recorded))
      assert.deepStrictEqual(yield* Deferred.await(got), {
        ledger: "shop",
        sequence: 1,
        at: 1,
        event: { _tag: "Deposited", client: World.client(1), tx: World.tx(1), amount: 1n }
      })
    })
  )

  it.effect("that dies between an event and its position gets that event again, and loses none", () =>
    Effect.gen(function* () {
      for (let death = 1; death <= 8; death++) {
        const { run, runDoomed, subscriptions } = yield* world(8)
        const dead = yield* Deferred.make<void>()
        const first = noting((sequence) =>
          sequence === death ? Effect.andThen(Deferred.succeed(dead, undefined), Effect.never) : Effect.void
        )
        yield* runDoomed(first.handler, () => Deferred.isDoneUnsafe(dead))
        yield* Deferred.await(dead)
        const second = noting()
        yield* run(second.handler)
        // The lease of the dead one has to lapse.
        yield* TestClock.adjust("1 minute")
        const from = second.seen[0]!
        assert.isAtMost(from, death)
        assert.isAtLeast(from, death - settings.saveEvery + 1)
        assert.deepStrictEqual(second.seen, [1, 2, 3, 4, 5, 6, 7, 8].slice(from - 1))
        assert.strictEqual(yield* subscriptions.position(mailer), 8)
      }
    })
  )

  it.effect("that is ended in order gets nothing again", () =>
    Effect.gen(function* () {
      const { run } = yield* world(5)
      const first = noting((sequence) => (sequence === 5 ? Effect.never : Effect.void))
      const scope = yield* Scope.make()
      yield* Scope.provide(run(first.handler), scope)
      yield* TestClock.adjust(1)
      yield* Scope.close(scope, Exit.void)
      const second = noting()
      yield* run(second.handler)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(second.seen, [5])
    })
  )

  it.effect("runs in one process at a time", () =>
    Effect.gen(function* () {
      const { more, run } = yield* world(3)
      // Slow enough for another to come in between, where it may.
      const slowly = () => Effect.sleep("10 seconds")
      const [one, two] = [noting(slowly), noting()]
      const scope = yield* Scope.make()
      yield* Scope.provide(run(one.handler), scope)
      yield* TestClock.adjust(1)
      yield* run(two.handler)
      yield* more(4, 2)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual([one.seen, two.seen], [[1, 2, 3, 4, 5], []])
      yield* Scope.close(scope, Exit.void)
      yield* more(6, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(two.seen, [6])
      assert.deepStrictEqual(one.seen, [1, 2, 3, 4, 5])
    })
  )
})

describe("a handler that fails", () => {
  it.effect("is asked again, ever later, and what follows waits for it", () =>
    Effect.gen(function* () {
      const { run, stored } = yield* world(2)
      const { handler, seen } = noting((sequence, times) =>
        sequence === 1 && times < 4 ? Effect.fail("no") : Effect.void
      )
      yield* run(handler)
      const after: Array<number> = []
      for (const millis of [0, 999, 1, 1999, 1, 2999, 1]) {
        yield* TestClock.adjust(millis)
        after.push(seen.length)
      }
      assert.deepStrictEqual(after, [1, 1, 2, 2, 3, 3, 5])
      assert.deepStrictEqual(seen, [1, 1, 1, 1, 2])
      assert.strictEqual(stored.letters.size, 0)
    })
  )

  it.effect("in the end leaves its event to the dead letters, and goes on; others do not wait for it", () =>
    Effect.gen(function* () {
      const { run, subscriptions } = yield* world(3)
      const failing = noting((sequence) => (sequence === 2 ? Effect.die(new Error("no\nanswer")) : Effect.void))
      const other = noting()
      yield* run(failing.handler)
      yield* run(other.handler, { ...mailer, handler: "other" })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(other.seen, [1, 2, 3])
      assert.deepStrictEqual(failing.seen, [1, 2])
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(failing.seen, [1, 2, 2, 2, 2, 3])
      const [letter] = yield* subscriptions.deadLetters(10)
      assert.deepInclude(letter, { ...mailer, sequence: 2, failures: 4, error: "Error: no?answer" })
      assert.strictEqual(letter!.event._tag, "Deposited")
      assert.strictEqual(yield* subscriptions.position(mailer), 3)
    })
  )

  it.effect("by a bug is no exception to that", () =>
    Effect.gen(function* () {
      const { run, subscriptions } = yield* world(2)
      const { handler, seen } = noting((sequence) => (sequence === 1 ? Effect.die("bug") : Effect.void))
      yield* run(handler)
      yield* TestClock.adjust("7 seconds")
      assert.deepStrictEqual(seen, [1, 1, 1, 1, 2])
      assert.strictEqual((yield* subscriptions.deadLetters(10))[0]!.error, "bug")
    })
  )

  it.effect("gets what an operator puts back, after what followed it; it is gone then, or dead again", () =>
    Effect.gen(function* () {
      const { more, run, stored, subscriptions } = yield* world(3)
      let isMended = false
      const { handler, seen } = noting((sequence) => (sequence < 3 && !isMended ? Effect.fail("broken") : Effect.void))
      yield* run(handler)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* subscriptions.deadLetters(10)).length, 2)
      assert.isTrue(yield* subscriptions.replay({ ...mailer, sequence: 1 }))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(
        (yield* subscriptions.deadLetters(10)).map(({ failures, sequence }) => [sequence, failures]),
        [
          [2, 4],
          [1, 8]
        ]
      )
      isMended = true
      yield* subscriptions.replay({ ...mailer, sequence: 2 })
      yield* subscriptions.replay({ ...mailer, sequence: 1 })
      yield* more(4, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen.slice(-3), [1, 2, 4])
      assert.strictEqual(stored.letters.size, 0)
    })
  )
})

describe("stores that do not answer", () => {
  it.effect("are asked again, and no event is lost", () =>
    Effect.gen(function* () {
      const { stores, stored } = yield* world(4)
      let isAway = true
      const away = new StorageUnavailable({ operation: "test", cause: "away" })
      const flaky = Layer.effect(
        LedgerSubscriptions,
        Effect.map(LedgerSubscriptions, (real) => ({
          ...real,
          position: (of: typeof mailer) => Effect.suspend(() => (isAway ? away : real.position(of))),
          advance: (of: typeof mailer, to: number) => Effect.suspend(() => (isAway ? away : real.advance(of, to)))
        }))
      ).pipe(Layer.provideMerge(stores))
      const { handler, seen } = noting((sequence, times) =>
        Effect.sync(() => void (isAway = sequence === 3 && times === 1))
      )
      const running = yield* Effect.forkScoped(Effect.provide(LedgerHandlers.daemon(mailer, handler, settings), flaky))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [])
      isAway = false
      yield* TestClock.adjust("200 millis")
      isAway = false
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [1, 2, 3, 1, 2, 3, 4])
      assert.strictEqual(stored.positions.get("shop/mailer"), 4)
      yield* Fiber.interrupt(running)
    })
  )
})
