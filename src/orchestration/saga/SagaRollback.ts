/**
 * Takes back one thing: the step that failed, a step that succeeded, or the
 * elements of one that maps. A compensate or undo that fails stops nothing, and
 * is reported.
 */
import { Cause, Effect } from "effect"
import * as StepOutcome from "../../domain/saga/StepOutcome.ts"
import type { Run } from "./SagaRun.ts"
import type { Step } from "./SagaStep.ts"

export const takeBack = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: Step<R>,
  what: "Compensate" | "Undo"
): Effect.fn.Return<void, never, R> {
  const before = run.whole.rollbackFailures.length
  const args = run.args.get(step.name)
  const name = run.nameOf(step.name)
  if (step.elements !== undefined) {
    // One that failed has taken its elements back itself.
    if (what === "Undo") yield* undoElements(run, step)
  } else if (what === "Undo") yield* undo(run, step, name, run.values.get(step.name), args)
  else yield* compensate(run, step, name, args, run.errors.find((each) => each.step === step.name)!.error)
  record(run, step, what, run.whole.rollbackFailures.length > before)
})

export const record = <R>(run: Run<R>, step: Step<R>, what: "Compensate" | "Undo", failed: boolean): void =>
  run.record({ _tag: what === "Undo" ? "Undone" : "Compensated", step: step.name, failed })

/** Of a step, or of one of its elements. */
export const compensate = <R>(
  run: Run<R>,
  { compensate }: Step<R>,
  name: string,
  args: unknown,
  error: StepOutcome.StepError
): Effect.Effect<void, never, R> =>
  compensate === undefined
    ? Effect.void
    : taken(
        run,
        name,
        "compensate",
        Effect.suspend(() => compensate(args, error, run.context(name, 1)))
      )

export const undo = <R>(
  run: Run<R>,
  { undo }: Step<R>,
  name: string,
  result: unknown,
  args: unknown
): Effect.Effect<void, never, R> =>
  undo === undefined
    ? Effect.void
    : taken(
        run,
        name,
        "undo",
        Effect.suspend(() => undo(result, args, run.context(name, 1)))
      )

/** The highest index first. */
export const undoElements = <R>(run: Run<R>, step: Step<R>): Effect.Effect<void, never, R> =>
  Effect.forEach(
    (run.doneElements.get(step.name) ?? []).toSorted((one, other) => other.index - one.index),
    ({ args, index, value }) => undo(run, step, `${run.nameOf(step.name)}[${index}]`, value, args),
    { discard: true }
  )

const taken = Effect.fnUntraced(function* <R>(
  run: Run<R>,
  step: string,
  kind: "compensate" | "undo",
  effect: Effect.Effect<unknown, unknown, R>
): Effect.fn.Return<void, never, R> {
  const { driver, rollbackFailures } = run.whole
  const outcome = yield* driver.takeBack(
    `${step}/${kind}`,
    Effect.tap(outcomeOf(run, effect), (outcome) =>
      run.tell((about) => ({ _tag: "RolledBack", ...about, step, kind, outcome }))
    )
  )
  if (outcome._tag === "Failed") {
    rollbackFailures.push({ step, kind, reason: outcome.reason, message: outcome.message })
  }
})

const outcomeOf = <R>(
  run: Run<R>,
  effect: Effect.Effect<unknown, unknown, R>
): Effect.Effect<StepOutcome.TakingBack, never, R> =>
  effect.pipe(
    Effect.as<StepOutcome.TakingBack>({ _tag: "Done" }),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.succeed<StepOutcome.TakingBack>({
            _tag: "Failed",
            reason: Cause.hasFails(cause) ? "returned" : "raised",
            message: run.mask(StepOutcome.messageOf(Cause.squash(cause)))
          })
    )
  )
