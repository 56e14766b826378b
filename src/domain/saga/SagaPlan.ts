/**
 * What a run of a saga owes next, and how it is rolled back.
 *
 *     running --all steps over--> completed
 *        |  \--a step halts--> halted
 *        |
 *        +--a step fails--> rolling back --nothing left to take back--> failed
 *        +--a step fails after the pivot--> stalled
 *
 * `next` is the whole of the engine's judgement: the run in memory, the durable
 * one and the one that goes on after a crash ask it the same question.
 *
 * Rollback: nothing new begins, and what is under way is waited for, because
 * half of it may have happened. A best effort that failed is compensated at once, for nothing else is
 * taken back. Then the failed step is compensated, if its
 * body began. Then the steps that had succeeded are undone, the newest first. A
 * compensate or undo that fails stops nothing and is reported.
 */
import { Schema } from "effect"
import type { SagaGraph, StepNode } from "./SagaGraph.ts"
import { needs } from "./SagaGraph.ts"

// --- Events -----------------------------------------------------------------

const step = { step: Schema.String }

export const SagaEvent = Schema.TaggedUnion({
  StepBegan: step,
  /** `at` is when, in milliseconds: a run that is taken up again learns of what happened in another order. */
  StepSucceeded: { ...step, at: Schema.Finite },
  /** It had nothing to do: its value flows on, and there is nothing to undo. */
  StepSkipped: step,
  /** The saga ends here, keeps what it did, and counts as a success. */
  StepHalted: { ...step, at: Schema.Finite },
  /** For good: its attempts are used up, or it said that another is of no use. `began`: whether its body ran at all. */
  StepFailed: { ...step, began: Schema.Boolean },
  /** Somebody asked for it to end and be taken back. */
  CancelAsked: {},
  Compensated: { ...step, failed: Schema.Boolean },
  Undone: { ...step, failed: Schema.Boolean }
})
export type SagaEvent = typeof SagaEvent.Type

// --- State ------------------------------------------------------------------

export type Standing = "running" | "succeeded" | "skipped" | "failed" | "halted"

export interface SagaState {
  /** Steps that have begun; the others wait. */
  readonly standings: ReadonlyMap<string, Standing>
  /** In the order in which they succeeded. */
  readonly succeeded: ReadonlyArray<{ readonly step: string; readonly at: number }>
  /** Those whose body began, in the order in which they failed. */
  readonly toCompensate: ReadonlyArray<string>
  /** What rollback is through with. */
  readonly takenBack: ReadonlySet<string>
  readonly isCancelled: boolean
}

export const initial: SagaState = {
  standings: new Map(),
  succeeded: [],
  toCompensate: [],
  takenBack: new Set(),
  isCancelled: false
}

export const evolve = (state: SagaState, event: SagaEvent): SagaState => {
  const standing = (name: string, standing: Standing): SagaState => ({
    ...state,
    standings: new Map(state.standings).set(name, standing)
  })
  switch (event._tag) {
    case "StepBegan":
      return standing(event.step, "running")
    case "StepSucceeded":
      return { ...standing(event.step, "succeeded"), succeeded: inOrder(state.succeeded, event) }
    case "StepSkipped":
      return standing(event.step, "skipped")
    case "StepHalted":
      // It has done its part, so it is undone like the others when a step beside it fails.
      return { ...standing(event.step, "halted"), succeeded: inOrder(state.succeeded, event) }
    case "StepFailed":
      return {
        ...standing(event.step, "failed"),
        toCompensate: event.began ? [...state.toCompensate, event.step] : state.toCompensate
      }
    case "CancelAsked":
      return { ...state, isCancelled: true }
    case "Compensated":
    case "Undone":
      return { ...state, takenBack: new Set(state.takenBack).add(event.step) }
  }
}

/** What happened at the same moment stays in the order in which it was heard of. */
const inOrder = (before: SagaState["succeeded"], { at, step }: { readonly step: string; readonly at: number }) =>
  [...before, { step, at }].toSorted((one, other) => one.at - other.at)

export const fold = (events: Iterable<SagaEvent>, from: SagaState = initial): SagaState => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}

// --- Next -------------------------------------------------------------------

export type Ending = "completed" | "halted" | "failed" | "stalled" | "cancelled"

export type Next =
  /** Steps that can begin now, in the graph's order, as many as there is room for. */
  | { readonly _tag: "Begin"; readonly steps: ReadonlyArray<string> }
  /** Something is under way. */
  | { readonly _tag: "Await" }
  | { readonly _tag: "Compensate"; readonly step: string }
  | { readonly _tag: "Undo"; readonly step: string }
  | { readonly _tag: "End"; readonly ending: Ending }

export const next = (graph: SagaGraph, state: SagaState): Next => {
  const isUnderWay = [...state.standings.values()].includes("running")
  const failedEffort = graph.steps.find(({ kind, name }) => kind === "bestEffort" && isToCompensate(state, name))
  if (failedEffort !== undefined) return { _tag: "Compensate", step: failedEffort.name }
  const forward = isGoingForward(graph, state)
  if (forward) {
    const begin = ready(graph, state)
    if (begin.length > 0) return { _tag: "Begin", steps: begin }
  }
  if (isUnderWay) return { _tag: "Await" }
  if (forward) return { _tag: "End", ending: "completed" }
  return isFailed(graph, state) || state.isCancelled ? rollback(graph, state) : { _tag: "End", ending: "halted" }
}

/** Whether the saga's result is there, whatever async steps are still under way. */
export const hasResult = (graph: SagaGraph, state: SagaState): boolean =>
  isGoingForward(graph, state) && graph.steps.every(({ isAsync, name }) => isAsync || isOver(state.standings.get(name)))

const rollback = (graph: SagaGraph, state: SagaState): Next => {
  if (isPastPivot(graph, state)) return { _tag: "End", ending: "stalled" }
  const compensate = state.toCompensate.find((name) => isToCompensate(state, name))
  if (compensate !== undefined) return { _tag: "Compensate", step: compensate }
  const undo = state.succeeded.findLast(({ step }) => !state.takenBack.has(step))
  if (undo !== undefined) return { _tag: "Undo", step: undo.step }
  return { _tag: "End", ending: isFailed(graph, state) ? "failed" : "cancelled" }
}

const isToCompensate = ({ takenBack, toCompensate }: SagaState, name: string): boolean =>
  toCompensate.includes(name) && !takenBack.has(name)

const isGoingForward = (graph: SagaGraph, state: SagaState): boolean =>
  !isFailed(graph, state) && !isHalted(state) && (!state.isCancelled || isPastPivot(graph, state))

const isHalted = ({ standings }: SagaState): boolean => [...standings.values()].includes("halted")

const isFailed = ({ steps }: SagaGraph, { standings }: SagaState): boolean =>
  steps.some(({ kind, name }) => kind !== "bestEffort" && standings.get(name) === "failed")

const isPastPivot = ({ steps }: SagaGraph, { standings }: SagaState): boolean =>
  steps.some(({ kind, name }) => kind === "pivot" && standings.get(name) === "succeeded")

const isOver = (standing: Standing | undefined): boolean => standing !== undefined && standing !== "running"

const ready = (graph: SagaGraph, state: SagaState): ReadonlyArray<string> => {
  const underWay = [...state.standings.values()].filter((standing) => standing === "running").length
  return graph.steps
    .filter((step) => !state.standings.has(step.name) && canBegin(step, state))
    .map(({ name }) => name)
    .slice(0, Math.max(0, graph.concurrency - underWay))
}

/** Whoever takes a result that never came fails when it begins, which only a best effort may. */
const canBegin = (step: StepNode, { standings }: SagaState): boolean =>
  needs(step).every((each) => isOver(standings.get(each)))
