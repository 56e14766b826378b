/** Why florin could not start or go on, in one line for a person: what, where, and what was expected. */
import { Cause, Config, Schema, SchemaIssue } from "effect"
import type { CliError } from "effect/cli"
import { HttpServerError } from "effect/http"
import { isSqlError } from "effect/sql/SqlError"
import * as Migrator from "effect/sql/Migrator"
import { LedgerJournalError } from "../../adapters/LedgerJournal.ts"

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
  if (error instanceof LedgerJournalError && error.reason._tag === "StorageUnavailable") {
    return `${error.reason.operation}: ${innermost(error.reason.cause)}`
  }
  if (error instanceof Migrator.MigrationError) return `${error.message}: ${innermost(error.cause)}`
  return error instanceof Error ? error.message : String(error)
}

const oneLine = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, " ")

/** In one line, whatever it was. */
export const reason = (cause: Cause.Cause<unknown>): string => {
  const bug = Cause.hasDies(cause) ? "something went wrong that should not: " : ""
  return `${bug}${oneLine(explain(Cause.squash(cause)))}`
}

/** The same, as the command says it. */
export const of = (cause: Cause.Cause<unknown>): string => `florin: ${reason(cause)}`

/** What was wrong with the words of a command, and what may have been meant. */
export const ofWords = (commandPath: ReadonlyArray<string>, errors: ReadonlyArray<CliError.CliError>): string => {
  const [error] = errors
  if (error === undefined) return `florin: name a command; ${commandPath.join(" ")} --help lists them`
  const suggestions = "suggestions" in error ? error.suggestions : []
  const what = oneLine(error.message.split("\n\n")[0]!)
  const hint = suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`
  return `florin: ${what}${hint} (${commandPath.join(" ")} --help says more)`
}
