/**
 * What a run of a saga stands on: how an attempt is made so that it is made
 * once, and how a wait is waited.
 *
 * In memory an attempt is just made. A durable driver keeps what came of each
 * under its name, so that a run that is taken up again hears the answer instead
 * of asking twice; names are the same in every replay.
 */
import { Context, Effect } from "effect"
import type { StepOutcome, TakingBack } from "../../domain/saga/StepOutcome.ts"

export interface SagaDriver {
  readonly execution: string
  /** Makes an attempt at a step; `name` is of this attempt only. */
  readonly attempt: <R>(
    name: string,
    effect: Effect.Effect<StepOutcome, never, R>
  ) => Effect.Effect<StepOutcome, never, R>
  /** Compensates or undoes; `name` is of this one only. */
  readonly takeBack: <R>(
    name: string,
    effect: Effect.Effect<TakingBack, never, R>
  ) => Effect.Effect<TakingBack, never, R>
  readonly sleep: (name: string, millis: number) => Effect.Effect<void>
}

/** The driver of the run that is under way. */
export class CurrentDriver extends Context.Service<CurrentDriver, SagaDriver>()(
  "florin/orchestration/saga/SagaDriver/CurrentDriver"
) {}

/** Everything is gone when the process is. */
export const memory = (execution: string): SagaDriver => ({
  execution,
  attempt: (_, effect) => effect,
  takeBack: (_, effect) => effect,
  sleep: (_, millis) => Effect.sleep(millis)
})
