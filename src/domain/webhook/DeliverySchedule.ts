/**
 * When a delivery that failed is tried again: twelve tries in a day and a bit.
 *
 *     at once, then 5 s, 1 min, 5 min, 15 min, 30 min, 1 h, 2 h, 4 h, 8 h, 14 h and 24 h after the first
 *
 * A restart is over within the first two, a deployment within the next, and an
 * outage over night before the last. Each wait is up to a fifth longer, by
 * chance, so that what failed together does not come back together; a
 * receiver's `Retry-After` is a lower bound. Who has not taken it after the
 * last is taken for gone.
 */
import type { Instant } from "../Instant.ts"
import { plus } from "../Instant.ts"

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** After the first try, in milliseconds. */
export const momentsMillis: ReadonlyArray<number> = [
  5 * second,
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
  14 * hour,
  24 * hour
]

const lastMillis = momentsMillis.at(-1)!

const jitter = 0.2

/** As long as anybody is made to wait who asks to be left alone. */
const maxRetryAfterMillis = hour

export interface Failed {
  /** How many tries there were, this one included. */
  readonly attempts: number
  readonly firstAt: Instant
  readonly now: Instant
  /** From 0 to below 1, by chance. */
  readonly draw: number
  readonly retryAfterMillis?: number | undefined
}

export type Next = { readonly _tag: "At"; readonly at: Instant } | { readonly _tag: "Exhausted" }

/** What follows a try that failed. */
export const next = ({ attempts, draw, firstAt, now, retryAfterMillis = 0 }: Failed): Next => {
  // A delivery that a breaker held back has had fewer tries in its day.
  if (attempts > momentsMillis.length || now - firstAt >= lastMillis) return { _tag: "Exhausted" }
  const waitMillis = momentsMillis[attempts - 1]! - (momentsMillis[attempts - 2] ?? 0)
  const spreadMillis = waitMillis * (1 + jitter * draw)
  return { _tag: "At", at: plus(now, Math.max(spreadMillis, Math.min(retryAfterMillis, maxRetryAfterMillis))) }
}
