/**
 * Who in this process waits for the answers of runs.
 *
 * A run that ends here tells them. One that another process runs is looked for
 * in the store, once for all who wait for it; they hear of it a moment later.
 */
import { Deferred, Effect, Option } from "effect"
import type { Exit } from "effect"
import type { SagaRuns } from "../../adapters/SagaRuns.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { toldBy } from "./KeptRun.ts"
import type { Told } from "./KeptRun.ts"
import type { Answer, SagaFailed } from "./SagaAnswer.ts"
import type { SagaBody } from "./SagaStep.ts"

type AnySaga = SagaBody<unknown>

interface Waiter {
  readonly saga: AnySaga
  readonly told: Deferred.Deferred<Answer<unknown>, SagaFailed>
  /** So many: who stops waiting leaves it to the others. */
  count: number
}

export interface SagaWaiters {
  /** What is told of the run while this goes on is kept for it, whether or not it asks yet. */
  readonly listening: <A, E, R>(
    saga: AnySaga,
    execution: string,
    during: (answer: Told<unknown>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  readonly tell: (execution: string, told: Exit.Exit<Answer<unknown>, SagaFailed>) => Effect.Effect<void>
  /** Asks the store about each run that is waited for. */
  readonly look: Effect.Effect<void, StorageUnavailable>
}

export const make = (runs: SagaRuns["Service"]): SagaWaiters => {
  const waiters = new Map<string, Waiter>()

  const lookFor = Effect.fnUntraced(function* (execution: string, { saga, told }: Waiter) {
    const kept = yield* runs.get(execution)
    const answer = Option.isSome(kept) ? toldBy(saga, kept.value) : undefined
    if (answer !== undefined) yield* Deferred.done(told, yield* Effect.exit(answer))
  })

  return {
    listening: (saga, execution, during) =>
      Effect.suspend(() => {
        const waiter = waiters.get(execution) ?? { saga, told: Deferred.makeUnsafe(), count: 0 }
        waiters.set(execution, waiter)
        waiter.count += 1
        return Effect.ensuring(
          during(Deferred.await(waiter.told)),
          Effect.sync(() => {
            waiter.count -= 1
            if (waiter.count === 0) waiters.delete(execution)
          })
        )
      }),
    tell: (execution, told) =>
      Effect.suspend(() => {
        const waiter = waiters.get(execution)
        return waiter === undefined ? Effect.void : Effect.asVoid(Deferred.done(waiter.told, told))
      }),
    look: Effect.suspend(() =>
      Effect.forEach(waiters, ([execution, waiter]) => lookFor(execution, waiter), { concurrency: 16, discard: true })
    )
  }
}
