/**
 * Thousands of payments with everything going wrong at once, by chance.
 *
 * The payments come in batches, each a world of its own whose seed follows from
 * the run's seed and the batch's number. So one batch reproduces alone, and a
 * world stays small. When a batch rests it is audited, and a violation is told
 * with the smallest batch that still shows it.
 *
 * One seed, one report, to the byte, unless the time runs out.
 */
import type { Status } from "../domain/payment/PaymentView.ts"
import type { Batch, Finding, Outcome } from "./Batch.ts"
import * as Batches from "./Batch.ts"
import * as Disturbance from "./Disturbance.ts"
import type { FaultRates, Name } from "./FaultRates.ts"
import * as Seed from "./Seed.ts"
import type { Shrunk } from "./Shrink.ts"
import * as Shrink from "./Shrink.ts"
import type { Entry } from "./Timeline.ts"
import * as Workload from "./Workload.ts"
import type { Alteration } from "./World.ts"

export interface Options {
  readonly seed: number
  readonly payments: number
  readonly rates: FaultRates
  /** Florin's processes side by side; 2 unless told otherwise. */
  readonly processes?: number | undefined
  /** No batch begins after so much time, as `elapsedMillis` tells it; both or neither. */
  readonly maxMillis?: number | undefined
  readonly elapsedMillis?: (() => number) | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly alteration?: Alteration | undefined
}

export interface Progress {
  readonly payments: number
  readonly of: number
  readonly violations: number
}

export interface Report {
  readonly seed: number
  /** That were to be made; time may have run out before. */
  readonly payments: number
  readonly rates: FaultRates
  readonly processes: number
  readonly batches: number
  /** Orders that came in; one that nobody ever answered has no payment. */
  readonly orders: number
  readonly injected: Readonly<Partial<Record<Name, number>>>
  /** By status: how many payments ended with it, and how many had it at any time. */
  readonly ended: Readonly<Partial<Record<Status, number>>>
  readonly passed: Readonly<Partial<Record<Status, number>>>
  readonly escalated: number
  readonly resolvedDoubts: number
  readonly deaths: number
  readonly crossings: number
  /** Of a payment, from its first event to its last, in virtual milliseconds. */
  readonly restMillis: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number }
  /** In all, by rule; `violations` tells the first of them. */
  readonly findings: Readonly<Record<string, number>>
  readonly violations: ReadonlyArray<Violation>
}

/** A payment that broke the promise. */
export interface Violation {
  /** Counted from 1. */
  readonly batch: number
  readonly batchSeed: number
  readonly payment: string
  /** The merchant's number of it. */
  readonly order: string
  readonly findings: ReadonlyArray<Finding>
  /** For `Timeline.toText` and `TimelinePicture.toSvg`. */
  readonly timeline: ReadonlyArray<Entry>
  readonly shrunk: Shrunk
}

/**
 * As many payments a world as meet each other, and no more: what a database
 * finds by an index, a world in memory looks through.
 */
const batchSize = 50
/** What went wrong has ended by then, and everything has time to come to rest. */
const faultsMillis = 6 * 60 * 60 * 1000
/** The first violations are what matters; each takes some seconds to shrink. */
const maxViolations = 3

export const simulate = (options: Options): Report => {
  const running = simulation(options)
  for (let step = running.next(); ; step = running.next()) {
    if (step.done === true) return step.value
    options.onProgress?.(step.value)
  }
}

/** The same, a batch at a time, for who has something else to do between two. */
export function* simulation(options: Options): Generator<Progress, Report> {
  const { payments, rates, seed } = options
  const batches = Math.ceil(payments / batchSize)
  const tally = newTally()
  let number = 0
  while (number < batches && !isOutOfTime(options)) {
    number += 1
    const batch = batchOf(options, number)
    const outcome = Batches.run(batch, options)
    add(tally, batch, outcome)
    if (outcome.findings.length > 0 && tally.violations.length < maxViolations) {
      tally.violations.push(tell(batch, number, outcome, options))
    }
    yield { payments: tally.orders, of: payments, violations: tally.violations.length }
  }
  const { rests, ...sums } = tally
  return {
    seed,
    payments,
    rates,
    processes: processesOf(options),
    batches: number,
    ...sums,
    restMillis: percentiles(rests)
  }
}

/** The n-th batch of a run, counted from 1. */
export const batchOf = (options: Pick<Options, "seed" | "payments" | "rates" | "processes">, number: number): Batch => {
  const seed = Seed.derive(options.seed, `batch ${number}`)
  const left = options.payments - (number - 1) * batchSize
  return {
    seed,
    processes: processesOf(options),
    visits: Workload.make(seed, Math.min(batchSize, left)),
    disturbance: (elapsedMillis) => Disturbance.byChance(seed, options.rates, () => elapsedMillis() > faultsMillis)
  }
}

/** Two, so that they meet on one payment. */
const processesOf = ({ processes = 2 }: Pick<Options, "processes">) => processes

const isOutOfTime = ({ elapsedMillis, maxMillis }: Options) =>
  maxMillis !== undefined && elapsedMillis !== undefined && elapsedMillis() >= maxMillis

// --- Sums -------------------------------------------------------------------

const newTally = () => ({
  orders: 0,
  injected: {} as Partial<Record<Name, number>>,
  ended: {} as Partial<Record<Status, number>>,
  passed: {} as Partial<Record<Status, number>>,
  escalated: 0,
  resolvedDoubts: 0,
  deaths: 0,
  crossings: 0,
  rests: [] as Array<number>,
  findings: {} as Record<string, number>,
  violations: [] as Array<Violation>
})

const add = (tally: ReturnType<typeof newTally>, { visits }: Batch, outcome: Outcome): void => {
  tally.orders += visits.length
  tally.deaths += outcome.deaths
  tally.crossings += outcome.crossings
  for (const { name } of outcome.strikes) tally.injected[name] = (tally.injected[name] ?? 0) + 1
  for (const { rule } of outcome.findings) tally.findings[rule] = (tally.findings[rule] ?? 0) + 1
  for (const { ended, escalated, resolvedDoubts, restMillis, statuses } of outcome.fates) {
    if (ended !== undefined) tally.ended[ended] = (tally.ended[ended] ?? 0) + 1
    for (const status of statuses) tally.passed[status] = (tally.passed[status] ?? 0) + 1
    if (escalated) tally.escalated += 1
    tally.resolvedDoubts += resolvedDoubts
    tally.rests.push(restMillis)
  }
}

/** Each the smallest that so many are not above. */
const percentiles = (all: ReadonlyArray<number>): Report["restMillis"] => {
  const sorted = all.toSorted((one, other) => one - other)
  const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0
  return { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
}

// --- Violations -------------------------------------------------------------

/** The batch again, told this time, and its first finding made small. */
const tell = (batch: Batch, number: number, outcome: Outcome, { alteration }: Options): Violation => {
  // A batch that never rests has a payment that does not, and that one says more.
  const { payment, rule } = outcome.findings.find((finding) => finding.payment !== "") ?? outcome.findings[0]!
  const again = Batches.run(batch, { alteration, isTold: true })
  const order = again.fates.find((fate) => fate.payment === payment)?.order ?? ""
  return {
    batch: number,
    batchSeed: batch.seed,
    payment,
    order,
    findings: outcome.findings.filter((finding) => finding.payment === payment),
    timeline: again.timeline(payment),
    shrunk: Shrink.shrink({ batch, strikes: outcome.strikes, order, rule, alteration })
  }
}
