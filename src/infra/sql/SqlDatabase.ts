/**
 * A connection pool to a PostgreSQL server, by its URL.
 *
 * TLS is as the URL says: `sslmode=require`, `verify-ca` and `verify-full` all
 * verify the server's certificate, against the system's authorities and the
 * file that `sslrootcert` names. Whoever does not care asks for `disable`.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Redacted } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { readFile } from "node:fs/promises"
import * as DatabaseUrl from "./DatabaseUrl.ts"
import { DatabaseUrlError } from "./DatabaseUrl.ts"

export interface Options {
  readonly url: Redacted.Redacted
  readonly maxConnections: number
}

/** Statements of ours take milliseconds. One that takes this long waits for something that will not come. */
const statementTimeoutMillis = 30_000

export const layer = ({
  maxConnections,
  url
}: Options): Layer.Layer<PgClient.PgClient | SqlClient, DatabaseUrlError | SqlError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const parsed = yield* parse(url)
      const isPlain = parsed.searchParams.get("sslmode") === "disable"
      const rootCertificate = isPlain ? null : parsed.searchParams.get("sslrootcert")
      const ssl = rootCertificate === null ? {} : { ssl: { ca: yield* read(rootCertificate) } }
      return PgClient.layer({
        url,
        ...ssl,
        maxConnections,
        applicationName: parsed.searchParams.get("application_name") ?? "florin",
        // A peer that vanished without a word is noticed within a minute, not when TCP gives up.
        keepAlive: "30 seconds",
        startupParameters: { statement_timeout: String(statementTimeoutMillis) }
      })
    })
  )

const parse = (url: Redacted.Redacted): Effect.Effect<URL, DatabaseUrlError> => {
  const detail = DatabaseUrl.complaint(Redacted.value(url))
  return detail === undefined
    ? Effect.succeed(new URL(Redacted.value(url)))
    : Effect.fail(new DatabaseUrlError({ detail }))
}

const read = (path: string): Effect.Effect<string, DatabaseUrlError> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () => new DatabaseUrlError({ detail: `sslrootcert names a file that cannot be read: ${path}` })
  })
