/**
 * What a part of a period costs.
 *
 * The price of a period is spread over it as one running total, rounded to the
 * minor unit: `used` of a moment is what the period has cost up to then. A
 * part costs the difference of two running totals. So however a period is
 * split, its parts sum to its price exactly, and what is credited and charged
 * at one moment for one price is the same amount.
 *
 * Units: `bigint` minor units; nothing here is a fraction.
 */
import type { Instant } from "../Instant.ts"
import { daysBetween } from "./BillingAnchor.ts"
import type { TimeZone } from "./BillingAnchor.ts"

/**
 * `second`: to the second. `day`: to the day of the zone's calendar, where the
 * day of a change belongs to what comes after it. `none`: changes and
 * cancellations are neither credited nor charged before the period's end.
 */
export type By = "second" | "day" | "none"

export interface Period {
  readonly start: Instant
  readonly end: Instant
}

/** What of `price` is used up at `at`, from 0 at the period's start to all of it at its end. */
export const used = (price: bigint, period: Period, at: Instant, by: By, zone: TimeZone): bigint => {
  const whole = length(period, period.end, by, zone)
  const part = at <= period.start ? 0n : at >= period.end ? whole : length(period, at, by, zone)
  return whole === 0n ? price : divideHalfUp(price * part, whole)
}

/** What of `price` is left at `at`: what `used` leaves of it. */
export const unused = (price: bigint, period: Period, at: Instant, by: By, zone: TimeZone): bigint =>
  price - used(price, period, at, by, zone)

const secondMillis = 1000

/** From the period's start to `at`, in units of the policy; whole seconds, so that a repeat in one second is free. */
const length = ({ start }: Period, at: Instant, by: By, zone: TimeZone): bigint =>
  by === "day"
    ? BigInt(daysBetween(start, at, zone))
    : BigInt(Math.floor(at / secondMillis) - Math.floor(start / secondMillis))

/** Of amounts that are not negative: to the nearest, halves up. */
export const divideHalfUp = (dividend: bigint, divisor: bigint): bigint => (2n * dividend + divisor) / (2n * divisor)
