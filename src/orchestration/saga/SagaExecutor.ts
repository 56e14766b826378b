/**
 * Runs a saga.
 *
 * 1. The input is held against its schema. Nothing runs on a wrong one.
 * 2. `SagaPlan.next` says which steps can begin; each begins in a fiber of its own, unless it is the only one.
 * 3. A step resolves its arguments, holds them against its contract, and makes its attempts (`StepAttempts`). A step
 *    that is a saga runs by this same loop; one that maps does its elements (`StepElements`); one that asks waits.
 * 4. What becomes of it goes into the plan's state, and `next` is asked again.
 * 5. After a failure nothing new begins; what is under way is waited for; then `next` names the step to compensate,
 *    then those to undo, one at a time.
 * 6. When nothing is owed, the result of the step that the saga returns is its answer.
 *
 * Nothing is judged here: whether to go on, to try again or to take back is
 * `SagaPlan`'s and `StepRetry`'s to say.
 */
import { Cause, Effect, Exit, Queue, Result } from "effect"
import type { Schema, Scope } from "effect"
import * as SagaPlan from "../../domain/saga/SagaPlan.ts"
import * as SagaSecrets from "../../domain/saga/SagaSecrets.ts"
import type { StepError, StepOutcome } from "../../domain/saga/StepOutcome.ts"
import * as StepOutcomes from "../../domain/saga/StepOutcome.ts"
import type { Saga } from "./Saga.ts"
import type { Answer } from "./SagaAnswer.ts"
import { InvalidInput, SagaFailed } from "./SagaAnswer.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import * as SagaEntrance from "./SagaEntrance.ts"
import { Observers } from "./SagaObserver.ts"
import type { Over, Whole } from "./SagaRun.ts"
import { Run } from "./SagaRun.ts"
import * as SagaRollback from "./SagaRollback.ts"
import type { SagaBody, Step } from "./SagaStep.ts"
import { attempts } from "./StepAttempts.ts"
import * as StepElements from "./StepElements.ts"

export { InvalidInput, SagaFailed } from "./SagaAnswer.ts"
export type { Answer } from "./SagaAnswer.ts"

/** Runs it to its end, and fails with what failed it. */
export const execute = <Input, A, R>(
  saga: Saga<Input, A, R>,
  input: Input,
  driver: SagaDriver
): Effect.Effect<Answer<A>, SagaFailed | InvalidInput, R> =>
  Effect.gen(function* () {
    yield* checkInput(saga, input)
    const ended = yield* run(saga, input, { driver, isUndoing: false })
    return yield* Effect.fromResult(answerOf<A>(saga, driver.execution, ended))
  })

/** The input as JSON, when it is what the saga takes. */
export const checkInput = (saga: SagaBody<unknown>, input: unknown): Effect.Effect<Schema.Json, InvalidInput> =>
  Effect.mapError(saga.inputCoding.encode(input), ({ message }) => {
    const secrets = new Set<string>()
    SagaSecrets.collect(input, secrets)
    return new InvalidInput({ saga: saga.name, detail: SagaSecrets.maskText(message, secrets) })
  })

// --- A run, and how it ended ------------------------------------------------

export interface Ended {
  readonly ending: SagaPlan.Ending
  /** Of the step that the saga returns, when it completed. */
  readonly value: unknown
  /** The name of no step, where there was nothing left to do. */
  readonly halted: { readonly step: string; readonly value: Schema.Json } | undefined
  /** No step, where it was not let in. */
  readonly failure: { readonly step?: string; readonly error: StepError } | undefined
  readonly rollbackFailures: Whole["rollbackFailures"]
  readonly unfinished: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
}

export interface Going {
  readonly driver: SagaDriver
  /** Nothing new is begun, and what was done is taken back. */
  readonly isUndoing: boolean
}

/** Runs it on an input that has been checked. */
export const run = Effect.fnUntraced(function* <R>(
  saga: SagaBody<R>,
  input: unknown,
  { driver, isUndoing }: Going
): Effect.fn.Return<Ended, never, R> {
  const whole: Whole = {
    saga: saga.name,
    driver,
    observers: yield* Observers,
    secrets: new Set(),
    isUndoing,
    rollbackFailures: [],
    unfinished: new Set()
  }
  const run = new Run(saga, input, whole)
  const all = Effect.scoped(runAll(run))
  const guards = isUndoing ? [] : (saga.guards?.(input) ?? [])
  const refusal = guards.length === 0 ? undefined : yield* SagaEntrance.enter(driver, guards)
  const ending = refusal?.ending ?? (yield* SagaEntrance.within(driver, guards, all))
  return {
    ending,
    value: run.values.get(saga.graph.returns),
    halted: run.halted ?? refusal?.halted,
    failure: ending === "cancelled" || ending === "undone" ? undefined : (run.failure ?? refusal?.failure),
    rollbackFailures: whole.rollbackFailures,
    unfinished: whole.unfinished,
    secrets: whole.secrets
  }
})

const runAll = Effect.fnUntraced(function* <R>(run: Run<R>): Effect.fn.Return<SagaPlan.Ending, never, R | Scope.Scope> {
  const { graph, steps } = run.body
  const { isUndoing } = run.whole
  const over = yield* Queue.unbounded<Over>()
  // The result is told before the end only where something may still be under way then.
  let owesResult = graph.steps.some(({ isAsync }) => isAsync)
  while (true) {
    if (owesResult && SagaPlan.hasResult(graph, run.state)) {
      owesResult = false
      yield* run.answered
    }
    const next = SagaPlan.next(graph, run.state)
    switch (next._tag) {
      case "Begin": {
        const isAlone = next.steps.length === 1 && !run.isUnderWay
        for (const name of next.steps) {
          run.begin(name)
          const step = steps.get(name)!
          if (isAlone) run.take({ step: name, outcome: yield* perform(run, step) })
          else {
            yield* Effect.forkScoped(
              Effect.onExit(perform(run, step), (exit) =>
                Queue.offer(over, { step: name, outcome: Exit.isSuccess(exit) ? exit.value : undefined })
              )
            )
          }
        }
        break
      }
      case "Await":
        // A wait that outlives this process stops its step's fiber. The others are heard out first, and kept.
        if (run.isSuspended) return yield* Effect.interrupt
        run.take(yield* Queue.take(over))
        break
      case "Compensate":
      case "Undo":
        yield* takeBack(run, steps.get(next.step)!, next._tag)
        break
      case "End":
        if (!isUndoing || run.isInside || run.state.isUndone) return next.ending
        run.record({ _tag: "UndoAsked" })
    }
    if (isUndoing && run.state.isCancelled && !run.isInside && !run.state.isUndone) run.record({ _tag: "UndoAsked" })
  }
})

// --- A step -----------------------------------------------------------------

const perform = <R>(run: Run<R>, step: Step<R>): Effect.Effect<StepOutcome, never, R> => {
  if (step.nested !== undefined) return performWithin(run, step, step.nested)
  if (step.elements !== undefined) return StepElements.perform(run, step, step.elements)
  const args = argumentsOf(run, step)
  if ("_tag" in args) return Effect.succeed(args)
  if (step.pause !== undefined) return performPause(run, step, args.value)
  return attempts(run, workOf(run, step, args.value))
}

const workOf = <R>(run: Run<R>, step: Step<R>, args: unknown) => ({
  name: run.nameOf(step.name),
  step,
  args,
  body: (context: Parameters<typeof step.run>[1]) => step.run(args, context),
  encode: step.coding.encode
})

/** What the template takes, held against the step's contract; or how the step failed before it began. */
const argumentsOf = <R>(run: Run<R>, step: Step<R>): { readonly value: unknown } | StepOutcome => {
  const resolved = Result.try(() => {
    const value = run.resolve(step.template)
    step.hold?.(value)
    return value
  })
  if (Result.isFailure(resolved)) return unbegun(run, resolved.failure)
  run.args.set(step.name, resolved.success)
  return { value: resolved.success }
}

const unbegun = <R>(run: Run<R>, defect: unknown): StepOutcome => {
  const error = StepOutcomes.defectOf(defect)
  return { _tag: "Failed", error: { ...error, message: run.mask(error.message) }, began: false }
}

/** A saga in a saga: the same loop, whose end is what becomes of the step. */
const performWithin = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  saga: SagaBody<R>
): Effect.fn.Return<StepOutcome, never, R> {
  const args = argumentsOf(run, step)
  if ("_tag" in args) return args
  const input = yield* Effect.exit(saga.inputCoding.encode(args.value))
  if (Exit.isFailure(input)) return unbegun(run, Cause.squash(input.cause))
  const within = new Run(saga, args.value, run.whole, { run, step: step.name })
  run.within.set(step.name, within)
  const ending = yield* Effect.scoped(runAll(within))
  const at = within.state.succeeded.at(-1)?.at ?? 0
  switch (ending) {
    case "completed":
      run.values.set(step.name, within.values.get(saga.graph.returns))
      return { _tag: "Succeeded", value: null, at }
    case "halted":
      return { _tag: "Halted", value: within.halted!.value, at }
    case "stalled":
      return { _tag: "Stalled", error: within.failure!.error, at }
    case "cancelled":
      return { _tag: "Left" }
    case "failed":
    case "undone":
      return { _tag: "Failed", error: within.failure!.error, began: true }
  }
})

/** Asks, where somebody has to be asked, and waits for the answer. */
const performPause = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  args: unknown
): Effect.fn.Return<StepOutcome, never, R> {
  const { driver } = run.whole
  const { attempts: most, correlation, timeoutMillis } = step.pause!
  const work = workOf(run, step, args)
  const question = {
    name: work.name,
    step: work.name,
    correlation: correlation(args, run.context(work.name, 1)),
    attempts: most
  }
  // It is known to those who may answer before anybody hears of it: an answer may come at once.
  const asked = yield* attempts(run, {
    ...work,
    encode: () => Effect.succeed(null),
    body: (context) =>
      driver
        .open(question)
        .pipe(
          Effect.andThen(
            run.tell((about) => ({ _tag: "StepPaused", ...about, step: work.name, correlation: question.correlation }))
          ),
          Effect.andThen(work.body(context))
        )
  })
  if (asked._tag !== "Succeeded") return asked
  const wake = yield* driver.hear(work.name, timeoutMillis)
  const failed = (message: string, code: string): StepOutcome => ({
    _tag: "Failed",
    error: { message: run.mask(message), code, isRetryable: false, isDefect: false },
    began: true
  })
  switch (wake._tag) {
    case "Answered":
      return { _tag: "Succeeded", value: wake.payload, at: wake.at }
    case "Elapsed":
      return failed(`no answer came within ${timeoutMillis} ms`, "AnswerTimeout")
    case "Refused":
      return failed(wake.detail, "AnswerRefused")
    case "Cancelled":
      run.record({ _tag: "CancelAsked" })
      return failed("it was cancelled", "Cancelled")
  }
})

// --- Taking back ------------------------------------------------------------

const takeBack = <R>(run: Run<R>, step: Step<R>, what: "Compensate" | "Undo"): Effect.Effect<void, never, R> => {
  const within = run.within.get(step.name)
  if (within === undefined) return SagaRollback.takeBack(run, step, what)
  // A saga within that failed has taken itself back.
  const undoing =
    what === "Undo"
      ? Effect.andThen(
          Effect.sync(() => within.record({ _tag: "UndoAsked" })),
          Effect.scoped(runAll(within))
        )
      : Effect.void
  return Effect.map(undoing, () => SagaRollback.record(run, step, what, false))
}

// --- The end ----------------------------------------------------------------

export const answerOf = <A>(
  saga: SagaBody<unknown>,
  execution: string,
  { ending, failure, halted, rollbackFailures, value }: Ended
): Result.Result<Answer<A>, SagaFailed> => {
  switch (ending) {
    case "completed":
      return Result.succeed({ _tag: "Completed", execution, value: value as A })
    case "halted":
      return Result.succeed({ _tag: "Halted", execution, ...halted! })
    case "failed":
    case "stalled":
    case "cancelled":
    case "undone":
      return Result.fail(new SagaFailed({ saga: saga.name, execution, ending, ...failure, rollbackFailures }))
  }
}
