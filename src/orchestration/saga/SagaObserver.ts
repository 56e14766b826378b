/**
 * Who hears what happens in runs: metrics, spans, a log, a test's trace.
 *
 *     const heard: Array<SagaNotice> = []
 *     program.pipe(SagaObserver.observedBy({ notify: (notice) => Effect.sync(() => void heard.push(notice)) }))
 *
 * or `Layer.provide(SagaObserver.layer(...))` under the runner and the sagas. A
 * run whose observer dies goes on: money has moved, and that nobody could count
 * it is no reason to take it back.
 */
import { Context, Effect, Layer } from "effect"
import type { SagaNotice } from "../../domain/saga/SagaNotice.ts"

export interface SagaObserver {
  readonly notify: (notice: SagaNotice) => Effect.Effect<void>
}

/** Nobody, unless somebody is named. */
export const Observers = Context.Reference<ReadonlyArray<SagaObserver>>(
  "florin/orchestration/saga/SagaObserver/Observers",
  { defaultValue: () => [] }
)

export const layer = (...observers: ReadonlyArray<SagaObserver>): Layer.Layer<never> =>
  Layer.effectContext(Effect.map(Observers, (others) => Context.make(Observers, [...others, ...observers])))

/** Adds an observer for the runs that begin in an effect. */
export const observedBy =
  (observer: SagaObserver) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Observers, (others) => Effect.provideService(effect, Observers, [...others, observer]))

export const tell = (observers: ReadonlyArray<SagaObserver>, notice: SagaNotice): Effect.Effect<void> =>
  Effect.forEach(
    observers,
    ({ notify }) =>
      Effect.catchCause(notify(notice), (cause) => Effect.logWarning("an observer of sagas has died", cause)),
    { discard: true }
  )
