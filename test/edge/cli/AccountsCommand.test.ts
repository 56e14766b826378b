import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, rmSync, truncateSync, statSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as AccountsCommand from "../../../src/edge/cli/AccountsCommand.ts"
import * as JournalCommand from "../../../src/edge/cli/JournalCommand.ts"
import { directories } from "../../infra/ledger/Directory.ts"
import * as FlorinProcess from "../FlorinProcess.ts"
import * as Journals from "../ledger/Journals.ts"
import * as Terminal from "./Terminal.ts"

const directory = directories()
const place = (path: string) => ({ _tag: "Directory", path }) as const

const header = "type,client,tx,amount\n"
const rows = [
  "deposit,1,1,10.0",
  "withdrawal,2,2,1.0",
  "deposit,2,3,5.0",
  "withdrawal,1,4,4.0",
  "dispute,1,1,",
  "deposit,1,5,0.5",
  "resolve,1,1,",
  "dispute,2,3,",
  "chargeback,2,3,"
]
/** A file of the first so many rows. */
const upTo = (count: number) =>
  header +
  rows
    .slice(0, count)
    .map((row) => `${row}\n`)
    .join("")

/** The rows in three parts, an hour apart: up to the 4th at 10:00, up to the 6th at 11:00, all at 12:00. */
const threeHours = Effect.fnUntraced(function* (snapshotEvery?: number) {
  const path = directory()
  for (const [hour, count] of [
    [10, 4],
    [11, 6],
    [12, 9]
  ] as const) {
    yield* TestClock.setTime(Date.UTC(2026, 10, 21, hour))
    yield* Journals.keep(place(path), { "nov.csv": upTo(count) }, { snapshotEvery })
  }
  return path
})

const accounts = (...words: ReadonlyArray<string>) => Terminal.run(AccountsCommand.command, words)
const journal = (...words: ReadonlyArray<string>) => Terminal.run(JournalCommand.command, words)

describe("florin accounts", () => {
  it.effect("lists accounts as they stand", () =>
    Effect.gen(function* () {
      const path = yield* threeHours()
      const { complaint, stdout } = yield* accounts("--journal", path)
      assert.strictEqual(complaint, "")
      assert.strictEqual(
        stdout,
        "client,available,held,total,locked\n1,6.5000,0.0000,6.5000,false\n2,0.0000,0.0000,0.0000,true\n"
      )
      const json = JSON.parse((yield* accounts("--journal", path, "--json")).stdout)
      assert.deepStrictEqual(json, {
        sequence: 9,
        time: "2026-11-21T12:00:00.000Z",
        accounts: [
          { client: 1, available: "6.5000", held: "0.0000", total: "6.5000", locked: false },
          { client: 2, available: "0.0000", held: "0.0000", total: "0.0000", locked: true }
        ]
      })
    })
  )

  it.effect("lists them as of an event and as of a moment, with and without snapshots", () =>
    Effect.gen(function* () {
      for (const snapshotEvery of [undefined, 1]) {
        const path = yield* threeHours(snapshotEvery)
        const snapshots = readdirSync(path).filter((name) => name.endsWith(".snapshot"))
        assert.strictEqual(snapshots.length, snapshotEvery === undefined ? 0 : 3)
        for (let count = 1; count <= 9; count++) {
          const { stdout } = yield* accounts("--journal", path, "--at", String(count))
          assert.strictEqual(stdout, Journals.accountsOf(upTo(count)), `at ${count}`)
        }
        for (const [moment, count] of [
          ["2026-11-21T09:59:59.999Z", 0],
          ["2026-11-21T10:00:00Z", 4],
          ["2026-11-21T12:30:00+02:00", 4],
          ["2026-11-21T11:00Z", 6],
          ["2026-11-21T11:59:59.999Z", 6],
          ["2026-11-22", 9]
        ] as const) {
          const { stdout } = yield* accounts("--journal", path, "--at", moment)
          assert.strictEqual(stdout, Journals.accountsOf(upTo(count)), moment)
        }
      }
    })
  )

  it.effect("shows what moved an account, and the balance after each", () =>
    Effect.gen(function* () {
      const path = yield* threeHours()
      const { stdout } = yield* accounts("show", "1", "--journal", path)
      assert.deepStrictEqual(
        stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.trim().split(/ {2,}/)),
        [
          ["event", "time", "from", "what", "tx", "amount", "available", "held", "balance", "held"],
          ["1", "2026-11-21T10:00:00.000Z", "nov.csv:2", "deposit", "1", "10.0000", "+10.0000", "10.0000", "0.0000"],
          ["4", "2026-11-21T10:00:00.000Z", "nov.csv:5", "withdrawal", "4", "4.0000", "-4.0000", "6.0000", "0.0000"],
          // prettier-ignore
          ["5", "2026-11-21T11:00:00.000Z", "nov.csv:6", "dispute", "1", "10.0000", "-10.0000", "+10.0000", "-4.0000", "10.0000"],
          ["6", "2026-11-21T11:00:00.000Z", "nov.csv:7", "deposit", "5", "0.5000", "+0.5000", "-3.5000", "10.0000"],
          // prettier-ignore
          ["7", "2026-11-21T12:00:00.000Z", "nov.csv:8", "resolve", "1", "10.0000", "+10.0000", "-10.0000", "6.5000", "0.0000"],
          ["client 1: available 6.5000, held 0.0000, total 6.5000, open"]
        ]
      )
      const other = yield* accounts("show", "2", "--journal", path)
      assert.match(other.stdout, / 2 .* nov\.csv:3 +opened\s+0\.0000 +0\.0000\n/)
      assert.match(other.stdout, /chargeback .* frozen\nclient 2: .*, frozen\n$/)
      const then = yield* accounts("show", "1", "--journal", path, "--at", "4", "--json")
      const { history, ...balance } = JSON.parse(then.stdout)
      assert.deepStrictEqual(balance, {
        client: 1,
        available: "6.0000",
        held: "0.0000",
        total: "6.0000",
        locked: false
      })
      assert.deepStrictEqual(history[1], {
        sequence: 4,
        time: "2026-11-21T10:00:00.000Z",
        source: "nov.csv",
        line: 5,
        type: "withdrawal",
        tx: 4,
        amount: "4.0000",
        moved: { available: "-4.0000", held: "0.0000" },
        balance: { available: "6.0000", held: "0.0000", total: "6.0000", locked: false }
      })
    })
  )

  it.effect("says in one line what it cannot do", () =>
    Effect.gen(function* () {
      const path = yield* threeHours()
      const none = join(directory(), "none")
      for (const [words, complaint] of [
        [["--journal", path, "--at", "10"], "--at: the journal ends at 9, and 10 is after it"],
        [
          ["--journal", path, "--at", "noon"],
          '--at: expected the sequence of an event, or a moment such as 2026-11-21 or 2026-11-21T12:00:00Z, got "noon"'
        ],
        [["show", "3", "--journal", path], "the journal has no client 3"],
        [["--journal", none], `there is no journal in ${none}`],
        [
          ["--journal", path, "--ledger", "x"],
          "--journal: a directory holds one ledger, so --ledger has no meaning there"
        ],
        [
          ["--journal", "mysql://user:secret@host/db"],
          "DATABASE_URL: expected postgres:// or postgresql://, got mysql://"
        ]
      ] as const) {
        assert.strictEqual((yield* accounts(...words)).complaint, `florin: ${complaint}`)
      }
    })
  )
})

describe("florin journal", () => {
  it.effect("exports every event as CSV and as lines of JSON", () =>
    Effect.gen(function* () {
      const path = directory()
      yield* TestClock.setTime(Date.UTC(2026, 10, 21, 10))
      yield* Journals.keep(place(path), { 'a,"b".csv': upTo(3) })
      assert.deepStrictEqual(yield* exported(path), [
        '1,2026-11-21T10:00:00.000Z,"a,""b"".csv",2,deposit,1,1,10.0000',
        '2,2026-11-21T10:00:00.000Z,"a,""b"".csv",3,opened,2,,',
        '3,2026-11-21T10:00:00.000Z,"a,""b"".csv",4,deposit,2,3,5.0000'
      ])
      const json = yield* exported(path, "--json", "--after", "1")
      assert.deepStrictEqual(
        json.map((line) => JSON.parse(line)),
        [
          { sequence: 2, time: "2026-11-21T10:00:00.000Z", source: 'a,"b".csv', line: 3, type: "opened", client: 2 },
          {
            sequence: 3,
            time: "2026-11-21T10:00:00.000Z",
            source: 'a,"b".csv',
            line: 4,
            type: "deposit",
            client: 2,
            tx: 3,
            amount: "5.0000"
          }
        ]
      )
    })
  )

  it.effect("verifies a journal and its snapshots, and says what it found", () =>
    Effect.gen(function* () {
      const path = yield* threeHours(2)
      const { complaint, stdout } = yield* journal("verify", "--journal", path)
      assert.strictEqual(complaint, "")
      assert.strictEqual(
        stdout,
        "events 9, in blocks 3, from sources 1: every one follows from those before it\naccounts 2\nsnapshots that agree: 4, 6, 9\n"
      )
    })
  )

  it.effect("names what was torn, damaged or lost", () =>
    Effect.gen(function* () {
      const path = yield* threeHours(2)
      const segment = join(
        path,
        readdirSync(path).find((name) => name.endsWith(".journal"))!
      )
      const whole = readFileSync(segment)
      const verify = Effect.map(journal("verify", "--journal", path), ({ complaint }) => complaint)
      for (const at of [400, whole.length - 500]) {
        const bytes = Uint8Array.from(whole)
        bytes[at]! ^= 1
        writeFileSync(segment, bytes)
        assert.match(
          yield* verify,
          /^florin: the journal is damaged after event \d: (the checksum of a block is wrong|a block cannot be read)$/
        )
      }
      writeFileSync(segment, whole)
      truncateSync(segment, statSync(segment).size - 200)
      assert.strictEqual(
        yield* verify,
        "florin: the journal is damaged after event 6: a snapshot was made after event 9, which the journal does not have"
      )
      for (const name of readdirSync(path)) if (name.endsWith(".snapshot")) rmSync(join(path, name))
      assert.strictEqual(yield* verify, "")
    })
  )
})

/** What `journal export` writes to its standard output, but for the heading. */
const exported = (path: string, ...words: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const florin = yield* FlorinProcess.spawnFlorin(["journal", "export", "--journal", path, ...words], {})
      const { code, stdout } = yield* Effect.promise(() => florin.ended)
      assert.strictEqual(code, 0)
      const [first, ...events] = stdout.trimEnd().split("\n")
      return words.includes("--json") ? [first!, ...events] : events
    })
  )
