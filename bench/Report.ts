/**
 * What a run found, as text for a person and as JSON for a program: the machine,
 * a row for each contest, and what has to be known to read them.
 */
import { availableParallelism, cpus } from "node:os"
import manifest from "../package.json" with { type: "json" }
import type * as BenchDatabase from "./BenchDatabase.ts"
import type { Pace, Row, Unit } from "./Contest.ts"

export interface Report {
  readonly machine: Machine
  readonly pace: Pace
  readonly rows: ReadonlyArray<Row>
  readonly notes: ReadonlyArray<string>
}

// --- The machine ------------------------------------------------------------

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly node: string
  readonly dinero: string
  /** Absent when no contest needed it. */
  readonly postgres: BenchDatabase.Described | undefined
}

export const machine = (postgres: BenchDatabase.Described | undefined): Machine => ({
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? "unknown",
  node: process.version,
  dinero: manifest.devDependencies["dinero.js"],
  postgres
})

const machineLine = ({ cores, dinero, node, postgres, processor }: Machine) =>
  [
    `${cores} cores (${processor})`,
    `node ${node}`,
    `dinero.js ${dinero}`,
    postgres === undefined
      ? "PostgreSQL not started"
      : `PostgreSQL ${postgres.version}, fsync ${postgres.fsync}${postgres.inMemory ? ", on a file system in memory" : ""}`
  ].join(", ")

// --- The tables -------------------------------------------------------------

/** Three digits: the spread shows that there are not more of them to be had. */
const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })

/** Name, florin, peer, ratio, spread. */
const line = (name: string, florin: string, peer: string, ratio: string, spread: string) =>
  [name.padEnd(26), florin.padStart(14), peer.padStart(14), ratio.padStart(9), spread.padStart(18)].join("")

const table = (rows: ReadonlyArray<Row>, unit: Unit) => {
  const ofUnit = rows.filter((row) => row.unit === unit)
  if (ofUnit.length === 0) return []
  const suffix = { perSecond: "/s", bytes: ", bytes", millis: ", ms" }[unit]
  const better = unit === "perSecond" ? "above 1: florin does more" : "above 1: florin takes more"
  return [
    "",
    line("", `florin${suffix}`, `peer${suffix}`, "ratio", "spread") + `   ${better}`,
    ...ofUnit.map(({ florin, name, peer, ratio }) =>
      line(
        name,
        number.format(florin),
        number.format(peer),
        number.format(ratio.median),
        `${number.format(ratio.min)}..${number.format(ratio.max)}`
      )
    )
  ]
}

export const text = ({ machine, notes, pace, rows }: Report): string =>
  [
    machineLine(machine),
    `${pace.rounds} rounds of ${pace.turnMillis} ms a side, turn about (bytes: ${pace.memory.rounds}); medians; ratio is florin by peer in a round, spread its min..max`,
    ...table(rows, "perSecond"),
    ...table(rows, "bytes"),
    ...table(rows, "millis"),
    "",
    ...notes
  ].join("\n")

export const json = (report: Report): string => JSON.stringify(report, undefined, 2)
