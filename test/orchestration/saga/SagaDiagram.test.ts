import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"

const empty = Schema.Struct({})
const one = { gives: Schema.Int, run: () => Effect.succeed(1) }

describe("a saga's diagram", () => {
  it("draws kinds, results, orders, what is within, and what is returned", () => {
    const child = Saga.make("Child", { input: empty })
      .step("a", one)
      .step("b", { ...one, waitFor: ["a"] })
      .returns("b")
    const saga = Saga.make("Parent", { input: Schema.Struct({ list: Schema.Array(Schema.Int) }) })
      .map("items", { ...one, over: ({ input }) => input.list, takes: ({ element }) => ({ element }) })
      .compose("child", child, { takes: () => ({}), waitFor: ["items"] })
      .interrupt("answer", { gives: Schema.Int, correlation: () => "x", waitFor: ["child"] })
      .step("end", { ...one, kind: "pivot", takes: ({ steps }) => ({ it: steps.answer }), waitFor: ["answer"] })
      .step("tell", { ...one, kind: "bestEffort", takes: ({ steps }) => ({ it: steps.end }) })
      .returns("end")
    assert.strictEqual(
      Saga.diagram(saga),
      `flowchart TD
  s_items["items (each)"]
  subgraph s_child["child: Child"]
    s_child_in_a["a"]
    s_child_in_b["b"]
    s_child_in_a -.-> s_child_in_b
  end
  s_answer["answer (waits)"]
  s_end{{"end"}}
  s_tell("tell")
  s_items -.-> s_child
  s_child -.-> s_answer
  s_answer --> s_end
  s_end --> s_tell
  style s_end stroke-width:3px
`
    )
  })
})
