import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { SagaGraph, StepNode } from "../../../src/domain/saga/SagaGraph.ts"
import * as Graph from "../../../src/domain/saga/SagaGraph.ts"

const step = (name: string, more: Partial<StepNode> = {}): StepNode => ({
  name,
  kind: "compensatable",
  takes: [],
  waitsFor: [],
  isAsync: false,
  nested: undefined,
  isMapped: false,
  isPause: false,
  retry: undefined,
  ...more
})

const graph = (steps: ReadonlyArray<StepNode>, more: Partial<SagaGraph> = {}): SagaGraph => ({
  name: "Order",
  steps,
  returns: "a",
  concurrency: 4,
  ...more
})

/** What is said of it, or nothing. */
const said = (checked: SagaGraph): string =>
  Result.match(Graph.check(checked), { onSuccess: () => "", onFailure: ({ message }) => message })

const inner = graph([step("a", { kind: "pivot" })], { name: "Inner" })
const plain = graph([step("a")], { name: "Inner" })

const complaints: ReadonlyArray<readonly [what: string, graph: SagaGraph, message: string]> = [
  [
    "a name with a space",
    graph([step("a"), step("b c")]),
    'Order: a name is a letter and then letters, digits, "-" or "_", 64 at most, got "b c"'
  ],
  [
    "a saga without a name",
    graph([step("a")], { name: "" }),
    ': a name is a letter and then letters, digits, "-" or "_", 64 at most, got ""'
  ],
  ["two steps of one name", graph([step("a"), step("a")]), "Order: two steps are named a"],
  ["a result of no step", graph([step("a", { takes: ["b"] })]), "Order: a names a step that is not there: b"],
  ["a wait for no step", graph([step("a", { waitsFor: ["b"] })]), "Order: a names a step that is not there: b"],
  ["no such step to return", graph([step("b")]), "Order: returns names a step that is not there: a"],
  [
    "a cycle",
    graph([step("a", { takes: ["c"] }), step("b", { waitsFor: ["a"] }), step("c", { takes: ["b"] })]),
    "Order: steps wait for each other: a -> c -> b -> a"
  ],
  ["a step that waits for itself", graph([step("a", { takes: ["a"] })]), "Order: steps wait for each other: a -> a"],
  [
    "a nested saga that is retried",
    graph([step("a", { nested: plain, retry: { attempts: 1, backoff: "fixed", baseMillis: 0 } })]),
    "Order: a is a saga of its own and cannot be retried as a whole"
  ],
  [
    "a nested saga with a pivot that is none",
    graph([step("a", { nested: inner })]),
    "Order: a is a saga with a pivot, so it has to be a pivot itself"
  ],
  [
    "an async step that matters",
    graph([step("a"), step("b", { isAsync: true })]),
    "Order: b is async, so it has to be best effort"
  ],
  [
    "a result that may be missing",
    graph([step("a", { takes: ["b"] }), step("b", { kind: "bestEffort" })]),
    "Order: a takes the result of b, which is best effort and may have none"
  ],
  [
    "a result of the whole that may be missing",
    graph([step("a", { kind: "bestEffort" })]),
    "Order: the result is that of a, which is best effort and may have none"
  ],
  [
    "pivots of which neither is first",
    graph([step("a", { kind: "pivot" }), step("b", { kind: "pivot" })]),
    "Order: pivots that may succeed in any order: a, b"
  ],
  [
    "no attempts",
    graph([step("a", { retry: { attempts: 0, backoff: "fixed", baseMillis: 0 } })]),
    "Order: a is retried with attempts of 0, where a whole number of 1 or more is"
  ],
  [
    "a wait of no time",
    graph([step("a", { retry: { attempts: 2, backoff: "fixed", baseMillis: Number.NaN } })]),
    "Order: a is retried with a base of NaN ms, where 0 or more is"
  ],
  [
    "a jitter above all of it",
    graph([step("a", { retry: { attempts: 2, backoff: "fixed", baseMillis: 1, jitter: 1.1 } })]),
    "Order: a is retried with a jitter of 1.1, where a share from 0 to 1 is"
  ],
  [
    "room for no step",
    graph([step("a")], { concurrency: 0 }),
    "Order: concurrency is a whole number of 1 or more, got 0"
  ]
]

describe("the graph of a saga", () => {
  for (const [what, checked, message] of complaints) {
    it(`is refused with ${what}`, () => assert.strictEqual(said(checked), message))
  }

  it("says all that is wrong at once", () => {
    const { complaints } = Result.getOrThrow(
      Result.flip(Graph.check(graph([step("b", { takes: ["x"] }), step("b")], { concurrency: 1.5 })))
    )
    assert.deepStrictEqual(
      complaints.map(({ _tag }) => _tag),
      ["DuplicateStep", "UnknownStep", "UnknownStep", "BadConcurrency"]
    )
  })

  it("is taken when every step can be run", () => {
    const steps = [
      step("a"),
      step("b", { kind: "pivot", takes: ["a"] }),
      step("c", { nested: inner, kind: "pivot", waitsFor: ["b"] }),
      step("d", { kind: "bestEffort", takes: ["c"], isAsync: true }),
      step("e", { kind: "bestEffort", takes: ["d"] })
    ]
    assert.strictEqual(said(graph(steps)), "")
  })
})
