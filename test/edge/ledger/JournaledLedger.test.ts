import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"
import * as JournaledSources from "../../../src/edge/ledger/JournaledSources.ts"
import * as JournalPlace from "../../../src/edge/ledger/JournalPlace.ts"
import * as PastBooks from "../../../src/edge/ledger/PastBooks.ts"
import { block } from "../../../src/testing/contract/LedgerJournalContract.ts"
import { directories } from "../../infra/ledger/Directory.ts"
import * as Journals from "./Journals.ts"

const directory = directories()
const place = (): JournalPlace.Place & { readonly path: string } => ({ _tag: "Directory", path: directory() })

const policy = LedgerPolicy.standard
const options = { policy, wideClients: false, seed: 11 }

const restored = (of: JournalPlace.Place, bound: PastBooks.Bound = {}) =>
  Effect.scoped(Effect.flatMap(JournalPlace.read(of), (opened) => PastBooks.restore(opened, options, bound)))

const accounts = (of: JournalPlace.Place, bound: PastBooks.Bound = {}) =>
  Effect.map(restored(of, bound), ({ books }) =>
    [
      TransactionText.accountsHeading,
      ...Array.from(books.accounts(), ([client, account]) => TransactionText.accountRow(client, account))
    ]
      .map((line) => `${line}\n`)
      .join("")
  )

describe("JournaledLedger", () => {
  it.live("ends with the accounts that the rules make, also when it is read again", () =>
    Effect.gen(function* () {
      const to = place()
      const text = Journals.file(5000, 1)
      const { rows } = yield* Journals.keep(to, { "a.csv": text })
      assert.deepStrictEqual(rows, [5000])
      assert.strictEqual(yield* accounts(to), Journals.accountsOf(text))
    })
  )

  it.live("applies each row of a file once, however often it is sent and however far it had come", () =>
    Effect.gen(function* () {
      const to = place()
      const text = Journals.file(3000, 2)
      const lines = text.split("\n")
      for (const [count, taken] of [
        [1000, 1000],
        [1000, 0],
        [2500, 1500],
        [3000, 500],
        [3000, 0]
      ] as const) {
        const part = lines.slice(0, count + 1).join("\n")
        // The last line of the part has no newline, and is a row all the same.
        const { rows } = yield* Journals.keep(to, { "a.csv": part }, { chunk: 777 })
        assert.deepStrictEqual(rows, [taken])
        assert.strictEqual(yield* accounts(to), Journals.accountsOf(part))
      }
    })
  )

  it.live("keeps several files apart, in the order in which they came", () =>
    Effect.gen(function* () {
      const to = place()
      const [one, two] = [Journals.file(800, 3), Journals.file(900, 4)]
      yield* Journals.keep(to, { "one.csv": one })
      const { rows } = yield* Journals.keep(to, { "one.csv": one, "two.csv": two })
      assert.deepStrictEqual(rows, [0, 900])
      assert.strictEqual(yield* accounts(to), Journals.accountsOf(one, two))
    })
  )

  it.live("starts from a snapshot, and from the one before when that is damaged", () =>
    Effect.gen(function* () {
      const to = place()
      const text = Journals.file(4000, 5)
      // A snapshot that is due while another is being written waits, so that one run may make fewer.
      for (const rows of [1500, 2700, 4000]) {
        const part = text.split("\n").slice(0, rows + 1)
        yield* Journals.keep(to, { "a.csv": part.join("\n") }, { snapshotEvery: 1000 })
      }
      const snapshots = readdirSync(to.path)
        .filter((name) => name.endsWith(".snapshot"))
        .toSorted()
      assert.strictEqual(snapshots.length, 3)
      const sequenceOf = (name: string | undefined) => Number(name?.split("-")[0])
      assert.strictEqual((yield* restored(to)).snapshot, sequenceOf(snapshots[2]))
      const path = join(to.path, snapshots[2]!)
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(path, bytes)
      assert.strictEqual((yield* restored(to)).snapshot, sequenceOf(snapshots[1]))
      assert.strictEqual(yield* accounts(to), Journals.accountsOf(text))
      // The events before the first snapshot that is left are answered from the beginning.
      const early = yield* restored(to, { sequence: 10 })
      assert.deepStrictEqual([early.snapshot, early.sequence], [0, 10])
      const again = yield* Journals.keep(to, { "a.csv": text })
      assert.deepStrictEqual([again.rows, again.restored.snapshot], [[0], sequenceOf(snapshots[1])])
    })
  )

  it.live("asks for wide clients where the journal has some", () =>
    Effect.gen(function* () {
      const to = place()
      const text = "type,client,tx,amount\ndeposit,70000,1,1\n"
      yield* Journals.keep(to, { "a.csv": text }, { wideClients: true, snapshotEvery: 1 })
      const error = yield* Effect.flip(restored(to))
      assert.strictEqual(error.message, "the journal has client 70000, which is beyond 65535: give --wide-clients")
    })
  )
})

describe("PastBooks", () => {
  it("takes of a block what lies in the range, and no more", () => {
    const firsts = (after: number, upTo: number) =>
      PackedEvents.unpack(PastBooks.within(block(11, 5), after, upTo), 0).map(({ event }) =>
        event._tag === "Opened" ? 0 : Number(event.tx)
      )
    assert.deepStrictEqual(firsts(10, 15), [11, 12, 13, 14, 15])
    assert.deepStrictEqual(firsts(0, 99), [11, 12, 13, 14, 15])
    assert.deepStrictEqual(firsts(12, 14), [13, 14])
    assert.deepStrictEqual(firsts(15, 20), [])
    assert.deepStrictEqual(firsts(3, 10), [])
  })
})

describe("JournaledSources", () => {
  it.effect("names a file by its base name, packed or not, unless a name is given", () =>
    Effect.gen(function* () {
      const names = JournaledSources.namesOf
      assert.deepStrictEqual(yield* names(["a/nov.csv", "b/dec.csv.gz", "-"], undefined), [
        "nov.csv",
        "dec.csv",
        "stdin"
      ])
      assert.deepStrictEqual(yield* names(["-"], "bank"), ["bank"])
      const refusals = yield* Effect.forEach(
        [
          [["a.csv", "b.csv"], "bank"],
          [["a.csv"], ""],
          [["x/a.csv", "y/a.csv.gz"], undefined]
        ] as const,
        ([files, given]) => Effect.result(names(files, given))
      )
      assert.deepStrictEqual(
        refusals.map((refusal) => (Result.isFailure(refusal) ? refusal.failure.message : "")),
        [
          "--source names one file, and there are 2",
          "--source: expected a name",
          "two of the files are a.csv to the journal, which knows a source by its name: process them one by one, with --source"
        ]
      )
    })
  )
})
