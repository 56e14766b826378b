/**
 * Every place at which a run of a saga can be cut off, tried.
 *
 * 1. The story is told undisturbed, and its crossings of florin's boundaries are counted.
 * 2. For each crossing a telling has the process die just before it, and another just after it.
 * 3. With `pairs`, each of those dies a second time, before and after every crossing that follows the first death
 *    until the run has ended: the recovery's, and what it takes up. What comes later is payments' alone, and
 *    `Explorer` has it die there.
 *
 * `hunt` does the same to a story with a bug in it, until the bug shows.
 */
import type { PlannedFault, Point } from "../FaultPlan.ts"
import * as FaultPlan from "../FaultPlan.ts"
import * as Seed from "../Seed.ts"
import type { Story } from "./SagaStory.ts"
import type { Told } from "./SagaTelling.ts"

export interface Options {
  readonly pairs: boolean
  /** Only one in so many pairs, drawn by `seed`; all of them when absent. */
  readonly oneIn?: number | undefined
  readonly seed?: number | undefined
}

export interface Violation {
  readonly story: string
  /** Where processes died. */
  readonly plan: string
  readonly findings: ReadonlyArray<string>
}

export interface Report {
  readonly story: string
  /** Of the undisturbed telling. */
  readonly crossings: number
  readonly runs: number
  readonly violations: ReadonlyArray<Violation>
}

/** Tells a story in every way; `onRun` hears of each telling as it ends. */
export const explore = (story: Story, options: Options, onRun: () => void = () => undefined): Report => {
  const violations: Array<Violation> = []
  let crossings = 0
  let runs = 0
  for (const { plan, told } of tellings(story, options)) {
    if (runs === 0) crossings = told.crossings.length
    runs += 1
    const findings = findingsIn(story, told)
    if (findings.length > 0) violations.push({ story: story.name, plan: textOf(plan, told), findings })
    onRun()
  }
  return { story: story.name, crossings, runs, violations }
}

export interface Hunt {
  readonly story: string
  readonly bug: string
  readonly runs: number
  /** Absent when no telling showed it. */
  readonly found: Violation | undefined
}

/** Tells a story with a bug in it until the bug shows: at a single death, as all of ours do. */
export const hunt = (story: Story, bug: string): Hunt => {
  let runs = 0
  for (const { plan, told } of tellings(story, { pairs: false }, bug)) {
    runs += 1
    const findings = findingsIn(story, told)
    if (findings.length > 0) {
      return { story: story.name, bug, runs, found: { story: story.name, plan: textOf(plan, told), findings } }
    }
  }
  return { story: story.name, bug, runs, found: undefined }
}

// --- In every way -----------------------------------------------------------

interface Telling {
  readonly plan: ReadonlyArray<PlannedFault>
  readonly told: Told
}

function* tellings(story: Story, { oneIn = 1, pairs, seed = 1 }: Options, bug?: string): Generator<Telling> {
  const draw = Seed.make(Seed.derive(seed, story.name))
  const tell = (...plan: ReadonlyArray<PlannedFault>): Telling => ({ plan, told: story.tell(plan, bug) })
  const undisturbed = tell()
  yield undisturbed
  for (const first of deaths(1, undisturbed.told.crossings.length)) {
    const once = tell(first)
    yield once
    if (!pairs) continue
    for (const second of deaths(first.crossing + 1, once.told.ended)) {
      if (oneIn === 1 || draw.below(oneIn) === 0) yield tell(first, second)
    }
  }
}

const points: ReadonlyArray<Point> = ["before", "after"]

const deaths = (from: number, to: number): ReadonlyArray<PlannedFault> =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index).flatMap((crossing) =>
    points.map((point) => ({ crossing, point, fault: { _tag: "Die" } }) as const)
  )

const findingsIn = ({ ending }: Story, told: Told): ReadonlyArray<string> =>
  told.ending === ending ? told.findings : [`expected it to have ${ending}, actual ${told.ending}`, ...told.findings]

const textOf = (plan: ReadonlyArray<PlannedFault>, { crossings }: Told): string =>
  plan.map((death) => FaultPlan.toText(death, crossings[death.crossing - 1])).join(", ") || "undisturbed"
