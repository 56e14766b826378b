import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import * as SagaCluster from "../../../src/infra/cluster/SagaCluster.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as FlorinDatabase from "../sql/FlorinDatabase.ts"

const program = fileURLToPath(new URL("SagaProcess.ts", import.meta.url))

/** A process with these arguments, which is dead when the scope is closed. */
const start = (mode: "hold" | "go", ...executions: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [found] = yield* sql<{ readonly database: string }>`select current_database() as database`
    const { socketDir, username } = inject("postgres")
    const args = [program, socketDir, username, found!.database, mode, ...executions]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const ended = new Promise((resolve) => child.once("close", resolve))
    const kill = Effect.promise(() => {
      child.kill("SIGKILL")
      return ended
    })
    return { kill }
  })

/** Longer than a start on a machine that is busy; a crash is taken over in two seconds. */
const until = (isSo: Effect.Effect<boolean, unknown, SqlClient>) =>
  Effect.repeat(isSo, { schedule: Schedule.spaced("50 millis"), until: (is) => is }).pipe(Effect.timeout("30 seconds"))

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
        const first = yield* start("hold", ...executions)
        yield* until(Effect.map(effects, (rows) => rows.filter(({ what }) => what === "three").length === 3))
        yield* first.kill
        yield* start("go")
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
