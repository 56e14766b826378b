/** Runners over both engines, and a trace of what happened. */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import type { SagaNotice } from "../../../src/domain/saga/SagaNotice.ts"
import * as MemorySagaRuns from "../../../src/infra/memory/MemorySagaRuns.ts"
import * as DurableSagas from "../../../src/orchestration/saga/DurableSagas.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"

const over = (engine: Layer.Layer<SagaEngine.SagaEngine>) =>
  SagaRunner.layer.pipe(
    Layer.provideMerge(engine),
    Layer.provideMerge(MemorySagaRuns.layer),
    Layer.provide(SecureRandom.layerWebCrypto)
  )

export const inMemory = over(SagaEngine.layerMemory)

/** As workflows, whose engine is in memory too. */
export const asWorkflows = over(Layer.provide(DurableSagas.layer, WorkflowEngine.layerMemory))

/** What happened, a line each: "run a", "retry a in 1000", "undo a", "end failed". */
export const traced = () => {
  const trace: Array<string> = []
  const notify = (notice: SagaNotice) => Effect.sync(() => void trace.push(line(notice)))
  return { trace, observer: { notify } satisfies SagaObserver.SagaObserver }
}

const line = (notice: SagaNotice): string => {
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
