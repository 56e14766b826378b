/** What every `Lock` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { TestClock } from "effect/testing"
import type { LockError } from "../../adapters/Lock.ts"
import { Lock } from "../../adapters/Lock.ts"
import { at, run, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the lock; names are new in every test. The lock must take
 * the time from Effect's `Clock`, which is a test clock here: a lease lapses
 * because the test moves it. The layer itself is built in real time.
 *
 * Checks: one owner at a time, until the lease lapses to the millisecond, also
 * when many ask at once; every acquisition gets a larger fencing token than all
 * before it, over lapse, release and repetition; an extended lease lasts
 * longer, and one that somebody took is `Lost`; a release frees the name unless
 * it comes from one who lost it; names do not meet.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const lock = AcmeLock.layer.pipe(Layer.provide(database))
 *     LockContract.suite("acme", lock)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Lock, E>) =>
  // The layer lives in real time: a connection pool whose clock leaps has years of housekeeping to catch up on.
  layer(implementation, { excludeTestServices: true })(`Lock (${name})`, (it) => {
    const failure = <A, R>(effect: Effect.Effect<A, LockError, R>) =>
      Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)
    const lockName = () => unique("lock-")
    const timed = <A, E2, R>(test: Effect.Effect<A, E2, R>) => Effect.provide(test, TestClock.layer())
    const [ada, bob] = [run("ada"), run("bob")]

    it.effect("is held by one owner until it lapses", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          yield* lock.acquire(one, ada, 1000)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, 1000)), "Held")
          yield* TestClock.adjust(999)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, 1000)), "Held")
          yield* TestClock.adjust(1)
          assert.strictEqual((yield* lock.acquire(one, bob, 1000)).owner, bob)
        })
      )
    )

    it.effect("of many that ask at once, one has it", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const results = yield* Effect.forEach(
            Array.from({ length: 8 }, (_, index) => run(`r${index}`)),
            (owner) => Effect.result(lock.acquire(one, owner, 1000)),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
        })
      )
    )

    it.effect("gives every acquisition a larger token, over lapse, release and repetition", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const first = yield* lock.acquire(one, ada, 1000)
          const again = yield* lock.acquire(one, ada, 1000)
          yield* TestClock.adjust(1000)
          const lapsed = yield* lock.acquire(one, bob, 1000)
          yield* lock.release(lapsed)
          const released = yield* lock.acquire(one, ada, 1000)
          const tokens = [first, again, lapsed, released].map(({ token }) => token)
          assert.deepStrictEqual(
            tokens,
            tokens.toSorted((a, b) => a - b)
          )
          assert.strictEqual(new Set(tokens).size, 4)
        })
      )
    )

    it.effect("is held longer when extended, and lost when somebody took it", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const held = yield* lock.acquire(one, ada, 1000)
          yield* TestClock.adjust(900)
          yield* lock.extend(held, 1000)
          yield* TestClock.adjust(900)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, 1000)), "Held")
          yield* TestClock.adjust(100)
          yield* lock.acquire(one, bob, 1000)
          assert.strictEqual(yield* failure(lock.extend(held, 1000)), "Lost")
        })
      )
    )

    it.effect("is free when released, but not by one who lost it", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const stale = yield* lock.acquire(one, ada, 1000)
          yield* TestClock.adjust(1000)
          const held = yield* lock.acquire(one, bob, 1000)
          yield* lock.release(stale)
          assert.strictEqual(yield* failure(lock.acquire(one, ada, 1000)), "Held")
          yield* lock.release(held)
          yield* lock.release(held)
          assert.strictEqual((yield* lock.acquire(one, ada, 1000)).owner, ada)
        })
      )
    )

    it.effect("names do not meet", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          yield* lock.acquire(lockName(), ada, 1000)
          assert.strictEqual((yield* lock.acquire(lockName(), bob, 1000)).owner, bob)
        })
      )
    )
  })
