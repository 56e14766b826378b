import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { generate } from "../../scripts/currencies.ts"
import * as Currency from "../../src/domain/Currency.ts"

describe("Currency", () => {
  it("has the digits that ISO 4217 lists", () => {
    const listed = {
      JPY: 0,
      ISK: 0,
      EUR: 2,
      USD: 2,
      MGA: 2,
      MRU: 2,
      XCG: 2,
      ZWG: 2,
      SVC: 2,
      SLE: 2,
      KWD: 3,
      IQD: 3,
      CLF: 4,
      UYW: 4
    } as const
    for (const [code, digits] of Object.entries(listed)) {
      assert.strictEqual(Currency.digits(code as keyof typeof listed), digits, code)
    }
  })

  it("knows no withdrawn code, no metal and no test code", () => {
    const absent = ["BGN", "HRK", "ANG", "CUC", "SLL", "ZWL", "XAU", "XTS", "XXX"]
    assert.notIncludeMembers<string>([...Currency.codes], absent)
  })

  it("lists each code once, in order, as three capital letters", () => {
    assert.isAbove(Currency.codes.length, 150)
    assert.deepStrictEqual(Currency.codes, [...new Set(Currency.codes)].toSorted())
    for (const code of Currency.codes) assert.match(code, /^[A-Z]{3}$/)
  })

  it("says what was expected of an unknown code", () => {
    for (const unknown of ["BGN", "eur", "", "toString", 978, null]) {
      const decoded = Schema.decodeUnknownResult(Currency.Currency)(unknown)
      assert.isTrue(Result.isFailure(decoded), `accepted ${unknown}`)
      assert.match(String(decoded), /an ISO 4217 currency code such as "EUR"/)
    }
    assert.strictEqual(Schema.decodeUnknownSync(Currency.Currency)("EUR"), "EUR")
  })
})

describe("CurrencyTable", () => {
  it("is what its sources say today; if not, `npm run currencies`", () => {
    const text = readFileSync(new URL("../../src/domain/CurrencyTable.ts", import.meta.url), "utf8")
    assert.strictEqual(text, generate(new Date().toISOString().slice(0, 10)))
  })
})
