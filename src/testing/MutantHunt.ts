/** The exploration, set on a planted bug: which scenario finds it, and after how many runs. */
import * as Explorer from "./Explorer.ts"
import type { Mutant } from "./Mutant.ts"
import * as Scenario from "./Scenario.ts"

export interface Hunt {
  readonly name: string
  readonly found: boolean
  /** The scenario that found it. */
  readonly scenario: string | undefined
  /** Over all that were told, until it was found. */
  readonly runs: number
  /** What was violated. */
  readonly rules: ReadonlyArray<string>
}

/** First every single death of each scenario; then, if that was not enough, every pair. */
export const hunt = ({ alteration, name }: Mutant, seed: number, scenarios = Scenario.all): Hunt => {
  let runs = 0
  for (const pairs of [false, true]) {
    for (const scenario of scenarios) {
      const report = Explorer.explore(scenario, { seed, pairs, alteration, first: true })
      runs += report.runs
      const [violation] = report.violations
      if (violation === undefined) continue
      const rules = [...new Set(violation.findings.map(({ rule }) => rule))]
      return { name, found: true, scenario: scenario.name, runs, rules }
    }
  }
  return { name, found: false, scenario: undefined, runs, rules: [] }
}
