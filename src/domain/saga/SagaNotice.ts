/**
 * What happens in a run, as its observers hear it: each thing once, when it
 * really happens, and never again when a run is taken up and its past is only
 * read. Values are not in it, and texts have no secrets in them.
 *
 * `step` is the step's name, below that of the saga it is in where one saga is a
 * step of another (`payment/authorize`), with the index where it is one of
 * several elements (`items[3]`). `at` is in milliseconds.
 */
import { Schema } from "effect"
import { Ending } from "./SagaPlan.ts"
import { RollbackFailure, StepError, TakingBack } from "./StepOutcome.ts"

const run = { execution: Schema.String, saga: Schema.String, at: Schema.Finite }
const attempt = { ...run, step: Schema.String, attempt: Schema.Int }

export const SagaNotice = Schema.TaggedUnion({
  /** Once a run, and once more each time that somebody resumes or undoes it (`generation` from 1). */
  RunStarted: { ...run, generation: Schema.Int },
  StepStarted: attempt,
  /** `left`: it was cancelled before it began; `contended`: what it has to hold is somebody else's. */
  StepEnded: {
    ...attempt,
    became: Schema.Literals(["succeeded", "skipped", "halted", "failed", "left", "contended"]),
    error: Schema.optionalKey(StepError)
  },
  /** The attempt failed, and the next one is made after that long. */
  RetryScheduled: { ...attempt, afterMillis: Schema.Finite },
  /** It waits for an answer from outside. */
  StepPaused: { ...run, step: Schema.String, correlation: Schema.String },
  RolledBack: { ...run, step: Schema.String, kind: Schema.Literals(["compensate", "undo"]), outcome: TakingBack },
  RunEnded: {
    ...run,
    generation: Schema.Int,
    ending: Ending,
    step: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(StepError),
    rollbackFailures: Schema.Array(RollbackFailure)
  }
})
export type SagaNotice = typeof SagaNotice.Type
