/** A moment: whole milliseconds since 1970-01-01T00:00:00Z, always after it. */
import * as Schema from "effect/Schema"

/** The last millisecond that both a JavaScript `Date` and ISO 8601 with four-digit years can name. */
const lastMillis = 253_402_300_799_999

export const Instant = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: lastMillis })).pipe(
  Schema.brand("Instant")
)
export type Instant = typeof Instant.Type

/** `self` moved by `millis`, which may be negative; stays inside what an `Instant` can hold. */
export const plus = (self: Instant, millis: number): Instant =>
  Instant.make(Math.min(lastMillis, Math.max(1, Math.trunc(self + millis))))

/** The earlier of two moments. */
export const earlier = (self: Instant, that: Instant): Instant => (self <= that ? self : that)

/** The later of two moments. */
export const later = (self: Instant, that: Instant): Instant => (self >= that ? self : that)
