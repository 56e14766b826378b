/**
 * When periods begin.
 *
 * Every boundary is counted from the anchor and never from the boundary before
 * it, so nothing drifts: an anchor on the 31st gives 28 February, and 31 March
 * after it. A day that a month lacks is the month's last day. The anchor's
 * time of day is kept on the clocks of the subscription's zone: where they skip
 * it, the boundary is as much later as they skip; where they show it twice, it
 * is the first of the two.
 *
 * Units: instants in milliseconds; `index` counts whole intervals from the
 * anchor, which is boundary 0. Zones are IANA names.
 */
import { DateTime, Option, Schema, Struct } from "effect"
import { Instant } from "../Instant.ts"
import type { Interval } from "./BillingPlan.ts"

const isZone = (name: string) => Option.isSome(DateTime.zoneMakeNamed(name))

/** The name of a zone that this machine's time zone database has. */
export const TimeZone = Schema.String.check(
  Schema.isMaxLength(64),
  Schema.makeFilter((name: string) => isZone(name) || 'an IANA time zone such as "Europe/Berlin"')
).pipe(Schema.brand("TimeZone"))
export type TimeZone = typeof TimeZone.Type

/** The `index`-th boundary after the anchor. */
export const boundary = (anchor: Instant, zone: TimeZone, { count, unit }: Interval, index: number): Instant => {
  // An anchor in the second of two hours is not found again by the time that its clocks show.
  if (index === 0) return anchor
  const steps = count * index
  switch (unit) {
    case "day":
      return daysAfter(anchor, zone, steps)
    case "week":
      return daysAfter(anchor, zone, steps * 7)
    case "month":
      return monthsAfter(anchor, zone, steps)
    case "year":
      return monthsAfter(anchor, zone, steps * 12)
  }
}

/** The same time of day, `days` days later on the zone's calendar. */
export const daysAfter = (anchor: Instant, zone: TimeZone, days: number): Instant => {
  const local = localOf(anchor, zone)
  return instantOf({ ...local, day: local.day + days }, zone)
}

/** How many days of the zone's calendar lie between the dates of two instants. */
export const daysBetween = (from: Instant, to: Instant, zone: TimeZone): number =>
  dayNumber(localOf(to, zone)) - dayNumber(localOf(from, zone))

// --- The zone's clocks ------------------------------------------------------

type Local = DateTime.DateTime.PartsWithWeekday

const zoneOf = (zone: TimeZone) => DateTime.zoneMakeNamedUnsafe(zone)

const localOf = (at: Instant, zone: TimeZone): Local =>
  DateTime.toParts(DateTime.makeZonedUnsafe(at, { timeZone: zoneOf(zone) }))

/** A day beyond its month counts into the next ones. */
const instantOf = (local: Local, zone: TimeZone): Instant =>
  Instant.make(
    DateTime.toEpochMillis(
      DateTime.makeZonedUnsafe(Struct.omit(local, ["weekDay"]), {
        timeZone: zoneOf(zone),
        adjustForTimeZone: true,
        disambiguation: "compatible"
      })
    )
  )

const monthsAfter = (anchor: Instant, zone: TimeZone, months: number): Instant => {
  const local = localOf(anchor, zone)
  const monthsInAll = local.year * 12 + (local.month - 1) + months
  const [year, month] = [Math.floor(monthsInAll / 12), (monthsInAll % 12) + 1]
  return instantOf({ ...local, year, month, day: Math.min(local.day, daysIn(year, month)) }, zone)
}

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const dayMillis = 86_400_000

const dayNumber = ({ day, month, year }: Local): number =>
  Math.floor(DateTime.toEpochMillis(DateTime.makeUnsafe({ year, month, day })) / dayMillis)
