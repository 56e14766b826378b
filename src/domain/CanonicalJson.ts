/** One text for one JSON value: keys sorted at every depth, absent and `undefined` alike, no spaces. */
import type { Schema } from "effect"

export const text = (json: Schema.Json): string => JSON.stringify(sorted(json))

const sorted = (json: Schema.Json): Schema.Json => {
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) return json.map(sorted)
  const object = json as Schema.JsonObject
  return Object.fromEntries(
    Object.keys(object)
      .toSorted()
      .flatMap((key) => (object[key] === undefined ? [] : [[key, sorted(object[key])]]))
  )
}
