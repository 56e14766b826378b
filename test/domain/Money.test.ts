import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Currency } from "../../src/domain/Currency.ts"
import * as Money from "../../src/domain/Money.ts"

const eur = (minor: bigint) => Money.of("EUR", minor)
const usd = (minor: bigint) => Money.of("USD", minor)
const max = 9_223_372_036_854_775_807n
const min = -9_223_372_036_854_775_808n

const refusal = <A>(result: Result.Result<A, Money.MoneyError>) =>
  Result.isFailure(result) ? Schema.encodeSync(Money.MoneyError)(result.failure).reason : undefined
const message = <A>(result: Result.Result<A, Money.MoneyError>) =>
  Result.isFailure(result) ? result.failure.message : undefined
const mismatch = { _tag: "CurrencyMismatch", expected: "EUR", actual: "USD" } as const
const outOfRange = (minor: bigint) => ({ _tag: "AmountOutOfRange", currency: "EUR", minor }) as const

/** Currencies of every number of digits that ISO 4217 knows. */
const digitsOf = { JPY: 0, EUR: 2, KWD: 3, CLF: 4 } as const
const sampled = Schema.Struct({ currency: Schema.Literals(["JPY", "EUR", "KWD", "CLF"]), minor: Money.Minor })
const shares = Schema.Array(Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_000n })))

describe("Money.of", () => {
  it("holds whatever 64 bits hold, and nothing more", () => {
    assert.deepStrictEqual([eur(max).minor, eur(min).minor], [max, min])
    for (const minor of [max + 1n, min - 1n]) {
      assert.throws(() => eur(minor), /validation failed/)
      const decoded = Schema.decodeUnknownResult(Money.Money)({ currency: "EUR", minor })
      assert.match(String(decoded), /an amount that fits 64 bits/)
    }
  })

  it("knows what is positive, zero not being so", () => {
    assert.deepStrictEqual([-1n, 0n, 1n].map(eur).map(Money.isPositive), [false, false, true])
    assert.deepStrictEqual(Money.zero("JPY"), { currency: "JPY", minor: 0n })
  })
})

describe("Money.add and Money.subtract", () => {
  it("are exact where a double would round", () => {
    assert.deepStrictEqual(Money.add(eur(9_007_199_254_740_993n), eur(2n)), Result.succeed(eur(9_007_199_254_740_995n)))
    assert.deepStrictEqual(Money.subtract(eur(5n), eur(7n)), Result.succeed(eur(-2n)))
  })

  it("refuse a second currency, even for zero", () => {
    assert.deepStrictEqual(refusal(Money.add(eur(1n), usd(0n))), mismatch)
    assert.deepStrictEqual(refusal(Money.subtract(eur(1n), usd(0n))), mismatch)
    assert.strictEqual(message(Money.add(eur(1n), usd(0n))), "expected an amount in EUR, got one in USD")
  })

  it("reach the ends of 64 bits and refuse one unit beyond", () => {
    assert.deepStrictEqual(Money.add(eur(max - 1n), eur(1n)), Result.succeed(eur(max)))
    assert.deepStrictEqual(Money.subtract(eur(min + 1n), eur(1n)), Result.succeed(eur(min)))
    assert.deepStrictEqual(refusal(Money.add(eur(max), eur(1n))), outOfRange(max + 1n))
    assert.deepStrictEqual(refusal(Money.subtract(eur(min), eur(1n))), outOfRange(min - 1n))
    assert.match(message(Money.add(eur(max), eur(1n)))!, /^9223372036854775808 minor units of EUR do not fit 64 bits$/)
  })

  it.prop("undo each other, and refuse only what wraps around in 64 bits", [Money.Minor, Money.Minor], ([a, b]) => {
    const wraps = BigInt.asIntN(64, a + b) !== a + b
    const sum = Money.add(eur(a), eur(b))
    assert.strictEqual(Result.isFailure(sum), wraps)
    if (Result.isSuccess(sum)) assert.deepStrictEqual(Money.subtract(sum.success, eur(b)), Result.succeed(eur(a)))
  })
})

describe("Money.compare, atMost and equals", () => {
  it("agree with the number line", () => {
    const line = [min, -2n, -1n, 0n, 1n, 10n, max].map(eur)
    for (const [i, a] of line.entries()) {
      for (const [j, b] of line.entries()) {
        assert.deepStrictEqual(Money.compare(a, b), Result.succeed(Math.sign(i - j) as -1 | 0 | 1))
        assert.strictEqual(Money.atMost(a, b), i <= j)
        assert.strictEqual(Money.equals(a, b), i === j)
      }
    }
  })

  it.prop("never relate two currencies", [Money.Minor, Money.Minor], ([a, b]) => {
    assert.deepStrictEqual(refusal(Money.compare(eur(a), usd(b))), mismatch)
    assert.isFalse(Money.atMost(eur(a), usd(b)) || Money.atMost(usd(b), eur(a)))
    assert.isFalse(Money.equals(eur(a), usd(a)))
  })
})

describe("Money.split", () => {
  const table: ReadonlyArray<readonly [minor: bigint, shares: ReadonlyArray<bigint>, parts: ReadonlyArray<bigint>]> = [
    [1000n, [1n, 1n, 1n], [334n, 333n, 333n]],
    [1001n, [1n, 1n, 1n], [334n, 334n, 333n]],
    [7n, [1n, 2n, 3n], [1n, 2n, 4n]],
    [7n, [3n, 2n, 1n], [4n, 2n, 1n]],
    [7n, [2n, 3n, 1n], [2n, 4n, 1n]],
    [5n, [3n, 3n, 1n], [2n, 2n, 1n]],
    [-7n, [1n, 2n, 3n], [-1n, -2n, -4n]],
    [-1000n, [1n, 1n, 1n], [-334n, -333n, -333n]],
    [1n, [0n, 1n, 1n], [0n, 1n, 0n]],
    [0n, [1n, 2n], [0n, 0n]],
    [99n, [7n], [99n]],
    [max, [1n, 1n], [4_611_686_018_427_387_904n, 4_611_686_018_427_387_903n]],
    [min, [1n, 1n], [-4_611_686_018_427_387_904n, -4_611_686_018_427_387_904n]]
  ]

  it("gives left-over units to the largest remainders, earlier shares first", () => {
    for (const [minor, shares, parts] of table) {
      assert.deepStrictEqual(
        Money.split(eur(minor), shares),
        Result.succeed(parts.map(eur)),
        `${minor} by ${shares.join()}`
      )
    }
  })

  it("refuses shares that are missing, all zero or negative", () => {
    for (const shares of [[], [0n, 0n], [-1n, 3n], [2n, -2n]]) {
      assert.deepStrictEqual(refusal(Money.split(eur(1n), shares)), { _tag: "NoShares", shares })
    }
    assert.match(message(Money.split(eur(1n), [-1n, 3n]))!, /not negative and not all zero, got \[-1, 3\]$/)
  })

  it.prop(
    "conserves the total and stays within one unit of the exact share",
    [Money.Money, shares],
    ([money, some]) => {
      const all = [...some, 1n]
      const total = all.reduce((sum, share) => sum + share, 0n)
      const parts = Result.getOrThrow(Money.split(money, all))
      assert.strictEqual(parts.length, all.length)
      let left = money.minor
      for (const [index, { currency, minor }] of parts.entries()) {
        // |part - minor * share / total| < 1, without the division.
        const error = minor * total - money.minor * all[index]!
        assert.isTrue(error < total && -error < total, `part ${index} of ${money.minor} by ${all.join()}`)
        assert.strictEqual(currency, money.currency)
        left -= minor
      }
      assert.strictEqual(left, 0n)
    }
  )
})

describe("Money.parse and Money.format", () => {
  const written: ReadonlyArray<readonly [currency: Currency, minor: bigint, text: string]> = [
    ["JPY", 500n, "500"],
    ["JPY", 0n, "0"],
    ["JPY", -7n, "-7"],
    ["EUR", 1099n, "10.99"],
    ["EUR", 0n, "0.00"],
    ["EUR", -5n, "-0.05"],
    ["KWD", 1n, "0.001"],
    ["KWD", 12_340n, "12.340"],
    ["CLF", 1n, "0.0001"],
    ["CLF", -123_456n, "-12.3456"],
    ["EUR", max, "92233720368547758.07"],
    ["EUR", min, "-92233720368547758.08"]
  ]
  const read: ReadonlyArray<readonly [currency: Currency, text: string, minor: bigint]> = [
    ["EUR", "5", 500n],
    ["EUR", "5.5", 550n],
    ["EUR", "5.000", 500n],
    ["EUR", "007.10", 710n],
    ["EUR", "-0", 0n],
    ["EUR", "-0.00", 0n],
    ["JPY", "5.00", 5n],
    ["KWD", "1.5", 1500n]
  ]

  it("write and read the same table", () => {
    for (const [currency, minor, text] of written) {
      assert.strictEqual(Money.format(Money.of(currency, minor)), text)
      assert.deepStrictEqual(Money.parse(text, currency), Result.succeed(Money.of(currency, minor)))
    }
    for (const [currency, text, minor] of read) {
      assert.deepStrictEqual(Money.parse(text, currency), Result.succeed(Money.of(currency, minor)), text)
    }
  })

  it("refuse what is no decimal number", () => {
    for (const text of [
      "",
      "-",
      ".5",
      "5.",
      "+5",
      "1,000.00",
      "1e3",
      " 5",
      "5\n",
      "--5",
      "٥",
      "0x10",
      "NaN",
      "1.2.3"
    ]) {
      assert.deepStrictEqual(refusal(Money.parse(text, "EUR")), { _tag: "NotAnAmount", text })
    }
    assert.strictEqual(message(Money.parse("ten", "EUR")), 'expected a decimal amount such as "10.99", got "ten"')
  })

  it("refuse more decimals than the currency has", () => {
    for (const [currency, digits] of Object.entries(digitsOf)) {
      const text = `1.${"0".repeat(digits)}1`
      const expected = { _tag: "FractionTooFine", currency, digits, text }
      assert.deepStrictEqual<unknown>(refusal(Money.parse(text, currency as keyof typeof digitsOf)), expected)
    }
    assert.strictEqual(message(Money.parse("10.999", "EUR")), 'EUR has 2 decimals, got "10.999"')
  })

  it("refuse an amount beyond 64 bits", () => {
    assert.deepStrictEqual(refusal(Money.parse("92233720368547758.08", "EUR")), outOfRange(max + 1n))
    assert.deepStrictEqual(refusal(Money.parse("-92233720368547758.09", "EUR")), outOfRange(min - 1n))
  })

  it.prop("write what long division writes", [sampled], ([money]) => {
    const unit = 10n ** BigInt(digitsOf[money.currency])
    const magnitude = money.minor < 0n ? -money.minor : money.minor
    const fraction = unit === 1n ? "" : `.${String(unit + (magnitude % unit)).slice(1)}`
    assert.strictEqual(Money.format(money), `${money.minor < 0n ? "-" : ""}${magnitude / unit}${fraction}`)
  })

  it.prop("read back what they wrote", [Money.Money], ([money]) => {
    assert.deepStrictEqual(Money.parse(Money.format(money), money.currency), Result.succeed(money))
  })
})
