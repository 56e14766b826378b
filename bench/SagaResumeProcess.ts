/**
 * A process that is killed in the middle of many runs, and one that takes them
 * up and prints how many milliseconds that took.
 *
 *     node bench/SagaResumeProcess.ts hold|go saga|bare DATA_DIR RUNS PREFIX
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import * as SagaCluster from "../src/infra/cluster/SagaCluster.ts"
import * as SqlSagaRuns from "../src/infra/sql/SqlSagaRuns.ts"
import * as RedactingLogger from "../src/infra/telemetry/RedactingLogger.ts"
import * as DurableSagas from "../src/orchestration/saga/DurableSagas.ts"
import * as Saga from "../src/orchestration/saga/Saga.ts"
import * as SagaRunner from "../src/orchestration/saga/SagaRunner.ts"
import * as BenchDatabase from "./BenchDatabase.ts"

const [mode, side, dataDir = "", runsText, prefix = ""] = process.argv.slice(2)
const runs = Number(runsText)

let held = 0
let done = 0

/** Dies with the last run that comes here; lets them all through in the process that takes them up. */
const second = Effect.suspend(() => {
  if (mode === "go") return Effect.succeed(2)
  if ((held += 1) === runs) process.kill(process.pid, "SIGKILL")
  return Effect.never
})
const last = Effect.sync(() => ((done += 1), 3))

const saga = Saga.make(`Resumed_${prefix}`, { input: Schema.Struct({}) })
  .step("one", { gives: Schema.Int, run: () => Effect.succeed(1) })
  .step("two", { waitFor: ["one"], gives: Schema.Int, run: () => second })
  .step("three", { waitFor: ["two"], gives: Schema.Int, run: () => last })
  .returns("three")

const bare = Workflow.make(`Resumed_${prefix}`, {
  payload: { id: Schema.String },
  success: Schema.Int,
  idempotencyKey: ({ id }) => id
})

const bareLayer = bare.toLayer(() =>
  Effect.gen(function* () {
    yield* Activity.make({ name: "one", success: Schema.Int, execute: Effect.succeed(1) })
    yield* Activity.make({ name: "two", success: Schema.Int, execute: second })
    return yield* Activity.make({ name: "three", success: Schema.Int, execute: last })
  })
)

const layer = Layer.mergeAll(
  SagaRunner.register(saga).pipe(
    Layer.provideMerge(SagaRunner.layer),
    Layer.provide(DurableSagas.layer),
    Layer.provide(SqlSagaRuns.layer)
  ),
  bareLayer
).pipe(
  Layer.provideMerge(SagaCluster.single()),
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(BenchDatabase.at(dataDir)),
  Layer.provide(RedactingLogger.layer)
)

const begin = Effect.gen(function* () {
  const runner = yield* SagaRunner.SagaRunner
  const one = (index: number): Effect.Effect<unknown, unknown, SagaCluster.Engine> =>
    side === "saga"
      ? runner.start(saga, {}, { execution: `${prefix}-${index}` })
      : bare.execute({ id: `${prefix}-${index}` }, { discard: true })
  yield* Effect.forEach(
    Array.from({ length: runs }, (_, index) => index),
    one,
    { concurrency: 16, discard: true }
  )
  return yield* Effect.never
})

const takeUp = Effect.gen(function* () {
  const runner = yield* SagaRunner.SagaRunner
  if (side === "saga") yield* runner.recover
  yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => done === runs })
})

const started = performance.now()
const main =
  mode === "hold"
    ? Effect.provide(begin, layer)
    : Effect.gen(function* () {
        yield* takeUp
        const millis = performance.now() - started
        // What is not yet stored would be taken up by the next process, which has never heard of it.
        yield* Effect.flatMap(SqlClient, (sql) => sql`truncate cluster_messages, cluster_replies`)
        yield* Console.log(String(millis))
      }).pipe(Effect.provide(layer))

NodeRuntime.runMain(main, { disableErrorReporting: true })
