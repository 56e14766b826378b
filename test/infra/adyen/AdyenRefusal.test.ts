import { assert, describe, it } from "@effect/vitest"
import * as AdyenRefusal from "../../../src/infra/adyen/AdyenRefusal.ts"

const declineOf = (refusal: Partial<AdyenRefusal.Refusal>) =>
  AdyenRefusal.declineOf({ code: undefined, reason: undefined, advice: undefined, ...refusal })

describe("AdyenRefusal", () => {
  const categories = {
    retryLater: [4, 9, 21, 39],
    otherInstrument: [2, 3, 6, 8, 10, 11, 12, 17, 18, 19, 23, 24, 25, 27, 28, 29, 32, 33, 34, 35, 36, 38, 42],
    final: [5, 7, 14, 15, 16, 20, 22, 26, 31, 46]
  }
  it("knows these codes, and what each leaves open", () => {
    for (const [category, codes] of Object.entries(categories)) {
      for (const code of codes) {
        const { category: found, code: said } = declineOf({ code: String(code) })
        assert.deepStrictEqual([said, found], [String(code), category])
      }
    }
    const known = Object.values(categories).flat().map(String)
    assert.deepStrictEqual(Object.keys(AdyenRefusal.table).toSorted(), known.toSorted())
  })

  it("takes what it does not know for final", () => {
    for (const code of ["0", "1", "13", "999", "constructor", ""]) {
      assert.strictEqual(declineOf({ code }).category, "final", code)
    }
    assert.deepStrictEqual(declineOf({ reason: "Something new!" }), {
      code: "something_new",
      category: "final",
      advice: "Something new!"
    })
    assert.deepStrictEqual(declineOf({}), { code: "refused", category: "final" })
  })

  it("finds the code by the reason's name, as notifications have it", () => {
    for (const [reason, code, category] of [
      ["Not enough balance", "12", "otherInstrument"],
      ["ISSUER UNAVAILABLE", "9", "retryLater"],
      ["FRAUD", "20", "final"]
    ] as const) {
      assert.deepStrictEqual(declineOf({ reason }), { code, category, advice: reason })
    }
  })

  it("stops where the scheme says never to try again, whatever the reason", () => {
    for (const advice of ["03: Do not try again", "21: Payment Cancellation"]) {
      assert.strictEqual(declineOf({ code: "9", advice }).category, "final")
    }
    assert.strictEqual(declineOf({ code: "9", advice: "02: Try again later" }).category, "retryLater")
  })
})
