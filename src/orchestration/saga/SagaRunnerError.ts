/** Why nothing can be done about a run that was asked for. */
import { Schema } from "effect"
import { Status } from "../../adapters/SagaRuns.ts"

/** There is no such run. */
export class UnknownRun extends Schema.TaggedError<UnknownRun>()("UnknownRun", {}) {}

/** Its saga is not registered here. */
export class NotRegistered extends Schema.TaggedError<NotRegistered>()("NotRegistered", { saga: Schema.String }) {}

/** What was asked for cannot be done to a run that stands so. */
export class NotNow extends Schema.TaggedError<NotNow>()("NotNow", { status: Status }) {}

/** Nobody waits for that answer: there is no such question, or it has been answered. */
export class NotAsked extends Schema.TaggedError<NotAsked>()("NotAsked", { question: Schema.String }) {}

/** The answer is not what was asked for. `attemptsLeft`: so many more may be wrong; absent where it was not counted. */
export class WrongAnswer extends Schema.TaggedError<WrongAnswer>()("WrongAnswer", {
  detail: Schema.String,
  attemptsLeft: Schema.optionalKey(Schema.Finite)
}) {}

export class SagaRunnerError extends Schema.TaggedError<SagaRunnerError>()("SagaRunnerError", {
  execution: Schema.String,
  reason: Schema.Union([UnknownRun, NotRegistered, NotNow, NotAsked, WrongAnswer])
}) {
  override get message() {
    return `${this.execution}: ${phrase(this.reason)}`
  }
}

const phrase = (reason: SagaRunnerError["reason"]): string => {
  switch (reason._tag) {
    case "UnknownRun":
      return "there is no such run"
    case "NotRegistered":
      return `the saga ${reason.saga} is not registered here`
    case "NotNow":
      return `it is ${reason.status}`
    case "NotAsked":
      return `nobody waits for an answer to ${reason.question}`
    case "WrongAnswer":
      return `the answer is not what was asked for: ${reason.detail}`
  }
}
