import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import * as SagaCluster from "../../../src/infra/cluster/SagaCluster.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as FlorinDatabase from "../sql/FlorinDatabase.ts"
import { start, until } from "./KillableProcess.ts"

const effects = Effect.flatMap(
  SqlClient,
  (sql) => sql<{ readonly execution: string; readonly what: string; readonly times: number }>`
    select execution, what, count(*)::int as times from effects group by execution, what
    order by execution, min(id)`
)

describe("runs of sagas on PostgreSQL", () => {
  it.live(
    "R21, crash recovery: are taken up after a kill -9: what was done is not done again, and at most the step in flight is",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`create table effects (id bigint generated always as identity, execution text, what text)`
        const executions = ["run-1", "run-2", "run-3"]
        const first = yield* start("SagaProcess.ts", "hold", ...executions)
        yield* until(Effect.map(effects, (rows) => rows.filter(({ what }) => what === "three").length === 3))
        yield* first.kill
        yield* start("SagaProcess.ts", "go")
        const runs = yield* SagaRuns
        yield* until(Effect.map(runs.running, (running) => running.length === 0))
        assert.deepStrictEqual(
          yield* effects,
          executions.flatMap((execution) => [
            { execution, what: "one", times: 1 },
            { execution, what: "two", times: 1 },
            { execution, what: "three", times: 2 },
            { execution, what: "four", times: 1 }
          ])
        )
        const { run } = Option.getOrThrow(yield* runs.get("run-2"))
        assert.deepInclude(run, { status: "completed", result: "four", generation: 1 })

        // A run's reply is stored a moment after the run is settled.
        const messages = Effect.map(
          sql`select id from cluster_messages where entity_id = 'run-1#1'`,
          (rows) => rows.length
        )
        assert.isAbove(yield* messages, 4)
        assert.strictEqual(yield* SagaCluster.purge(run.settledAt! - 1_000_000), 0)
        assert.strictEqual(yield* SagaCluster.purge(run.settledAt! + 1_000_000), 3)
        assert.strictEqual(yield* messages, 0)
        assert.strictEqual(yield* SagaCluster.purge(run.settledAt! + 1_000_000), 0)
      }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(SqlSagaRuns.layer, FlorinDatabase.layer))),
    60_000
  )
})
