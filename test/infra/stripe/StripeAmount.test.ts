/** Amounts as Stripe takes them, by its own table. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import type { Currency } from "../../../src/domain/Currency.ts"
import * as Currencies from "../../../src/domain/Currency.ts"
import * as Money from "../../../src/domain/Money.ts"
import * as StripeAmount from "../../../src/infra/stripe/StripeAmount.ts"

interface Table {
  readonly zero_decimal_on_wire: ReadonlyArray<Currency>
  readonly whole_units_sent_times_100: ReadonlyArray<Currency>
  readonly three_decimal_last_digit_must_be_0: ReadonlyArray<Currency>
  readonly vectors: ReadonlyArray<{
    readonly major: string
    readonly currency: string
    readonly amount: number | string
  }>
}

const table = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/stripe-currencies.json", import.meta.url), "utf8")
) as Table

const money = (major: string, currency: string) =>
  Result.getOrThrow(Money.parse(major, currency.toUpperCase() as Currency))
const sent = (major: string, currency: string) => StripeAmount.toStripe(money(major, currency))
const refusal = (major: string, currency: string) => Result.getOrThrow(Result.flip(sent(major, currency))).message

describe("StripeAmount", () => {
  it("sends every vector of Stripe's table, and takes it back", () => {
    assert.strictEqual(table.vectors.length, 8)
    for (const { amount, currency, major } of table.vectors) {
      if (typeof amount === "string") {
        assert.strictEqual(refusal(major, currency), "Stripe takes amounts whose third decimal is 0 in KWD, got 5.124")
        continue
      }
      const here = money(major, currency)
      assert.strictEqual(Result.getOrThrow(StripeAmount.toStripe(here)), amount, `${major} ${currency}`)
      assert.deepStrictEqual(Result.getOrThrow(StripeAmount.fromStripe(here.currency, amount)), here)
    }
  })

  it("sends 7 of every currency in the table's units", () => {
    for (const currency of table.zero_decimal_on_wire) {
      assert.strictEqual(Result.getOrThrow(sent("7", currency)), 7, currency)
    }
    for (const currency of table.whole_units_sent_times_100) {
      assert.strictEqual(Result.getOrThrow(sent("7", currency)), 700, currency)
    }
    for (const currency of table.three_decimal_last_digit_must_be_0) {
      assert.strictEqual(Result.getOrThrow(sent("7", currency)), 7000, currency)
      assert.match(refusal("7.001", currency), /third decimal is 0/)
    }
  })

  it("refuses a part that the wire has no digits for, and what is in none of Stripe's tables", () => {
    // ISO 4217 gives MGA two digits, Stripe none.
    assert.strictEqual(refusal("5000.20", "mga"), "Stripe takes whole units in MGA, got 5000.20")
    assert.strictEqual(refusal("1.000", "iqd"), "Stripe takes no amounts in IQD, got 1.000")
    assert.strictEqual(refusal("1", "uyi"), "Stripe takes no amounts in UYI, got 1")
    const huge = { currency: "EUR", minor: 9_007_199_254_740_993n } as const
    assert.match(Result.getOrThrow(Result.flip(StripeAmount.toStripe(huge))).message, /that a JSON number holds/)
  })

  it("does not believe half a krona", () => {
    const half = Result.flip(StripeAmount.fromStripe("ISK", 550))
    assert.strictEqual(Result.getOrThrow(half).message, "Stripe takes whole units in ISK, got 550 on the wire")
  })

  it("is exact there and back for every currency that it sends", () => {
    const spoken = Currencies.codes.filter((currency) => Result.isSuccess(sent("70", currency)))
    assert.isAbove(spoken.length, 120)
    for (const currency of spoken) {
      const here = money("70", currency)
      const amount = Result.getOrThrow(StripeAmount.toStripe(here))
      assert.deepStrictEqual(Result.getOrThrow(StripeAmount.fromStripe(currency, amount)), here)
    }
  })
})
