/**
 * A batch that breaks a rule, made small: fewer orders and fewer faults, for as
 * long as the same rule is still broken.
 *
 * 1. The payment's own order, alone, with the mischief that met it. If that
 *    breaks the rule no more, its process died or its store failed: the order
 *    alone with one such fault, tried at every crossing.
 * 2. If that does not break it either, the whole batch with the very faults
 *    that it met, halved again and again.
 * 3. Then the faults one by one, and whatever the orders can do without: their
 *    deeds, their times, a second process.
 *
 * The result is data: as JSON and back, `replay` still shows the same.
 */
import type { Batch, Finding, Outcome } from "./Batch.ts"
import * as Batches from "./Batch.ts"
import type { Strike } from "./Disturbance.ts"
import * as Disturbance from "./Disturbance.ts"
import type { Boundary } from "./FaultPlan.ts"
import type { Visit } from "./Workload.ts"
import type { Alteration } from "./World.ts"

/** A batch with what exactly goes wrong in it. */
export interface Case {
  readonly seed: number
  readonly processes: number
  readonly visits: ReadonlyArray<Visit>
  readonly strikes: ReadonlyArray<Strike>
}

export interface Shrunk {
  readonly case: Case
  readonly findings: ReadonlyArray<Finding>
  /** Every crossing, fault and life of the small run. */
  readonly trace: ReadonlyArray<string>
  /** Runs that it took. */
  readonly runs: number
}

export interface Violated {
  readonly batch: Batch
  /** All that went wrong in it. */
  readonly strikes: ReadonlyArray<Strike>
  readonly order: string
  readonly rule: Finding["rule"]
  readonly alteration?: Alteration | undefined
}

/** Enough for a batch of fifty orders to become one; a run of few orders takes some milliseconds. */
const maxRuns = 400
export const replay = (one: Case, alteration?: Alteration): Outcome =>
  Batches.run(batchOf(one), { alteration, isTold: true })

export const shrink = ({ alteration, batch, order, rule, strikes }: Violated): Shrunk => {
  const { processes, seed, visits } = batch
  let runs = 0
  const isBroken = (one: Case): boolean => {
    if (runs >= maxRuns) return false
    runs += 1
    return Batches.run(batchOf(one), { alteration }).findings.some((finding) => finding.rule === rule)
  }

  const whole: Case = { seed, processes, visits, strikes }
  const alone: Case = {
    ...whole,
    visits: visits.filter((visit) => visit.order === order),
    strikes: strikes.filter((strike) => isOf(strike, order))
  }
  const start = isBroken(alone) ? alone : (bySingleFault(alone, strikes, isBroken) ?? whole)
  const fewer = { ...start, visits: fewest(start.visits, (left) => isBroken({ ...start, visits: left })) }
  const small = { ...fewer, strikes: fewest(fewer.strikes, (left) => isBroken({ ...fewer, strikes: left })) }
  const plain = { ...small, visits: small.visits.map((visit) => ({ ...visit, atMillis: 0, twice: false, deeds: [] })) }
  const smallest = [{ ...plain, processes: 1 }, plain, { ...small, processes: 1 }].find(isBroken) ?? small
  const { findings, trace } = replay(smallest, alteration)
  return { case: smallest, findings, trace, runs }
}

const batchOf = ({ processes, seed, strikes, visits }: Case): Batch => ({
  seed,
  processes,
  visits,
  disturbance: () => Disturbance.planned(strikes)
})

/** Whether it struck this order, and would again without the others. */
const isOf = (strike: Strike, order: string): boolean =>
  strike._tag !== "Crossing" && (strike._tag === "Ask" ? strike.ask : strike.notification).startsWith(`${order} `)

/** The order alone, as it was, and one of the crossings' faults that its batch met, wherever that breaks the rule. */
const bySingleFault = (
  alone: Case,
  strikes: ReadonlyArray<Strike>,
  isBroken: (one: Case) => boolean
): Case | undefined => {
  const crossings = strikes.filter((strike) => strike._tag === "Crossing")
  const kinds = [...new Map(crossings.map((strike) => [`${strike.name} ${strike.point}`, strike])).values()]
  const boundaries = boundariesOf(alone)
  for (const [index, boundary] of boundaries.entries()) {
    for (const kind of kinds) {
      if (!Disturbance.strikesAt(kind.name, boundary)) continue
      const candidate = { ...alone, strikes: [...alone.strikes, { ...kind, crossing: index + 1, boundary }] }
      if (isBroken(candidate)) return candidate
    }
  }
  return undefined
}

/** What an undisturbed crossing of the order alone crosses, in its order. */
const boundariesOf = (alone: Case): ReadonlyArray<Boundary> => {
  const boundaries: Array<Boundary> = []
  const batch = batchOf(alone)
  Batches.run({
    ...batch,
    disturbance: (elapsedMillis) => {
      const asItWas = batch.disturbance(elapsedMillis)
      return {
        ...asItWas,
        crossing: (crossing, point) => {
          boundaries[crossing.ordinal - 1] = crossing.boundary
          return asItWas.crossing(crossing, point)
        }
      }
    }
  })
  return boundaries
}

/** A part of a list that still does it and of which nothing more can be left out: halves first, single ones last. */
export const fewest = <A>(list: ReadonlyArray<A>, does: (left: ReadonlyArray<A>) => boolean): ReadonlyArray<A> => {
  let left = list
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length;) {
      const without = [...left.slice(0, from), ...left.slice(from + size)]
      if (does(without)) left = without
      else from += size
    }
  }
  return left
}
