/** What every `Turnstile` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { TestClock } from "effect/testing"
import { Turnstile } from "../../adapters/Turnstile.ts"
import { at, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the store, timed by the fiber's clock; it need not be empty.
 *
 * Checks: windows are charged all or none and begin anew when they are over; a
 * period has one place, which its holder may take again and give back; nonces
 * come in order, after one that fails those that wait are skipped, and then the
 * count begins again.
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Turnstile, E>) =>
  // The store's connections are in real time, and only what is counted is in that of the test.
  layer(implementation, { excludeTestServices: true })(`Turnstile (${name})`, (it) => {
    const timed = <A, E2, R>(test: Effect.Effect<A, E2, R>) => Effect.provide(test, TestClock.layer())
    const perSecond = { limit: 3, millis: 1000 }
    const perMinute = { limit: 4, millis: 60_000 }

    it.effect("charges every window or none, and tells which is full and until when", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const { charge } = yield* Turnstile
          const rate = unique("rate-")
          const both = charge(rate, [perSecond, perMinute])
          for (let call = 0; call < 3; call++) assert.isUndefined(yield* both)
          yield* TestClock.setTime(at + 300)
          assert.deepStrictEqual(yield* both, { millis: 1000, retryAfterMillis: 700 })
          yield* TestClock.setTime(at + 1000)
          assert.isUndefined(yield* both)
          assert.deepStrictEqual(yield* both, { millis: 60_000, retryAfterMillis: 59_000 })
          yield* TestClock.setTime(at + 60_000)
          assert.isUndefined(yield* both)
        })
      )
    )

    it.effect("lets in no more than the limit, however many come at once", () =>
      timed(
        Effect.gen(function* () {
          yield* TestClock.setTime(at)
          const { charge } = yield* Turnstile
          const rate = unique("rate-")
          const charged = yield* Effect.all(
            Array.from({ length: 8 }, () => charge(rate, [perSecond, perMinute])),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(charged.filter((full) => full === undefined).length, 3)
        })
      )
    )

    it.effect("gives the place of a period to one, who may come again and give it back", () =>
      Effect.gen(function* () {
        const { claim, unclaim } = yield* Turnstile
        const period = unique("period-")
        assert.isTrue(yield* claim(period, "2026-11", "ada"))
        assert.isTrue(yield* claim(period, "2026-11", "ada"))
        assert.isFalse(yield* claim(period, "2026-11", "bob"))
        assert.isTrue(yield* claim(period, "2026-12", "bob"))
        yield* unclaim(period, "2026-11", "bob")
        assert.isFalse(yield* claim(period, "2026-11", "bob"))
        yield* unclaim(period, "2026-11", "ada")
        assert.isTrue(yield* claim(period, "2026-11", "bob"))
      })
    )

    it.effect("takes nonces in order, skips those that wait behind one that failed, and counts anew", () =>
      Effect.gen(function* () {
        const { passed, turn } = yield* Turnstile
        const order = unique("order-")
        assert.strictEqual(yield* turn(order, 2), "wait")
        assert.strictEqual(yield* turn(order, 1), "yours")
        assert.strictEqual(yield* turn(order, 3), "wait")
        yield* passed(order, 1, true)
        yield* passed(order, 1, false)
        assert.strictEqual(yield* turn(order, 1), "skip")
        assert.strictEqual(yield* turn(order, 2), "yours")
        yield* passed(order, 2, false)
        assert.strictEqual(yield* turn(order, 3), "skip")
        yield* passed(order, 3, true)
        assert.strictEqual(yield* turn(order, 1), "yours")
        assert.strictEqual(yield* turn(order, 2), "wait")
      })
    )
  })
