/** The database that the settings name: with florin's tables made in it, or found there. */
import type { PgClient } from "@effect/sql-pg/PgClient"
import type { MigrationError } from "effect/sql/Migrator"
import { Effect, Layer, Option, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as EmbeddedPostgres from "../infra/embedded/EmbeddedPostgres.ts"
import type { EmbeddedPostgresError } from "../infra/embedded/EmbeddedPostgresError.ts"
import type { DatabaseUrlError } from "../infra/sql/DatabaseUrl.ts"
import * as SqlDatabase from "../infra/sql/SqlDatabase.ts"
import * as SqlMigrations from "../infra/sql/SqlMigrations.ts"
import type * as Settings from "./Settings.ts"

type Client = PgClient | SqlClient

const client = (
  { dataDir, maxConnections, url }: Settings.Database,
  mustExist: boolean
): Layer.Layer<Client, EmbeddedPostgresError | DatabaseUrlError | SqlError> =>
  Option.match(url, {
    onNone: () => EmbeddedPostgres.layer({ dataDir, mustExist }, { maxConnections, applicationName: "florin" }),
    onSome: (server) => SqlDatabase.layer({ url: server, maxConnections })
  })

/** For a service, which makes what is not there: `migrate` is what it needs. */
export const layer = (
  settings: Settings.Database,
  migrate: Effect.Effect<void, MigrationError | SqlError, SqlClient>
): Layer.Layer<Client, EmbeddedPostgresError | DatabaseUrlError | SqlError | MigrationError> =>
  Layer.effectDiscard(migrate).pipe(Layer.provideMerge(client(settings, false)))

// --- What is there already --------------------------------------------------

/** Somebody else's database, or one of an earlier florin: an operator's command does not change which it is. */
export class TablesMissing extends Schema.TaggedError<TablesMissing>()("TablesMissing", {
  isFlorins: Schema.Boolean,
  steps: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.isFlorins
      ? `the database is of an earlier florin and lacks ${this.steps.join(", ")}; florin serve brings it up to date`
      : "the database has no tables of florin in it; florin serve makes them"
  }
}

const found = Effect.flatMap(SqlMigrations.lacking, ({ isFlorins, steps }) =>
  steps.length === 0 ? Effect.void : Effect.fail(new TablesMissing({ isFlorins, steps }))
)

/**
 * For a command about payments that are there: makes no database and no tables.
 * Beside a service on the same data directory it uses that service's server, and
 * leaves it running; alone it starts one, and stops it when it is done.
 */
export const existing = (
  settings: Settings.Database
): Layer.Layer<Client, EmbeddedPostgresError | DatabaseUrlError | SqlError | TablesMissing> =>
  Layer.effectDiscard(found).pipe(Layer.provideMerge(client(settings, true)))
