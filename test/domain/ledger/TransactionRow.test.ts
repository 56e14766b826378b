import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as LedgerRefusal from "../../../src/domain/ledger/LedgerRefusal.ts"
import * as TransactionRow from "../../../src/domain/ledger/TransactionRow.ts"

const usual: TransactionRow.Header = ["type", "client", "tx", "amount"]

/** A transaction as `Deposit 1 2 30000`, or what is wrong with the row. */
const read = (line: string, { header = usual, maxClient = TransactionRow.narrow } = {}) => {
  const parsed = TransactionRow.parse(line, { header, maxClient })
  if (Result.isFailure(parsed)) return LedgerRefusal.text(parsed.failure)
  const { _tag, client, tx, ...rest } = parsed.success
  return [_tag, client, tx, ...Object.values(rest)].join(" ")
}

/** What is read of each line. */
const readAll = (rows: Record<string, string>) =>
  Object.fromEntries(Object.keys(rows).map((line) => [line, read(line)]))

describe("TransactionRow.parse", () => {
  it("reads the five types, in lower case and by no other name", () => {
    const rows = {
      "deposit,1,2,3": "Deposit 1 2 30000",
      "withdrawal,1,2,3": "Withdrawal 1 2 30000",
      "dispute,1,2,": "Dispute 1 2",
      "resolve,1,2,": "Resolve 1 2",
      "chargeback,1,2,": "Chargeback 1 2",
      "Deposit,1,2,3": "UnknownType",
      "DEPOSIT,1,2,3": "UnknownType",
      "withdraw,1,2,3": "UnknownType",
      "deposits,1,2,3": "UnknownType",
      "constructor,1,2,3": "UnknownType",
      ",1,2,3": "UnknownType",
      ",": "UnknownType",
      "déposit,1,2,3": "UnknownType"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("reads columns in the order of the header", () => {
    for (const [header, line] of [
      [["client", "type", "amount", "tx"], "1,deposit,3,2"],
      [["amount", "tx", "client", "type"], "3,2,1,deposit"],
      [["tx", "amount", "type", "client"], "2,3,deposit,1"]
    ] as const) {
      assert.strictEqual(read(line, { header }), "Deposit 1 2 30000")
    }
    assert.strictEqual(read(",2,1,dispute", { header: ["amount", "tx", "client", "type"] }), "Dispute 1 2")
  })

  it("passes over white space, the CR of a line end and quotes", () => {
    const rows = {
      " deposit ,\t1 , 2\t,  3.5 ": "Deposit 1 2 35000",
      "deposit,1,2,3\r": "Deposit 1 2 30000",
      "dispute,1,2\r": "Dispute 1 2",
      "dispute,1,2,\r": "Dispute 1 2",
      '"deposit","1","2","3"': "Deposit 1 2 30000",
      ' "deposit" , " 1 ",2,"3"\r': "Deposit 1 2 30000",
      'dispute,1,2,""': "Dispute 1 2",
      "deposit,1 1,2,3": "MalformedRow:client",
      "deposit,1,2,3 0": "MalformedRow:amount",
      "deposit,1,2,\u{a0}3": "MalformedRow:amount",
      "deposit,\u{feff}1,2,3": "MalformedRow:client"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("refuses quotes that enclose no whole field", () => {
    const rows = {
      '"deposit,1,2,3': "MalformedRow:row",
      'deposit",1,2,3': "MalformedRow:row",
      'deposit,1,2,"3"0': "MalformedRow:row",
      'deposit,1,2,3"0': "MalformedRow:row",
      'deposit,1,2,"""3"""': "MalformedRow:row",
      'deposit,1,2,"': "MalformedRow:row",
      '"deposit,1",2,3': "MalformedRow:row"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("takes four columns, of which the last may be missing where nothing stands in it", () => {
    const rows = {
      "dispute,1,2": "Dispute 1 2",
      "resolve,1,2": "Resolve 1 2",
      "chargeback,1,2": "Chargeback 1 2",
      "deposit,1,2": "MalformedRow:amount",
      "deposit,1,2,": "MalformedRow:amount",
      "deposit,1": "MalformedRow:tx",
      deposit: "MalformedRow:client",
      "dispute,1": "MalformedRow:tx",
      "deposit,1,2,3,": "MalformedRow:row",
      "deposit,1,2,3,4": "MalformedRow:row",
      "dispute,1,2,,": "MalformedRow:row",
      "nonsense,1,2,3,4": "MalformedRow:row"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("reads amounts of any length with at most four significant decimals", () => {
    const rows = {
      "deposit,1,2,0.0001": "Deposit 1 2 1",
      "deposit,1,2,1.2345": "Deposit 1 2 12345",
      "deposit,1,2,1.23450000": "Deposit 1 2 12345",
      "deposit,1,2,+1.5": "Deposit 1 2 15000",
      "deposit,1,2,007": "Deposit 1 2 70000",
      "deposit,1,2,1.23456": "MalformedRow:amount",
      "deposit,1,2,1.00001": "MalformedRow:amount",
      "deposit,1,2,.5": "MalformedRow:amount",
      "deposit,1,2,+.5": "MalformedRow:amount",
      "deposit,1,2,1.": "MalformedRow:amount",
      "deposit,1,2,1e3": "MalformedRow:amount",
      "deposit,1,2,1E3": "MalformedRow:amount",
      "deposit,1,2,0x10": "MalformedRow:amount",
      "deposit,1,2,1_000": "MalformedRow:amount",
      "deposit,1,2,1.2.3": "MalformedRow:amount",
      "deposit,1,2,--1": "MalformedRow:amount",
      "deposit,1,2,+": "MalformedRow:amount",
      "deposit,1,2,- 1": "MalformedRow:amount",
      "deposit,1,2,Infinity": "MalformedRow:amount",
      "deposit,1,2,NaN": "MalformedRow:amount",
      "deposit,1,2,١": "MalformedRow:amount"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("refuses an amount that moves nothing, backwards or more than fits", () => {
    const rows = {
      "deposit,1,2,0": "NonPositiveAmount",
      "deposit,1,2,-0.0000": "NonPositiveAmount",
      "withdrawal,1,2,-5": "NonPositiveAmount",
      "deposit,1,2,-922337203685477.5808": "NonPositiveAmount",
      "deposit,1,2,922337203685477.5807": "Deposit 1 2 9223372036854775807",
      "deposit,1,2,000922337203685477.58070": "Deposit 1 2 9223372036854775807",
      "deposit,1,2,922337203685477.5808": "AmountOutOfRange",
      "withdrawal,1,2,18446744073709551616": "AmountOutOfRange",
      // What would wrap around in 64 bits to 0.0001.
      "deposit,1,2,1844674407370955.1617": "AmountOutOfRange",
      [`deposit,1,2,${"9".repeat(400)}`]: "AmountOutOfRange"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("does not use the amount of a dispute, but it has to be one", () => {
    const rows = {
      "dispute,1,2,5": "Dispute 1 2",
      "resolve,1,2,-5": "Resolve 1 2",
      "chargeback,1,2,0": "Chargeback 1 2",
      "dispute,1,2,99999999999999999999": "Dispute 1 2",
      "dispute,1,2,abc": "MalformedRow:amount",
      "dispute,1,2,1.23456": "MalformedRow:amount"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("reads ids in their range, of digits only", () => {
    const rows = {
      "deposit,0,0,1": "Deposit 0 0 10000",
      "deposit,65535,4294967295,1": "Deposit 65535 4294967295 10000",
      "deposit,0065535,000004294967295,1": "Deposit 65535 4294967295 10000",
      "deposit,65536,2,1": "MalformedRow:client",
      "deposit,1,4294967296,1": "MalformedRow:tx",
      "deposit,1,18446744073709551617,1": "MalformedRow:tx",
      "deposit,-1,2,1": "MalformedRow:client",
      "deposit,+1,2,1": "MalformedRow:client",
      "deposit,1.0,2,1": "MalformedRow:client",
      "deposit,1,2.0,1": "MalformedRow:tx",
      "deposit,1,-2,1": "MalformedRow:tx",
      "deposit,1,1e3,1": "MalformedRow:tx",
      "deposit,,2,1": "MalformedRow:client",
      "deposit,1,,1": "MalformedRow:tx"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("reads wide clients where they are allowed", () => {
    const wide = { maxClient: TransactionRow.wide }
    assert.strictEqual(read("deposit,65536,2,1", wide), "Deposit 65536 2 10000")
    assert.strictEqual(read("deposit,4294967295,2,1", wide), "Deposit 4294967295 2 10000")
    assert.strictEqual(read("deposit,4294967296,2,1", wide), "MalformedRow:client")
  })

  it("tells the first fault: the row, the type, the client, the transaction, the amount", () => {
    const rows = {
      "x,x,x,x,x": "MalformedRow:row",
      "x,x,x,x": "UnknownType",
      "deposit,x,x,x": "MalformedRow:client",
      "deposit,1,x,x": "MalformedRow:tx",
      "deposit,1,1,x": "MalformedRow:amount"
    }
    assert.deepStrictEqual(readAll(rows), rows)
  })

  it("reads a line of 64 KiB, and no longer one", () => {
    const line = (bytes: number) => `deposit,1,2,3${" ".repeat(bytes - 13)}`
    assert.strictEqual(read(line(65_536)), "Deposit 1 2 30000")
    assert.strictEqual(read(line(65_537)), "MalformedRow:row")
    assert.strictEqual(read(`${line(65_536)}\r`), "MalformedRow:row")
    // Bytes and not letters: each of these has three.
    assert.strictEqual(read(`deposit,1,2,${"€".repeat(21_841)}`), "MalformedRow:amount")
    assert.strictEqual(read(`deposit,1,2,${"€".repeat(21_842)}`), "MalformedRow:row")
    assert.deepStrictEqual(
      [65_536, 65_537].map((many) => TransactionRow.isBlank(" ".repeat(many))),
      [true, false]
    )
    assert.isUndefined(TransactionRow.header(`type,client,tx,amount${" ".repeat(65_536)}`))
  })
})

describe("TransactionRow.header", () => {
  it("takes the four columns in any order, with white space and quotes", () => {
    for (const line of ["type,client,tx,amount", " type ,\tclient, tx,amount\r", '"type","client" , "tx",amount']) {
      assert.deepStrictEqual(TransactionRow.header(line), usual)
    }
    assert.deepStrictEqual(TransactionRow.header("amount,tx,client,type"), ["amount", "tx", "client", "type"])
  })

  it("takes nothing else for one", () => {
    for (const line of [
      "",
      "deposit,1,1,10",
      "type,client,tx",
      "type,client,tx,tx",
      "type,client,tx,amount,",
      "type,client,tx,amount,type",
      "type,client,tx,amount,note",
      "Type,Client,Tx,Amount",
      "type;client;tx;amount",
      'type,client,tx,"amount'
    ]) {
      assert.isUndefined(TransactionRow.header(line), line)
    }
  })
})
