/**
 * Amounts of the ledger: exact integers of 10^-4, as `bigint`, written as
 * decimal text with four decimals.
 *
 * Units: 1 is 0.0001. An amount and a balance are at most
 * 922337203685477.5807 either way, the largest signed 64-bit integer; what is
 * beyond is refused and never wrapped or rounded.
 *
 * Text: an optional sign, digits, and an optional fraction of at most four
 * significant digits; zeros may trail it. No exponent, no leading or trailing
 * dot, no grouping.
 */
import * as Schema from "effect/Schema"

/** 922337203685477.5807. */
export const max = 9_223_372_036_854_775_807n
/** As far below zero, so that whatever fits can be taken back. */
export const min = -max

export const isInRange = (value: bigint): boolean => min <= value && value <= max

/** More than nothing, and what fits: what a deposit or a withdrawal moves. */
export const LedgerAmount = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: 1n, maximum: max }, { expected: "an amount of 0.0001 to 922337203685477.5807" })
)
export type LedgerAmount = typeof LedgerAmount.Type

const decimals = 4
const unit = 10n ** BigInt(decimals)

const pattern = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/

/** Exact whatever its size; `undefined` when it is not an amount. */
export const parse = (text: string): bigint | undefined => {
  const [, sign, whole, fraction = ""] = pattern.exec(text) ?? []
  if (whole === undefined) return undefined
  // Beyond the fourth digit there may only be zeros.
  if (/[1-9]/.test(fraction.slice(decimals))) return undefined
  const significant = fraction.slice(0, decimals)
  const magnitude = BigInt(whole) * unit + BigInt(significant.padEnd(decimals, "0"))
  return sign === "-" ? -magnitude : magnitude
}

/** With exactly four decimals: `-80.0000`. */
export const format = (value: bigint): string => {
  const digits = String(value < 0n ? -value : value).padStart(decimals + 1, "0")
  return `${value < 0n ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}
