import { assert, describe, it } from "@effect/vitest"
import * as Currency from "../../../src/domain/Currency.ts"
import * as AdyenAmount from "../../../src/infra/adyen/AdyenAmount.ts"

describe("AdyenAmount", () => {
  const table: ReadonlyArray<readonly [Currency.Currency, minor: bigint, value: number]> = [
    ["EUR", 10_99n, 1099],
    ["JPY", 500n, 500],
    ["KWD", 1_234n, 1234],
    ["UGX", 500n, 500],
    ["CLP", 500n, 50000],
    ["ISK", 2790n, 279000],
    ["CVE", 500_00n, 500],
    ["IDR", 15000_00n, 15000],
    ["EUR", 0n, 0],
    ["ISK", -1n, -100]
  ]
  it.each(table)("%s %s is %i", (currency, minor, value) => {
    assert.deepStrictEqual(AdyenAmount.of({ currency, minor }), { currency, value })
    assert.deepStrictEqual(AdyenAmount.moneyOf({ currency, value }), { currency, minor })
  })

  it("never rounds, and never leaves the numbers that are exact", () => {
    assert.isUndefined(AdyenAmount.of({ currency: "CVE", minor: 1_50n }))
    assert.isUndefined(AdyenAmount.of({ currency: "IDR", minor: 1n }))
    assert.deepStrictEqual(AdyenAmount.of({ currency: "EUR", minor: 9_007_199_254_740_991n })?.value, 2 ** 53 - 1)
    assert.isUndefined(AdyenAmount.of({ currency: "EUR", minor: 9_007_199_254_740_992n }))
    assert.isUndefined(AdyenAmount.of({ currency: "ISK", minor: 9_007_199_254_740_991n }))
    assert.isUndefined(AdyenAmount.moneyOf({ currency: "CLP", value: 150 }))
    assert.isUndefined(AdyenAmount.moneyOf({ currency: "CNH", value: 100 }))
  })

  it("differs from ISO 4217 in four currencies, and in no other", () => {
    const others = Currency.codes.filter((currency) => AdyenAmount.of({ currency, minor: 100n })?.value !== 100)
    assert.deepStrictEqual([...others].toSorted(), ["CLP", "CVE", "IDR", "ISK"])
  })
})
