/**
 * Amounts in the units that Stripe takes, which are not always the minor units
 * of ISO 4217.
 *
 * | currencies | sent as |
 * | --- | --- |
 * | most | minor units: 10.99 USD is 1099 |
 * | `zeroDecimal` | whole units: 500 JPY is 500, and 5000.00 MGA is 5000 |
 * | `wholeTimesHundred` | whole units times 100: 5 ISK is 500 |
 * | `threeDecimal` | thousandths whose last digit is 0: 5.120 KWD is 5120 |
 *
 * Source: docs.stripe.com/currencies. What has no exact form is refused, never
 * rounded: `StripeAmountError` says what the currency allows.
 */
import { Result, Schema } from "effect"
import * as Currency from "../../domain/Currency.ts"
import * as Money from "../../domain/Money.ts"

export class StripeAmountError extends Schema.TaggedError<StripeAmountError>()("StripeAmountError", {
  currency: Schema.String,
  amount: Schema.String,
  expected: Schema.String
}) {
  override get message() {
    return `Stripe takes ${this.expected} in ${this.currency}, got ${this.amount}`
  }
}

const zeroDecimal: ReadonlySet<string> = new Set(
  "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" ")
)
/** Once with decimals and without them now: Stripe kept the two digits on the wire, which have to be 00. */
const wholeTimesHundred: ReadonlySet<string> = new Set(["ISK", "UGX"])
const threeDecimal: ReadonlySet<string> = new Set(["BHD", "JOD", "KWD", "OMR", "TND"])

interface Wire {
  /** Decimal digits of an amount on the wire. */
  readonly digits: number
  /** What an amount on the wire has to be a multiple of. */
  readonly step: bigint
  readonly says: string
}

/** `undefined` for what is in none of Stripe's tables: its exponent could only be guessed. */
const wireOf = (currency: Currency.Currency): Wire | undefined => {
  if (zeroDecimal.has(currency)) return { digits: 0, step: 1n, says: "whole units" }
  if (wholeTimesHundred.has(currency)) return { digits: 2, step: 100n, says: "whole units" }
  if (threeDecimal.has(currency)) return { digits: 3, step: 10n, says: "amounts whose third decimal is 0" }
  return Currency.digits(currency) === 2 ? { digits: 2, step: 1n, says: "amounts of two decimals" } : undefined
}

/** The amount as Stripe's `amount`. */
export const toStripe = (money: Money.Money): Result.Result<number, StripeAmountError> => {
  const { currency, minor } = money
  const refuse = (expected: string) =>
    Result.fail(new StripeAmountError({ currency, amount: Money.format(money), expected }))
  const wire = wireOf(currency)
  if (wire === undefined) return refuse("no amounts")
  const { says, step } = wire
  const { shift, unit } = shiftOf(currency, wire)
  if (shift < 0 && minor % unit !== 0n) return refuse(says)
  const amount = shift < 0 ? minor / unit : minor * unit
  if (amount % step !== 0n) return refuse(says)
  const sent = Number(amount)
  return Number.isSafeInteger(sent) ? Result.succeed(sent) : refuse("amounts that a JSON number holds")
}

/** What Stripe says that it took. */
export const fromStripe = (
  currency: Currency.Currency,
  amount: number
): Result.Result<Money.Money, StripeAmountError> => {
  const refuse = (expected: string) =>
    Result.fail(new StripeAmountError({ currency, amount: `${amount} on the wire`, expected }))
  const wire = wireOf(currency)
  if (wire === undefined) return refuse("no amounts")
  const { shift, unit } = shiftOf(currency, wire)
  const sent = BigInt(amount)
  if (shift > 0 && sent % unit !== 0n) return refuse(wire.says)
  return Result.succeed({ currency, minor: shift > 0 ? sent / unit : sent * unit })
}

/** How many digits more the wire has than the minor unit, and ten to the power of that. */
const shiftOf = (currency: Currency.Currency, { digits }: Wire) => {
  const shift = digits - Currency.digits(currency)
  return { shift, unit: 10n ** BigInt(Math.abs(shift)) }
}
