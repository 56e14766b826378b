/**
 * The attempts at a step, or at one of its elements: each under the step's
 * guards and its timeout, with the waits between them, until one succeeds,
 * signals, or there is no use in another.
 *
 * What holds the step back, a lock that another run has or a rate that is used
 * up, is no attempt and counts as none.
 */
import { Cause, Clock, Effect, Exit } from "effect"
import type { StepError } from "../../domain/saga/StepOutcome.ts"
import * as StepOutcomes from "../../domain/saga/StepOutcome.ts"
import type { StepOutcome } from "../../domain/saga/StepOutcome.ts"
import * as StepRetry from "../../domain/saga/StepRetry.ts"
import type { Guard, Visitor } from "./SagaGuard.ts"
import * as SagaGuards from "./SagaGuard.ts"
import { queueing } from "./SagaGuard.ts"
import type { Run } from "./SagaRun.ts"
import type { Coding, Step, StepContext } from "./SagaStep.ts"
import { Halt, Skip } from "./SagaStep.ts"

export interface Work<R> {
  /** Unique in the run: a step's, or an element's. */
  readonly name: string
  readonly step: Step<R>
  readonly args: unknown
  readonly body: (context: StepContext) => Effect.Effect<unknown, unknown, R>
  readonly encode: Coding["encode"]
}

export const attempts = Effect.fnUntraced(function* <R>(run: Run<R>, work: Work<R>) {
  const { driver } = run.whole
  const retry = work.step.retry ?? run.body.retry
  let last: (StepOutcome & { readonly _tag: "Failed" }) | undefined
  let waits = 0
  for (let attempt = 1; ;) {
    const name = waits === 0 ? `${work.name}/${attempt}` : `${work.name}/${attempt}.${waits}`
    const outcome = yield* driver.attempt(name, once(run, work, { attempt, name, retry, waits }))
    switch (outcome._tag) {
      case "Failed": {
        // What began once has begun, whatever kept the next attempt from it.
        last = { ...outcome, began: outcome.began || (last?.began ?? false) }
        const verdict = StepRetry.decide(retry, outcome.error.isRetryable, attempt, lot(driver.execution, name))
        if (verdict._tag === "GiveUp") return last
        yield* driver.sleep(`${name}/wait`, verdict.afterMillis)
        attempt += 1
        break
      }
      case "Contended": {
        waits += 1
        if (driver.contention === "fail" || waits > queueing.times) {
          return {
            _tag: "Failed",
            error: contended(outcome.resource),
            began: last?.began ?? false
          } satisfies StepOutcome
        }
        const drawn = queueing.baseMillis + queueing.lotMillis * lot(driver.execution, name)
        yield* driver.sleep(`${name}/turn`, Math.max(Math.round(drawn), outcome.retryAfterMillis ?? 0))
        break
      }
      case "Left":
        // It may have half happened before it was cancelled, so it is taken back like what failed.
        if (last === undefined) return outcome
        run.record({ _tag: "CancelAsked" })
        return last
      case "Succeeded":
      case "Skipped":
      case "Halted":
      case "Stalled":
        return outcome
    }
  }
})

export const contended = (resource: string): StepError => ({
  message: `${resource} is taken`,
  code: "Contended",
  isRetryable: true,
  isDefect: false
})

/** From 0 up to 1, and the same in every replay of this run. */
export const lot = (execution: string, name: string): number => {
  let hash = 0x811c9dc5
  for (const character of `${execution}/${name}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return (hash >>> 0) / 2 ** 32
}

// --- One attempt ------------------------------------------------------------

interface Attempt {
  readonly attempt: number
  readonly name: string
  readonly retry: StepRetry.StepRetry
  readonly waits: number
}

const once = Effect.fnUntraced(function* <R>(run: Run<R>, work: Work<R>, { attempt, name, retry, waits }: Attempt) {
  const { driver } = run.whole
  const hasWaited = attempt > 1 || waits > 0
  if (run.mayCancel && (yield* driver.isCancelled(hasWaited))) {
    return { _tag: "Left" } satisfies StepOutcome
  }
  const { args, step } = work
  const about = { step: work.name, attempt }
  yield* run.tell((where) => ({ _tag: "StepStarted", ...where, ...about }))
  const body = attemptOnce(run, work, run.context(work.name, attempt))
  const guards = step.guards === undefined ? [] : step.guards(args)
  const outcome =
    guards.length === 0 ? yield* body : yield* guarded(guards, { execution: driver.execution, step: work.name }, body)
  const error = outcome._tag === "Failed" ? { error: outcome.error } : {}
  yield* run.tell((where) => ({ _tag: "StepEnded", ...where, ...about, became: became(outcome), ...error }))
  if (outcome._tag === "Failed") {
    const verdict = StepRetry.decide(retry, outcome.error.isRetryable, attempt, lot(driver.execution, name))
    if (verdict._tag === "Again") {
      yield* run.tell((where) => ({ _tag: "RetryScheduled", ...where, ...about, afterMillis: verdict.afterMillis }))
    }
  }
  return outcome
})

const became = (outcome: StepOutcome) => {
  switch (outcome._tag) {
    case "Succeeded":
      return "succeeded"
    case "Skipped":
      return "skipped"
    case "Halted":
      return "halted"
    case "Left":
      return "left"
    case "Contended":
      return "contended"
    case "Failed":
    case "Stalled":
      return "failed"
  }
}

const attemptOnce = <R>(
  run: Run<R>,
  { body, encode, step: { timeout } }: Work<R>,
  context: StepContext
): Effect.Effect<StepOutcome, never, R> => {
  const running = Effect.suspend(() => body(context))
  const timed = timeout === undefined ? running : Effect.timeout(running, timeout)
  return timed.pipe(
    Effect.flatMap((given) => {
      const isSignal = given instanceof Halt || given instanceof Skip
      const signal = given instanceof Halt ? "Halted" : given instanceof Skip ? "Skipped" : "Succeeded"
      return Effect.zipWith(encode(isSignal ? given.value : given), Clock.currentTimeMillis, (value, at): StepOutcome =>
        signal === "Skipped" ? { _tag: signal, value } : { _tag: signal, value, at }
      )
    }),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.succeed<StepOutcome>({ _tag: "Failed", error: errorIn(run, cause), began: true })
    )
  )
}

const errorIn = <R>(run: Run<R>, cause: Cause.Cause<unknown>): StepError => {
  const error = Cause.hasFails(cause)
    ? StepOutcomes.errorOf(Cause.squash(cause))
    : StepOutcomes.defectOf(Cause.squash(cause))
  return { ...error, message: run.mask(error.message) }
}

// --- Guards -----------------------------------------------------------------

/** Under all of its guards, entered in their order and left in the reverse of it. */
const guarded = <R>(
  guards: ReadonlyArray<Guard<R>>,
  visitor: Visitor,
  body: Effect.Effect<StepOutcome, never, R>
): Effect.Effect<StepOutcome, never, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(SagaGuards.enterAll(guards, visitor)), (refusal) =>
      refusal !== undefined
        ? Effect.succeed(refusal)
        : Effect.onExit(restore(SagaGuards.keeping(guards, visitor, body)), (exit) =>
            SagaGuards.leaveAll(guards, visitor, Exit.isSuccess(exit) && exit.value._tag !== "Failed")
          )
    )
  )
