/**
 * Every place at which a scenario can be disturbed, tried.
 *
 * 1. The scenario is told undisturbed, and its crossings are counted.
 * 2. For each crossing a run dies just before it, and another just after it.
 * 3. With `pairs`, each of those runs dies a second time, before and after
 *    every crossing that follows the first death, its recovery's included.
 * 4. With `pairs`, two processes work side by side, and one of them stands
 *    still at each of its crossings for longer than its lease, while the other
 *    takes over; then it goes on as if nothing had been.
 *
 * Each run goes on until everything rests, and is audited.
 */
import type { PlannedFault, Point } from "./FaultPlan.ts"
import * as FaultPlan from "./FaultPlan.ts"
import type { Finding, Outcome } from "./Run.ts"
import * as Run from "./Run.ts"
import type { Scenario } from "./Scenario.ts"
import type { Alteration } from "./World.ts"

/** What disturbs one run. */
export interface Plan {
  readonly processes: number
  readonly faults: ReadonlyArray<PlannedFault>
}

export interface Violation {
  readonly scenario: string
  readonly plan: Plan
  readonly findings: ReadonlyArray<Finding>
  readonly trace: ReadonlyArray<string>
}

export interface Report {
  readonly scenario: string
  /** Of the undisturbed run. */
  readonly crossings: number
  readonly runs: number
  readonly violations: ReadonlyArray<Violation>
  /** The longest that a run took to rest, in virtual milliseconds. */
  readonly slowestMillis: number
}

export interface Options {
  readonly seed: number
  readonly pairs: boolean
  readonly alteration?: Alteration | undefined
  /** Stop a scenario at its first violation. */
  readonly first?: boolean
}

/** Twice the lease, so that another has certainly taken over. */
const stallMillis = 30_000

const points: ReadonlyArray<Point> = ["before", "after"]
const death = (crossing: number, point: Point): PlannedFault => ({ crossing, point, fault: { _tag: "Die" } })
const stall = (crossing: number, point: Point): PlannedFault => ({
  crossing,
  point,
  fault: { _tag: "Stall", millis: stallMillis }
})

/** Tells a scenario in every way; `onRun` hears of each run as it ends. */
export const explore = (scenario: Scenario, options: Options, onRun: () => void = () => undefined): Report => {
  const violations: Array<Violation> = []
  let runs = 0
  let slowestMillis = 0
  const tell = (plan: Plan): Outcome => {
    const outcome = tellOnce(scenario, plan, options)
    runs += 1
    slowestMillis = Math.max(slowestMillis, outcome.restMillis)
    if (outcome.findings.length > 0) {
      violations.push({ scenario: scenario.name, plan, findings: outcome.findings, trace: outcome.trace })
    }
    onRun()
    return outcome
  }
  const isDone = () => options.first === true && violations.length > 0
  const undisturbed = tell({ processes: 1, faults: [] }).crossings.length
  for (const first of each(1, undisturbed, death)) {
    if (isDone()) break
    const { crossings } = tell({ processes: 1, faults: [first] })
    if (!options.pairs) continue
    for (const second of each(first.crossing + 1, crossings.length, death)) {
      if (isDone()) break
      tell({ processes: 1, faults: [first, second] })
    }
  }
  if (options.pairs && !isDone()) {
    const together = tell({ processes: 2, faults: [] }).crossings.length
    for (const fault of [...each(1, together, stall), ...each(1, together, death)]) {
      if (isDone()) break
      tell({ processes: 2, faults: [fault] })
    }
  }
  return { scenario: scenario.name, crossings: undisturbed, runs, violations, slowestMillis }
}

export const tellOnce = (
  scenario: Scenario,
  { faults, processes }: Plan,
  { alteration, seed }: Pick<Options, "seed" | "alteration">
): Outcome => Run.run(scenario, { seed, processes, alteration, faults: FaultPlan.planned(faults) })

const each = (
  from: number,
  to: number,
  fault: (crossing: number, point: Point) => PlannedFault
): ReadonlyArray<PlannedFault> =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index).flatMap((crossing) =>
    points.map((point) => fault(crossing, point))
  )
