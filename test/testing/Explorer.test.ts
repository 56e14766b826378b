/** The promise under every single death, and whether its checks would notice if it were broken. */
import { assert, describe, it } from "@effect/vitest"
import * as Explorer from "../../src/testing/Explorer.ts"
import * as FaultPlan from "../../src/testing/FaultPlan.ts"
import * as MutantHunt from "../../src/testing/MutantHunt.ts"
import * as Mutant from "../../src/testing/Mutant.ts"
import * as Run from "../../src/testing/Run.ts"
import * as Scenario from "../../src/testing/Scenario.ts"
import { withoutStacks } from "./WithoutStacks.ts"

withoutStacks()

const text = (violations: ReadonlyArray<Explorer.Violation>) =>
  violations
    .map(({ findings, plan, scenario }) => `${scenario} ${JSON.stringify(plan)} ${JSON.stringify(findings)}`)
    .join("\n")

describe("Explorer", () => {
  for (const scenario of Scenario.all) {
    it(`${scenario.name}: keeps the promise through a death at every crossing`, { timeout: 60_000 }, () => {
      const report = Explorer.explore(scenario, { seed: 1, pairs: false })
      assert.strictEqual(report.violations.length, 0, text(report.violations))
      assert.strictEqual(report.runs, 1 + 2 * report.crossings)
      assert.isAbove(report.crossings, 9)
    })
  }

  it("dies where it is told to, recovers by another process, and ends where it was to end", () => {
    const [scenario] = Scenario.all
    const outcome = Explorer.tellOnce(
      scenario!,
      { processes: 1, faults: [{ crossing: 3, point: "after", fault: { _tag: "Die" } }] },
      { seed: 1 }
    )
    assert.strictEqual(outcome.struck, 1)
    const seen = outcome.trace.map((line) => line.replace(/^\d+ /, ""))
    const died = seen.indexOf("A1 died")
    assert.deepStrictEqual(seen.slice(0, died + 2), [
      "A1 booted",
      "A1 1 PaymentRepository.create",
      "A1 2 PaymentRepository.append",
      "A1 3 PaymentGateway.authorize",
      "A1 3 PaymentGateway.authorize after: Die",
      "A1 died",
      "A2 booted"
    ])
    const gateway = seen.filter((line) => /^A2 \d+ PaymentGateway/.test(line)).map((line) => line.replace(/ \d+ /, " "))
    assert.deepStrictEqual(gateway, ["A2 PaymentGateway.authorize", "A2 PaymentGateway.capture"])
    assert.deepStrictEqual(outcome.findings, [])
  })

  it("is one run for one seed, to the byte", { timeout: 60_000 }, () => {
    // Two processes and a death in the middle, so that there is an order to choose.
    const faults = FaultPlan.planned([{ crossing: 8, point: "before", fault: { _tag: "Die" } }])
    const traces = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const scenario = Scenario.all[seed % Scenario.all.length]!
      const once = Run.run(scenario, { seed, processes: 2, faults })
      const again = Run.run(scenario, { seed, processes: 2, faults })
      assert.deepStrictEqual(again.trace, once.trace)
      assert.deepStrictEqual(once.findings, [])
      traces.add(once.trace.join("\n"))
    }
    assert.isAbove(traces.size, 100)
  })

  it(
    "survives a store that does not answer, or answers and is not heard, at every crossing",
    { timeout: 60_000 },
    () => {
      const [scenario] = Scenario.all
      const { crossings } = Run.run(scenario!, { seed: 1, faults: FaultPlan.none })
      for (const { ordinal } of crossings) {
        for (const point of ["before", "after"] as const) {
          for (const fault of [
            { _tag: "Fail" },
            { _tag: "Refuse" },
            { _tag: "Delay", millis: 40_000 },
            { _tag: "ClockJump", millis: 300_000 },
            { _tag: "ClockJump", millis: -60_000 }
          ] as const) {
            const faults = FaultPlan.planned([{ crossing: ordinal, point, fault }])
            const { findings, struck } = Run.run(scenario!, { seed: 1, faults })
            assert.deepStrictEqual(findings, [], `${ordinal} ${point} ${JSON.stringify(fault)}`)
            assert.strictEqual(struck, 1)
          }
        }
      }
    }
  )
})

/** The first scenario that finds each of them; `florin simulate mutants` looks through all. */
const foundBy: Readonly<Record<string, string>> = {
  "charge-before-intent": "manual-capture",
  "new-key-on-resend": "second-gateway",
  "new-key-after-restart": "automatic-capture",
  "doubt-is-failure": "timeout-before",
  "capture-doubt-is-refusal": "timeout-before",
  "doubt-is-success": "timeout-before",
  "fallback-in-doubt": "key-forgotten",
  "no-fencing": "notification-before-answer",
  "last-write-wins": "notification-before-answer",
  "read-then-insert-key": "double-click",
  "key-not-claimed": "automatic-capture",
  "outbox-marked-first": "automatic-capture",
  "outbox-out-of-order": "automatic-capture",
  "eventual-lookup-trusted": "acts-very-late",
  "key-retention-ignored": "eventual-lookup",
  "recovery-charges-anew": "automatic-capture",
  "read-model-behind": "automatic-capture",
  "refund-outside-transaction": "partial-refunds",
  "webhook-applied-twice": "dispute",
  "decline-trips-breaker": "second-card"
}

describe("mutants", () => {
  it("are many, and each is another", () => {
    assert.isAtLeast(Mutant.all.length, 15)
    assert.sameMembers(
      Mutant.all.map(({ name }) => name),
      Object.keys(foundBy)
    )
  })

  for (const mutant of Mutant.all) {
    it(`${mutant.name} is found`, { timeout: 60_000 }, () => {
      const scenarios = Scenario.all.filter(({ name }) => name === foundBy[mutant.name])
      const hunt = MutantHunt.hunt(mutant, 1, scenarios)
      assert.isTrue(hunt.found)
      assert.isAbove(hunt.rules.length, 0)
    })
  }
})
