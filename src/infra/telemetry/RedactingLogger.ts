/**
 * Effect's structured logger as one line of JSON on standard error, with what
 * must never be logged taken out: card numbers (R10), and the secrets that
 * travel in texts, as in a database's URL.
 *
 * It looks at every text of an entry, the causes included. What is `Redacted`
 * in the program prints as such before it comes here.
 */
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as CardNumber from "../../domain/CardNumber.ts"

/** `user:password@` in a URL, bearer tokens, and secrets that carry their kind as a prefix (`sk_live_`, `whsec_`). */
const secrets: ReadonlyArray<readonly [RegExp, string]> = [
  [/(:\/\/[^\s:/@]*):[^\s/@]+@/g, "$1:***@"],
  [/\b(bearer|basic) +[\w.~+/=-]{6,}/gi, "$1 ***"],
  [/\b((?:sk|rk)_(?:live|test)|whsec)_\w{4,}/g, "$1_***"]
]

/** A number with as many digits as most cards have; a moment in milliseconds has thirteen. */
const minCardDigits = 15

const redactText = (text: string): string =>
  secrets.reduce((redacted, [secret, instead]) => redacted.replaceAll(secret, instead), CardNumber.mask(text))

/** Deeper than any entry that we write; a cycle ends here as well. */
const maxDepth = 12

export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === "string") return redactText(value)
  if (typeof value === "number" || typeof value === "bigint") {
    const digits = String(value)
    return digits.length >= minCardDigits && CardNumber.isIn(digits) ? redactText(digits) : value
  }
  if (typeof value !== "object" || value === null) return value
  if (depth >= maxDepth) return "…"
  if (Array.isArray(value)) return value.map((element) => redact(element, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [redactText(key), redact(element, depth + 1)])
  )
}

const redacted: Logger.Logger<unknown, unknown> = Logger.map(Logger.formatStructured, (entry) => redact(entry))

export const format: Logger.Logger<unknown, string> = Logger.map(redacted, (entry) => Formatter.formatJson(entry))

export const layer = Logger.layer([Logger.withConsoleError(format)])

/** Each entry as data, for the log of a program that florin is a part of. */
export const layerTo = (write: (entry: unknown) => void) => Logger.layer([Logger.map(redacted, write)])
