import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/subscription.ts", () => {
  it("bills a year: the leap day, an upgrade, a card that expired, and the end", () => {
    const said = execFileSync(process.execPath, ["examples/subscription.ts"], { encoding: "utf8" })
      .trimEnd()
      .split("\n")
    assert.deepStrictEqual(said.slice(0, 9), [
      "No. 1, 2028-01-31: 5.00 EUR",
      "  1.   10.00  Basic, 2028-01-31 to 2028-02-29",
      "  2.   -5.00  Coupon WELCOME, 2028-01-31 to 2028-02-29",
      "No. 2, 2028-02-29: 5.00 EUR",
      "  1.   10.00  Basic, 2028-02-29 to 2028-03-31",
      "  2.   -5.00  Coupon WELCOME, 2028-02-29 to 2028-03-31",
      "No. 3, 2028-03-31: 10.00 EUR",
      "  1.   10.00  Basic, 2028-03-31 to 2028-04-30",
      "No. 4, 2028-04-15: 7.50 EUR"
    ])
    assert.deepStrictEqual(said.slice(9, 11), [
      "  1.   -5.00  Unused time on Basic, 2028-04-15 to 2028-04-30",
      "  2.   12.50  Remaining time on Pro, 2028-04-15 to 2028-04-30"
    ])
    assert.deepStrictEqual(
      said.filter((line) => line.startsWith("No.")).slice(4),
      ["04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30"].map(
        (day, index) => `No. ${index + 5}, 2028-${day}: 25.00 EUR`
      )
    )
    assert.strictEqual(said.at(-1), "ended; Pro: your payment failed; Pro: your subscription has ended")
  })
})
