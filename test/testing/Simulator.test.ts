import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as FaultRates from "../../src/testing/FaultRates.ts"
import * as Mutant from "../../src/testing/Mutant.ts"
import * as Shrink from "../../src/testing/Shrink.ts"
import * as SimulationReport from "../../src/testing/SimulationReport.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TimelinePicture from "../../src/testing/TimelinePicture.ts"
import { withoutStacks } from "./WithoutStacks.ts"

withoutStacks()

const rates = (text: string) => Result.getOrThrow(FaultRates.parse(text))
const alteration = (name: string) => Mutant.all.find((mutant) => mutant.name === name)!.alteration

describe("Simulator", () => {
  it("keeps the promise over 1,000 payments under the usual faults, and under many crashes", () => {
    const reports = [
      ...Array.from({ length: 16 }, (_, index) =>
        Simulator.simulate({ seed: index + 1, payments: 50, rates: FaultRates.usual })
      ),
      ...Array.from({ length: 4 }, (_, index) =>
        Simulator.simulate({
          seed: index + 101,
          payments: 50,
          rates: rates("crash=30%,stall=20%,db=30%,conflict=30%,jump=30%,lost=10%,webhook-late=20%")
        })
      )
    ]
    for (const report of reports) assert.deepStrictEqual(report.findings, {}, SimulationReport.toText(report))

    // Nothing of it is vacuous: every kind of fault struck, every status occurred, doubts came and went.
    const injected = new Set(reports.flatMap((report) => Object.keys(report.injected)))
    assert.deepStrictEqual(
      FaultRates.names.filter((name) => !injected.has(name)),
      []
    )
    const passed = new Set(reports.flatMap((report) => Object.keys(report.passed)))
    assert.deepStrictEqual([...passed].toSorted(), [
      "authenticated",
      "authorized",
      "cancelled",
      "failed",
      "in_doubt",
      "initiated",
      "processing",
      "requires_action",
      "succeeded"
    ])
    const total = (of: (report: Simulator.Report) => number) => reports.reduce((sum, report) => sum + of(report), 0)
    assert.isAbove(
      total(({ resolvedDoubts }) => resolvedDoubts),
      300
    )
    assert.isAbove(
      total(({ escalated }) => escalated),
      0
    )
    assert.isAbove(
      total(({ deaths }) => deaths),
      20
    )
  }, 30_000)

  it("lets of a hundred payments as many meet a crash as the percentage says", () => {
    const { deaths, injected } = Simulator.simulate({ seed: 3, payments: 400, rates: rates("crash=10%") })
    assert.isAtLeast(deaths, 20)
    assert.isAtMost(deaths, 80)
    assert.deepStrictEqual(injected, { crash: deaths })
  })

  it("makes the same report of the same seed, to the byte, and another of another", () => {
    const report = (seed: number) =>
      SimulationReport.toText(
        Simulator.simulate({ seed, payments: 20, rates: rates("lost=10%,timeout=10%,crash=30%,webhook-late=20%") })
      )
    const texts = [1, 2, 3].map(report)
    assert.deepStrictEqual([1, 2, 3].map(report), texts)
    assert.strictEqual(new Set(texts).size, 3)
  })

  it("ends where every call and every payment meets a fault", () => {
    const text = "timeout=50%,lost=50%,crash=100%,stall=100%,db=100%,conflict=100%,jump=100%,webhook-lost=100%"
    const report = Simulator.simulate({ seed: 1, payments: 10, rates: rates(text) })
    assert.deepStrictEqual(report.findings, {}, SimulationReport.toText(report))
    assert.strictEqual(report.orders, 10)
  })

  it("begins no batch when the time is over, and says so", () => {
    const progress: Array<number> = []
    const report = Simulator.simulate({
      seed: 1,
      payments: 150,
      rates: FaultRates.none,
      maxMillis: 1,
      elapsedMillis: () => progress.length,
      onProgress: ({ payments }) => progress.push(payments)
    })
    assert.deepStrictEqual(progress, [50])
    assert.strictEqual(report.orders, 50)
    assert.include(SimulationReport.toText(report), "stopped early: 150 were to be made")
  })

  it("ends its report with the command that makes it again", () => {
    const report = Simulator.simulate({ seed: 7, payments: 3, rates: rates("crash=1%,lost=5%") })
    assert.strictEqual(
      SimulationReport.toText(report).split("\n").at(-1),
      'florin simulate --seed 7 --payments 3 --faults "lost=5%,crash=1%"'
    )
    assert.include(JSON.parse(SimulationReport.toJson(report)), { seed: 7, payments: 3, rates: "lost=5%,crash=1%" })
  })
})

describe("Shrink", () => {
  it("makes a second charge after a timeout small: one order, at most three faults, and data that shows it again", () => {
    const bug = alteration("fallback-in-doubt")
    const report = Simulator.simulate({
      seed: 1,
      payments: 50,
      rates: rates("lost=20%,late=5%,timeout=20%,refused=5%,error=5%,crash=5%"),
      alteration: bug
    })
    const [violation] = report.violations
    assert.isDefined(violation)
    const { case: small, findings } = violation.shrunk
    const { rule } = violation.findings[0]!
    assert.lengthOf(small.visits, 1)
    assert.isAtMost(small.strikes.length, 3)
    assert.include(
      findings.map((finding) => finding.rule),
      rule
    )
    const again: Shrink.Case = JSON.parse(JSON.stringify(small))
    assert.deepStrictEqual(Shrink.replay(again, bug).findings, findings)
    assert.deepStrictEqual(Shrink.replay(again).findings, [])
    assert.include(TimelinePicture.toSvg(violation.payment, violation.timeline), "<svg")
    assert.include(SimulationReport.toText(report), `${rule}: ${violation.findings[0]!.detail}`)
  })

  it("finds a bug that needs a dead process or a lost statement, and keeps only the fault that shows it", () => {
    const bug = alteration("read-model-behind")
    const many = rates("lost=20%,late=5%,timeout=20%,refused=5%,error=5%,crash=20%,stall=20%,db=20%")
    const report = Simulator.simulate({ seed: 1, payments: 100, rates: many, alteration: bug })
    const { findings, shrunk } = report.violations[0]!
    assert.deepStrictEqual([...new Set([...findings, ...shrunk.findings].map(({ rule }) => rule))], ["ViewIsFold"])
    assert.lengthOf(shrunk.case.visits, 1)
    assert.deepStrictEqual(
      shrunk.case.strikes.map(({ name }) => name),
      ["crash"]
    )
  })

  it("notices a second payment under one key, where each of the two is well", () => {
    const bug = alteration("key-not-claimed")
    const { findings } = Simulator.simulate({ seed: 1, payments: 20, rates: FaultRates.none, alteration: bug })
    assert.deepStrictEqual(Object.keys(findings), ["OnePaymentPerKey"])
  })

  it("leaves out what can be left out, and nothing that is needed", () => {
    const needs = (...needed: ReadonlyArray<number>) =>
      Shrink.fewest([1, 2, 3, 4, 5, 6, 7], (left) => needed.every((one) => left.includes(one)))
    assert.deepStrictEqual(needs(2, 7), [2, 7])
    assert.deepStrictEqual(needs(4), [4])
    assert.deepStrictEqual(needs(), [])
    assert.deepStrictEqual(
      Shrink.fewest([1, 2], () => false),
      [1, 2]
    )
  })
})
