/**
 * What must not be seen of a run, and texts without it.
 *
 * A value is a secret when its schema makes it `Redacted`. Its texts and numbers
 * are collected from the decoded values of a run, and taken out of whatever is
 * shown: the message of a gateway's error may repeat the token it was sent.
 */
import { Redacted } from "effect"
import type { Schema } from "effect"

export const instead = "<redacted>"

/** A shorter text is taken out only where it is all there is: "12" is in many numbers that are no secret. */
const minLengthWithin = 4

/** Adds the secrets of a decoded value to `found`. */
export const collect = (value: unknown, found: Set<string>, isSecret = false): void => {
  if (Redacted.isRedacted(value)) return collect(Redacted.value(value), found, true)
  if (typeof value === "object" && value !== null) {
    for (const each of Object.values(value)) collect(each, found, isSecret)
    return
  }
  const isText = typeof value === "string" || typeof value === "number" || typeof value === "bigint"
  if (isSecret && isText && value !== "") found.add(String(value))
}

export const maskText = (text: string, secrets: ReadonlySet<string>): string => {
  if (secrets.has(text)) return instead
  let masked = text
  for (const secret of secrets) if (secret.length >= minLengthWithin) masked = masked.replaceAll(secret, instead)
  return masked
}

export const mask = (json: Schema.Json, secrets: ReadonlySet<string>): Schema.Json => {
  if (secrets.size === 0) return json
  if (typeof json === "string") return maskText(json, secrets)
  if (typeof json === "number") return secrets.has(String(json)) ? instead : json
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) return json.map((each) => mask(each, secrets))
  return Object.fromEntries(Object.entries(json).map(([key, each]) => [key, mask(each, secrets)]))
}
