/** The database that the settings name, with florin's tables in it. */
import type { PgClient } from "@effect/sql-pg/PgClient"
import type { MigrationError } from "effect/sql/Migrator"
import { Effect, Layer, Option } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as EmbeddedPostgres from "../infra/embedded/EmbeddedPostgres.ts"
import type { EmbeddedPostgresError } from "../infra/embedded/EmbeddedPostgresError.ts"
import type { DatabaseUrlError } from "../infra/sql/DatabaseUrl.ts"
import * as SqlDatabase from "../infra/sql/SqlDatabase.ts"
import type * as Settings from "./Settings.ts"

type Client = PgClient | SqlClient

/** `migrate` is what the process needs there. */
export const layer = (
  { dataDir, maxConnections, url }: Settings.Database,
  migrate: Effect.Effect<void, MigrationError | SqlError, SqlClient>
): Layer.Layer<Client, EmbeddedPostgresError | DatabaseUrlError | SqlError | MigrationError> => {
  const client: Layer.Layer<Client, EmbeddedPostgresError | DatabaseUrlError | SqlError> = Option.match(url, {
    onNone: () => EmbeddedPostgres.layer({ dataDir }, { maxConnections, applicationName: "florin" }),
    onSome: (server) => SqlDatabase.layer({ url: server, maxConnections })
  })
  return Layer.effectDiscard(migrate).pipe(Layer.provideMerge(client))
}
