/**
 * How long `florin process` takes to start from a journal in files: from a
 * snapshot of one file's rows, and some more events after it. The peer is the
 * same run with nothing to restore.
 *
 * A start is a whole run, as a process, over a file without rows.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Contest, Pace } from "./Contest.ts"
import * as LedgerFiles from "./LedgerFiles.ts"
import type { Program } from "./LedgerPrograms.ts"
import * as LedgerPrograms from "./LedgerPrograms.ts"

/** More events than any run here has. */
export const noSnapshot = ["--snapshot-every", "1000000000"]
/** Of the rows of a file, so many are events at least: one snapshot is taken near its end. */
const appliedShare = 0.9

export const contest = Effect.fnUntraced(function* (
  directory: string,
  input: string,
  { ledger: { clients, rounds, rows, startEvents } }: Pace
) {
  const journal = join(directory, "start")
  const output = join(directory, "start.csv")
  const more = yield* LedgerFiles.make(directory, startEvents, clients, LedgerFiles.otherSeed)
  const every = String(Math.floor(rows * appliedShare))
  yield* LedgerPrograms.run(LedgerPrograms.journaled([journal, "--snapshot-every", every]), input, output)
  yield* LedgerPrograms.run(LedgerPrograms.journaled([journal, ...noSnapshot]), more, output)

  const nothing = join(directory, "nothing.csv")
  writeFileSync(nothing, "type,client,tx,amount\n")
  const start = (program: Program) =>
    Effect.map(LedgerPrograms.run(program, nothing, output), ({ wallSeconds }) => wallSeconds * 1000)
  return {
    name: "ledger, start",
    unit: "millis",
    rounds,
    warmUp: true,
    // A start that took a snapshot would leave the next one nothing to replay.
    florin: start(LedgerPrograms.journaled([journal, ...noSnapshot])),
    peer: start(LedgerPrograms.florin)
  } satisfies Contest<never>
})

export const note = ({ ledger: { rows, startEvents } }: Pace) =>
  `ledger, start: a run over an empty file from a journal, with a snapshot of ${rows} rows and ${startEvents} rows after it; peer is the same without a journal`
