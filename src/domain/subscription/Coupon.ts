/**
 * A reduction of a plan's price, for one period, for several, or for good.
 *
 * It holds for whole periods: one that is applied during a period begins with
 * the next, and one that holds for a period holds for every plan in it.
 */
import { Schema } from "effect"
import * as Money from "../Money.ts"
import { Token } from "../Text.ts"
import { Price } from "./BillingPlan.ts"
import { divideHalfUp } from "./Proration.ts"

export const CouponCode = Token(64).pipe(Schema.brand("CouponCode"))
export type CouponCode = typeof CouponCode.Type

/** Hundredths of a percent: 2500 is a quarter off. */
const wholeBasisPoints = 10_000

/** Ten years of months. */
const maxPeriods = 120

export const Coupon = Schema.Struct({
  code: CouponCode,
  off: Schema.TaggedUnion({
    Percent: { basisPoints: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: wholeBasisPoints })) },
    Amount: { amount: Price }
  }),
  duration: Schema.TaggedUnion({
    Once: {},
    Repeating: { periods: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxPeriods })) },
    Forever: {}
  })
})
export type Coupon = typeof Coupon.Type

/** How many periods it holds for; `undefined` for good. */
export const periods = ({ duration }: Coupon): number | undefined => {
  switch (duration._tag) {
    case "Once":
      return 1
    case "Repeating":
      return duration.periods
    case "Forever":
      return undefined
  }
}

/** A percentage is of any currency, an amount of its own. */
export const isFor = ({ off }: Coupon, { currency }: Money.Money): boolean =>
  off._tag === "Percent" || off.amount.currency === currency

/** What it takes off `minor` minor units: rounded half up, and never more than there is. */
export const reduction = (self: Coupon | undefined, minor: bigint): bigint => {
  if (self === undefined) return 0n
  const { off } = self
  if (off._tag === "Percent") return divideHalfUp(minor * BigInt(off.basisPoints), BigInt(wholeBasisPoints))
  return off.amount.minor < minor ? off.amount.minor : minor
}
