import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlMigrations from "../../../src/infra/sql/SqlMigrations.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"

const steps = Effect.gen(function* () {
  const sql = yield* SqlClient
  const rows = yield* sql<{ readonly name: string }>`select name from florin.migrations order by migration_id`
  return rows.map(({ name }) => name)
})

const all = [
  "payments",
  "delivery",
  "coordination",
  "append",
  "listing",
  "audit",
  "ledger",
  "ledger_handlers",
  "webhooks",
  "flows",
  "sagas",
  "subscriptions",
  "inventory",
  "ledger_snapshot_kinds",
  "reorder"
]

describe("SqlMigrations", () => {
  it.live("runs each step once, however many processes start together", () =>
    Effect.gen(function* () {
      yield* Effect.all(
        Array.from({ length: 4 }, () => SqlMigrations.migrate),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* steps, all)
      yield* SqlMigrations.migrate
      assert.deepStrictEqual(yield* steps, all)
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("says what a database lacks, without changing it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const before = yield* SqlMigrations.lacking
      assert.isFalse(before.isFlorins)
      assert.deepStrictEqual(
        before.steps.map((step) => step.slice("0000_".length)),
        all
      )
      assert.deepStrictEqual([...(yield* sql`select from pg_namespace where nspname = 'florin'`)], [])
      yield* SqlMigrations.migrate
      assert.deepStrictEqual(yield* SqlMigrations.lacking, { isFlorins: true, steps: [] })
      yield* sql`delete from florin.migrations where migration_id = 3`
      assert.deepStrictEqual(yield* SqlMigrations.lacking, { isFlorins: true, steps: ["0003_coordination"] })
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("goes on when another makes the schema at the same moment", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const isAwaited = sql<{ readonly awaited: boolean }>`
        select exists (
          select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid
        ) as awaited`
      const made = yield* Latch.make()
      // Forked out here: in there it would be part of the transaction.
      const migrating = yield* Effect.forkChild(made.whenOpen(SqlMigrations.migrate))
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`create schema florin`
          yield* made.open
          yield* isAwaited.pipe(
            Effect.repeat({ until: ([row]) => row!.awaited, schedule: Schedule.spaced("5 millis") })
          )
        })
      )
      yield* Fiber.join(migrating)
      assert.deepStrictEqual(yield* steps, all)
    }).pipe(Effect.provide(TestDatabase.layer()))
  )
})
