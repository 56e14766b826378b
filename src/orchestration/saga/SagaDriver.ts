/**
 * What a run of a saga stands on: how an attempt is made so that it is made
 * once, and how a wait is waited.
 *
 * In memory an attempt is just made. A durable driver keeps what came of each
 * under its name, so that a run that is taken up again hears the answer instead
 * of asking twice; names are the same in every replay.
 */
import { Effect } from "effect"
import type { StepOutcome, TakingBack, Wake } from "../../domain/saga/StepOutcome.ts"

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
  /** Waits, less long where the run is cancelled meanwhile. */
  readonly sleep: (name: string, millis: number) => Effect.Effect<void>
  /** Waits until the time is over or somebody answers, for ever where no time is given. */
  readonly hear: (name: string, millis: number | undefined) => Effect.Effect<Wake>
  /** Makes a question known to those who may answer it, before it is asked. */
  readonly open: (question: Question) => Effect.Effect<void>
  /** Whether somebody asked for the run to end. `hasWaited`: it may have been long, so whoever knows best is asked. */
  readonly isCancelled: (hasWaited: boolean) => Effect.Effect<boolean>
  /** The saga's result is there, though async steps are still under way. */
  readonly answered: (value: unknown) => Effect.Effect<void>
  /** What becomes of a step whose lock somebody else has: it fails at once, or waits its turn. */
  readonly contention: "fail" | "wait"
}

/** What an `interrupt` waits for. */
export interface Question {
  /** The name of its pause. */
  readonly name: string
  readonly step: string
  /** What the outside world knows it by. */
  readonly correlation: string
  /** The so-manieth answer that is wrong fails it; none does when absent. */
  readonly attempts: number | undefined
}

/** Everything is gone when the process is, and nobody answers or cancels: `SagaRunner` knows how. */
export const memory = (execution: string): SagaDriver => ({
  execution,
  attempt: (_, effect) => effect,
  takeBack: (_, effect) => effect,
  sleep: (_, millis) => Effect.sleep(millis),
  hear: (_, millis) =>
    millis === undefined ? Effect.never : Effect.as(Effect.sleep(millis), { _tag: "Elapsed" } as const),
  open: () => Effect.void,
  isCancelled: () => Effect.succeed(false),
  answered: () => Effect.void,
  contention: "fail"
})
