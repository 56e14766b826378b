import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { Lock, LockError, Lost } from "../../src/adapters/Lock.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import * as HeldLease from "../../src/orchestration/HeldLease.ts"
import { at, run } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

const held = HeldLease.locked("rebuild", 9000)

describe("HeldLease.locked", () => {
  it.effect("holds the lock while the work goes on, however long, and gives it back after", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      yield* Effect.gen(function* () {
        const lock = yield* Lock
        const working = yield* Effect.forkChild(held(Effect.sleep("1 minute")), { startImmediately: true })
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* Effect.flip(lock.acquire("rebuild", run("other"), 1))).reason._tag, "Held")
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(working)
        assert.strictEqual((yield* lock.acquire("rebuild", run("other"), 1)).owner, run("other"))
      }).pipe(Effect.provide(Workshop.layer({ gateways: [] })))
    })
  )

  it.effect("gives the lock back when the work fails or is interrupted", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* Effect.flip(held(Effect.fail("broken"))), "broken")
        const cut = yield* Effect.forkChild(held(Effect.never), { startImmediately: true })
        yield* Fiber.interrupt(cut)
        assert.strictEqual(yield* held(Effect.succeed("free")), "free")
      }).pipe(Effect.provide(Workshop.layer({ gateways: [] })))
    })
  )

  it.effect("renews at each third, survives renewals that fail for now, and stops when the lock is lost", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const renewals = yield* Ref.make<ReadonlyArray<number>>([])
      const unavailable = new StorageUnavailable({ operation: "extend", cause: "down" })
      const lock: Lock["Service"] = {
        acquire: (name, owner) => Effect.succeed({ name, owner, token: 1 }),
        extend: ({ name, owner }) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const count = (yield* Ref.updateAndGet(renewals, (all) => [...all, now - at])).length
            if (count === 2) return yield* new LockError({ name, owner, reason: unavailable })
            if (count === 4) return yield* new LockError({ name, owner, reason: new Lost() })
          }),
        release: () => Effect.void
      }
      const interrupted = yield* Ref.make(false)
      const work = Effect.onInterrupt(Effect.never, () => Ref.set(interrupted, true))
      const working = yield* held(work).pipe(
        Effect.provideService(Lock, lock),
        Effect.provide(Workshop.layer({ gateways: [] })),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.await(working)
      assert.deepStrictEqual(yield* Ref.get(renewals), [3000, 6000, 9000, 12_000])
      assert.isTrue(Exit.isFailure(exit))
      assert.isTrue(yield* Ref.get(interrupted))
    })
  )
})
