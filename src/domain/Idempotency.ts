/**
 * One key, one request, one answer.
 *
 *     absent -> in flight -> completed
 *         \________/            (a transient failure releases the key)
 *
 * A key names a request, so the same key with another request is a conflict,
 * and the conflict names the field that differs. The fingerprint is the
 * request's canonical text itself and not a hash of it: two requests are the
 * same exactly when their texts are, and what differs can be found.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header.
 */
import { Schema } from "effect"
import * as CanonicalJson from "./CanonicalJson.ts"

/** Printable ASCII; long enough for two UUIDs and a prefix, short enough for every index. */
const maxKeyLength = 255

export const IdempotencyKey = Schema.String.check(
  Schema.isMinLength(1, { expected: "an idempotency key that is not empty" }),
  Schema.isMaxLength(maxKeyLength, { expected: `an idempotency key of at most ${maxKeyLength} characters` }),
  Schema.isPattern(/^[ -~]*$/, { expected: "an idempotency key of printable ASCII characters" })
).pipe(Schema.brand("IdempotencyKey"))
export type IdempotencyKey = typeof IdempotencyKey.Type

export const Fingerprint = Schema.String.pipe(Schema.brand("Fingerprint"))
export type Fingerprint = typeof Fingerprint.Type

/** The canonical JSON of a request. */
export const fingerprint = (request: Schema.Json): Fingerprint => Fingerprint.make(CanonicalJson.text(request))

// --- What a key stands for --------------------------------------------------

/** What is stored under a key. `answer` is what was answered, once that is settled. */
export interface Entry<Answer> {
  readonly fingerprint: Fingerprint
  readonly answer: Answer | undefined
}

export type Verdict<Answer> =
  | { readonly _tag: "Proceed" }
  /** Another request was made under this key; `field` is the first that differs, as a path. */
  | { readonly _tag: "Conflict"; readonly field: string }
  | { readonly _tag: "InFlight" }
  | { readonly _tag: "Replay"; readonly answer: Answer }

export const decide = <Answer>(entry: Entry<Answer> | undefined, request: Fingerprint): Verdict<Answer> => {
  if (entry === undefined) return { _tag: "Proceed" }
  if (entry.fingerprint !== request) return { _tag: "Conflict", field: difference(entry.fingerprint, request) }
  return entry.answer === undefined ? { _tag: "InFlight" } : { _tag: "Replay", answer: entry.answer }
}

/** The path of the first value that differs, in the order of the keys: `metadata.order`, `paymentMethods.1`. */
export const difference = (before: Fingerprint, after: Fingerprint): string =>
  (firstDifference(JSON.parse(before), JSON.parse(after)) ?? []).join(".")

const firstDifference = (
  before: Schema.Json | undefined,
  after: Schema.Json | undefined
): Array<string> | undefined => {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) {
    return before === after ? undefined : []
  }
  if (Array.isArray(before) !== Array.isArray(after)) return []
  const left = before as Schema.JsonObject
  const right = after as Schema.JsonObject
  for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].toSorted()) {
    const below = firstDifference(own(left, key), own(right, key))
    if (below !== undefined) return [key, ...below]
  }
  return undefined
}

/** A key that is missing is not to be found on the prototype (`__proto__`). */
const own = (object: Schema.JsonObject, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined)
