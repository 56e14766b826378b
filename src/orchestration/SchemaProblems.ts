/** What is wrong with data from outside, a line for each field: what was expected, and what came. */
import { Formatter, SchemaIssue } from "effect"
import * as CardNumber from "../domain/CardNumber.ts"

export interface Problem {
  readonly field: string
  readonly problem: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** The problems of `raw`; `whole` names the value itself where no field of it is at fault. */
export const of = (issue: SchemaIssue.Issue, raw: unknown, whole: string): ReadonlyArray<Problem> =>
  format(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment))
    return { field: keys.length === 0 ? whole : keys.join("."), problem: withInput(message, raw, keys) }
  })

/** In one line. */
export const text = (problems: ReadonlyArray<Problem>): string =>
  problems.map(({ field, problem }) => `${field}: ${problem}`).join("; ")

/** What came is quoted, but not at length. */
const maxQuoteLength = 100

/** The problem with what came instead; never with a card number in it (R10). */
const withInput = (message: string, raw: unknown, path: ReadonlyArray<PropertyKey>): string => {
  if (!message.startsWith("Expected ") || message.includes(", got ")) return CardNumber.mask(message)
  const input = path.reduce<unknown>((value, key) => Object(value)[key], raw)
  const quote = CardNumber.mask(Formatter.format(input))
  return `${message}, got ${quote.length > maxQuoteLength ? `${quote.slice(0, maxQuoteLength)}…` : quote}`
}
