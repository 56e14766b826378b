/**
 * What happened in a run, a line each, for a test to compare:
 *
 *     run authorize
 *     failed authorize
 *     retry authorize in 1000
 *     compensate authorize
 *     undo reserve
 *     end failed
 *
 * A rollback that failed says how (`undo reserve raised`); a second generation
 * says so (`start 2`); a question says what it is known by (`ask card order-1`).
 */
import { Effect } from "effect"
import type { SagaNotice } from "../../domain/saga/SagaNotice.ts"
import type { SagaObserver } from "../../orchestration/saga/SagaObserver.ts"

export interface SagaTrace {
  readonly lines: ReadonlyArray<string>
  readonly observer: SagaObserver
}

/** Hand its observer to `SagaObserver.observedBy`, and read its lines when the run is over. */
export const make = (): SagaTrace => {
  const lines: Array<string> = []
  return { lines, observer: { notify: (notice) => Effect.sync(() => void lines.push(lineOf(notice))) } }
}

export const lineOf = (notice: SagaNotice): string => {
  switch (notice._tag) {
    case "RunStarted":
      return notice.generation === 1 ? "start" : `start ${notice.generation}`
    case "StepStarted":
      return `run ${notice.step}`
    case "StepEnded":
      return `${notice.became} ${notice.step}`
    case "RetryScheduled":
      return `retry ${notice.step} in ${notice.afterMillis}`
    case "StepPaused":
      return `ask ${notice.step} ${notice.correlation}`
    case "RolledBack":
      return `${notice.kind} ${notice.step}${notice.outcome._tag === "Failed" ? ` ${notice.outcome.reason}` : ""}`
    case "RunEnded":
      return `end ${notice.ending}`
  }
}
