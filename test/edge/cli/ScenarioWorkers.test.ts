import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ScenarioWorkers from "../../../src/edge/cli/ScenarioWorkers.ts"
import * as Explorer from "../../../src/testing/Explorer.ts"
import * as Scenario from "../../../src/testing/Scenario.ts"

const named = (...names: ReadonlyArray<string>) =>
  names.map((name) => Scenario.all.find((scenario) => scenario.name === name)!)

describe("ScenarioWorkers", () => {
  it.live("report what one thread reports, in the order that was asked", () =>
    Effect.gen(function* () {
      const scenarios = named("void", "automatic-capture", "double-click")
      const options = { seed: 7, pairs: false }
      let explored = 0
      let runs = 0
      const reports = yield* ScenarioWorkers.explore(scenarios, options, (progress) =>
        Effect.sync(() => {
          explored = progress.explored
          runs += progress.runs
        })
      )
      assert.deepStrictEqual(
        reports,
        scenarios.map((scenario) => Explorer.explore(scenario, options))
      )
      assert.strictEqual(explored, 3)
      assert.strictEqual(
        runs,
        reports.reduce((sum, report) => sum + report.runs, 0)
      )
    })
  )

  it.live("fail when a worker breaks", () =>
    Effect.gen(function* () {
      const unknown = { ...named("void")[0]!, name: "no-such-scenario" }
      const exit = yield* Effect.exit(ScenarioWorkers.explore([unknown], { seed: 1, pairs: false }, () => Effect.void))
      assert.include(String(exit), "no scenario is named no-such-scenario")
    })
  )
})
