import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/inventory.ts", () => {
  it("runs as a program", () => {
    const said = execFileSync(process.execPath, ["examples/inventory.ts"], { encoding: "utf8" })
    assert.deepStrictEqual(said.split("\n"), [
      "order-1 reserves 2: 1 of 3 available",
      "order-1 once more: 1 of 3 available",
      "order-2 reserves 2: expected at most 1 pieces, got 2",
      "order-2 reserves 2: 4 of 8 available",
      "order-1 is handed over: 4 of 6 available",
      "15 left in the warehouse",
      ""
    ])
  })
})
