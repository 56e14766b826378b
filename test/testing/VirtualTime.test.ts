import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber } from "effect"
import * as Seed from "../../src/testing/Seed.ts"
import * as VirtualTime from "../../src/testing/VirtualTime.ts"

const make = (seed = 1) => VirtualTime.make(Seed.make(seed))

/** The order in which five fibers come to their turns, each with two. */
const orderOf = (seed: number) => {
  const time = make(seed)
  const order: Array<string> = []
  const turns = (name: string) =>
    Effect.gen(function* () {
      order.push(`${name}1`)
      yield* Effect.yieldNow
      order.push(`${name}2`)
    })
  time.drain(time.fork(Effect.all(["a", "b", "c", "d", "e"].map(turns), { concurrency: "unbounded", discard: true })))
  return order.join(" ")
}

describe("VirtualTime", () => {
  it("passes a day as soon as nothing else can go on, and wakes in the order of time", () => {
    const time = make()
    const woken: Array<readonly [string, number]> = []
    const sleep = (name: string, duration: Parameters<typeof Effect.sleep>[0]) =>
      Effect.andThen(
        Effect.sleep(duration),
        Effect.map(Clock.currentTimeMillis, (now) => void woken.push([name, now - VirtualTime.epochMillis]))
      )
    const all = [sleep("day", "1 day"), sleep("second", "1 second"), sleep("hour", "1 hour")]
    const exit = time.drain(time.fork(Effect.all(all, { concurrency: "unbounded", discard: true })))
    assert.isTrue(exit._tag === "Success")
    assert.deepStrictEqual(woken, [
      ["second", 1000],
      ["hour", 3_600_000],
      ["day", 86_400_000]
    ])
  })

  it("gives the same order for the same seed, and most of the 120 orders for 200 seeds", () => {
    for (const seed of [1, 2, 3]) assert.strictEqual(orderOf(seed), orderOf(seed))
    const orders = new Set(Array.from({ length: 200 }, (_, seed) => orderOf(seed)))
    assert.isAbove(orders.size, 90)
  })

  it("times out what sleeps too long, and lets go of what is interrupted", () => {
    const time = make()
    const exit = time.drain(time.fork(Effect.timeoutOption(Effect.sleep("1 hour"), "1 minute")))
    assert.isTrue(exit._tag === "Success" && exit.value._tag === "None")
    assert.strictEqual(time.now() - VirtualTime.epochMillis, 60_000)
  })

  it("says so when nothing can go on", () => {
    const time = make()
    const waiting = time.fork(Effect.flatMap(Deferred.make<void>(), Deferred.await))
    assert.strictEqual(time.drain(waiting)._tag, "Stalled")
  })

  it("has clocks that are off, and clocks on which nobody is woken", () => {
    const time = make()
    let asleepUntil = VirtualTime.epochMillis + 5000
    const off = time.clock({ skewMillis: () => 250, asleepUntil: () => asleepUntil })
    const late = Effect.andThen(Effect.sleep("1 second"), Clock.currentTimeMillis)
    const exit = time.drain(time.fork(Effect.provideService(late, Clock.Clock, off)))
    assert.deepStrictEqual(exit, Exit.succeed(VirtualTime.epochMillis + 5000 + 250))
    asleepUntil = Infinity
    const never = time.fork(Effect.provideService(Effect.sleep("1 second"), Clock.Clock, off))
    assert.strictEqual(time.drain(never)._tag, "Stalled")
    assert.isUndefined(never.pollUnsafe())
  })

  it("goes on with fibers of its own when whoever started them has ended", () => {
    const time = make()
    let heard = 0
    time.drain(
      time.fork(
        Effect.sync(
          () =>
            void time.fork(
              Effect.andThen(
                Effect.sleep(10),
                Effect.sync(() => heard++)
              )
            )
        )
      )
    )
    const other = time.fork(Effect.sleep(20))
    time.drain(other)
    assert.strictEqual(heard, 1)
    assert.isTrue(Exit.isSuccess(time.drain(time.fork(Fiber.await(other))) as Exit.Exit<unknown>))
  })
})
