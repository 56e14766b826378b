/**
 * A saga with another body in one of its steps: what a test puts in the place
 * of the world outside.
 *
 *     const saga = FakeStep.failing(Payment, "capture", { attempts: [1, 2], error: new Busy() })
 *     const other = FakeStep.replace(Payment, "items/reserve", { run: () => Effect.succeed({ reserved: 3 }) })
 *
 * A step in a saga within is named by its path. Everything else of the step
 * stays: its kind, its retries, its schemas, what is taken back when.
 */
import { Effect } from "effect"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import type { SagaBody, Step, StepContext } from "../../orchestration/saga/SagaStep.ts"

/** What a step does, with whatever arguments it has; what is absent stays as it is. */
export interface Body<R> {
  readonly run?: Step<R>["run"]
  readonly compensate?: NonNullable<Step<R>["compensate"]>
  readonly undo?: NonNullable<Step<R>["undo"]>
}

export const replace = <Input, A, R, R2 = never>(
  saga: Saga<Input, A, R>,
  step: string,
  body: Body<R2>
): Saga<Input, A, R | R2> =>
  change<R | R2, Saga<Input, A, R | R2>>(saga, step.split("/"), (real) => ({ ...real, ...body }))

export interface Failing {
  /** The attempts that fail, from 1; all of them when absent. */
  readonly attempts?: ReadonlyArray<number>
  readonly error: unknown
  /** `after`: the real step has done its work, and its answer is lost. `before` when absent. */
  readonly when?: "before" | "after"
}

/** The real step, but for the attempts that fail. */
export const failing = <Input, A, R>(
  saga: Saga<Input, A, R>,
  step: string,
  { attempts, error, when = "before" }: Failing
): Saga<Input, A, R> =>
  change<R, Saga<Input, A, R>>(saga, step.split("/"), (real) => ({
    ...real,
    run: (args: unknown, context: StepContext) => {
      if (attempts !== undefined && !attempts.includes(context.attempt)) return real.run(args, context)
      return Effect.andThen(when === "after" ? real.run(args, context) : Effect.void, Effect.fail(error))
    }
  }))

/** The step as `to` makes it of the real one: to wrap what is there. */
export const altered = <Input, A, R>(
  saga: Saga<Input, A, R>,
  step: string,
  to: (step: Step<R>) => Step<R>
): Saga<Input, A, R> => change<R, Saga<Input, A, R>>(saga, step.split("/"), to)

const change = <R, S extends SagaBody<R>>(
  saga: S,
  [name = "", ...within]: ReadonlyArray<string>,
  to: (step: Step<R>) => Step<R>
): S => {
  const step = saga.steps.get(name)
  if (step === undefined) throw new Error(`${saga.name} has no step ${name}, only ${[...saga.steps.keys()].join(", ")}`)
  if (within.length > 0 && step.nested === undefined) throw new Error(`${name} of ${saga.name} is no saga of its own`)
  const changed = within.length === 0 ? to(step) : { ...step, nested: change<R, SagaBody<R>>(step.nested!, within, to) }
  return { ...saga, steps: new Map([...saga.steps, [name, changed]]) }
}
