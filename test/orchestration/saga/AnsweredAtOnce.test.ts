import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import * as MemorySagaRuns from "../../../src/infra/memory/MemorySagaRuns.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"

/** A store in which others come between finding a question and closing it. */
const crowded = Layer.effect(
  SagaRuns,
  Effect.map(SagaRuns, (inner) => ({
    ...inner,
    questions: (of) => Effect.tap(inner.questions(of), () => Effect.yieldNow)
  }))
).pipe(Layer.provideMerge(MemorySagaRuns.layer))

const layer = SagaRunner.layer.pipe(
  Layer.provide(SagaEngine.layerMemory),
  Layer.provideMerge(crowded),
  Layer.provide(SecureRandom.layerWebCrypto)
)

describe("a question that is answered by several at once", () => {
  it.effect("takes the first answer, and tells the others that nobody waits for theirs", () =>
    Effect.gen(function* () {
      const saga = Saga.make("Asks", { input: Schema.Struct({}) })
        .interrupt("approve", { gives: Schema.Struct({ by: Schema.String }), correlation: () => "ticket-1" })
        .returns("approve")
      const runner = yield* SagaRunner.SagaRunner
      yield* runner.register(saga)
      const run = yield* Effect.forkChild(runner.run(saga, {}, { execution: "i-1" }))
      const runs = yield* SagaRuns
      yield* Effect.repeat(runs.questions({ execution: "i-1" }), { until: (open) => open.length > 0 })
      const told = yield* Effect.forEach(
        ["ada", "bob", "eve"],
        (by) => Effect.result(runner.answer("Asks", "ticket-1", { by })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        told.map((each) => (Result.isSuccess(each) ? "taken" : each.failure.message)),
        ["taken", "i-1: nobody waits for an answer to ticket-1", "i-1: nobody waits for an answer to ticket-1"]
      )
      assert.deepInclude(yield* Fiber.join(run), { _tag: "Completed", value: { by: "ada" } })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
