/**
 * What is sold: a price for each interval, and perhaps a trial before the first.
 *
 * A subscription keeps the plan that it was sold, so a plan that changes is a
 * new plan, and no price moves under a customer.
 */
import { Schema } from "effect"
import * as Money from "../Money.ts"
import { Text, Token } from "../Text.ts"

export const PlanId = Token(64).pipe(Schema.brand("PlanId"))
export type PlanId = typeof PlanId.Type

/** Longer than anyone bills in one go; a century of years is still a moment that can be named. */
const maxCount = 365

/** `{ unit: "month", count: 3 }` is a quarter. */
export const Interval = Schema.Struct({
  unit: Schema.Literals(["day", "week", "month", "year"]),
  count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxCount }))
})
export type Interval = typeof Interval.Type

/** Millions of lines of the largest price still add up within 64 bits. */
const maxPriceMinor = 1_000_000_000_000n

export const Price = Schema.Struct({
  ...Money.Money.fields,
  minor: Schema.BigInt.check(
    Schema.isBetweenBigInt(
      { minimum: 0n, maximum: maxPriceMinor },
      { expected: `a price of 0 to ${maxPriceMinor} minor units` }
    )
  )
})

/** Two years: beyond it, it is a free plan. */
const maxTrialDays = 730

export const BillingPlan = Schema.Struct({
  id: PlanId,
  name: Text(120),
  /** Of one interval, in advance. */
  price: Price,
  interval: Interval,
  /** Whole days of the subscription's own calendar; 0 for none. */
  trialDays: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxTrialDays }))
})
export type BillingPlan = typeof BillingPlan.Type

export const isSameInterval = (self: Interval, that: Interval): boolean =>
  self.unit === that.unit && self.count === that.count
