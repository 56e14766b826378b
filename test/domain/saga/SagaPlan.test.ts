import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { SagaGraph, StepKind, StepNode } from "../../../src/domain/saga/SagaGraph.ts"
import * as Graph from "../../../src/domain/saga/SagaGraph.ts"
import type { Next, SagaEvent, SagaState } from "../../../src/domain/saga/SagaPlan.ts"
import * as Plan from "../../../src/domain/saga/SagaPlan.ts"

const step = (name: string, kind: StepKind, waitsFor: ReadonlyArray<string>, isAsync = false): StepNode => ({
  name,
  kind,
  takes: [],
  waitsFor,
  isAsync,
  nested: undefined,
  isMapped: false,
  isPause: false,
  retry: undefined
})

// --- A small world ----------------------------------------------------------

const kinds: ReadonlyArray<StepKind> = ["compensatable", "pivot", "bestEffort"]
const shapes: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  [[], [], []],
  [[], ["a"], []],
  [[], ["a"], ["a"]],
  [[], [], ["a", "b"]],
  [[], ["a"], ["b"]]
]

/** Every graph of three steps that `check` takes: each kind of each, in each shape, one at a time and all at once. */
const graphs: ReadonlyArray<SagaGraph> = shapes.flatMap(([a, b, c]) =>
  kinds.flatMap((ofA) =>
    kinds.flatMap((ofB) =>
      kinds.flatMap((ofC) =>
        [1, 3].flatMap((concurrency) => {
          const steps = [step("a", ofA, a), step("b", ofB, b), step("c", ofC, c)]
          const returns = steps.find(({ kind }) => kind !== "bestEffort")?.name ?? "a"
          const graph = { name: "World", steps, returns, concurrency }
          return Result.isSuccess(Graph.check(graph)) ? [graph] : []
        })
      )
    )
  )
)

/** What can become of a step that is under way. */
const endings = (step: string, at: number): ReadonlyArray<SagaEvent> => [
  { _tag: "StepSucceeded", step, at },
  { _tag: "StepSkipped", step },
  { _tag: "StepHalted", step, at },
  { _tag: "StepFailed", step, began: true },
  { _tag: "StepFailed", step, began: false },
  { _tag: "StepStalled", step, at },
  { _tag: "StepLeft", step }
]

interface Visit {
  readonly graph: SagaGraph
  readonly state: SagaState
  readonly history: ReadonlyArray<SagaEvent>
}

/** One path through a graph to its end: every order in which steps may end, and every way they may. */
const explore = (graph: SagaGraph, onVisit: (visit: Visit, next: Next) => void): void => {
  const go = (visit: Visit): void => {
    const next = Plan.next(graph, visit.state)
    onVisit(visit, next)
    const then = (event: SagaEvent, state = visit.state) =>
      ({ graph, state: Plan.evolve(state, event), history: [...visit.history, event] }) satisfies Visit
    switch (next._tag) {
      case "Begin": {
        const events = next.steps.map((step): SagaEvent => ({ _tag: "StepBegan", step }))
        return go({ graph, state: Plan.fold(events, visit.state), history: [...visit.history, ...events] })
      }
      case "Await":
        for (const [name, standing] of visit.state.standings) {
          if (standing !== "running") continue
          for (const event of endings(name, visit.history.length)) {
            // A step that was left once is not left for ever: nobody cancels a run twice.
            const wasLeft = visit.history.some(({ _tag }) => _tag === "StepLeft")
            if (event._tag === "StepLeft" && (wasLeft || Plan.isPastPivot(graph, visit.state))) continue
            go(then(event))
          }
        }
        return
      case "Compensate":
        return go(then({ _tag: "Compensated", step: next.step, failed: false }))
      case "Undo":
        for (const failed of [false, true]) go(then({ _tag: "Undone", step: next.step, failed }))
        return
      case "End":
        return
    }
  }
  go({ graph, state: Plan.initial, history: [] })
}

const kindOf = ({ steps }: SagaGraph, name: string) => steps.find((step) => step.name === name)!.kind

/** Whether something failed that fails the saga, from the events alone. */
const hasFailed = (graph: SagaGraph, history: ReadonlyArray<SagaEvent>) =>
  history.some(
    (event) =>
      (event._tag === "StepFailed" || event._tag === "StepStalled") && kindOf(graph, event.step) !== "bestEffort"
  )

const isPastPivot = (graph: SagaGraph, history: ReadonlyArray<SagaEvent>) =>
  history.some(
    (event) =>
      event._tag === "StepStalled" ||
      ((event._tag === "StepSucceeded" || event._tag === "StepHalted") && kindOf(graph, event.step) === "pivot")
  )

/** What is wrong with asking this next after that history. */
const complaint = ({ graph, history }: Visit, next: Next): string | undefined => {
  const began = new Set(history.flatMap((event) => (event._tag === "StepBegan" ? [event.step] : [])))
  const left = new Set(history.flatMap((event) => (event._tag === "StepLeft" ? [event.step] : [])))
  const over = new Map(
    history.flatMap((event): ReadonlyArray<readonly [string, SagaEvent]> =>
      event._tag !== "StepBegan" && "step" in event && event._tag.startsWith("Step") ? [[event.step, event]] : []
    )
  )
  const tookBack = history.flatMap((event) =>
    event._tag === "Undone" || event._tag === "Compensated" ? [`${event._tag} ${event.step}`] : []
  )
  const undone = history.flatMap((event) => (event._tag === "Undone" ? [event.step] : []))
  const pastPivot = isPastPivot(graph, history)
  switch (next._tag) {
    case "Begin":
      for (const name of next.steps) {
        if (hasFailed(graph, history)) return "begins after a failure"
        if (history.some(({ _tag }) => _tag === "StepHalted")) return "begins after a halt"
        if (left.size > 0 && !pastPivot) return "begins after a cancellation"
        if (began.has(name) && !left.has(name)) return "begins twice"
        const waits = graph.steps.find((step) => step.name === name)!.waitsFor
        if (!waits.every((each) => over.has(each))) return "begins before what it waits for"
      }
      return next.steps.length > graph.concurrency ? "more at once than there is room for" : undefined
    case "Undo": {
      const event = over.get(next.step)
      if (pastPivot) return "undoes past the pivot"
      if (event?._tag !== "StepSucceeded" && event?._tag !== "StepHalted") return "undoes what did not succeed"
      if (undone.includes(next.step)) return "undoes twice"
      const succeeded = [...over.values()].flatMap((each) =>
        each._tag === "StepSucceeded" || each._tag === "StepHalted" ? [each] : []
      )
      const newer = succeeded.filter(({ at, step }) => at > event.at && !undone.includes(step))
      return newer.length === 0 ? undefined : "undoes before what is newer"
    }
    case "Compensate": {
      const event = over.get(next.step)
      if (event?._tag !== "StepFailed" || !event.began) return "compensates what did not begin and fail"
      if (tookBack.includes(`Compensated ${next.step}`)) return "compensates twice"
      if (pastPivot && kindOf(graph, next.step) !== "bestEffort") return "compensates past the pivot"
      return undone.length > 0 && kindOf(graph, next.step) !== "bestEffort" ? "compensates after an undo" : undefined
    }
    case "Await":
      return [...began].every((name) => over.has(name) && !left.has(name)) ? "waits for nothing" : undefined
    case "End": {
      const failed = hasFailed(graph, history)
      if ([...began].some((name) => !over.has(name))) return "ends while something is under way"
      switch (next.ending) {
        case "completed":
          if (failed) return "completes after a failure"
          return over.size === graph.steps.length ? undefined : "completes without a step"
        case "halted":
          return failed ? "halts after a failure" : undefined
        case "stalled":
          return failed && pastPivot ? undefined : "stalls with a way out"
        case "failed":
        case "cancelled": {
          if (pastPivot) return "ends rolled back past the pivot"
          if (!failed && left.size === 0) return "rolls back for nothing"
          const owed = [...over].filter(
            ([name, { _tag }]) => (_tag === "StepSucceeded" || _tag === "StepHalted") && !undone.includes(name)
          )
          return owed.length > 0 ? "ends with something to take back" : undefined
        }
        case "undone":
          return "is undone, and nobody asked"
      }
    }
  }
}

describe("the plan of a run", () => {
  it("keeps its rules on every path through every small graph, and comes to every end", () => {
    const reached = new Map<string, number>()
    const broken: Array<string> = []
    for (const graph of graphs) {
      explore(graph, (visit, next) => {
        const what = next._tag === "End" ? next.ending : next._tag
        reached.set(what, (reached.get(what) ?? 0) + 1)
        const said = complaint(visit, next)
        if (said !== undefined && broken.length < 3) {
          broken.push(`${said}: ${JSON.stringify(graph.steps)} after ${JSON.stringify(visit.history)}`)
        }
      })
    }
    assert.deepStrictEqual(broken, [])
    assert.isAbove(graphs.length, 100)
    assert.deepStrictEqual(
      [...reached.keys()].toSorted(),
      ["Await", "Begin", "Compensate", "Undo", "cancelled", "completed", "failed", "halted", "stalled"].toSorted()
    )
  })

  const chain: SagaGraph = {
    name: "Chain",
    steps: [step("a", "compensatable", []), step("b", "pivot", ["a"]), step("c", "compensatable", ["b"])],
    returns: "c",
    concurrency: 1
  }
  const done = (name: string, at: number): ReadonlyArray<SagaEvent> => [
    { _tag: "StepBegan", step: name },
    { _tag: "StepSucceeded", step: name, at }
  ]
  const after = (...events: ReadonlyArray<SagaEvent>) => Plan.next(chain, Plan.fold(events))

  it("takes back all of a run that ended when somebody decides so, the pivot and what stalled included", () => {
    const undo: SagaEvent = { _tag: "UndoAsked" }
    const all = [...done("a", 1), ...done("b", 2)]
    assert.deepStrictEqual(after(...all, ...done("c", 3)), { _tag: "End", ending: "completed" })
    assert.deepStrictEqual(after(...all, ...done("c", 3), undo), { _tag: "Undo", step: "c" })
    const stalled: ReadonlyArray<SagaEvent> = [
      { _tag: "StepBegan", step: "c" },
      { _tag: "StepStalled", step: "c", at: 3 }
    ]
    assert.deepStrictEqual(after(...all, ...stalled), { _tag: "End", ending: "stalled" })
    assert.deepStrictEqual(after(...all, ...stalled, undo), { _tag: "Undo", step: "c" })
    const undone = ["c", "b", "a"].map((step): SagaEvent => ({ _tag: "Undone", step, failed: false }))
    assert.deepStrictEqual(after(...all, ...stalled, undo, ...undone.slice(0, 1)), { _tag: "Undo", step: "b" })
    assert.deepStrictEqual(after(...all, ...stalled, undo, ...undone), { _tag: "End", ending: "undone" })
  })

  it("undoes by when it happened, however it is heard of", () => {
    const parallel = { ...chain, steps: chain.steps.map(({ name }) => step(name, "compensatable", [])), concurrency: 3 }
    const failed: ReadonlyArray<SagaEvent> = [
      { _tag: "StepBegan", step: "c" },
      { _tag: "StepFailed", step: "c", began: false }
    ]
    const state = Plan.fold([...done("b", 7), ...done("a", 4), ...failed])
    assert.deepStrictEqual(Plan.next(parallel, state), { _tag: "Undo", step: "b" })
  })

  it("keeps what an idle halt did not do out of the rollback", () => {
    const halted: ReadonlyArray<SagaEvent> = [
      { _tag: "StepBegan", step: "a" },
      { _tag: "StepHalted", step: "a", at: 1, isIdle: true }
    ]
    assert.deepStrictEqual(after(...halted), { _tag: "End", ending: "halted" })
    assert.deepStrictEqual(after(...halted, { _tag: "UndoAsked" }), { _tag: "End", ending: "undone" })
  })

  it("has its result before its async steps are over", () => {
    const graph: SagaGraph = {
      ...chain,
      returns: "a",
      steps: [step("a", "compensatable", []), step("later", "bestEffort", ["a"], true)]
    }
    const state = Plan.fold([...done("a", 1), { _tag: "StepBegan", step: "later" }])
    assert.isTrue(Plan.hasResult(graph, state))
    assert.deepStrictEqual(Plan.next(graph, state), { _tag: "Await" })
    assert.isFalse(Plan.hasResult(graph, Plan.initial))
  })
})
