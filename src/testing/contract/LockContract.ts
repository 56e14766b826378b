/** What every `Lock` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { TestClock } from "effect/testing"
import type { LockError } from "../../adapters/Lock.ts"
import { Lock } from "../../adapters/Lock.ts"
import { at, run, unique } from "./Samples.ts"

/** How time passes for the leases of the lock under test. */
export interface Time<R> {
  /** Moves time forward for every lease; the clock of the test moves with it. */
  readonly pass: (millis: number) => Effect.Effect<void, never, R>
  /** How exactly a lease ends, in milliseconds. */
  readonly tickMillis: number
}

/** For a lock that takes the time from Effect's `Clock`, which is a test clock here. */
const ofClock: Time<never> = { pass: () => Effect.void, tickMillis: 1 }

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the lock; names are new in every test. The lock takes the
 * time from Effect's `Clock`, which is a test clock here: a lease lapses because
 * the test moves it. A store that keeps the time itself has to be told by
 * `time`, for example by taking that much off every lease, and a real
 * millisecond more or less is then no failure. The layer itself is built in
 * real time.
 *
 * Checks: one owner at a time, until the lease lapses to the tick, also when
 * many ask at once; whoever is refused hears until when; every acquisition gets
 * a larger fencing token than all before it, over lapse, release and
 * repetition; an extended lease lasts longer, also one that lapsed and that
 * nobody took, and one that somebody took or that was given back is `Lost`; a
 * release frees the name unless it comes from one who lost it; names do not meet.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const lock = AcmeLock.layer.pipe(Layer.provide(database))
 *     LockContract.suite("acme", lock)
 */
export const suite = <E, R = never>(
  name: string,
  implementation: Layer.Layer<Lock | R, E>,
  { pass, tickMillis: tick }: Time<R> = ofClock
) =>
  // The layer lives in real time: a connection pool whose clock leaps has years of housekeeping to catch up on.
  layer(implementation, { excludeTestServices: true })(`Lock (${name})`, (it) => {
    const failure = <A, R>(effect: Effect.Effect<A, LockError, R>) =>
      Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)
    const lockName = () => unique("lock-")
    const timed = <A, E2, R>(test: Effect.Effect<A, E2, R>) => Effect.provide(test, TestClock.layer())
    const [ada, bob] = [run("ada"), run("bob")]
    const ttl = 1000 * tick
    const adjust = (millis: number) => Effect.andThen(TestClock.adjust(millis), pass(millis))

    it.effect("is held by one owner until it lapses", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          yield* lock.acquire(one, ada, ttl)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, ttl)), "Held")
          yield* adjust(ttl - tick)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, ttl)), "Held")
          yield* adjust(tick)
          assert.strictEqual((yield* lock.acquire(one, bob, ttl)).owner, bob)
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
            (owner) => Effect.result(lock.acquire(one, owner, ttl)),
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
          const first = yield* lock.acquire(one, ada, ttl)
          const again = yield* lock.acquire(one, ada, ttl)
          yield* adjust(ttl)
          const lapsed = yield* lock.acquire(one, bob, ttl)
          yield* lock.release(lapsed)
          const released = yield* lock.acquire(one, ada, ttl)
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
          const held = yield* lock.acquire(one, ada, ttl)
          yield* adjust(0.9 * ttl)
          yield* lock.extend(held, ttl)
          yield* adjust(0.9 * ttl)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, ttl)), "Held")
          yield* adjust(0.1 * ttl)
          yield* lock.acquire(one, bob, ttl)
          assert.strictEqual(yield* failure(lock.extend(held, ttl)), "Lost")
        })
      )
    )

    it.effect("who is refused hears until when it is held", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          yield* lock.acquire(one, ada, ttl)
          yield* adjust(0.4 * ttl)
          const { reason } = yield* Effect.flip(lock.acquire(one, bob, ttl))
          assert.strictEqual(reason._tag, "Held")
          if (reason._tag === "Held") assert.closeTo(reason.until, at + ttl, tick)
        })
      )
    )

    it.effect("one that lapsed goes on when extended, unless somebody took it or it was given back", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const held = yield* lock.acquire(one, ada, ttl)
          yield* adjust(2 * ttl)
          yield* lock.extend(held, ttl)
          assert.strictEqual(yield* failure(lock.acquire(one, bob, ttl)), "Held")
          yield* lock.release(held)
          assert.strictEqual(yield* failure(lock.extend(held, ttl)), "Lost")
          assert.strictEqual((yield* lock.acquire(one, bob, ttl)).owner, bob)
        })
      )
    )

    it.effect("is free when released, but not by one who lost it", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          const one = lockName()
          const stale = yield* lock.acquire(one, ada, ttl)
          yield* adjust(ttl)
          const held = yield* lock.acquire(one, bob, ttl)
          yield* lock.release(stale)
          assert.strictEqual(yield* failure(lock.acquire(one, ada, ttl)), "Held")
          yield* lock.release(held)
          yield* lock.release(held)
          assert.strictEqual((yield* lock.acquire(one, ada, ttl)).owner, ada)
        })
      )
    )

    it.effect("names do not meet", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const lock = yield* Lock
          yield* lock.acquire(lockName(), ada, ttl)
          assert.strictEqual((yield* lock.acquire(lockName(), bob, ttl)).owner, bob)
        })
      )
    )
  })
