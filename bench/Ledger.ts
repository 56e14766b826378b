/**
 * `florin process` over a generated file: beside a native program of the same
 * job, beside the program one would first write in Node, and beside itself on a
 * file that is several times as long.
 *
 * A round runs each program once, as a process; its seconds, from without and
 * from within, and its peak memory are rows of their own. The outputs have to
 * be the same bytes.
 */
import { Effect, Option } from "effect"
import { chmodSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Contest, Pace, Subject, Turn, Unit } from "./Contest.ts"
import * as LedgerFiles from "./LedgerFiles.ts"
import type { Measured, Program } from "./LedgerPrograms.ts"
import * as LedgerPrograms from "./LedgerPrograms.ts"
import * as LedgerStart from "./LedgerStart.ts"

/** Runs of one program over one file: the first measure of a round runs it, the others look at the same run. */
const runs = (program: Program | ((nth: number) => Program), input: string, output: string) => {
  const all: Array<Measured> = []
  return (nth: number) =>
    Effect.gen(function* () {
      const one = typeof program === "function" ? program(nth) : program
      if (all.length <= nth) all.push(yield* LedgerPrograms.run(one, input, output))
      return all[nth]!
    })
}
type Runs = ReturnType<typeof runs>

const measure = (of: Runs, value: (measured: Measured) => number): Turn<never> => {
  let nth = -1
  return Effect.suspend(() => {
    nth += 1
    return Effect.map(of(nth), value)
  })
}

const contest = (name: string, unit: Unit, rounds: number, florin: Turn<never>, peer: Turn<never>): Contest<never> => ({
  name,
  unit,
  rounds,
  warmUp: false,
  florin,
  peer
})

const rate = ({ rows, seconds }: Measured) => rows / seconds
const bytesPerMillionRows = ({ peakBytes, rows }: Measured) => (peakBytes / rows) * 1e6

export const subject = Effect.fnUntraced(function* (pace: Pace) {
  const { clients, longRows, rounds, rows } = pace.ledger
  const directory = yield* LedgerFiles.directory
  // As root, the embedded database runs as another user, who has to come in.
  chmodSync(directory, 0o755)
  const input = yield* LedgerFiles.make(directory, rows, clients)
  const long = yield* LedgerFiles.make(directory, longRows, clients)
  const peer = yield* LedgerPrograms.peer(directory)
  const into = (name: string) => join(directory, `${name}.csv`)

  /** What florin and another program say of the same file, after their outputs were held together. */
  const beside = (
    name: string,
    program: Program,
    rounds: number,
    measures: ReadonlyArray<"whole" | "inside" | "memory">
  ) => {
    const florin = runs(LedgerPrograms.florin, input, into("florin"))
    const unchecked = runs(program, input, into(name))
    const other: Runs = (nth) =>
      Effect.tap(unchecked(nth), () =>
        readFileSync(into("florin")).equals(readFileSync(into(name)))
          ? Effect.void
          : new LedgerPrograms.ProgramFailed({ program: name, detail: "its accounts are not florin's" })
      )
    const each = {
      whole: [`ledger x ${name}`, "perSecond", ({ rows, wallSeconds }: Measured) => rows / wallSeconds],
      inside: [`ledger x ${name}, inside`, "perSecond", ({ rows, seconds }: Measured) => rows / seconds],
      memory: [`ledger x ${name}, peak`, "bytes", ({ peakBytes }: Measured) => peakBytes]
    } as const
    return measures.map((measured) => {
      const [title, unit, value] = each[measured]
      return contest(title, unit, rounds, measure(florin, value), measure(other, value))
    })
  }

  const short = runs(LedgerPrograms.florin, input, into("short"))
  const longer = runs(LedgerPrograms.florin, long, into("long"))
  /** Each run into a journal of its own, or it would find that everything was taken. */
  const journaled = (name: string, words: (nth: number) => ReadonlyArray<string>) => {
    const memory = runs(LedgerPrograms.florin, input, into("memory"))
    const kept = runs((nth) => LedgerPrograms.journaled(words(nth)), input, into(name))
    return contest(`ledger, ${name}`, "perSecond", rounds, measure(kept, rate), measure(memory, rate))
  }
  return {
    contests: [
      ...Option.match(peer, {
        onNone: () => [],
        onSome: (peer) => beside("native", peer, rounds, ["whole", "inside", "memory"])
      }),
      ...beside("naive", LedgerPrograms.naive, Math.min(rounds, maxNaiveRounds), ["whole", "inside", "memory"]),
      journaled("file journal", (nth) => [join(directory, `journal-${nth}`), ...LedgerStart.noSnapshot]),
      journaled("with snapshots", (nth) => [join(directory, `snapshots-${nth}`)]),
      journaled("SQL journal", (nth) => [
        "embedded",
        "--data-dir",
        join(directory, "database"),
        "--ledger",
        `bench-${nth}`,
        ...LedgerStart.noSnapshot
      ]),
      yield* LedgerStart.contest(directory, input, pace),
      contest(
        "ledger, long file",
        "millis",
        1,
        measure(longer, ({ wallSeconds }) => wallSeconds * 1000),
        measure(short, ({ wallSeconds }) => wallSeconds * 1000)
      ),
      contest(
        "ledger, per million rows",
        "bytes",
        1,
        measure(longer, bytesPerMillionRows),
        measure(short, bytesPerMillionRows)
      )
    ],
    notes: [
      `ledger: rows a second of \`florin process\` over ${rows} rows of ${clients} clients, whole process; inside: from opening the file to the output's last byte; outputs are the same bytes`,
      Option.match(peer, {
        onNone: () => "ledger x native: skipped, there is no C++ compiler",
        onSome: ({ compiler }) => `native: one thread, a hash map each of accounts and transactions, by ${compiler}`
      }),
      "ledger, file and SQL journal: florin into a journal, fdatasync and fsync on, no snapshots; with snapshots: into files, with those that it takes by itself; peer is florin in memory; all from opening the file to the output's last byte",
      "naive: a stream, csv-parse, a Map each of accounts and transactions",
      LedgerStart.note(pace),
      `ledger, long file: florin over ${longRows} rows; peer is florin over ${rows}; per million rows: peak memory of the same two`
    ]
  } satisfies Subject<never>
})

/** It takes a quarter of a minute each time, and is far enough away for less. */
const maxNaiveRounds = 2
