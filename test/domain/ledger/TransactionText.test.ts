import { assert, describe, it } from "@effect/vitest"
import cases from "../../fixtures/ledger/cases.json" with { type: "json" }
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import * as TransactionRow from "../../../src/domain/ledger/TransactionRow.ts"
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

const sample = "type,client,tx,amount\ndeposit,1,1,1\n"

describe("TransactionText.process", () => {
  it("reads a file with a byte order mark, CRLF, blank lines, and no end to its last line", () => {
    for (const text of [
      `\u{feff}${sample}`,
      `\u{feff}"type",client,tx,amount\ndeposit,1,1,1`,
      sample.replaceAll("\n", "\r\n"),
      "type,client,tx,amount\r\ndeposit,1,1,1",
      `\r\n \t\n${sample}\n\n`
    ]) {
      const { accounts, rejections } = processed(text)
      assert.strictEqual(accounts, "client,available,held,total,locked\n1,1.0000,0.0000,1.0000,false\n", text)
      assert.deepStrictEqual(rejections, [[]], text)
    }
  })

  it("counts blank lines as lines, and not as rows", () => {
    const { outcomes, rejections } = processed("\ntype,client,tx,amount\n\ndeposit,1,1,x\n \t\r\ndeposit,1,1,5\n\n")
    assert.deepStrictEqual(rejections, [["4:MalformedRow:amount"]])
    assert.deepStrictEqual([outcomes[0]!.rows, outcomes[0]!.applied], [2, 1])
  })

  it("reads nothing without a header, and says where it should be", () => {
    assert.deepStrictEqual(
      ["", "\n\n", "\n\ndeposit,1,1,1\n", "type,client,tx\ndeposit,1,1,1\n", "\n\u{feff}type,client,tx,amount\n"].map(
        (text) => processed(text).rejections
      ),
      [[["1:BadHeader"]], [["1:BadHeader"]], [["3:BadHeader"]], [["1:BadHeader"]], [["2:BadHeader"]]]
    )
    assert.deepStrictEqual(processed("deposit,1,1,1\n").outcomes, [
      { rows: 0, applied: 0, rejections: [{ line: 1, reason: { _tag: "BadHeader" } }], events: [] }
    ])
  })

  it("does not end a line at a CR alone", () => {
    assert.deepStrictEqual(processed("type,client,tx,amount\rdeposit,1,1,1\n").rejections, [["1:BadHeader"]])
    assert.deepStrictEqual(processed("type,client,tx,amount\ndeposit,1,1,1\rdeposit,1,2,1\n").rejections, [
      ["2:MalformedRow:row"]
    ])
  })

  it("tells what happened at which line, an account that was opened too", () => {
    const { outcomes } = processed(
      "type,client,tx,amount\nwithdrawal,2,1,1\ndeposit,1,1,1\nwithdrawal,2,2,1\n\ndispute,1,1,\n"
    )
    assert.deepStrictEqual(
      outcomes[0]!.events.map(({ event, line }) => ({ ...event, line })),
      [
        { _tag: "Opened", client: ClientId.make(2), line: 2 },
        { _tag: "Deposited", client: ClientId.make(1), tx: TxId.make(1), amount: 10_000n, line: 3 },
        { _tag: "Disputed", client: ClientId.make(1), tx: TxId.make(1), amount: 10_000n, line: 6 }
      ]
    )
    assert.deepStrictEqual(outcomes[0]!.rejections, [
      { line: 2, reason: "InsufficientFunds" },
      { line: 4, reason: "InsufficientFunds" }
    ])
  })

  it("reads several files into one book, each with a header and lines of its own", () => {
    const { accounts, rejections } = processed(
      sample,
      "client,tx,type,amount\n1,1,deposit,1\n1,1,dispute,\n",
      "type,client,tx,amount\nchargeback,1,1,\nwithdrawal,2,9,1\n"
    )
    assert.strictEqual(
      accounts,
      "client,available,held,total,locked\n1,0.0000,0.0000,0.0000,true\n2,0.0000,0.0000,0.0000,false\n"
    )
    assert.deepStrictEqual(rejections, [[], ["2:DuplicateTx"], ["3:InsufficientFunds"]])
  })
})

describe("TransactionText.accounts", () => {
  it("are in the order of their clients' numbers", () => {
    const rows = [70_000, 9, 10, 0].map((client, index) => `deposit,${client},${index},1\n`)
    const book = LedgerBook.make(LedgerPolicy.standard)
    TransactionText.process(book, `type,client,tx,amount\n${rows.join("")}`, TransactionRow.wide)
    const clients = TransactionText.accounts(book)
      .split("\n")
      .map((row) => row.split(",")[0])
    assert.deepStrictEqual(clients, ["client", "0", "9", "10", "70000", ""])
  })
})
