import { assert, describe, it } from "@effect/vitest"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import given from "../../fixtures/ledger/cases.json" with { type: "json" }
import * as FastLedger from "./FastLedger.ts"

describe("TransactionReader", () => {
  it("answers each given case as it is given", () => {
    assert.strictEqual(given.cases.length, 35)
    for (const { accounts, input, name, rejections } of given.cases) {
      const answered = FastLedger.fast(Buffer.from(input), LedgerPolicy.standard)
      assert.deepStrictEqual(
        { accounts: answered.accounts, rejections: answered.rejections },
        { accounts, rejections },
        name
      )
    }
  })
})
