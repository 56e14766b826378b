/** Every state that a flow can reach in a small world: two runs, two moments, every kind of outcome. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Command } from "../../../src/domain/flow/FlowDecision.ts"
import * as FlowDecision from "../../../src/domain/flow/FlowDecision.ts"
import type { Outcome } from "../../../src/domain/flow/FlowEvent.ts"
import { Event } from "../../../src/domain/flow/FlowEvent.ts"
import { ContextId, FlowId, FlowName, WorkerName } from "../../../src/domain/flow/FlowName.ts"
import * as FlowPlan from "../../../src/domain/flow/FlowPlan.ts"
import type { State } from "../../../src/domain/flow/FlowState.ts"
import * as FlowState from "../../../src/domain/flow/FlowState.ts"
import { IdempotencyKey } from "../../../src/domain/Idempotency.ts"
import { at, later, run } from "../../../src/testing/contract/Samples.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

const order = {
  id: FlowId.make(`flow_${"0".repeat(40)}`),
  name: FlowName.make("create_product"),
  worker: WorkerName.make("billing"),
  context: ContextId.make("order-1"),
  key: IdempotencyKey.make("key-1"),
  request: { name: "Gold" }
}
const error = { _tag: "Transport", detail: "refused" } as const
const outcomes: ReadonlyArray<Outcome> = [
  { _tag: "Answered", response: { id: "prod_1" } },
  { _tag: "Failed", error: { _tag: "Refused", status: 400, type: "invalid_request_error", message: "no", body: {} } },
  { _tag: "NotSent", because: "ConnectionRefused", error },
  { _tag: "InDoubt", because: "Timeout", error, settled: false },
  { _tag: "InDoubt", because: "ServerError", error, settled: true }
]

/** A holder of the first moment has lapsed at the second. */
const leaseMillis = 50
const moments = [at, later(100)]
const commands: ReadonlyArray<Command> = moments.flatMap((at): ReadonlyArray<Command> => [
  { _tag: "Dispatch", order, at },
  { _tag: "GiveUp", at },
  { _tag: "Escalate", at },
  { _tag: "Bury", at },
  { _tag: "Retry", who: "ada", at },
  ...[run("one"), run("two")].flatMap((by): ReadonlyArray<Command> => [
    { _tag: "BeginSending", by, until: later(at - moments[0]! + leaseMillis), at },
    ...outcomes.map((outcome): Command => ({ _tag: "RecordOutcome", by, outcome, at })),
    { _tag: "BeginHandling", by, until: later(at - moments[0]! + leaseMillis), at },
    { _tag: "RecordHandlingFailure", by, detail: "it broke", at },
    { _tag: "RecordHandled", by, at }
  ])
])

/** Counters grow for ever; past two, nothing new is to be seen. */
const isSmall = (state: State): boolean => {
  switch (state._tag) {
    case "New":
      return true
    case "Dispatched":
      return state.refusals <= 2 && state.round <= 2
    case "Performed":
      return state.refusals <= 2 && state.doubts <= 2 && state.round <= 2
    case "Settled":
      return state.tries <= 2 && state.round <= 2
    case "Handled":
    case "Dead":
      return state.round <= 2
  }
}

interface Move {
  readonly from: State
  readonly command: Command
  readonly decision: FlowDecision.Decision
  readonly to: State
}

const explore = () => {
  const seen = new Map<string, State>([[JSON.stringify(FlowState.initial), FlowState.initial]])
  const moves: Array<Move> = []
  for (const from of seen.values()) {
    for (const command of commands) {
      const decision = FlowDecision.decide(command, from)
      const to = Result.isSuccess(decision) ? decision.success.reduce(FlowState.evolve, from) : from
      moves.push({ from, command, decision, to })
      if (isSmall(to)) seen.set(JSON.stringify(to), to)
    }
  }
  return { states: [...seen.values()], moves }
}

const { moves, states } = explore()
const changing = moves.flatMap((move) =>
  Result.isSuccess(move.decision) && move.decision.success.length > 0
    ? [{ ...move, events: move.decision.success }]
    : []
)
const says = (text: string, { command, from }: Move) => `${text}: ${command._tag} in ${JSON.stringify(from)}`

const policy: FlowPlan.Policy = {
  sending: { maxAttempts: 3, baseMillis: 10, factor: 2, capMillis: 40 },
  doubt: { maxAttempts: 3, baseMillis: 10, factor: 2, capMillis: 40 },
  handling: { maxAttempts: 3, baseMillis: 10, factor: 2, capMillis: 40 },
  keyRetentionMillis: 100_000,
  keyMarginMillis: 1000
}

describe("a flow, in every reachable state", () => {
  it("visits every kind of state, every status, every event and every rule", () => {
    assert.isAbove(states.length, 300)
    assert.sameMembers(
      [...new Set(states.map(({ _tag }) => _tag))],
      ["New", "Dispatched", "Performed", "Settled", "Handled", "Dead"]
    )
    assert.sameMembers([...new Set(states.map(FlowState.status))], [...FlowState.statuses])
    assert.sameMembers(
      [...new Set(changing.flatMap(({ events }) => events.map(({ _tag }) => _tag)))],
      Object.keys(Event.cases)
    )
    const rules = moves.flatMap(({ decision }) => (Result.isFailure(decision) ? [decision.failure.rule] : []))
    assert.sameMembers([...new Set(rules)], [...FlowDecision.Rule.literals])
  })

  it("moves only along the diagram at the top of FlowState.ts", () => {
    const edges = (from: State["_tag"]) =>
      [...new Set(changing.filter((move) => move.from._tag === from).map(({ to }) => to._tag))]
        .filter((to) => to !== from)
        .toSorted()
    assert.deepStrictEqual(edges("New"), ["Dispatched"])
    assert.deepStrictEqual(edges("Dispatched"), ["Performed", "Settled"])
    assert.deepStrictEqual(edges("Performed"), ["Dispatched", "Settled"])
    assert.deepStrictEqual(edges("Settled"), ["Dead", "Handled"])
    assert.deepStrictEqual(edges("Handled"), ["Dispatched", "Performed", "Settled"])
    assert.deepStrictEqual(edges("Dead"), ["Settled"])
  })

  it("what was accepted records nothing when it comes again, but for an operator's wish", () => {
    for (const move of changing) {
      if (move.command._tag === "Retry") continue
      const again = FlowDecision.decide(move.command, move.to)
      assert.deepStrictEqual(Result.isSuccess(again) ? again.success : [], [], says("repeated", move))
    }
  })

  it("fails only by a definite outcome, or by never having been sent", () => {
    const failing = changing.filter(
      ({ from, to }) => from._tag !== "Settled" && to._tag === "Settled" && to.result._tag === "Failed"
    )
    assert.isAbove(failing.length, 0)
    for (const move of failing) {
      const isDefinite = move.command._tag === "RecordOutcome" && move.command.outcome._tag === "Failed"
      const isRetried = move.command._tag === "Retry" && move.from._tag === "Dead"
      const isUnsent = move.command._tag === "GiveUp" && move.from._tag === "Dispatched" && move.from.refusals > 0
      assert.isTrue(isDefinite || isRetried || isUnsent, says("failed", move))
    }
  })

  it("goes back to not sent only when nothing before is in doubt", () => {
    const proven = changing.filter(({ from, to }) => from._tag === "Performed" && to._tag === "Dispatched")
    assert.isAbove(proven.length, 0)
    for (const { from } of proven) assert.isTrue(from._tag === "Performed" && from.doubts === 0)
  })

  it("keeps an answer for good", () => {
    for (const move of changing) {
      if (!("result" in move.from) || move.from.result._tag !== "Answered") continue
      assert.isTrue("result" in move.to, says("lost its answer", move))
      if ("result" in move.to) assert.strictEqual(move.to.result, move.from.result, says("changed its answer", move))
    }
  })

  it("uses another key only after a definite failure", () => {
    for (const { from, to } of changing) {
      if (from._tag === "New" || to._tag === "New" || from.round === to.round) continue
      assert.isTrue(from._tag === "Handled" && from.result._tag === "Failed")
      assert.strictEqual(to.round, from.round + 1)
    }
  })

  it("nobody begins what another holds", () => {
    for (const { command, from } of changing) {
      if (!("holder" in from) || from.holder === undefined || from.holder.until <= command.at) continue
      assert.include(["RecordOutcome", "RecordHandled", "RecordHandlingFailure"], command._tag)
    }
  })

  it("has a next step wherever it stands, which is accepted, until it rests", () => {
    for (const start of states) {
      if (start._tag === "New") continue
      let state: State = start
      let now = later(100)
      let steps = 0
      for (; steps < 60; steps++) {
        const step = FlowPlan.next(state, now, policy)
        if (step._tag === "Rest") break
        if (step._tag === "Wait") {
          assert.isAbove(step.until, now)
          now = step.until
          continue
        }
        const by = run("three")
        const asked: Record<typeof step._tag, ReadonlyArray<Command>> = {
          Send: [
            { _tag: "BeginSending", by, until: later(now + 1 - at), at: now },
            { _tag: "RecordOutcome", by, outcome: outcomes[steps % 2 === 0 ? 3 : 2]!, at: now }
          ],
          Handle: [
            { _tag: "BeginHandling", by, until: later(now + 1 - at), at: now },
            { _tag: "RecordHandlingFailure", by, detail: "it broke", at: now }
          ],
          GiveUp: [{ _tag: "GiveUp", at: now }],
          Escalate: [{ _tag: "Escalate", at: now }],
          Bury: [{ _tag: "Bury", at: now }]
        }
        for (const command of asked[step._tag]) {
          const decision = FlowDecision.decide(command, state)
          assert.isTrue(Result.isSuccess(decision), `${command._tag} in ${JSON.stringify(state)}`)
          if (Result.isSuccess(decision)) state = decision.success.reduce(FlowState.evolve, state)
        }
      }
      assert.isBelow(steps, 60, JSON.stringify(start))
      assert.include(["Dead", "Handled"], state._tag)
    }
  })

  it("every event is stored and read back as it was", () => {
    const codec = Schema.toCodecJson(Event)
    const events = new Map(changing.flatMap((move) => move.events.map((event) => [JSON.stringify(event), event])))
    assert.isAbove(events.size, 30)
    for (const event of events.values()) {
      const stored: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(event)))
      assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(stored), event)
    }
  })
})
