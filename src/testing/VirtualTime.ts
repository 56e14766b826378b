/**
 * Fibers without a machine's clock and without its order.
 *
 * - One pump runs everything, a step of a fiber at a time. Of the fibers that
 *   can go on, a seed chooses the next.
 * - The clock moves only when no fiber can go on, and then to the first moment
 *   at which one asked to be woken. So a day passes as fast as an hour.
 * - Nothing here waits for the machine: a program that does, for a promise or a
 *   timer, does not come to its end (`Stalled`).
 *
 * Milliseconds since 1970, in UTC. One seed is one run, to the byte.
 */
import { Clock, Duration, Effect, Scheduler } from "effect"
import type { Exit, Fiber } from "effect"
import type { Draw } from "./Seed.ts"

export interface VirtualTime {
  readonly now: () => number
  /** Starts a fiber of the world's own, which nobody but its effect ends. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** A clock that is `skewMillis()` off, and on which a sleep ends when `wakes` lets it. */
  readonly clock: (options?: Skew) => Clock.Clock
  /** Runs all there is until `fiber` has ended, or until nothing can go on. */
  readonly drain: <A, E>(fiber: Fiber.Fiber<A, E>) => Exit.Exit<A, E> | Stalled
}

export interface Skew {
  /** What this clock shows more than the world's. */
  readonly skewMillis?: () => number
  /** The moment, by the world's clock, before which nobody on this clock is woken; `Infinity` for never again. */
  readonly asleepUntil?: () => number
}

/** No fiber can go on, and none asked to be woken; or some go on for ever, and never wait for time to pass. */
export interface Stalled {
  readonly _tag: "Stalled"
}

/** More steps than any of our programs takes in one moment, by far. */
const maxStepsInMoment = 1_000_000

/** The last day of 2023. Every moment would do that is always the same. */
export const epochMillis = 1_704_000_000_000

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

export const make = (draw: Draw): VirtualTime => {
  const ready: Array<() => void> = []
  const sleepers: Array<Sleeper> = []
  let millis = epochMillis
  let order = 0

  const scheduler: Scheduler.Scheduler = {
    executionMode: "async",
    // A fiber goes on until it waits: where others may come between is said by whoever crosses a boundary.
    shouldYield: () => false,
    makeDispatcher: () => ({ scheduleTask: (task) => void ready.push(task), flush: () => undefined })
  }

  /** Runs a chosen one of those that can go on. The last takes its place, as the order is drawn anyway. */
  const step = () => {
    const index = ready.length === 1 ? 0 : draw.below(ready.length)
    const task = ready[index]!
    const last = ready.pop()!
    if (index < ready.length) ready[index] = last
    task()
  }

  /** Wakes all that asked for the first moment; who of them comes first is drawn. */
  const advance = (): boolean => {
    const next = sleepers.at(-1)
    if (next === undefined) return false
    millis = Math.max(millis, next.at)
    while (sleepers.length > 0 && sleepers.at(-1)!.at <= millis) sleepers.pop()!.wake()
    return true
  }

  /** Kept so that the first to be woken is the last of the list. */
  const insert = (sleeper: Sleeper) => {
    let low = 0
    let high = sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = sleepers[middle]!
      if (other.at > sleeper.at || (other.at === sleeper.at && other.order > sleeper.order)) low = middle + 1
      else high = middle
    }
    sleepers.splice(low, 0, sleeper)
  }

  const sleepUntil = (at: number, asleepUntil: () => number) =>
    Effect.callback<void>((resume) => {
      let sleeper: Sleeper
      const wait = (until: number) => {
        sleeper = { at: until, order: order++, wake }
        insert(sleeper)
      }
      const wake = () => {
        const held = asleepUntil()
        if (held === Infinity) return
        if (held > millis) wait(held)
        else ready.push(() => resume(Effect.void))
      }
      wait(at)
      return Effect.sync(() => {
        const index = sleepers.indexOf(sleeper)
        if (index >= 0) sleepers.splice(index, 1)
      })
    })

  const monotonicNanos = () => BigInt(Math.trunc(millis)) * 1_000_000n

  const clock = ({ asleepUntil = () => 0, skewMillis = () => 0 }: Skew = {}): Clock.Clock => {
    const nowMillis = () => millis + skewMillis()
    const nanos = () => BigInt(Math.trunc(nowMillis())) * 1_000_000n
    return {
      currentTimeMillisUnsafe: nowMillis,
      currentTimeMillis: Effect.sync(nowMillis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonicNanos,
      monotonicTimeNanos: Effect.sync(monotonicNanos),
      sleep: (duration) => {
        // A clock shows whole milliseconds, whatever share of one was slept.
        const until = millis + Math.ceil(Duration.toMillis(duration))
        return until <= millis ? Effect.yieldNow : sleepUntil(until, asleepUntil)
      }
    }
  }

  const world = clock()

  return {
    now: () => millis,
    clock,
    fork: (effect) => Effect.runFork(Effect.provideService(effect, Clock.Clock, world), { scheduler }),
    drain: (fiber) => {
      let steps = 0
      while (steps < maxStepsInMoment) {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return exit
        steps += 1
        if (ready.length > 0) step()
        else if (advance()) steps = 0
        else break
      }
      return { _tag: "Stalled" }
    }
  }
}
