/**
 * Amounts as Adyen counts them: whole minor units with Adyen's own number of
 * decimals, which is ISO 4217's but for four currencies.
 *
 * | currency | ISO 4217 | Adyen |
 * | --- | --- | --- |
 * | CLP | 0 | 2 |
 * | CVE | 2 | 0 |
 * | IDR | 2 | 0 |
 * | ISK | 0 | 2 |
 *
 * Neither direction rounds: what Adyen cannot say exactly has no amount, and
 * what florin cannot hold exactly is no money.
 *
 * Source: https://docs.adyen.com/development-resources/currency-codes ("differs from standard").
 */
import { Schema } from "effect"
import * as Currency from "../../domain/Currency.ts"
import type { Money } from "../../domain/Money.ts"

/** A JSON number: beyond 2^53 it would not be exact. */
export const AdyenAmount = Schema.Struct({ currency: Schema.String, value: Schema.Int })
export type AdyenAmount = typeof AdyenAmount.Type

const decimals: Partial<Record<Currency.Currency, number>> = { CLP: 2, CVE: 0, IDR: 0, ISK: 2 }

/** How many decimals Adyen has more than ISO 4217; negative when it has fewer. */
const shiftOf = (currency: Currency.Currency): number => {
  const iso = Currency.digits(currency)
  return (decimals[currency] ?? iso) - iso
}

/** `minor` by 10^`shift`; `undefined` when that is no whole number. */
const shifted = (minor: bigint, shift: number): bigint | undefined => {
  const factor = 10n ** BigInt(Math.abs(shift))
  if (shift >= 0) return minor * factor
  return minor % factor === 0n ? minor / factor : undefined
}

/** `undefined` when Adyen has no such amount: 1.50 CVE, or more than a JSON number holds. */
export const of = ({ currency, minor }: Money): AdyenAmount | undefined => {
  const value = shifted(minor, shiftOf(currency))
  return value === undefined || !Number.isSafeInteger(Number(value)) ? undefined : { currency, value: Number(value) }
}

const isCurrency = Schema.is(Currency.Currency)

/** `undefined` when it is in no currency of ISO 4217, or finer than the currency is. */
export const moneyOf = ({ currency, value }: AdyenAmount): Money | undefined => {
  if (!isCurrency(currency)) return undefined
  const minor = shifted(BigInt(value), -shiftOf(currency))
  return minor === undefined ? undefined : { currency, minor }
}
