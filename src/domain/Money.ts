/**
 * Money as an exact count of minor units, tagged with its currency.
 *
 * Units: `minor` is the ISO 4217 minor unit (cents for EUR, yen for JPY, a
 * thousandth for KWD), a `bigint`, so nothing ever rounds. Values fit the
 * `bigint` column they are stored in. Only `split` divides, and it conserves
 * the total.
 *
 * Errors: `MoneyError`, whose `reason` says what was asked for and why it has
 * no exact answer.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Currency from "./Currency.ts"

/** The largest and smallest value of PostgreSQL's `bigint`. */
export const maxMinor = 9_223_372_036_854_775_807n
export const minMinor = -9_223_372_036_854_775_808n

export const Minor = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: minMinor, maximum: maxMinor }, { expected: "an amount that fits 64 bits" })
)

export const Money = Schema.Struct({ currency: Currency.Currency, minor: Minor })
export type Money = typeof Money.Type

// --- Errors -----------------------------------------------------------------

/** Amounts of two currencies do not add, subtract or compare. */
export class CurrencyMismatch extends Schema.TaggedError<CurrencyMismatch>()("CurrencyMismatch", {
  expected: Currency.Currency,
  actual: Currency.Currency
}) {}

/** The exact result does not fit 64 bits. */
export class AmountOutOfRange extends Schema.TaggedError<AmountOutOfRange>()("AmountOutOfRange", {
  currency: Currency.Currency,
  minor: Schema.BigInt
}) {}

/** The text has more decimals than the currency has. */
export class FractionTooFine extends Schema.TaggedError<FractionTooFine>()("FractionTooFine", {
  currency: Currency.Currency,
  digits: Schema.Int,
  text: Schema.String
}) {}

/** The text is not a decimal number. */
export class NotAnAmount extends Schema.TaggedError<NotAnAmount>()("NotAnAmount", { text: Schema.String }) {}

/** Shares must be at least one, none negative, and not all zero. */
export class NoShares extends Schema.TaggedError<NoShares>()("NoShares", { shares: Schema.Array(Schema.BigInt) }) {}

export class MoneyError extends Schema.TaggedError<MoneyError>()("MoneyError", {
  reason: Schema.Union([CurrencyMismatch, AmountOutOfRange, FractionTooFine, NotAnAmount, NoShares])
}) {
  override get message() {
    switch (this.reason._tag) {
      case "CurrencyMismatch":
        return `expected an amount in ${this.reason.expected}, got one in ${this.reason.actual}`
      case "AmountOutOfRange":
        return `${this.reason.minor} minor units of ${this.reason.currency} do not fit 64 bits`
      case "FractionTooFine":
        return `${this.reason.currency} has ${this.reason.digits} decimals, got "${this.reason.text}"`
      case "NotAnAmount":
        return `expected a decimal amount such as "10.99", got "${this.reason.text}"`
      case "NoShares":
        return `expected shares that are not negative and not all zero, got [${this.reason.shares.join(", ")}]`
    }
  }
}

type Exact = Result.Result<Money, MoneyError>

// --- Making and asking ------------------------------------------------------

/** `minor` units of `currency`. A value beyond 64 bits is a programming error and throws. */
export const of = (currency: Currency.Currency, minor: bigint): Money => Money.make({ currency, minor })

export const zero = (currency: Currency.Currency): Money => of(currency, 0n)

export const isPositive = (self: Money): boolean => self.minor > 0n

export const equals = (self: Money, that: Money): boolean =>
  self.currency === that.currency && self.minor === that.minor

/** `true` when `self` is at most `that`. Mixed currencies never compare. */
export const atMost = (self: Money, that: Money): boolean => self.currency === that.currency && self.minor <= that.minor

// --- Exact arithmetic -------------------------------------------------------

const exact = (currency: Currency.Currency, minor: bigint): Exact =>
  minor > maxMinor || minor < minMinor
    ? Result.fail(new MoneyError({ reason: new AmountOutOfRange({ currency, minor }) }))
    : Result.succeed({ currency, minor })

const mismatch = (self: Money, that: Money) =>
  Result.fail(new MoneyError({ reason: new CurrencyMismatch({ expected: self.currency, actual: that.currency }) }))

export const add = (self: Money, that: Money): Exact =>
  self.currency === that.currency ? exact(self.currency, self.minor + that.minor) : mismatch(self, that)

export const subtract = (self: Money, that: Money): Exact =>
  self.currency === that.currency ? exact(self.currency, self.minor - that.minor) : mismatch(self, that)

/** -1, 0 or 1 as `self` is less than, equal to or more than `that`. */
export const compare = (self: Money, that: Money): Result.Result<-1 | 0 | 1, MoneyError> =>
  self.currency === that.currency
    ? Result.succeed(self.minor < that.minor ? -1 : self.minor > that.minor ? 1 : 0)
    : mismatch(self, that)

/**
 * Divides `self` in proportion to `shares`; the parts sum to `self` exactly.
 *
 * Each part is rounded towards zero, then the units left over go one each to
 * the parts with the largest remainders, earlier shares first (the largest
 * remainder method). `[1n, 1n, 1n]` splits 10.00 into 3.34, 3.33 and 3.33.
 */
export const split = (self: Money, shares: ReadonlyArray<bigint>): Result.Result<ReadonlyArray<Money>, MoneyError> => {
  const total = shares.reduce((sum, share) => sum + share, 0n)
  if (total <= 0n || shares.some((share) => share < 0n)) {
    return Result.fail(new MoneyError({ reason: new NoShares({ shares: [...shares] }) }))
  }
  const parts = shares.map((share) => (self.minor * share) / total)
  const remainder = (index: number) => {
    const left = (self.minor * shares[index]!) % total
    return left < 0n ? -left : left
  }
  const unit = self.minor < 0n ? -1n : 1n
  const leftOver = self.minor - parts.reduce((sum, part) => sum + part, 0n)
  const byRemainder = parts
    .map((_, index) => index)
    .toSorted((a, b) => (remainder(b) > remainder(a) ? 1 : remainder(b) < remainder(a) ? -1 : a - b))
  for (const index of byRemainder.slice(0, Number(leftOver * unit))) parts[index] = parts[index]! + unit
  return Result.succeed(parts.map((minor) => ({ currency: self.currency, minor })))
}

// --- Text -------------------------------------------------------------------

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/

/**
 * Reads a decimal amount in major units: `"10.99"` EUR is 1099 minor units.
 *
 * Trailing zeros may go beyond the currency's digits (`"5.000"` EUR is exact);
 * any other digit there is `FractionTooFine`. No grouping, exponent or sign `+`.
 */
export const parse = (text: string, currency: Currency.Currency): Exact => {
  const [, sign, whole, fraction = ""] = decimal.exec(text) ?? []
  if (whole === undefined) return Result.fail(new MoneyError({ reason: new NotAnAmount({ text }) }))
  const digits = Currency.digits(currency)
  if (/[1-9]/.test(fraction.slice(digits))) {
    return Result.fail(new MoneyError({ reason: new FractionTooFine({ currency, digits, text }) }))
  }
  const magnitude = BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"))
  return exact(currency, sign === "-" ? -magnitude : magnitude)
}

/** The amount in major units with all of the currency's digits, no grouping: `"10.99"`, `"-0.05"`, `"500"` for JPY. */
export const format = (self: Money): string => {
  const digits = Currency.digits(self.currency)
  const magnitude = String(self.minor < 0n ? -self.minor : self.minor).padStart(digits + 1, "0")
  const whole = magnitude.slice(0, magnitude.length - digits)
  const fraction = magnitude.slice(magnitude.length - digits)
  return `${self.minor < 0n ? "-" : ""}${whole}${digits === 0 ? "" : `.${fraction}`}`
}
