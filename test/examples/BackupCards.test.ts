import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

describe("examples/backup-cards.ts", () => {
  it("pays by the first card that does, and asks for another one where none is there", () => {
    const said = execFileSync(process.execPath, ["examples/backup-cards.ts"], { encoding: "utf8" })
    assert.deepStrictEqual(said.trimEnd().split("\n"), [
      "tok_declined_insufficient_funds: declined, 51",
      "tok_declined_expired_card: declined, 54",
      "tok_visa: paid",
      "tok_visa: paid, after a question",
      "Receipt for 1001",
      "Your card was declined for 1002",
      "Receipt for 1002"
    ])
  })
})
