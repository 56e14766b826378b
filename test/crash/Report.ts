/** What a run prints. */
import type { Books } from "../../src/testing/Auditor.ts"
import type { Counts } from "./Merchant.ts"
import type { Blow, Planned } from "./Plan.ts"
import type { Violation } from "./Verdict.ts"
import * as Verdict from "./Verdict.ts"

export interface Run {
  readonly seed: number
  readonly size: "long" | "short"
  readonly plan: ReadonlyArray<Planned>
  readonly orders: number
  readonly books: Books
  readonly counts: Counts
  /** Steps whose keys were still in flight at the end. */
  readonly left: number
  readonly violations: ReadonlyArray<Violation>
  /** Where logs and databases are, if there are violations. */
  readonly path: string
  readonly seconds: number
}

/** More would be the same fault over and over; all of them are in the databases that are kept. */
const maxShown = 20

export const text = (run: Run): string => {
  const { books, counts, left, path, seconds, seed, size, violations } = run
  const doubts = Verdict.doubts(books)
  const rows: ReadonlyArray<readonly [string, string | number]> = [
    ["orders", run.orders],
    ["payments", books.streams.length],
    ["  at rest as", statuses(books)],
    ["requests", counts.requests],
    ["  nobody answered", counts.silences],
    ["  503, no database", counts.unavailable],
    ["  steps left in flight", left],
    ["kill -9 of a service", blows(run, "Kill")],
    ["kill -9 of PostgreSQL", blows(run, "KillPostgres")],
    [`stalls past the lease`, blows(run, "Stall")],
    ["operations in doubt", doubts.operations],
    ["  taken over", doubts.takenOver],
    ["  resolved", doubts.resolved],
    ["escalations", doubts.escalated],
    ["deliveries", deliveries(books)],
    ["violations", violations.length]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...violations.slice(0, maxShown).map(({ detail, of, rule }) => `${rule}: ${of}: ${detail}`),
    ...(violations.length > maxShown ? [`and ${violations.length - maxShown} more`] : []),
    ...(violations.length > 0 ? [`logs and databases: ${path}`] : []),
    "",
    `${seconds.toFixed(0)} s; the same blows and orders: npm run test:crash --${size === "short" ? " --short" : ""} --seed ${seed}`
  ].join("\n")
}

const blows = ({ plan }: Run, tag: Blow["_tag"]) => plan.filter(({ blow }) => blow._tag === tag).length

const statuses = ({ views }: Books) =>
  [...Map.groupBy(views, ({ status }) => status)]
    .toSorted(([, one], [, other]) => other.length - one.length)
    .map(([status, all]) => `${status} ${all.length}`)
    .join(", ")

const deliveries = ({ deadLetters, deliveries, streams }: Books) => {
  const events = streams.reduce((total, { head }) => total + head, 0)
  const left = events - deliveries.length - deadLetters.length
  return `outbox ${left === 0 ? "empty" : `holds ${left}`}, ${deadLetters.length} dead letters, ${events} events`
}
