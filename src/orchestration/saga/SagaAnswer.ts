/** What comes of a run, for whoever asked for it. */
import { Schema } from "effect"
import { Ending } from "../../domain/saga/SagaPlan.ts"
import { RollbackFailure, StepError } from "../../domain/saga/StepOutcome.ts"

export type Answer<A> =
  | { readonly _tag: "Completed"; readonly execution: string; readonly value: A }
  /** A step ended the saga early, and what was done stays. */
  | { readonly _tag: "Halted"; readonly execution: string; readonly step: string; readonly value: Schema.Json }

/** The input is not what the saga takes. Nothing has run. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  saga: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.saga}: ${this.detail}`
  }
}

/**
 * A step failed for good. `failed`, `cancelled` and `undone`: what was done is
 * taken back, but for what `rollbackFailures` names. `stalled`: the saga is past
 * its pivot, nothing is taken back, and somebody has to resume it.
 */
export class SagaFailed extends Schema.TaggedError<SagaFailed>()("SagaFailed", {
  saga: Schema.String,
  execution: Schema.String,
  ending: Ending.pick(["failed", "stalled", "cancelled", "undone"]),
  /** The first step that failed; none when it was cancelled. */
  step: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(StepError),
  rollbackFailures: Schema.Array(RollbackFailure)
}) {
  override get message() {
    const about = this.step === undefined ? "" : ` at ${this.step}: ${this.error?.message ?? ""}`
    return `${this.saga} ${this.ending}${about}`
  }
}
