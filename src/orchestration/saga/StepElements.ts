/**
 * A step that does its work once for each element of a collection.
 *
 * So many elements are under way at once, and each has attempts of its own.
 * Failing fast, the first that fails for good ends it: nothing new begins, what
 * is under way is heard out, the elements that failed are compensated and those
 * that were done are undone, the highest index first. Collecting, an element
 * that fails is compensated at once, and the others go on.
 *
 * A source that is too large to be held is read a page at a time, each page kept
 * like an attempt, so that a run that is taken up again has the same elements;
 * the next page is asked for when the one before is done.
 */
import { Effect, Exit, Queue, Result } from "effect"
import type { Schema, Scope } from "effect"
import * as StepOutcomes from "../../domain/saga/StepOutcome.ts"
import type { StepError, StepOutcome } from "../../domain/saga/StepOutcome.ts"
import * as SagaRollback from "./SagaRollback.ts"
import type { DoneElement, Run } from "./SagaRun.ts"
import type { Elements, Step } from "./SagaStep.ts"
import { attempts } from "./StepAttempts.ts"

/** What came of the elements so far. */
interface Tally {
  readonly done: Array<DoneElement>
  readonly values: Array<{ readonly index: number; readonly value: unknown }>
  readonly failures: Array<{
    readonly index: number
    readonly args: unknown
    readonly error: StepError
    readonly began: boolean
  }>
  isLeft: boolean
  at: number
}

export const perform = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  elements: Elements<R>
): Effect.fn.Return<StepOutcome, never, R> {
  const tally: Tally = { done: [], values: [], failures: [], isLeft: false, at: 0 }
  const failure = yield* Effect.scoped(eachPage(run, step, elements, tally))
  run.doneElements.set(step.name, tally.done)
  if (failure !== undefined) return failure
  const failed = tally.failures.toSorted((one, other) => one.index - other.index)
  if (tally.isLeft || (elements.mode === "failFast" && failed.length > 0)) {
    if (elements.mode === "failFast") yield* compensateAll(run, step, failed)
    yield* SagaRollback.undoElements(run, step)
    const first = failed[0]
    return first === undefined
      ? { _tag: "Left" }
      : { _tag: "Failed", error: first.error, began: failed.some(({ began }) => began) || tally.done.length > 0 }
  }
  const values = tally.values.toSorted((one, other) => one.index - other.index)
  run.values.set(
    step.name,
    elements.mode === "collect"
      ? { successes: values, failures: failed.map(({ error, index }) => ({ index, error })) }
      : values.map(({ value }) => value)
  )
  return { _tag: "Succeeded", value: null, at: tally.at }
})

const eachPage = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  elements: Elements<R>,
  tally: Tally
): Effect.fn.Return<StepOutcome | undefined, never, R | Scope.Scope> {
  if (elements.pages === undefined) {
    const all = Result.try(() => run.resolve(elements.over) as ReadonlyArray<unknown>)
    if (Result.isSuccess(all)) return yield* eachOf(run, step, elements, tally, all.success, 0)
    return { _tag: "Failed", error: StepOutcomes.defectOf(all.failure), began: false }
  }
  const { coding, page } = elements.pages
  const limit = elements.batch
  for (let offset = 0; ; offset += limit) {
    const read = yield* attempts(run, {
      name: `${run.nameOf(step.name)}/from/${offset}`,
      step: { ...step, guards: undefined },
      args: {},
      body: () => page(run.input, { offset, limit }),
      encode: coding.encode
    })
    if (read._tag === "Left") tally.isLeft = true
    else if (read._tag === "Failed") {
      // What was done before is taken back like after an element that failed.
      tally.failures.push({ index: offset, args: {}, error: read.error, began: false })
      return elements.mode === "collect" ? read : undefined
    }
    if (read._tag !== "Succeeded") return undefined
    const all = coding.decode(read.value) as ReadonlyArray<unknown>
    yield* eachOf(run, step, elements, tally, all, offset)
    if (all.length < limit || isOver(elements, tally)) return undefined
  }
})

const isOver = (elements: Elements<unknown>, { failures, isLeft }: Tally): boolean =>
  isLeft || (elements.mode === "failFast" && failures.length > 0)

/** So many at a time; a fiber that was stopped is suspended, and the others are heard out first. */
const eachOf = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  elements: Elements<R>,
  tally: Tally,
  all: ReadonlyArray<unknown>,
  offset: number
): Effect.fn.Return<undefined, never, R | Scope.Scope> {
  const over = yield* Queue.unbounded<"done" | "stopped">()
  let next = 0
  let underWay = 0
  let stopped = 0
  while (true) {
    for (; underWay < elements.batch && next < all.length && !isOver(elements, tally); next++, underWay++) {
      const one = element(run, step, elements, tally, offset + next, all[next])
      yield* Effect.forkScoped(
        Effect.onExit(one, (exit) => Queue.offer(over, Exit.isSuccess(exit) ? "done" : "stopped"))
      )
    }
    if (underWay === 0) return undefined
    if (underWay === stopped) return yield* Effect.interrupt
    if ((yield* Queue.take(over)) === "stopped") stopped += 1
    else underWay -= 1
  }
})

const element = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  { mode }: Elements<R>,
  tally: Tally,
  index: number,
  value: unknown
): Effect.fn.Return<void, never, R> {
  const name = `${run.nameOf(step.name)}[${index}]`
  const resolved = Result.try(() => {
    const args = run.resolve(step.template, { value })
    step.hold?.(args)
    return args
  })
  if (Result.isFailure(resolved)) {
    tally.failures.push({ index, args: undefined, error: StepOutcomes.defectOf(resolved.failure), began: false })
    return
  }
  const args = resolved.success
  const body = (context: Parameters<typeof step.run>[1]) => step.run(args, context)
  const outcome = yield* attempts(run, { name, step, args, body, encode: step.coding.encode })
  switch (outcome._tag) {
    case "Succeeded":
    case "Halted":
      tally.done.push({ index, args, value: tell(tally, step, index, outcome.value) })
      tally.at = Math.max(tally.at, outcome.at)
      return
    case "Skipped":
      tell(tally, step, index, outcome.value)
      return
    case "Left":
      tally.isLeft = true
      return
    case "Failed":
      tally.failures.push({ index, args, error: outcome.error, began: outcome.began })
      if (mode === "collect" && outcome.began) yield* SagaRollback.compensate(run, step, name, args, outcome.error)
      return
    case "Stalled":
      throw new Error(`${name} is ${outcome._tag}, which an element cannot be`)
  }
})

const tell = <R>({ values }: Tally, { coding }: Step<R>, index: number, json: Schema.Json): unknown => {
  const value = coding.decode(json)
  values.push({ index, value })
  return value
}

const compensateAll = <R>(run: Run<R>, step: Step<R>, failures: Tally["failures"]): Effect.Effect<void, never, R> =>
  Effect.forEach(
    failures.filter(({ began }) => began).toReversed(),
    ({ args, error, index }) => SagaRollback.compensate(run, step, `${run.nameOf(step.name)}[${index}]`, args, error),
    { discard: true }
  )
