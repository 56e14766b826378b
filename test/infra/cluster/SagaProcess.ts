/**
 * A process that runs durable sagas on a PostgreSQL database until it is killed.
 *
 *     node SagaProcess.ts SOCKET_DIR USERNAME DATABASE hold|go [run...]
 *
 * It begins the runs that are named. What a step does to the world is a row in
 * `effects`; with `hold` the third step never ends after that.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import * as SagaCluster from "../../../src/infra/cluster/SagaCluster.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as DurableSagas from "../../../src/orchestration/saga/DurableSagas.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"

const [socketDir = "", username = "", database = "", mode, ...executions] = process.argv.slice(2)

const effect = (execution: string, what: string) =>
  Effect.flatMap(SqlClient, (sql) => sql`insert into effects (execution, what) values (${execution}, ${what})`)

const step = (name: string) => ({
  gives: Schema.String,
  run: (_: unknown, { execution }: { readonly execution: string }) => Effect.as(effect(execution, name), name)
})

const saga = Saga.make("Four", { input: Schema.Struct({}) })
  .step("one", step("one"))
  .step("two", { ...step("two"), waitFor: ["one"] })
  .step("three", {
    gives: Schema.String,
    waitFor: ["two"],
    run: (_, { execution }) =>
      Effect.as(Effect.andThen(effect(execution, "three"), mode === "hold" ? Effect.never : Effect.void), "three")
  })
  .step("four", { ...step("four"), waitFor: ["three"] })
  .returns("four")

const layer = SagaRunner.register(saga).pipe(
  Layer.provideMerge(SagaRunner.layer),
  Layer.provide(DurableSagas.layer),
  Layer.provide(SqlSagaRuns.layer),
  Layer.provide(SagaCluster.single()),
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(PgClient.layer({ host: socketDir, username, database, maxConnections: 6 }))
)

const main = Effect.gen(function* () {
  const runner = yield* SagaRunner.SagaRunner
  yield* runner.recover
  yield* Effect.forEach(executions, (execution) => runner.start(saga, {}, { execution }), { concurrency: 8 })
  return yield* Effect.never
})

Effect.runFork(Effect.provide(main, layer))
