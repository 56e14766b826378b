/**
 * A saga as a graph: its steps by name, what each needs, and what becomes of a
 * failure. What a step does is not here.
 *
 * Every step is one of three kinds:
 *
 * - `compensatable`: when it fails, or a later one does, what was done is taken back;
 * - `pivot`: once it succeeds there is no way back, and the saga only goes forward;
 * - `bestEffort`: its failure is recorded and fails nothing.
 *
 * `check` refuses a graph that cannot be run as it is written, with every
 * complaint at once.
 */
import { Result, Schema } from "effect"
import type { StepRetry } from "./StepRetry.ts"
import { complaintAbout } from "./StepRetry.ts"

export const StepKind = Schema.Literals(["compensatable", "pivot", "bestEffort"])
export type StepKind = typeof StepKind.Type

export interface StepNode {
  readonly name: string
  readonly kind: StepKind
  /** Steps whose results it takes. */
  readonly takes: ReadonlyArray<string>
  /** Steps that have to be over before it, whatever became of them. */
  readonly waitsFor: ReadonlyArray<string>
  /** The saga's result does not wait for it. */
  readonly isAsync: boolean
  /** A step that is a saga of its own retries its own steps, and is never retried as a whole. */
  readonly nested: SagaGraph | undefined
  /** It does its work once for each element of a collection. */
  readonly isMapped: boolean
  /** It waits for an answer from outside. */
  readonly isPause: boolean
  /** What it says of its own; the saga's otherwise. */
  readonly retry: StepRetry | undefined
  /** So many elements at once, where it is mapped. */
  readonly batch?: number | undefined
  /** The so-manieth wrong answer fails it, where it is a pause. */
  readonly answers?: number | undefined
}

export interface SagaGraph {
  readonly name: string
  readonly steps: ReadonlyArray<StepNode>
  /** The step whose result is the saga's. */
  readonly returns: string
  /** So many steps at once. */
  readonly concurrency: number
}

// --- Errors -----------------------------------------------------------------

export const Complaint = Schema.TaggedUnion({
  /** A name that is empty, too long, or has characters that keys and diagrams cannot hold. */
  BadName: { name: Schema.String },
  DuplicateStep: { step: Schema.String },
  /** `step` names `unknown`, and there is no such step. `step` is `returns` where it is the saga's result. */
  UnknownStep: { step: Schema.String, unknown: Schema.String },
  /** Each of them waits for the one before it, and the first for the last. */
  Cycle: { steps: Schema.Array(Schema.String) },
  NestedRetried: { step: Schema.String },
  /** An async step is over when the result is long given, so its failure can take nothing back. */
  AsyncNotBestEffort: { step: Schema.String },
  /** `step` takes a result that `missing` may not have. */
  TakesBestEffort: { step: Schema.String, missing: Schema.String },
  ReturnsBestEffort: { step: Schema.String },
  /** What is past its pivot cannot be taken back, so a step that is such a saga is a pivot itself. */
  NestedPivot: { step: Schema.String },
  /** So many attempts that there is none, or a wait that is no time. */
  BadRetry: { step: Schema.String, detail: Schema.String },
  /** So few at once that none of its elements would begin, or a question that takes no answer. */
  BadCount: { step: Schema.String, what: Schema.Literals(["a batch", "attempts"]), count: Schema.Number },
  /** Two pivots of which neither comes before the other: after one of them, the other's failure has no way out. */
  PivotsSideBySide: { steps: Schema.Array(Schema.String) },
  BadConcurrency: { concurrency: Schema.Number }
})
export type Complaint = typeof Complaint.Type

export class SagaDefinitionError extends Schema.TaggedError<SagaDefinitionError>()("SagaDefinitionError", {
  saga: Schema.String,
  complaints: Schema.Array(Complaint)
}) {
  override get message() {
    return `${this.saga}: ${this.complaints.map(phrase).join("; ")}`
  }
}

const phrase = (complaint: Complaint): string => {
  switch (complaint._tag) {
    case "BadName":
      return `a name is a letter and then letters, digits, "-" or "_", 64 at most, got ${JSON.stringify(complaint.name)}`
    case "DuplicateStep":
      return `two steps are named ${complaint.step}`
    case "UnknownStep":
      return `${complaint.step} names a step that is not there: ${complaint.unknown}`
    case "Cycle":
      return `steps wait for each other: ${complaint.steps.join(" -> ")}`
    case "NestedRetried":
      return `${complaint.step} is a saga of its own and cannot be retried as a whole`
    case "AsyncNotBestEffort":
      return `${complaint.step} is async, so it has to be best effort`
    case "TakesBestEffort":
      return `${complaint.step} takes the result of ${complaint.missing}, which is best effort and may have none`
    case "ReturnsBestEffort":
      return `the result is that of ${complaint.step}, which is best effort and may have none`
    case "NestedPivot":
      return `${complaint.step} is a saga with a pivot, so it has to be a pivot itself`
    case "BadRetry":
      return `${complaint.step} is retried with ${complaint.detail}`
    case "BadCount":
      return `${complaint.step} has ${complaint.what} of ${complaint.count}, where a whole number of 1 or more is`
    case "PivotsSideBySide":
      return `pivots that may succeed in any order: ${complaint.steps.join(", ")}`
    case "BadConcurrency":
      return `concurrency is a whole number of 1 or more, got ${complaint.concurrency}`
  }
}

// --- Checking ---------------------------------------------------------------

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

export const needs = ({ takes, waitsFor }: StepNode): ReadonlyArray<string> => [...new Set([...takes, ...waitsFor])]

export const check = (graph: SagaGraph): Result.Result<SagaGraph, SagaDefinitionError> => {
  const complaints = [...aboutNames(graph), ...aboutSteps(graph), ...aboutOrder(graph)]
  return complaints.length === 0
    ? Result.succeed(graph)
    : Result.fail(new SagaDefinitionError({ saga: graph.name, complaints }))
}

const aboutNames = ({ concurrency, name, returns, steps }: SagaGraph): ReadonlyArray<Complaint> => {
  const names = steps.map((step) => step.name)
  const known = new Set(names)
  return [
    ...[name, ...names]
      .filter((each) => !namePattern.test(each))
      .map((each) => ({ _tag: "BadName", name: each }) as const),
    ...names
      .filter((each, index) => names.indexOf(each) < index)
      .map((step) => ({ _tag: "DuplicateStep", step }) as const),
    ...steps.flatMap((step) =>
      needs(step)
        .filter((each) => !known.has(each))
        .map((unknown) => ({ _tag: "UnknownStep", step: step.name, unknown }) as const)
    ),
    ...(known.has(returns) ? [] : [{ _tag: "UnknownStep", step: "returns", unknown: returns } as const]),
    ...(isCount(concurrency) ? [] : [{ _tag: "BadConcurrency", concurrency } as const])
  ]
}

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1

const aboutSteps = ({ returns, steps }: SagaGraph): ReadonlyArray<Complaint> => {
  const mayBeMissing = new Set(steps.filter(({ kind }) => kind === "bestEffort").map(({ name }) => name))
  return steps.flatMap((step): ReadonlyArray<Complaint> => {
    const { answers = 1, batch = 1, isAsync, kind, name, nested, retry, takes } = step
    const detail = retry && complaintAbout(retry)
    return [
      ...(detail === undefined ? [] : [{ _tag: "BadRetry", step: name, detail } as const]),
      ...(isCount(batch) ? [] : [{ _tag: "BadCount", step: name, what: "a batch", count: batch } as const]),
      ...(isCount(answers) ? [] : [{ _tag: "BadCount", step: name, what: "attempts", count: answers } as const]),
      ...(nested !== undefined && retry !== undefined ? [{ _tag: "NestedRetried", step: name } as const] : []),
      ...(nested !== undefined && hasPivot(nested) && kind !== "pivot"
        ? [{ _tag: "NestedPivot", step: name } as const]
        : []),
      ...(isAsync && kind !== "bestEffort" ? [{ _tag: "AsyncNotBestEffort", step: name } as const] : []),
      ...(kind === "bestEffort"
        ? []
        : takes
            .filter((each) => mayBeMissing.has(each))
            .map((missing) => ({ _tag: "TakesBestEffort", step: name, missing }) as const)),
      ...(name === returns && kind === "bestEffort" ? [{ _tag: "ReturnsBestEffort", step: name } as const] : [])
    ]
  })
}

const aboutOrder = (graph: SagaGraph): ReadonlyArray<Complaint> => {
  const cycle = firstCycle(graph)
  if (cycle !== undefined) return [{ _tag: "Cycle", steps: cycle }]
  const pivots = graph.steps.filter(({ kind }) => kind === "pivot").map(({ name }) => name)
  const isOrdered = (one: string, other: string) => isBefore(graph, one, other) || isBefore(graph, other, one)
  const sideBySide = pivots.filter((one) => pivots.some((other) => other !== one && !isOrdered(one, other)))
  return sideBySide.length === 0 ? [] : [{ _tag: "PivotsSideBySide", steps: sideBySide }]
}

/** Whether it has a way back no longer once all of it succeeded. */
export const hasPivot = ({ steps }: SagaGraph): boolean => steps.some(({ kind }) => kind === "pivot")

/** Whether `later` needs `earlier`, by however many steps between. */
const isBefore = (graph: SagaGraph, earlier: string, later: string): boolean => {
  const step = graph.steps.find(({ name }) => name === later)
  return step !== undefined && needs(step).some((each) => each === earlier || isBefore(graph, earlier, each))
}

/** The steps of a cycle in order, the first again at the end. */
const firstCycle = ({ steps }: SagaGraph): ReadonlyArray<string> | undefined => {
  const byName = new Map(steps.map((step) => [step.name, step]))
  const isClear = new Set<string>()
  const walk = (name: string, path: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
    const step = byName.get(name)
    if (step === undefined || isClear.has(name)) return undefined
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    for (const each of needs(step)) {
      const cycle = walk(each, [...path, name])
      if (cycle !== undefined) return cycle
    }
    isClear.add(name)
    return undefined
  }
  for (const { name } of steps) {
    const cycle = walk(name, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
