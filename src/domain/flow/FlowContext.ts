/**
 * The values that the handlers of a chain of flows share: a small map of JSON
 * by key, durable, and bounded so that it stays one row that is read at once.
 */
import { Result, Schema } from "effect"
import * as CanonicalJson from "../CanonicalJson.ts"
import * as CardNumber from "../CardNumber.ts"
import { Token } from "../Text.ts"

/** Ids and states of a chain; what is larger belongs into the service's own tables. */
export const maxEntries = 64

/** UTF-16 units of the whole map as canonical JSON. */
export const maxLength = 16_384

export const ContextKey = Token(64)

export type Entries = Readonly<Record<string, Schema.Json>>

/**
 * - `BadKey`: it is not 1 to 64 visible ASCII characters.
 * - `TooManyEntries`, `TooLong`: the bounds above.
 * - `CardNumber`: a value or a key looks like one (R10).
 */
export const ContextRule = Schema.Literals(["BadKey", "TooManyEntries", "TooLong", "CardNumber"])

export class ContextRefused extends Schema.TaggedError<ContextRefused>()("ContextRefused", {
  key: Schema.String,
  rule: ContextRule
}) {
  override get message() {
    return `the context cannot hold ${JSON.stringify(this.key)}: ${this.rule}`
  }
}

const isKey = Schema.is(ContextKey)

/** The map with `key` set, or why it cannot be; setting what it is already changes nothing. */
export const set = (entries: Entries, key: string, value: Schema.Json): Result.Result<Entries, ContextRefused> => {
  const refuse = (rule: typeof ContextRule.Type) =>
    Result.fail(new ContextRefused({ key: CardNumber.mask(key.slice(0, 64)), rule }))
  if (!isKey(key)) return refuse("BadKey")
  if (CardNumber.find({ [key]: value }) !== undefined) return refuse("CardNumber")
  const changed = { ...entries, [key]: value }
  if (Object.keys(changed).length > maxEntries) return refuse("TooManyEntries")
  return CanonicalJson.text(changed).length > maxLength ? refuse("TooLong") : Result.succeed(changed)
}

/** What is under `key`; nothing on the prototype is an entry. */
export const get = (entries: Entries, key: string): Schema.Json | undefined =>
  Object.hasOwn(entries, key) ? entries[key] : undefined
