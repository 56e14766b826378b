/**
 * A saga, put together step by step.
 *
 *     const Payment = Saga.make("Payment", { input: Order })
 *       .step("authorize", {
 *         takes: ({ input }) => ({ amount: input.amount, card: input.card }),
 *         gives: Authorization,
 *         run: ({ amount, card }, { key }) => Cards.authorize(card, amount, key),
 *         undo: ({ reference }) => Cards.release(reference)
 *       })
 *       .step("capture", {
 *         kind: "pivot",
 *         takes: ({ steps }) => ({ reference: steps.authorize.reference }),
 *         gives: Capture,
 *         run: ({ reference }, { key }) => Cards.capture(reference, key)
 *       })
 *       .returns("capture")
 *
 * A step can only take what is there before it, so a cycle cannot be written
 * this way; `SagaGraph.check` refuses whatever TypeScript let through, when the
 * saga is made: `returns` throws a `SagaDefinitionError`.
 */
import { Result } from "effect"
import type { Schema } from "effect"
import * as SagaGraph from "../../domain/saga/SagaGraph.ts"
import * as SagaRef from "../../domain/saga/SagaRef.ts"
import type { StepError } from "../../domain/saga/StepOutcome.ts"
import type { StepRetry } from "../../domain/saga/StepRetry.ts"
import * as StepRetryPolicy from "../../domain/saga/StepRetry.ts"
import type { Resolved, Sources, Step, StepContext, StepOptions } from "./SagaStep.ts"

export { halt, skip } from "./SagaStep.ts"

export interface SagaOptions<Input> {
  /** What is asked for has to hold to it before anything runs, cross-field checks included. */
  readonly input: Schema.Codec<Input, unknown>
  /** Of steps that say nothing themselves; one attempt when absent. */
  readonly retry?: StepRetry
  /** So many steps at once; 8 when absent. */
  readonly concurrency?: number
}

/** Enough for every saga here to run as parallel as it is, and few enough for a database's connections. */
const usualConcurrency = 8

/** A saga as it runs: `Input` is what it is asked with, `A` what it answers. */
export interface Saga<in out Input, out A, out R> {
  readonly name: string
  readonly input: Schema.Codec<Input, unknown>
  readonly output: Schema.Codec<A, unknown>
  readonly graph: SagaGraph.SagaGraph
  readonly steps: ReadonlyMap<string, Step<R>>
  readonly retry: StepRetry
}

export interface Builder<Input, Results, R> {
  readonly step: <const Name extends string, Template, A, E, R2>(
    name: Name extends keyof Results ? never : Name,
    options: StepOptions<Input, Results, Template, A, E, R2>
  ) => Builder<Input, Results & { readonly [K in Name]: A }, R | R2>
  readonly returns: <Name extends keyof Results & string>(name: Name) => Saga<Input, Results[Name], R>
}

export const make = <Input>(name: string, options: SagaOptions<Input>): Builder<Input, unknown, never> =>
  builder(name, options, [])

const builder = <Input, Results, R>(
  saga: string,
  options: SagaOptions<Input>,
  steps: ReadonlyArray<Step<R>>
): Builder<Input, Results, R> => ({
  step: <const Name extends string, Template, A, E, R2>(
    name: Name extends keyof Results ? never : Name,
    step: StepOptions<Input, Results, Template, A, E, R2>
  ) => builder<Input, Results & { readonly [K in Name]: A }, R | R2>(saga, options, [...steps, erase(name, step)]),
  returns: <Name extends keyof Results & string>(returns: Name) =>
    assemble<Input, Results[Name], R>(saga, options, steps, returns)
})

/** Any step can be named: whether it is there is `check`'s to say. */
const sources = <Input, Results>(): Sources<Input, Results> => ({
  input: SagaRef.refs<Input>({ _tag: "Input" }),
  steps: new Proxy({} as Sources<Input, Results>["steps"], {
    get: (_, step) => (typeof step === "string" ? SagaRef.refs({ _tag: "Result", step }) : undefined)
  })
})

/** The engine hands each function what the schemas of this very step have decoded. */
const erase = <Input, Results, Template, A, E, R>(
  name: string,
  step: StepOptions<Input, Results, Template, A, E, R>
): Step<R> => {
  const { compensate, undo } = step
  type Args = Resolved<Template>
  return {
    name,
    kind: step.kind ?? "compensatable",
    template: step.takes?.(sources()) ?? {},
    waitsFor: step.waitFor ?? [],
    accepts: step.accepts,
    gives: step.gives,
    run: (args: unknown, context: StepContext) => step.run(args as Args, context),
    compensate:
      compensate &&
      ((args: unknown, reason: StepError, context: StepContext) => compensate(args as Args, reason, context)),
    undo: undo && ((result: unknown, args: unknown, context: StepContext) => undo(result as A, args as Args, context)),
    retry: step.retry,
    timeout: step.timeout,
    isAsync: step.async ?? false
  }
}

const assemble = <Input, A, R>(
  name: string,
  { concurrency = usualConcurrency, input, retry = StepRetryPolicy.once }: SagaOptions<Input>,
  steps: ReadonlyArray<Step<R>>,
  returns: string
): Saga<Input, A, R> => {
  const graph = Result.getOrThrow(
    SagaGraph.check({
      name,
      returns,
      concurrency,
      steps: steps.map((step) => ({
        name: step.name,
        kind: step.kind,
        takes: SagaRef.stepsOf(step.template),
        waitsFor: step.waitsFor,
        isAsync: step.isAsync,
        isNested: false,
        isRetried: step.retry !== undefined && step.retry.attempts > 1
      }))
    })
  )
  const byName = new Map(steps.map((step) => [step.name, step]))
  return { name, input, output: byName.get(returns)!.gives as Schema.Codec<A, unknown>, graph, steps: byName, retry }
}
