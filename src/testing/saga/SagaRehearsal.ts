/**
 * Runs a saga in memory, as a test does: over a runner of its own, with a trace
 * of what happened.
 *
 *     const { result, trace } = yield* SagaRehearsal.run(Payment, order)
 *     assert.deepStrictEqual(trace.slice(-2), ["undo reserve", "end failed"])
 *
 * Time is whichever clock the test has. `layer` is the runner alone.
 */
import { Context, Effect, Layer } from "effect"
import type { Result, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SagaRuns } from "../../adapters/SagaRuns.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import * as MemorySagaRuns from "../../infra/memory/MemorySagaRuns.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import type { Answer, InvalidInput, SagaFailed } from "../../orchestration/saga/SagaAnswer.ts"
import * as SagaEngine from "../../orchestration/saga/SagaEngine.ts"
import * as SagaObserver from "../../orchestration/saga/SagaObserver.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import * as SagaRunners from "../../orchestration/saga/SagaRunner.ts"
import type { SagaRunnerError } from "../../orchestration/saga/SagaRunnerError.ts"
import * as SagaTrace from "./SagaTrace.ts"

export const layer: Layer.Layer<SagaRunner | SagaRuns> = SagaRunners.layer.pipe(
  Layer.provide(SagaEngine.layerMemory),
  Layer.provideMerge(MemorySagaRuns.layer),
  Layer.provide(SecureRandom.layerWebCrypto)
)

export interface Rehearsed<A> {
  readonly result: Result.Result<Answer<A>, SagaFailed | InvalidInput | SagaRunnerError | StorageUnavailable>
  readonly trace: ReadonlyArray<string>
}

/** The run's id, by which its steps' keys begin. */
export const execution = "rehearsal"

export const run = <Input, A, R>(
  saga: Saga<Input, A, R>,
  input: Input
): Effect.Effect<Rehearsed<A>, never, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const { lines, observer } = SagaTrace.make()
    const runner = Context.get(yield* Layer.build(layer), SagaRunner)
    yield* runner.register(saga)
    const result = yield* Effect.result(runner.run(saga, input, { execution })).pipe(SagaObserver.observedBy(observer))
    return { result, trace: lines }
  }).pipe(Effect.scoped)
