/**
 * One process of florin's in a simulation: what it may lose, and the boundary
 * that it reaches the world through.
 *
 *     running -> stalled -> running        it goes on later, and does not know
 *     running | stalled -> dead            for ever
 *
 * A process that has died is not interrupted, because nothing of it would run:
 * its fibers stay where they are. Whatever they reach for, the other side of a
 * boundary or the end of a sleep, never comes, so nobody hears of them again.
 */
import { Deferred, Duration, Effect } from "effect"
import type { Clock } from "effect"
import type { Boundary, Crossing, Fault, FaultPlan, Point } from "./FaultPlan.ts"
import type { VirtualTime } from "./VirtualTime.ts"

/** How an adapter fails, and how it refuses. */
export type Failure<E> = (how: "Fail" | "Refuse") => E

export interface Process {
  readonly name: string
  readonly clock: Clock.Clock
  readonly isAlive: () => boolean
  /** Ends when the process dies. */
  readonly death: Effect.Effect<void>
  readonly die: Effect.Effect<void>
  /** An effect on the other side of `boundary`; `failure` is how this adapter fails. */
  readonly cross: <A, E, R>(
    boundary: Boundary,
    effect: Effect.Effect<A, E, R>,
    failure: Failure<E>
  ) => Effect.Effect<A, E, R>
}

/** What the processes of one world share. */
export interface Surroundings {
  readonly time: VirtualTime
  readonly faults: FaultPlan
  readonly nextCrossing: () => number
  readonly observe: (what: Observation) => void
}

export type Observation =
  | { readonly _tag: "Booted"; readonly process: string }
  | { readonly _tag: "Died"; readonly process: string }
  | { readonly _tag: "Crossed"; readonly crossing: Crossing }
  | { readonly _tag: "Faulted"; readonly crossing: Crossing; readonly point: Point; readonly fault: Fault }

export const boot = (name: string, { faults, nextCrossing, observe, time }: Surroundings): Process => {
  const death = Deferred.makeUnsafe<void>()
  let alive = true
  let stalledUntil = 0
  let skewMillis = 0
  observe({ _tag: "Booted", process: name })

  const die = Effect.suspend(() => {
    if (!alive) return Effect.void
    alive = false
    observe({ _tag: "Died", process: name })
    return Deferred.succeed(death, undefined)
  })
  const clock = time.clock({ skewMillis: () => skewMillis, asleepUntil: () => (alive ? stalledUntil : Infinity) })

  /** Holds whoever passes for as long as the process stands still, and for ever when it is no more. */
  const pass: Effect.Effect<void> = Effect.suspend(() => {
    if (!alive) return Effect.never
    const left = stalledUntil - time.now()
    return left > 0 ? Effect.andThen(clock.sleep(Duration.millis(left)), pass) : Effect.void
  })

  const strike = <E>(crossing: Crossing, point: Point, failure: Failure<E>): Effect.Effect<void, E> => {
    const fault = faults(crossing, point)
    if (fault === undefined) return Effect.void
    observe({ _tag: "Faulted", crossing, point, fault })
    switch (fault._tag) {
      case "Die":
        return die
      case "Fail":
      case "Refuse":
        return Effect.suspend(() => Effect.fail(failure(fault._tag)))
      case "Delay":
        return Effect.sleep(fault.millis)
      case "Stall":
        stalledUntil = time.now() + fault.millis
        return Effect.void
      case "ClockJump":
        skewMillis += fault.millis
        return Effect.void
    }
  }

  return {
    name,
    clock,
    isAlive: () => alive,
    death: Deferred.await(death),
    die,
    cross: (boundary, effect, failure) =>
      Effect.gen(function* () {
        yield* pass
        const crossing: Crossing = { ordinal: nextCrossing(), boundary, process: name }
        observe({ _tag: "Crossed", crossing })
        // Others may come first: which of them does is drawn.
        yield* Effect.yieldNow
        yield* pass
        yield* strike(crossing, "before", failure)
        yield* pass
        const result = yield* Effect.exit(effect)
        yield* strike(crossing, "after", failure)
        yield* pass
        return yield* result
      })
  }
}
