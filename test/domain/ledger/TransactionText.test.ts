import { assert, describe, it } from "@effect/vitest"
import cases from "../../fixtures/ledger/cases.json" with { type: "json" }
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"

const processed = (...files: ReadonlyArray<string>) => {
  const book = LedgerBook.make(LedgerPolicy.standard)
  const outcomes = files.map((file) => TransactionText.process(book, file))
  return {
    accounts: TransactionText.accounts(book),
    rejections: outcomes.map(({ rejections }) => rejections.map(TransactionText.rejection)),
    outcomes
  }
}

describe("The given cases", () => {
  it("are all there", () => assert.strictEqual(cases.cases.length, 35))

  for (const { accounts, input, name, rejections } of cases.cases) {
    it(`${name}: the accounts and the refusals that are expected`, () => {
      const outcome = processed(input)
      assert.strictEqual(outcome.accounts, accounts)
      assert.deepStrictEqual(outcome.rejections, [rejections])
    })
  }
})
