import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Ref } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import * as TestDatabase from "./TestDatabase.ts"

const uniqueName = () => `template_${randomUUID().replaceAll("-", "")}`

const createTable = Effect.flatMap(SqlClient, (sql) => sql`create table t (n integer not null)`)

const insert = Effect.flatMap(SqlClient, (sql) => sql`insert into t values (1)`)
const count = Effect.flatMap(SqlClient, (sql) => sql`select n from t`).pipe(Effect.map((rows) => rows.length))
const databaseName = Effect.flatMap(SqlClient, (sql) => sql<{ name: string }>`select current_database() as name`).pipe(
  Effect.map(([row]) => row!.name)
)
const exists = (name: string) =>
  Effect.flatMap(SqlClient, (sql) => sql`select from pg_database where datname = ${name}`).pipe(
    Effect.map((rows) => rows.length === 1)
  )

describe("TestDatabase", () => {
  it.effect("hands out databases that do not see each other", () => {
    const template = { name: uniqueName(), migrate: createTable }
    const use = Effect.andThen(insert, count).pipe(Effect.provide(TestDatabase.layer(template), { local: true }))
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.all([use, use]), [1, 1])
    })
  })

  it.effect("drops the database on release", () =>
    Effect.gen(function* () {
      const name = yield* databaseName.pipe(Effect.provide(TestDatabase.layer()))
      assert.isFalse(yield* exists(name).pipe(Effect.provide(TestDatabase.layer())))
    })
  )

  it.effect("migrates a template once, however many ask at once", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const migrate = Effect.andThen(
        Ref.update(runs, (n) => n + 1),
        createTable
      )
      const template = { name: uniqueName(), migrate }
      const use = Effect.scoped(
        Effect.flatMap(Layer.build(TestDatabase.layer(template)), (c) => Effect.provide(count, c))
      )
      assert.deepStrictEqual(yield* Effect.all([use, use, use, use], { concurrency: "unbounded" }), [0, 0, 0, 0])
      assert.strictEqual(yield* Ref.get(runs), 1)
    })
  )

  it.effect("makes a template anew whose migration broke off", () =>
    Effect.gen(function* () {
      const name = uniqueName()
      const broken = { name, migrate: Effect.fail("killed") }
      assert.strictEqual(yield* Effect.flip(Effect.provide(count, TestDatabase.layer(broken))), "killed")
      assert.strictEqual(yield* Effect.provide(count, TestDatabase.layer({ name, migrate: createTable })), 0)
    })
  )
})
