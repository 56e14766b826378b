/**
 * A database of its own for a test file, or for one test, on the server that
 * `TestServer` started.
 *
 * A template is a database that migrations ran in once, for all test files and
 * workers of a run; a copy costs some 20 ms in memory, whatever the migrations cost.
 *
 * ```ts
 * layer(TestDatabase.layer({ name: "florin", migrate }))("SqlPaymentRepository", (it) => { ... })
 * ```
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { inject } from "vitest"

export interface Template<E = never> {
  /** Names the database, so one name must always mean the same migrations. */
  readonly name: string
  /** Runs in the new, empty database, before anybody else can see it. */
  readonly migrate: Effect.Effect<unknown, E, PgClient.PgClient | SqlClient>
}

/** More than one, so that transactions can meet; few, because the server has 100 for all workers. */
const maxConnections = 4

/** A new database, empty or a copy of the template, and a client connected to it; dropped when the layer is released. */
export const layer = <E = never>(template?: Template<E>): Layer.Layer<PgClient.PgClient | SqlClient, SqlError | E> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const origin = template === undefined ? "template1" : yield* prepared(template)
      const database = `test_${randomUUID().replaceAll("-", "")}`
      yield* Effect.acquireRelease(
        administer((sql) => sql`create database ${sql(database)} template ${sql(origin)}`),
        () => Effect.orDie(administer((sql) => sql`drop database ${sql(database)} with (force)`))
      )
      return client(database, maxConnections)
    })
  )

const client = (database: string, maxConnections: number) => {
  const { socketDir, username } = inject("postgres")
  return PgClient.layer({ host: socketDir, username, database, maxConnections })
}

/** Over one connection, so that what a session holds, as an advisory lock, is there for all of `run`. */
const administer = <A, E, R>(run: (sql: SqlClient) => Effect.Effect<A, E, R>) =>
  SqlClient.pipe(Effect.flatMap(run), Effect.provide(client(inject("postgres").database, 1)))

/**
 * The template's database, made by whoever comes first; others wait for it.
 *
 * PostgreSQL's own mark says that it is finished: what a worker that died left
 * unmarked is made anew. Connections to it are refused from then on, because
 * only a database that nobody uses can be copied.
 */
const prepared = <E>({ migrate, name }: Template<E>) =>
  administer((sql) =>
    Effect.gen(function* () {
      yield* sql`select pg_advisory_lock(hashtext(${name}))`
      const done = yield* sql`select from pg_database where datname = ${name} and datistemplate`
      if (done.length > 0) return name
      yield* sql`drop database if exists ${sql(name)} with (force)`
      yield* sql`create database ${sql(name)} template template0`
      yield* Effect.provide(migrate, client(name, maxConnections))
      yield* sql`alter database ${sql(name)} with is_template true allow_connections false`
      return name
    })
  )
