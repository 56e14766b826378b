/**
 * A database for one run: the embedded PostgreSQL as `npm start` has it, fsync
 * included, in a temporary directory that goes with it.
 *
 * Where the system's temporary directory is in memory (tmpfs), a commit waits
 * for nothing; the report says so, and TMPDIR can name a disk instead.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { mkdtempSync, statfsSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Database from "../src/edge/Database.ts"
import * as EmbeddedPostgres from "../src/infra/embedded/EmbeddedPostgres.ts"
import type { EmbeddedPostgresError } from "../src/infra/embedded/EmbeddedPostgresError.ts"
import * as SqlMigrations from "../src/infra/sql/SqlMigrations.ts"

/** Where the database is, so that another process can share its server. */
export class DataDir extends Context.Service<DataDir, string>()("florin/bench/BenchDatabase/DataDir") {}

/** What `FLORIN_DATABASE_CONNECTIONS` is when nobody sets it. */
const maxConnections = 10

/** The table of the peers: what a shop that writes its own payments needs for this much. */
const payments = `
  create table if not exists bench.payments (
    id bigint generated always as identity primary key,
    merchant text not null,
    amount_minor bigint not null,
    currency text not null,
    status text not null,
    reference text,
    created_at timestamptz not null default now()
  )`

const migrate = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* SqlMigrations.migrate
  yield* sql`create schema if not exists bench`
  yield* sql.unsafe(payments)
})

/** The database in `dataDir`, on the server that runs there or on one of its own. */
export const at = (dataDir: string) => Database.layer({ dataDir, maxConnections, url: Option.none() }, migrate)

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-bench-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
)

/** pgbench has a connection for each of 256 clients, beside florin's own. */
const serverConnections = 300

export const layer: Layer.Layer<
  DataDir | PgClient | SqlClient,
  Layer.Error<ReturnType<typeof at>> | EmbeddedPostgresError
> = Layer.unwrap(
  Effect.gen(function* () {
    const dataDir = yield* directory
    yield* EmbeddedPostgres.start({ dataDir, maxConnections: serverConnections })
    return Layer.merge(at(dataDir), Layer.succeed(DataDir, dataDir))
  })
)

// --- What it is -------------------------------------------------------------

export interface Described {
  readonly version: string
  readonly fsync: string
  readonly inMemory: boolean
}

/** Linux's name for a file system in memory, as `statfs` says it. */
const tmpfs = 0x01021994

export const describe = Effect.gen(function* () {
  const sql = yield* SqlClient
  const dataDir = yield* DataDir
  const [server] = yield* sql<{ readonly version: string; readonly fsync: string }>`
    select current_setting('server_version') as version, current_setting('fsync') as fsync`
  return { ...server!, inMemory: statfsSync(dataDir).type === tmpfs } satisfies Described
})

export interface Written {
  readonly transactions: number
  /** Bytes of write-ahead log: what is on the disk before a commit is answered. */
  readonly logBytes: number
}

interface Marks {
  readonly xid: bigint
  readonly log: bigint
}

/** Only a transaction that writes takes a number, so their difference counts the commits that wait for the disk. */
const marks = Effect.flatMap(
  SqlClient,
  (sql) => sql<Marks>`
    select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid,
      (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as log`
)

/** More than one, because the server has housekeeping of its own. */
const times = 20

/** What one `operation` writes, on average and when nothing else runs. */
export const written = <E, R>(operation: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    // The first use of a page after a checkpoint logs all of the page.
    for (let index = 0; index < times; index++) yield* operation
    const [before] = yield* marks
    for (let index = 0; index < times; index++) yield* operation
    const [after] = yield* marks
    return {
      transactions: each(before!.xid, after!.xid),
      logBytes: each(before!.log, after!.log)
    } satisfies Written
  })

const each = (before: bigint, after: bigint) => Math.round(Number(after - before) / times)
