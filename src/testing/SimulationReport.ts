/** A simulation's report, to read and to process; both are the same for the same report, to the byte. */
import * as Disturbance from "./Disturbance.ts"
import * as FaultRates from "./FaultRates.ts"
import type { Report, Violation } from "./Simulator.ts"
import * as Timeline from "./Timeline.ts"

export const toText = (report: Report): string => {
  const { ended, findings, injected, passed, processes, restMillis, violations } = report
  const broken = Object.values(findings).reduce((sum, count) => sum + count, 0)
  return [
    `${plural(report.orders, "order")} in ${plural(report.batches, "batch", "es")}, ${plural(processes, "process", "es")} of florin, ${plural(report.crossings, "crossing")}`,
    ...(report.orders < report.payments ? [`stopped early: ${report.payments} were to be made`] : []),
    "",
    "went wrong",
    ...FaultRates.names.map((name) => row(name, injected[name] ?? 0, FaultRates.table[name].about)),
    row("deaths", report.deaths, "processes that ended, and were started anew"),
    "",
    "payments, by status: ended with it, and ever had it",
    ...statuses.map((status) => row(status, ended[status] ?? 0, String(passed[status] ?? 0).padStart(8))),
    row("escalated", report.escalated, "rest in doubt until an operator decides"),
    row("doubts resolved", report.resolvedDoubts, "operations that were in doubt, and ended by evidence"),
    "",
    "virtual time from a payment's first event to its last",
    ...(["p50", "p90", "p99", "max"] as const).map((which) => row(which, Timeline.duration(restMillis[which]), "")),
    "",
    broken === 0
      ? "auditor: no violation"
      : `auditor: ${plural(broken, "violation")} (${Object.entries(findings)
          .map(([rule, count]) => `${rule} ${count}`)
          .join(", ")})`,
    ...violations.flatMap(tell),
    "",
    reproduce(report)
  ].join("\n")
}

/** Amounts and times are numbers; timelines are lines of text. */
export const toJson = (report: Report): string =>
  JSON.stringify({
    ...report,
    rates: FaultRates.toText(report.rates),
    violations: report.violations.map((violation) => ({
      ...violation,
      timeline: Timeline.toText(violation.timeline)
    })),
    reproduce: reproduce(report)
  })

/** The command that makes the same report. */
export const reproduce = ({ payments, processes, rates, seed }: Report): string =>
  [
    `florin simulate --seed ${seed} --payments ${payments} --faults "${FaultRates.toText(rates)}"`,
    ...(processes === usualProcesses ? [] : [`--processes ${processes}`])
  ].join(" ")

/** What the command takes where it is not told. */
const usualProcesses = 2

/** In the order in which a payment has them. */
const statuses = [
  "initiated",
  "requires_action",
  "authenticated",
  "processing",
  "authorized",
  "succeeded",
  "failed",
  "cancelled",
  "in_doubt"
] as const

const plural = (count: number, noun: string, ending = "s"): string => `${count} ${noun}${count === 1 ? "" : ending}`

const row = (name: string, value: string | number, about: string): string =>
  `  ${name.padEnd(18)}${String(value).padStart(12)}  ${about}`.trimEnd()

const tell = ({ batch, batchSeed, findings, order, payment, shrunk, timeline }: Violation): ReadonlyArray<string> => {
  const { case: small, trace } = shrunk
  return [
    "",
    `violation: ${order === "" ? "a whole batch" : `${order}, ${payment}`}, in batch ${batch} of seed ${batchSeed}`,
    ...findings.map(({ detail, rule }) => `  ${rule}: ${detail}`),
    ...Timeline.toText(timeline).map((line) => `    ${line}`),
    `  shrunk in ${shrunk.runs} runs to ${plural(small.visits.length, "order")} and ${plural(small.strikes.length, "fault")}:`,
    ...small.strikes.map((strike) => `    ${Disturbance.toText(strike)}`),
    ...shrunk.findings.map(({ detail, rule }) => `  ${rule}: ${detail}`),
    ...trace.map((line) => `    ${line}`),
    "  as data:",
    `    ${JSON.stringify(small)}`
  ]
}
