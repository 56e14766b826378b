/**
 * Metrics and spans of sagas, as an observer of their runs.
 *
 *     SagaObserver.layer(yield* SagaTelemetry.make)
 *
 * Metrics, by saga: `florin_saga_runs` by how they ended, `florin_saga_attempts` by
 * step and what became of them, `florin_saga_retries`, `florin_saga_rollbacks` by
 * kind and outcome, `florin_saga_run_millis`.
 *
 * Spans: one a run in this process, `saga Payment`, and below it one an attempt,
 * `saga Payment/authorize`. A run that another process goes on with has a span
 * there. Names, ids and numbers are in them, and no values.
 */
import { Effect, Exit, Metric } from "effect"
import type { Span } from "effect/Tracer"
import type { SagaNotice } from "../../domain/saga/SagaNotice.ts"
import type { SagaObserver } from "./SagaObserver.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

export const runs = counter("florin_saga_runs", "Runs of sagas that have ended")
export const attempts = counter("florin_saga_attempts", "Attempts at steps of sagas")
export const retries = counter("florin_saga_retries", "Attempts that are made again")
export const rollbacks = counter("florin_saga_rollbacks", "Steps that were compensated or undone")

/** From a run that asks nobody to one that waits for hours between its attempts. */
export const runMillis = Metric.histogram("florin_saga_run_millis", {
  description: "From the start of a run in this process to its end",
  boundaries: [10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000]
})

const count = (metric: typeof runs, attributes: Record<string, string>) =>
  Metric.update(Metric.withAttributes(metric, attributes), 1)

interface Started {
  readonly span: Span
  readonly at: number
}

const nanos = (millis: number): bigint => BigInt(Math.round(millis)) * 1_000_000n

export const make: Effect.Effect<SagaObserver> = Effect.sync(() => {
  const started = new Map<string, Started>()

  const begin = Effect.fnUntraced(function* (key: string, name: string, notice: SagaNotice, parent: Span | undefined) {
    const attributes = {
      "saga.execution": notice.execution,
      ...("attempt" in notice ? { "saga.attempt": notice.attempt } : {})
    }
    const span = yield* Effect.makeSpan(name, { attributes, ...(parent === undefined ? { root: true } : { parent }) })
    started.set(key, { span, at: notice.at })
  })

  const end = (key: string, at: number, failure: string | undefined) =>
    Effect.sync(() => {
      const one = started.get(key)
      started.delete(key)
      one?.span.end(nanos(at), failure === undefined ? Exit.void : Exit.fail(failure))
      return one
    })

  return {
    notify: (notice) =>
      Effect.gen(function* () {
        const { at, execution, saga } = notice
        switch (notice._tag) {
          case "RunStarted":
            return yield* begin(execution, `saga ${saga}`, notice, undefined)
          case "StepStarted":
            return yield* begin(
              `${execution}/${notice.step}`,
              `saga ${saga}/${notice.step}`,
              notice,
              started.get(execution)?.span
            )
          case "StepEnded":
            yield* end(`${execution}/${notice.step}`, at, notice.error?.code ?? notice.error?.message)
            return yield* count(attempts, { saga, step: indexless(notice.step), became: notice.became })
          case "RetryScheduled":
            return yield* count(retries, { saga, step: indexless(notice.step) })
          case "StepPaused":
            return
          case "RolledBack": {
            const { kind, outcome, step } = notice
            return yield* count(rollbacks, { saga, step: indexless(step), kind, outcome: outcome._tag })
          }
          case "RunEnded": {
            const failure = notice.error?.code ?? notice.error?.message
            const one = yield* end(execution, at, failure)
            yield* count(runs, { saga, ending: notice.ending })
            if (one !== undefined) yield* Metric.update(Metric.withAttributes(runMillis, { saga }), at - one.at)
          }
        }
      })
  }
})

/** All elements of a collection are one series: "items[3]" is "items[]". */
const indexless = (step: string): string => step.replaceAll(/\[\d+\]/g, "[]")
