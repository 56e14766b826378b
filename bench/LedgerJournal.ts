/**
 * `florin process` into a journal beside `florin process` in memory, over the
 * same file: a journal in files, flushed to the disk group by group, and one in
 * PostgreSQL. And how long a start takes from a snapshot and a million events
 * after it, beside a start with nothing to restore.
 *
 * Each run has a journal of its own. Rows a second are from opening the file to
 * the output's last byte, the journal's last block included.
 */
import { Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Contest, Pace, Subject, Turn } from "./Contest.ts"
import * as LedgerFiles from "./LedgerFiles.ts"
import type { Program } from "./LedgerPrograms.ts"
import * as LedgerPrograms from "./LedgerPrograms.ts"

const into = (...words: ReadonlyArray<string>): Program => ({
  ...LedgerPrograms.florin,
  args: [...LedgerPrograms.florin.args, ...words]
})

const rate = (program: Program, input: string, output: string): Turn<never> =>
  Effect.map(LedgerPrograms.run(program, input, output), ({ rows, seconds }) => rows / seconds)

const besideMemory = (
  name: string,
  rounds: number,
  journaled: Turn<never>,
  input: string,
  output: string
): Contest<never> => ({
  name,
  unit: "perSecond",
  rounds,
  warmUp: false,
  florin: journaled,
  peer: rate(LedgerPrograms.florin, input, output)
})

/** Snapshots are another measure: none comes in a run of fewer events. */
const noSnapshot = ["--snapshot-every", "1000000000"]

export const files = Effect.fnUntraced(function* ({ ledger: { clients, rounds, rows, startEvents } }: Pace) {
  const directory = yield* LedgerFiles.directory
  const input = yield* LedgerFiles.make(directory, rows, clients)
  const output = join(directory, "accounts.csv")
  const journal = join(directory, "journal")
  const journaled = Effect.suspend(() => {
    rmSync(journal, { recursive: true, force: true })
    return rate(into("--journal", journal, ...noSnapshot), input, output)
  })

  // All of one file in a snapshot, then so many events of another.
  const kept = join(directory, "kept")
  const more = yield* LedgerFiles.make(directory, startEvents, clients, LedgerFiles.otherSeed)
  yield* LedgerPrograms.run(into("--journal", kept, "--snapshot-every", String(Math.floor(rows * 0.9))), input, output)
  yield* LedgerPrograms.run(into("--journal", kept, ...noSnapshot), more, output)
  const nothing = join(directory, "nothing.csv")
  writeFileSync(nothing, "type,client,tx,amount\n")
  const start = (program: Program): Turn<never> =>
    Effect.map(LedgerPrograms.run(program, nothing, output), ({ wallSeconds }) => wallSeconds * 1000)

  return {
    contests: [
      besideMemory("ledger, file journal", rounds, journaled, input, output),
      {
        name: "ledger, start",
        unit: "millis",
        rounds,
        warmUp: true,
        florin: start(into("--journal", kept)),
        peer: start(LedgerPrograms.florin)
      }
    ],
    notes: [
      `ledger, file journal: ${rows} rows into a journal in files, each group flushed to the disk; peer is florin in memory`,
      `ledger, start: a whole run over an empty file, from a snapshot of ${rows} rows and ${startEvents} rows after it; peer is the same without a journal`
    ]
  } satisfies Subject<never>
})

export const database = Effect.fnUntraced(function* ({ ledger: { clients, rounds, rows } }: Pace) {
  const dataDir = yield* BenchDatabase.DataDir
  const directory = yield* LedgerFiles.directory
  const input = yield* LedgerFiles.make(directory, rows, clients)
  const output = join(directory, "accounts.csv")
  let nth = 0
  const journaled = Effect.suspend(() => {
    nth += 1
    const words = ["--journal", "embedded", "--data-dir", dataDir, "--ledger", `bench-${nth}`, ...noSnapshot]
    return rate(into(...words), input, output)
  })
  return {
    contests: [besideMemory("ledger, SQL journal", rounds, journaled, input, output)],
    notes: [`ledger, SQL journal: ${rows} rows into a journal in PostgreSQL; peer is florin in memory`]
  } satisfies Subject<never>
})
