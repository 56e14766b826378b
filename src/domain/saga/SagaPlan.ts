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
  /** The saga ends here, keeps what it did, and counts as a success. `isIdle`: the step itself did nothing. */
  StepHalted: { ...step, at: Schema.Finite, isIdle: Schema.optionalKey(Schema.Boolean) },
  /** For good: its attempts are used up, or it said that another is of no use. `began`: whether its body ran at all. */
  StepFailed: { ...step, began: Schema.Boolean },
  /** A saga in a saga that failed past its own pivot: the outer one has no way back either. */
  StepStalled: { ...step, at: Schema.Finite },
  /** It was about to begin, heard that the run is cancelled, and did nothing. */
  StepLeft: step,
  /** Somebody asked for it to end and be taken back. */
  CancelAsked: {},
  /** Somebody decided that all of it is taken back, whatever became of it, the pivot included. */
  UndoAsked: {},
  Compensated: { ...step, failed: Schema.Boolean },
  Undone: { ...step, failed: Schema.Boolean }
})
export type SagaEvent = typeof SagaEvent.Type

// --- State ------------------------------------------------------------------

export type Standing = "running" | "succeeded" | "skipped" | "failed" | "halted" | "stalled"

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
  readonly isUndone: boolean
}

export const initial: SagaState = {
  standings: new Map(),
  succeeded: [],
  toCompensate: [],
  takenBack: new Set(),
  isCancelled: false,
  isUndone: false
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
      return {
        ...standing(event.step, "halted"),
        succeeded: event.isIdle === true ? state.succeeded : inOrder(state.succeeded, event)
      }
    case "StepFailed":
      return {
        ...standing(event.step, "failed"),
        toCompensate: event.began ? [...state.toCompensate, event.step] : state.toCompensate
      }
    case "StepStalled":
      // Should all be taken back after all, so are its own steps.
      return { ...standing(event.step, "stalled"), succeeded: inOrder(state.succeeded, event) }
    case "StepLeft":
      return { ...state, isCancelled: true, standings: without(state.standings, event.step) }
    case "CancelAsked":
      return { ...state, isCancelled: true }
    case "UndoAsked":
      return { ...state, isUndone: true }
    case "Compensated":
    case "Undone":
      return { ...state, takenBack: new Set(state.takenBack).add(event.step) }
  }
}

/** So that it can begin after all, should the saga turn out to be past its pivot. */
const without = (standings: SagaState["standings"], step: string): SagaState["standings"] => {
  const others = new Map(standings)
  others.delete(step)
  return others
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

export const Ending = Schema.Literals(["completed", "halted", "failed", "stalled", "cancelled", "undone"])
export type Ending = typeof Ending.Type

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
  // Past the pivot a cancellation comes too late, and a halt is a halt.
  const isCancelled = state.isCancelled && !isPastPivot(graph, state)
  const isTakenBack = isFailed(graph, state) || isCancelled || state.isUndone
  return isTakenBack ? rollback(graph, state) : { _tag: "End", ending: "halted" }
}

/** Whether the saga's result is there, whatever async steps are still under way. */
export const hasResult = (graph: SagaGraph, state: SagaState): boolean =>
  isGoingForward(graph, state) && graph.steps.every(({ isAsync, name }) => isAsync || isOver(state.standings.get(name)))

const rollback = (graph: SagaGraph, state: SagaState): Next => {
  if (isPastPivot(graph, state) && !state.isUndone) return { _tag: "End", ending: "stalled" }
  const compensate = state.toCompensate.find((name) => isToCompensate(state, name))
  if (compensate !== undefined) return { _tag: "Compensate", step: compensate }
  const undo = state.succeeded.findLast(({ step }) => !state.takenBack.has(step))
  if (undo !== undefined) return { _tag: "Undo", step: undo.step }
  if (state.isUndone) return { _tag: "End", ending: "undone" }
  return { _tag: "End", ending: state.isCancelled ? "cancelled" : "failed" }
}

const isToCompensate = ({ takenBack, toCompensate }: SagaState, name: string): boolean =>
  toCompensate.includes(name) && !takenBack.has(name)

const isGoingForward = (graph: SagaGraph, state: SagaState): boolean =>
  !isFailed(graph, state) && !isHalted(state) && !state.isUndone && (!state.isCancelled || isPastPivot(graph, state))

const isHalted = ({ standings }: SagaState): boolean => [...standings.values()].includes("halted")

const isFailed = ({ steps }: SagaGraph, { standings }: SagaState): boolean =>
  steps.some(({ kind, name }) => kind !== "bestEffort" && isFailure(standings.get(name)))

const isFailure = (standing: Standing | undefined): boolean => standing === "failed" || standing === "stalled"

/** Whether a pivot has succeeded, here or in a saga within: what was done can no longer be taken back. */
export const isPastPivot = ({ steps }: SagaGraph, { standings }: SagaState): boolean =>
  steps.some(({ kind, name }) => (kind === "pivot" && isDone(standings.get(name))) || standings.get(name) === "stalled")

/** A pivot that halts the saga has done its part like one that succeeds. */
const isDone = (standing: Standing | undefined): boolean => standing === "succeeded" || standing === "halted"

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
