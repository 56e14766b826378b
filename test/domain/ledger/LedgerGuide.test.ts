/** docs/guides/ledger.md, held to the rules that it tells. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import type { Field, RowFault } from "../../../src/domain/ledger/LedgerRefusal.ts"
import { Refusal } from "../../../src/domain/ledger/LedgerRefusal.ts"
import * as TransactionRow from "../../../src/domain/ledger/TransactionRow.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"
import * as Mix from "../../../src/testing/ledger/Mix.ts"

const guide = readFileSync("docs/guides/ledger.md", "utf8")

/** The cells of the table under a heading, without the ticks of `code`. */
const table = (heading: string): ReadonlyArray<ReadonlyArray<string>> =>
  guide
    .split(/^## /m)
    .find((section) => section.startsWith(`${heading}\n`))!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .replaceAll("`", "")
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    )

const blocks = [...guide.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text]) => text!)

// Records, so that a fault that is added here or there does not compile until it is in the other.
const faults: Record<Exclude<RowFault["_tag"], "MalformedRow">, true> = {
  UnknownType: true,
  NonPositiveAmount: true,
  AmountOutOfRange: true
}
const fields: Record<Field, true> = { row: true, client: true, tx: true, amount: true }

describe("The guide on the ledger", () => {
  it("shows what becomes of its file", () => {
    const book = LedgerBook.make(LedgerPolicy.standard)
    const { rejections } = TransactionText.process(book, blocks[0]!)
    assert.strictEqual(TransactionText.accounts(book), blocks[1])
    assert.strictEqual(`${rejections.map(TransactionText.rejection).join("\n")}\n`, blocks[2])
  })

  it("names every type of row", () => {
    assert.deepStrictEqual(
      table("Transactions").map(([type]) => type),
      Object.keys(TransactionRow.types)
    )
  })

  it("names every policy, its choices, and the default first", () => {
    assert.deepStrictEqual(
      table("Policies").map(([name, usual, other]) => [name, [usual, other]]),
      [...LedgerPolicy.choices].map(([name, allowed]) => [name, [...allowed]])
    )
  })

  it("names every reason to refuse a row, once", () => {
    const reasons = [
      "BadHeader",
      ...Object.keys(fields).map((field) => `MalformedRow:${field}`),
      ...new Set([...Object.keys(faults), ...Refusal.literals])
    ]
    assert.sameMembers(
      table("Refusals").map(([reason]) => reason!),
      reasons
    )
  })

  it("names every kind of row that a file is made of, its share and why it is refused", () => {
    assert.deepStrictEqual(
      table("Files to try it with").map(([kind, usual, refusal, about]) => [kind, Number(usual), refusal, about]),
      Mix.kinds.map((kind) => {
        const { about, refusal = "", usual } = Mix.table[kind]
        return [kind, usual, refusal === "Unreadable" ? "one fault of a row after the other" : refusal, about]
      })
    )
  })

  it("tells the bounds that there are", () => {
    for (const bound of ["0 to 65535", "0 to 4294967295", "922337203685477.5807", "65,536 bytes"]) {
      assert.include(guide, bound)
    }
    assert.strictEqual(TransactionRow.maxLineBytes, 65_536)
  })
})
