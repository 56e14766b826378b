import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/payment-processing.ts", () => {
  it("pays what can be paid, and says why not of the rest", () => {
    const said = execFileSync(process.execPath, ["examples/payment-processing.ts"], { encoding: "utf8" })
    assert.deepStrictEqual(said.trimEnd().split("\n"), [
      "sold 1001 for 80.00",
      "Completed",
      "PaymentProcessing failed at preauthorize: pay_… was declined: 51",
      "PaymentProcessing failed at fraudCheck: the order has 80 points of risk, where at most 50 are taken (large order)",
      "Receipt for 1001"
    ])
  })
})
