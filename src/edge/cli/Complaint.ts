/** Why florin could not start or go on, in one line for a person: what, where, and what was expected. */
import { Cause, Config, Schema, SchemaIssue } from "effect"
import { HttpServerError } from "effect/http"
import { isSqlError } from "effect/sql/SqlError"
import * as Migrator from "effect/sql/Migrator"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segmentOf = (segment: PropertyKey | { readonly key: PropertyKey }) =>
  String(typeof segment === "object" ? segment.key : segment)

/** What a driver's error was caused by: its own words say only that something failed. */
const innermost = (error: unknown): string => {
  const { cause, message } = error instanceof Error ? error : { cause: undefined, message: String(error) }
  return cause === undefined || cause === error ? message : innermost(cause)
}

const explain = (error: unknown): string => {
  if (error instanceof Config.ConfigError && Schema.isSchemaError(error.cause)) return explain(error.cause)
  if (Schema.isSchemaError(error)) {
    return format(error.issue)
      .issues.map(({ message, path = [] }) => `${path.map(segmentOf).join(".")}: ${message}`)
      .join("; ")
  }
  if (error instanceof HttpServerError.ServeError) return `cannot listen: ${innermost(error.cause)}`
  if (isSqlError(error)) return `the database cannot be used: ${innermost(error)}`
  if (error instanceof Migrator.MigrationError) return `${error.message}: ${innermost(error.cause)}`
  return error instanceof Error ? error.message : String(error)
}

/** In one line, whatever it was. */
export const reason = (cause: Cause.Cause<unknown>): string => {
  const bug = Cause.hasDies(cause) ? "something went wrong that should not: " : ""
  return `${bug}${explain(Cause.squash(cause)).replaceAll(/\s*\n\s*/g, " ")}`
}

/** The same, as the command says it. */
export const of = (cause: Cause.Cause<unknown>): string => `florin: ${reason(cause)}`
