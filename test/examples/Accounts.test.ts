import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/accounts.ts", () => {
  it("runs as a program, and moves nothing twice", () => {
    const said = execFileSync(process.execPath, ["examples/accounts.ts"], { encoding: "utf8" })
    assert.deepStrictEqual(said.trimEnd().split("\n"), [
      "refused: InsufficientFunds",
      "disputed: -30.2500 available, 100.0000 held",
      "then: 69.7500",
      "heard: 1 Deposited, 2 Withdrawn, 3 Disputed, 4 Resolved"
    ])
  })
})
