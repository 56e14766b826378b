/** Turns what a schema found wrong with a request into a problem: every field, what was expected, what came. */
import { Cause, Effect, ErrorReporter, Formatter, Layer, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import * as Problem from "./Problem.ts"
import { InvalidRequests } from "./RequestChecks.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What came is quoted, but not at length. */
const maxMessageLength = 300

export const layer: Layer.Layer<InvalidRequests> = HttpApiMiddleware.layerSchemaErrorTransform(
  InvalidRequests,
  (error) => {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") {
      // An answer of ours that does not fit our own contract is a bug.
      return Effect.andThen(ErrorReporter.report(Cause.fail(error)), Effect.fail(new Problem.InternalError()))
    }
    const part = error.kind.toLowerCase()
    return Effect.fail(
      new Problem.InvalidRequest({
        errors: format(error.cause.issue).issues.map(({ message, path = [] }) => {
          const keys = path.map(segmentOf)
          return { path: [part, ...keys], message: shorten(withInput(message, error.cause.issue, keys)) }
        })
      })
    )
  }
)

/** A message that a schema brings along says only what was expected. */
const withInput = (message: string, issue: SchemaIssue.Issue, path: ReadonlyArray<string | number>): string => {
  if (!SchemaIssue.hasInput(issue) || !message.startsWith("Expected ") || message.includes(", got ")) return message
  const input = path.reduce<unknown>((value, key) => Object(value)[key], issue.input)
  return input === undefined ? message : `${message}, got ${Formatter.format(input)}`
}

const shorten = (message: string) =>
  message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message

const segmentOf = (segment: PropertyKey | { readonly key: PropertyKey }): string | number => {
  const key = typeof segment === "object" ? segment.key : segment
  return typeof key === "number" ? key : String(key)
}
