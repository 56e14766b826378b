import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import type { SourcePosition } from "../../../src/adapters/LedgerJournal.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import type { EventGroup } from "../../../src/infra/ledger/EventPacker.ts"
import * as EventPacker from "../../../src/infra/ledger/EventPacker.ts"
import * as RowCode from "../../../src/infra/ledger/RowCode.ts"
import { maxLineBytes } from "../../../src/infra/ledger/RowParser.ts"
import { TransactionReader } from "../../../src/infra/ledger/TransactionReader.ts"
import given from "../../fixtures/ledger/cases.json" with { type: "json" }
import * as FastLedger from "./FastLedger.ts"

const policy = LedgerPolicy.standard
const header = "type,client,tx,amount\n"

/** A reader, and what it has handed on. */
const reading = (from?: SourcePosition) => {
  const books = FastLedger.books(policy)
  const refused: Array<string> = []
  const groups: Array<EventGroup> = []
  const reader = new TransactionReader({
    books,
    refused: (line, code) => refused.push(`${line}:${RowCode.text(code)}`),
    packed: (group) => groups.push(group),
    from
  })
  return { books, reader, refused, groups }
}

const eventsOf = (groups: ReadonlyArray<EventGroup>) =>
  groups.flatMap(({ events, line }) => PackedEvents.unpack(events, line))

const positionAt = (bytes: Buffer, byte: number, line: number): SourcePosition => ({
  line,
  byte,
  checksum: crc32(bytes.subarray(0, byte))
})

describe("TransactionReader", () => {
  it("answers each given case as it is given", () => {
    assert.strictEqual(given.cases.length, 35)
    for (const { accounts, input, name, rejections } of given.cases) {
      const answered = FastLedger.fast(Buffer.from(input), policy)
      assert.deepStrictEqual(
        { accounts: answered.accounts, rejections: answered.rejections },
        { accounts, rejections },
        name
      )
    }
  })

  it("refuses a line that is too long, whatever is in it and wherever chunks end, and goes on after it", () => {
    const longest = `deposit,1,1,1${" ".repeat(maxLineBytes - 13)}`
    const bytes = Buffer.from(
      `${header}${longest}\n${longest.replace(",1,1,", ",1,2,")} \n${"x".repeat(100_000)}\ndeposit,1,3,1\n${",".repeat(100_000)}`
    )
    for (const size of [1, 4095, 4096, 4097, 5000, 65_536, bytes.length]) {
      const { books, groups, reader, refused } = reading()
      FastLedger.readAll(reader, bytes, size)
      assert.deepStrictEqual(refused, ["3:MalformedRow:row", "4:MalformedRow:row", "6:MalformedRow:row"])
      assert.deepStrictEqual(
        eventsOf(groups).map(({ line }) => line),
        [2, 5]
      )
      assert.strictEqual(books.account(1)?.available, 20_000n)
      assert.deepStrictEqual(groups.at(-1)?.to, positionAt(bytes, bytes.length, 6))
    }
  })

  it("has no header in a line that is too long, nor in an empty file", () => {
    for (const text of ["x".repeat(5000), `${"x".repeat(5000)}\n${header}`, `${" ".repeat(5000)}${header}`]) {
      for (const size of [64, text.length]) {
        const { reader } = reading()
        FastLedger.readAll(reader, Buffer.from(text), size)
        assert.strictEqual(reader.fault?._tag, "BadHeader")
      }
    }
    const { reader } = reading()
    assert.isFalse(reader.end())
    assert.deepStrictEqual(reader.fault, { _tag: "BadHeader", line: 1, found: "" })
  })

  it("hands on events in groups of at most 8,192, each with how far it goes", () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `deposit,${index % 9},${index},1.5\n`)
    const bytes = Buffer.from(`\ufeff${header}${rows.join("")}`)
    const { groups, reader } = reading()
    FastLedger.readAll(reader, bytes, 300_000)
    assert.strictEqual(groups.length, 3)
    for (const { count, events, to } of groups) {
      assert.isAtMost(count, EventPacker.maxEvents)
      assert.strictEqual(events.byteLength, count * PackedEvents.bytesPerEvent)
      assert.strictEqual(bytes[to.byte - 1], 10)
      assert.deepStrictEqual(to, positionAt(bytes, to.byte, to.line))
    }
    const all = eventsOf(groups)
    assert.strictEqual(all.length, 20_000)
    assert.deepStrictEqual(
      [all[0], all[19_999]].map((lined) => lined?.line),
      [2, 20_001]
    )
    assert.deepStrictEqual(groups.at(-1)?.to, positionAt(bytes, bytes.length, 20_001))
  })

  it("cuts a group when told to, at the end of a row, and moves the position over refused rows", () => {
    const first = Buffer.from(`${header}deposit,1,1,1\nwithdrawal,2,2,1\ndepo`)
    const second = Buffer.from("sit,1,1,1\n")
    const { groups, reader } = reading()
    reader.take(first)
    reader.cut()
    reader.cut()
    assert.deepStrictEqual(
      groups.map(({ count, line, to }) => ({ count, line, to })),
      [{ count: 2, line: 0, to: positionAt(first, first.length - 4, 3) }]
    )
    assert.deepStrictEqual(eventsOf(groups), [
      { event: { _tag: "Deposited", client: 1, tx: 1, amount: 10_000n }, line: 2 },
      { event: { _tag: "Opened", client: 2 }, line: 3 }
    ] as unknown)
    reader.take(second)
    reader.end()
    const bytes = Buffer.concat([first, second])
    assert.deepStrictEqual(
      groups.slice(1).map(({ count, line, to }) => ({ count, line, to })),
      [{ count: 0, line: 3, to: positionAt(bytes, bytes.length, 4) }]
    )
  })

  it("goes on from any position, wherever chunks end, as if it had not been left", () => {
    const text = `\ufeff\n${header.replace("\n", "\r\n")}deposit,1,1,5\r\n\ndispute,1,1\nwithdrawal,1,2,9\n${"y".repeat(5000)}\nresolve,1,1`
    const bytes = Buffer.from(text)
    const whole = reading()
    FastLedger.readAll(whole.reader, bytes, bytes.length)
    const lines = text.split("\n")
    for (let line = 0; line <= lines.length; line++) {
      const before = Buffer.byteLength(
        lines
          .slice(0, line)
          .map((text) => `${text}\n`)
          .join("")
      )
      const from = positionAt(bytes, Math.min(before, bytes.length), line)
      for (const size of [1, 7, 40, bytes.length]) {
        const { books, groups, reader, refused } = reading(from)
        for (const { event, line } of eventsOf(whole.groups)) if (line <= from.line) books.replay(event)
        FastLedger.readAll(reader, bytes, size)
        assert.strictEqual(reader.fault, undefined)
        assert.strictEqual(FastLedger.accountsOf(books), FastLedger.accountsOf(whole.books))
        assert.deepStrictEqual(
          eventsOf(groups),
          eventsOf(whole.groups).filter((event) => event.line > from.line)
        )
        assert.deepStrictEqual(
          refused,
          whole.refused.filter((text) => Number.parseInt(text, 10) > from.line)
        )
      }
    }
  })

  it("does not go on where what was taken has changed, or is gone", () => {
    const bytes = Buffer.from(`${header}deposit,1,1,5\ndeposit,1,2,5\n`)
    const from = positionAt(bytes, header.length + 14, 2)
    const changed = Buffer.from(bytes)
    changed[header.length + 12] = 0x36
    for (const other of [changed, bytes.subarray(0, header.length + 3), Buffer.alloc(0)]) {
      for (const size of [1, 1000]) {
        const { groups, reader, refused } = reading(from)
        FastLedger.readAll(reader, other, size)
        assert.deepStrictEqual(reader.fault, { _tag: "SourceChanged", from })
        assert.deepStrictEqual([groups, refused], [[], []])
      }
    }
  })

  it("takes what was added to a file whose last line had no end, and not what makes that line another", () => {
    const bytes = Buffer.from(`${header}deposit,1,1,5`)
    const from = positionAt(bytes, bytes.length, 2)
    for (const [added, fault, available] of [
      ["", undefined, undefined],
      ["\n", undefined, undefined],
      [" \r\ndeposit,1,2,1\n", undefined, 10_000n],
      ["0\n", "SourceChanged", undefined]
    ] as const) {
      for (const size of [1, 1000]) {
        const { books, groups, reader } = reading(from)
        const all = Buffer.concat([bytes, Buffer.from(added)])
        FastLedger.readAll(reader, all, size)
        assert.strictEqual(reader.fault?._tag, fault)
        assert.strictEqual(books.account(1)?.available, available)
        if (available !== undefined) {
          assert.deepStrictEqual(
            eventsOf(groups).map(({ line }) => line),
            [3]
          )
        }
      }
    }
  })
})
