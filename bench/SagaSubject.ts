/**
 * Sagas, beside the same steps as bare activities of an Effect workflow.
 *
 * The peer keeps each step's outcome like florin, and nothing else: no
 * compensation, no checks of arguments, nothing to find a run by. A step does
 * nothing. In `saga workflow` and `saga durable` both run on the same engine,
 * in memory and on PostgreSQL, so the ratio is what the saga costs over its
 * activities. `saga executor` and `saga memory` keep nothing of a step: they
 * say what the loop, and a runner that knows its runs, cost by themselves.
 *
 * `resume` is the time from the start of a process to the end of runs that
 * another was killed in the middle of.
 */
import { Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import * as SagaCluster from "../src/infra/cluster/SagaCluster.ts"
import * as MemorySagaRuns from "../src/infra/memory/MemorySagaRuns.ts"
import * as SqlSagaRuns from "../src/infra/sql/SqlSagaRuns.ts"
import * as DurableSagas from "../src/orchestration/saga/DurableSagas.ts"
import * as Saga from "../src/orchestration/saga/Saga.ts"
import * as SagaDriver from "../src/orchestration/saga/SagaDriver.ts"
import * as SagaEngine from "../src/orchestration/saga/SagaEngine.ts"
import * as SagaExecutor from "../src/orchestration/saga/SagaExecutor.ts"
import * as SagaRunner from "../src/orchestration/saga/SagaRunner.ts"
import type * as BenchDatabase from "./BenchDatabase.ts"
import type { Pace, Subject } from "./Contest.ts"
import { perform } from "./Contest.ts"
import * as SagaResume from "./SagaResume.ts"

/** Of each side before any contest: by then the compiler has learnt both. */
const warmTurns = 6

/** As many as a payment has: screen, authorize, capture, record, receipt. */
const steps = 5

const input = Schema.Struct({ order: Schema.String })

export const saga = Saga.make("Bench", { input })
  .step("one", { takes: ({ input }) => ({ order: input.order }), gives: Schema.Int, run: () => Effect.succeed(1) })
  .step("two", { takes: ({ steps }) => ({ from: steps.one }), gives: Schema.Int, run: () => Effect.succeed(2) })
  .step("three", { takes: ({ steps }) => ({ from: steps.two }), gives: Schema.Int, run: () => Effect.succeed(3) })
  .step("four", { takes: ({ steps }) => ({ from: steps.three }), gives: Schema.Int, run: () => Effect.succeed(4) })
  .step("five", { takes: ({ steps }) => ({ from: steps.four }), gives: Schema.Int, run: () => Effect.succeed(5) })
  .returns("five")

export const bare = Workflow.make("Bare", {
  payload: { id: Schema.String, order: Schema.String },
  success: Schema.Int,
  idempotencyKey: ({ id }) => id
})

const bareLayer = bare.toLayer(() =>
  Effect.gen(function* () {
    let last = 0
    for (let step = 1; step <= steps; step++) {
      last = yield* Activity.make({ name: `step/${step}`, success: Schema.Int, execute: Effect.succeed(step) })
    }
    return last
  })
)

const sagas = SagaRunner.register(saga).pipe(Layer.provideMerge(SagaRunner.layer))

const inMemory = Layer.mergeAll(
  sagas.pipe(Layer.provide(SagaEngine.layerMemory), Layer.provide(MemorySagaRuns.layer)),
  bareLayer
).pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provide(SecureRandom.layerWebCrypto))

const asWorkflows = Layer.mergeAll(
  sagas.pipe(Layer.provide(DurableSagas.layer), Layer.provide(MemorySagaRuns.layer)),
  bareLayer
).pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provide(SecureRandom.layerWebCrypto))

const onPostgres = Layer.mergeAll(
  sagas.pipe(Layer.provide(DurableSagas.layer), Layer.provide(SqlSagaRuns.layer)),
  bareLayer
).pipe(Layer.provideMerge(SagaCluster.single()), Layer.provide(SecureRandom.layerWebCrypto))

const order = { order: "order-1" }
const runSaga = Effect.flatMap(SagaRunner.SagaRunner, (runner) => runner.run(saga, order))

let ids = 0
const runBare = Effect.suspend(() => bare.execute({ id: `bare-${process.pid}-${(ids += 1)}`, ...order }))

/** An engine has taken its shards when runs end. */
const ready = <E, R>(run: Effect.Effect<unknown, E, R>) =>
  Effect.all(
    Array.from({ length: 16 }, () => run),
    { concurrency: "unbounded", discard: true }
  )

/** Steps a second, from runs a second. */
const ofSteps = <E, R>(runs: Effect.Effect<number, E, R>) => Effect.map(runs, (perSecond) => perSecond * steps)

export const subject = Effect.fnUntraced(function* ({ rounds, sagas: resumed, turnMillis }: Pace) {
  const pace = (concurrency: number) => ({ millis: turnMillis, concurrency })
  const contest = <R>(
    name: string,
    florin: Effect.Effect<number, unknown, R>,
    peer: Effect.Effect<number, unknown, R>
  ) => ({
    name,
    unit: "perSecond" as const,
    rounds,
    warmUp: true,
    florin: ofSteps(florin),
    peer: ofSteps(peer)
  })
  const memory = yield* Layer.build(inMemory)
  const workflows = yield* Layer.build(asWorkflows)
  const alone = Effect.suspend(() => SagaExecutor.execute(saga, order, SagaDriver.memory("bench")))
  const inThisProcess = (context: typeof memory, concurrency: number) => ({
    florin: Effect.provideContext(perform(pace(concurrency), runSaga), context),
    peer: Effect.provideContext(perform(pace(concurrency), runBare), context)
  })
  const { florin: known, peer: bareInMemory } = inThisProcess(memory, 16)
  const workflow = (concurrency: number) => {
    const { florin, peer } = inThisProcess(workflows, concurrency)
    return contest(`saga workflow x${concurrency}`, florin, peer)
  }
  // One engine at a time has the shards of a database, so each turn has its own.
  const durable = (concurrency: number) => {
    // A run waits for a dozen commits: in a usual turn, alone, it would come to its end a handful of times.
    const long = { millis: turnMillis * 3, concurrency }
    return contest(
      `saga durable x${concurrency}`,
      Effect.provide(Effect.andThen(ready(runSaga), perform(long, runSaga)), onPostgres),
      Effect.provide(Effect.andThen(ready(runBare), perform(long, runBare)), onPostgres)
    )
  }
  // A saga is more code than its activities, and the first turns of a process would measure the compiler.
  const warm = inThisProcess(workflows, 16)
  yield* Effect.repeat(Effect.andThen(warm.florin, warm.peer), { times: warmTurns })
  return {
    contests: [
      contest("saga executor x16", perform(pace(16), alone), bareInMemory),
      contest("saga memory x16", known, bareInMemory),
      workflow(1),
      workflow(16),
      durable(1),
      durable(16),
      yield* SagaResume.contest(resumed)
    ],
    notes: [
      "saga: steps a second; peer is the same five steps as bare activities of an Effect workflow",
      "saga workflow, durable: both on Effect's engine, in memory and on PostgreSQL: what the saga costs over its activities",
      "saga executor, memory: no engine under florin, and nothing is kept of a step; the loop, and a runner that knows its runs",
      `saga resume: to the end of ${resumed.runs} runs that a process was killed in the middle of, from the start of another; peer is bare workflows`
    ]
  } satisfies Subject<SqlClient | BenchDatabase.DataDir>
})
