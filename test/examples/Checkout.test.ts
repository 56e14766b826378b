import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/checkout.ts", () => {
  it("sells what can be sent; of the rest it releases the stock and voids the hold", () => {
    const said = execFileSync(process.execPath, ["examples/checkout.ts"], { encoding: "utf8" })
    assert.deepStrictEqual(said.trimEnd().split("\n"), [
      "sold 1001 for 38.00",
      "Completed",
      "8 of 8 available, payments: succeeded",
      "Checkout failed at shipment: no carrier goes there",
      "8 of 8 available, payments: cancelled, succeeded"
    ])
  })
})
