/**
 * What became of a step, as it is kept: JSON, so that a run can be taken up
 * again anywhere.
 *
 * `value` is the step's result in its schema's JSON form. `at` is when it was
 * there, in milliseconds. `began` says whether the step's body ran at all: what
 * never ran has nothing to compensate.
 */
import { Schema } from "effect"

/** `code` is the error's tag or code, where it has one. */
export const StepError = Schema.Struct({
  message: Schema.String,
  code: Schema.optionalKey(Schema.String),
  isRetryable: Schema.Boolean,
  /** A bug and not an answer: it died instead of failing. */
  isDefect: Schema.Boolean
})
export type StepError = typeof StepError.Type

export const StepOutcome = Schema.TaggedUnion({
  Succeeded: { value: Schema.Json, at: Schema.Finite },
  Skipped: { value: Schema.Json },
  /** `isIdle`: there was nothing left to do, and it did nothing. */
  Halted: { value: Schema.Json, at: Schema.Finite, isIdle: Schema.optionalKey(Schema.Boolean) },
  Failed: { error: StepError, began: Schema.Boolean },
  /** A saga in a saga is past its own pivot and cannot go on. */
  Stalled: { error: StepError, at: Schema.Finite },
  /** The run was cancelled before it began. */
  Left: {},
  /** What it has to hold is somebody else's for now; it has not begun. */
  Contended: { resource: Schema.String, retryAfterMillis: Schema.optionalKey(Schema.Finite) }
})
export type StepOutcome = typeof StepOutcome.Type

/** What a compensate or an undo came to. */
export const TakingBack = Schema.TaggedUnion({
  Done: {},
  /** `raised`: it died; `returned`: it failed. */
  Failed: { reason: Schema.Literals(["raised", "returned"]), message: Schema.String }
})
export type TakingBack = typeof TakingBack.Type

/** What ended a wait. */
export const Wake = Schema.TaggedUnion({
  /** The time was over. */
  Elapsed: {},
  /** Somebody answered, at that moment. */
  Answered: { payload: Schema.Json, at: Schema.Finite },
  /** Answers came that do not hold to the contract, as many as there may be. */
  Refused: { detail: Schema.String },
  /** The run is cancelled. */
  Cancelled: {}
})
export type Wake = typeof Wake.Type

/** A compensate or undo that failed: somebody has to see to it by hand. */
export const RollbackFailure = Schema.Struct({
  step: Schema.String,
  kind: Schema.Literals(["compensate", "undo"]),
  reason: Schema.Literals(["raised", "returned"]),
  message: Schema.String
})
export type RollbackFailure = typeof RollbackFailure.Type

/** An error says by `isRetryable` or `retryable` that another attempt is of no use; without a word, it is of use. */
export const errorOf = (error: unknown): StepError => {
  const said = fieldOf(error, "isRetryable") ?? fieldOf(error, "retryable")
  const code = fieldOf(error, "_tag") ?? fieldOf(error, "code")
  return {
    message: messageOf(error),
    ...(typeof code === "string" ? { code } : {}),
    isRetryable: said !== false,
    isDefect: false
  }
}

/** A bug fails the same way every time. */
export const defectOf = (defect: unknown): StepError => ({
  message: messageOf(defect),
  isRetryable: false,
  isDefect: true
})

export const messageOf = (error: unknown): string => {
  const message = fieldOf(error, "message")
  if (typeof message === "string" && message !== "") return message
  const tag = fieldOf(error, "_tag")
  return typeof tag === "string" ? tag : String(error)
}

const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : undefined
