import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { createHash } from "node:crypto"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import { Refusal } from "../../../src/domain/ledger/LedgerRefusal.ts"
import * as TransactionRow from "../../../src/domain/ledger/TransactionRow.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"
import * as LedgerFile from "../../../src/testing/ledger/LedgerFile.ts"
import * as Mix from "../../../src/testing/ledger/Mix.ts"

const made = (options: Partial<LedgerFile.Options> = {}) => {
  const pieces = LedgerFile.make({ rows: 2000, clients: 20, seed: 1, mix: Mix.usual, ...options })
  const parts: Array<Uint8Array> = []
  const told: Array<number> = []
  let piece = pieces.next()
  while (piece.done !== true) {
    parts.push(piece.value.bytes)
    told.push(piece.value.rows)
    piece = pieces.next()
  }
  const text = Buffer.concat(parts).toString("utf8")
  return { counts: piece.value, parts, text, told, rows: text.split("\n").slice(1, -1) }
}

const processed = (text: string, maxClient = TransactionRow.narrow) => {
  const book = LedgerBook.make(LedgerPolicy.standard)
  const outcome = TransactionText.process(book, text, maxClient)
  return { ...outcome, book }
}

/** How often each is there. */
const tally = (list: Iterable<string>) =>
  Object.fromEntries(
    Map.groupBy(list, (one) => one)
      .entries()
      .map(([one, all]) => [one, all.length])
  )

const everyKind = Result.getOrThrow(
  Mix.parse(
    "deposit=40,withdrawal=20,dispute=10,resolve=5,chargeback=1,overdraft=2,frozen=2,duplicate=2,unknown=3,mismatch=3,undisputable=2,undisputed=3,disputed=2,charged-back=2,malformed=3"
  )
)

describe("LedgerFile.make", () => {
  it("makes the same bytes of the same seed, and others of another", () => {
    assert.strictEqual(made({ seed: 7 }).text, made({ seed: 7 }).text)
    assert.notStrictEqual(made({ seed: 7 }).text, made({ seed: 8 }).text)
  })

  it("makes these bytes, on every machine and in every version", () => {
    assert.deepStrictEqual(made({ rows: 4, clients: 3 }).text.split("\n"), [
      "type,client,tx,amount",
      "deposit,1,2466824938,591928.9742",
      "withdrawal,1,4017435879,286310.3677",
      "deposit,2,303953238,885573.7401",
      "withdrawal,1,3454485230,305618.6065",
      ""
    ])
    const hash = createHash("sha256").update(made({ mix: everyKind }).text)
    assert.strictEqual(hash.digest("hex"), "82c776903166d483b3aa4edd4ce69d2b9b024de5a7ab49334e89707d6a2bab57")
  })

  it("has the rows that were asked for, none of them too", () => {
    assert.strictEqual(made({ rows: 0 }).text, "type,client,tx,amount\n")
    const { counts, parts, rows, told } = made({ rows: 60_000, clients: 1000 })
    assert.strictEqual(rows.length, 60_000)
    assert.strictEqual(
      [...counts.values()].reduce((sum, count) => sum + count, 0),
      60_000
    )
    assert.isAbove(parts.length, 2)
    assert.deepStrictEqual([told.at(-1), told[0]! < told[1]!], [60_000, true])
    // As long as the rows of the files that florin is measured on.
    const bytes = parts.reduce((sum, part) => sum + part.length, 0) / 60_000
    assert.isTrue(bytes > 35 && bytes < 39, `${bytes} bytes a row`)
  })

  it("keeps the shares of the mix", () => {
    for (const mix of [Mix.usual, everyKind]) {
      const { counts } = made({ rows: 50_000, clients: 2000, mix })
      const whole = [...mix.values()].reduce((sum, share) => sum + share, 0)
      for (const [kind, share] of mix) {
        const expected = (share / whole) * 50_000
        // Five standard deviations, and what there was nothing to be about at the start.
        const apart = 5 * Math.sqrt(expected) + (share > 0 ? 20 : 0)
        assert.isAtMost(Math.abs(counts.get(kind)! - expected), apart, kind)
      }
    }
  })

  it("has each row applied or refused as its kind is meant, whatever the seed", () => {
    for (const [seed, clients] of [
      [1, 1],
      [2, 2],
      [3, 40],
      [4, 5000]
    ] as const) {
      const { counts, text } = made({ rows: 20_000, clients, seed, mix: everyKind })
      const { applied, rejections } = processed(text)
      const meant = Object.fromEntries(
        Mix.kinds
          .map((kind) => [Mix.table[kind].refusal ?? "applied", counts.get(kind)!] as const)
          .filter(([, count]) => count > 0)
          .reduce((sums, [refusal, count]) => sums.set(refusal, (sums.get(refusal) ?? 0) + count), new Map())
      )
      const reasons = rejections.map(({ reason }) => (typeof reason === "string" ? reason : "Unreadable"))
      assert.deepStrictEqual({ applied, ...tally(reasons) }, meant)
    }
  })

  it("has rows of every kind, refusals of every reason but one, and all faults of a row", () => {
    const { counts, text } = made({ rows: 20_000, clients: 50, mix: everyKind })
    for (const kind of Mix.kinds) assert.isAbove(counts.get(kind)!, 10, kind)
    const { events, rejections } = processed(text)
    assert.sameMembers(
      [...new Set(events.map(({ event }) => event._tag))],
      ["Opened", "Deposited", "Withdrawn", "Disputed", "Resolved", "ChargedBack"]
    )
    const refusals = new Set(rejections.map(({ reason }) => reason).filter((reason) => typeof reason === "string"))
    assert.sameMembers(
      [...refusals],
      // A balance that does not fit would need amounts that no file is about.
      Refusal.literals.filter((refusal) => refusal !== "AmountOutOfRange")
    )
    const faults = rejections.filter(({ reason }) => typeof reason !== "string").map(TransactionText.rejection)
    assert.sameMembers(Object.keys(tally(faults.map((fault) => fault.replace(/^\d+:/, "")))), [
      "UnknownType",
      "MalformedRow:row",
      "MalformedRow:client",
      "MalformedRow:tx",
      "MalformedRow:amount",
      "NonPositiveAmount",
      "AmountOutOfRange"
    ])
  })

  it("scatters the ids of transactions, each of them once", () => {
    const ids = made({ rows: 20_000 })
      .rows.filter((row) => /^(deposit|withdrawal)/.test(row))
      .map((row) => Number(row.split(",")[2]))
    assert.strictEqual(new Set(ids).size, ids.length)
    // Of as many numbers in no order, half are above the one before.
    const rises = ids.filter((id, index) => index > 0 && id > ids[index - 1]!).length
    assert.isTrue(Math.abs(rises / ids.length - 0.5) < 0.02, `${rises} of ${ids.length} rise`)
    assert.isAbove(Math.max(...ids), 4_200_000_000)
    assert.isBelow(Math.min(...ids), 100_000_000)
  })

  it("disputes deposits from far before, and some of them again", () => {
    const { rows } = made({ rows: 50_000, clients: 500 })
    const lines = new Map(rows.map((row, index) => [row.split(",")[2]!, index] as const).toReversed())
    const disputes = rows.flatMap((row, index) =>
      row.startsWith("dispute") ? [{ index, tx: row.split(",")[2]! }] : []
    )
    const distances = disputes.map(({ index, tx }) => index - lines.get(tx)!)
    assert.isAbove(Math.max(...distances), 30_000)
    assert.isAbove(disputes.length, new Set(disputes.map(({ tx }) => tx)).size)
  })

  it("has clients from 1 to as many as were asked for, each about as often", () => {
    const deposits = Result.getOrThrow(Mix.parse("deposit=1"))
    const clients = made({ rows: 20_000, clients: 10, mix: deposits }).rows.map((row) => row.split(",")[1]!)
    const often = tally(clients)
    assert.sameMembers(Object.keys(often), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])
    for (const [client, count] of Object.entries(often)) assert.isTrue(count > 1600 && count < 2400, client)
  })

  it("has wide clients where there are more than narrow ones", () => {
    const { text } = made({ rows: 2000, clients: 100_000 })
    const faults = (maxClient: number) =>
      processed(text, maxClient).rejections.filter(({ reason }) => typeof reason !== "string")
    assert.isEmpty(faults(TransactionRow.wide))
    assert.deepStrictEqual(
      tally(faults(TransactionRow.narrow).map(({ reason }) => (typeof reason === "string" ? reason : reason._tag))),
      {
        MalformedRow: faults(TransactionRow.narrow).length
      }
    )
    assert.isAbove(faults(TransactionRow.narrow).length, 500)
  })
})
