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
 * Beside `step` there is `compose`, a saga as a step, whose undo is the undo of
 * its own steps, at its place; `map`, a step for each element of a collection;
 * and `interrupt`, which waits for an answer from outside. `SagaRunner` runs
 * what is made here.
 *
 * A step can only take what is there before it, so a cycle cannot be written
 * this way; `SagaGraph.check` refuses whatever TypeScript let through, when the
 * saga is made: `returns` throws a `SagaDefinitionError`.
 */
import { Duration, Effect, Option, Result, Schema } from "effect"
import * as SagaGraph from "../../domain/saga/SagaGraph.ts"
import * as SagaRef from "../../domain/saga/SagaRef.ts"
import { StepError } from "../../domain/saga/StepOutcome.ts"
import type { StepRetry } from "../../domain/saga/StepRetry.ts"
import * as StepRetryPolicy from "../../domain/saga/StepRetry.ts"
import type { Guard } from "./SagaGuard.ts"
import type {
  Coding,
  Collected,
  ComposeOptions,
  Elements,
  InterruptOptions,
  MapOptions,
  OnFailure,
  Pause,
  Resolved,
  SagaBody,
  Sources,
  Step,
  StepContext,
  StepOptions,
  TakenBack,
  Tried
} from "./SagaStep.ts"

export { diagram } from "./SagaDiagram.ts"
export { halt, skip } from "./SagaStep.ts"

export interface SagaOptions<Input, RG = never> {
  /** What is asked for has to hold to it before anything runs, cross-field checks included. */
  readonly input: Schema.Codec<Input, unknown>
  /** Of steps that say nothing themselves; one attempt when absent. */
  readonly retry?: StepRetry
  /** So many steps at once; 8 when absent. */
  readonly concurrency?: number
  /** Runs with the same key are one run: a repeat hears what came of the first. Claimed when the input is checked. */
  readonly idempotencyKey?: (input: Input) => string
  /** What a run has to hold from its beginning to its end. */
  readonly guards?: (input: Input) => ReadonlyArray<Guard<RG>>
}

/** Enough for every saga here to run as parallel as it is, and few enough for a database's connections. */
const usualConcurrency = 8

/** Elements at once: as many as a pool of connections has by default. */
const usualBatch = 10

/** A saga as it runs: `Input` is what it is asked with, `A` what it answers. */
export interface Saga<in out Input, out A, out R> extends SagaBody<R> {
  readonly input: Schema.Codec<Input, unknown>
  readonly output: Schema.Codec<A, unknown>
  readonly idempotencyKey: ((input: Input) => string) | undefined
}

type With<Results, Name extends string, A> = Results & { readonly [K in Name]: A }
type New<Name extends string, Results> = Name extends keyof Results ? never : Name
type Mapped<A, Mode extends OnFailure> = Mode extends "collect" ? Collected<A> : ReadonlyArray<A>

export interface Builder<Input, Results, R> {
  readonly step: <const Name extends string, Template, A, E, R2 = never>(
    name: New<Name, Results>,
    options: StepOptions<Input, Results, Template, A, E, R2>
  ) => Builder<Input, With<Results, Name, A>, R | R2>
  /** A saga as a step. When a later step fails its own steps are undone, newest first, at its place. */
  readonly compose: <const Name extends string, ChildInput, A, R2>(
    name: New<Name, Results>,
    saga: Saga<ChildInput, A, R2>,
    options: ComposeOptions<Input, Results, ChildInput>
  ) => Builder<Input, With<Results, Name, A>, R | R2>
  /** A step for each element. When it is undone, so are the elements that were done, the highest index first. */
  readonly map: <
    const Name extends string,
    Element,
    Template,
    A,
    E,
    R2 = never,
    const Mode extends OnFailure = "failFast"
  >(
    name: New<Name, Results>,
    options: MapOptions<Input, Results, Element, Template, A, E, R2, Mode>
  ) => Builder<Input, With<Results, Name, Mapped<A, Mode>>, R | R2>
  /** Waits for an answer from outside, which is its result. */
  readonly interrupt: <const Name extends string, Template, A, E = never, R2 = never>(
    name: New<Name, Results>,
    options: InterruptOptions<Input, Results, Template, A, E, R2>
  ) => Builder<Input, With<Results, Name, A>, R | R2>
  readonly returns: <Name extends keyof Results & string>(name: Name) => Saga<Input, Results[Name], R>
}

export const make = <Input, RG = never>(name: string, options: SagaOptions<Input, RG>): Builder<Input, unknown, RG> =>
  builder(name, options, [])

const builder = <Input, Results, R>(
  saga: string,
  options: SagaOptions<Input, R>,
  steps: ReadonlyArray<Step<R>>
): Builder<Input, Results, R> => {
  const and = <Results2, R2>(step: Step<R2>) => builder<Input, Results2, R | R2>(saga, options, [...steps, step])
  return {
    step: <const Name extends string, Template, A, E, R2>(
      name: New<Name, Results>,
      step: StepOptions<Input, Results, Template, A, E, R2>
    ) => and<With<Results, Name, A>, R2>(stepOf(name, step)),
    compose: <const Name extends string, ChildInput, A, R2>(
      name: New<Name, Results>,
      child: Saga<ChildInput, A, R2>,
      step: ComposeOptions<Input, Results, ChildInput>
    ) => and<With<Results, Name, A>, R2>(composed(name, child, step)),
    map: <const Name extends string, Element, Template, A, E, R2, const Mode extends OnFailure>(
      name: New<Name, Results>,
      step: MapOptions<Input, Results, Element, Template, A, E, R2, Mode>
    ) => and<With<Results, Name, Mapped<A, Mode>>, R2>(mapped(name, step)),
    interrupt: <const Name extends string, Template, A, E, R2>(
      name: New<Name, Results>,
      step: InterruptOptions<Input, Results, Template, A, E, R2>
    ) => and<With<Results, Name, A>, R2>(interrupted(name, step)),
    returns: <Name extends keyof Results & string>(returns: Name) =>
      assemble<Input, Results[Name], R>(saga, options, steps, returns)
  }
}

// --- Steps as the engine has them -------------------------------------------

/** Any step can be named: whether it is there is `check`'s to say. */
const sources = <Input, Results>(): Sources<Input, Results> => ({
  input: SagaRef.refs<Input>({ _tag: "Input" }),
  steps: new Proxy({} as Sources<Input, Results>["steps"], {
    get: (_, step) => (typeof step === "string" ? SagaRef.refs({ _tag: "Result", step }) : undefined)
  })
})

/** An absent value has no JSON, and a step that gives nothing is none the less done. */
const codingOf = (schema: Schema.Codec<unknown, unknown>): Coding => {
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownEffect(codec)
  const decode = Schema.decodeUnknownSync(codec)
  return { encode, decode }
}

const plain = {
  isAsync: false,
  timeout: undefined,
  hold: undefined,
  guards: undefined,
  compensate: undefined,
  undo: undefined,
  retry: undefined,
  nested: undefined,
  elements: undefined,
  pause: undefined
}

interface Placing {
  readonly kind?: SagaGraph.StepKind
  readonly waitFor?: ReadonlyArray<string>
}

const placed = (name: string, { kind = "compensatable", waitFor = [] }: Placing) => ({ name, kind, waitsFor: waitFor })

/** The engine hands each function what the schemas of this very step have decoded. */
const worked = <Args, A, R>(step: TakenBack<Args, A, R> & Tried<Args, R>) => {
  const { compensate, guards, undo } = step
  return {
    retry: step.retry,
    timeout: step.timeout,
    compensate:
      compensate &&
      ((args: unknown, reason: StepError, context: StepContext) => compensate(args as Args, reason, context)),
    undo: undo && ((result: unknown, args: unknown, context: StepContext) => undo(result as A, args as Args, context)),
    guards: guards && ((args: unknown) => guards(args as Args))
  }
}

const stepOf = <Input, Results, Template, A, E, R>(
  name: string,
  step: StepOptions<Input, Results, Template, A, E, R>
): Step<R> => {
  type Args = Resolved<Template>
  const hold = step.accepts && Schema.encodeUnknownSync(step.accepts)
  return {
    ...plain,
    ...placed(name, step),
    ...worked<Args, A, R>(step),
    template: step.takes?.(sources()) ?? {},
    isAsync: step.async ?? false,
    gives: step.gives,
    hold,
    coding: codingOf(step.gives),
    run: (args, context) => step.run(args as Args, context)
  }
}

const composed = <Input, Results, ChildInput, A, R>(
  name: string,
  child: Saga<ChildInput, A, R>,
  step: ComposeOptions<Input, Results, ChildInput>
): Step<R> => ({
  ...plain,
  ...placed(name, { kind: SagaGraph.hasPivot(child.graph) ? "pivot" : "compensatable", ...step }),
  template: step.takes(sources()),
  isAsync: step.async ?? false,
  // TypeScript knows no such option; who writes JavaScript hears of it from `check`.
  retry: "retry" in step ? (step.retry as StepRetry) : undefined,
  gives: child.output,
  coding: codingOf(child.output),
  run: neverRun,
  nested: child
})

const mapped = <Input, Results, Element, Template, A, E, R, Mode extends OnFailure>(
  name: string,
  step: MapOptions<Input, Results, Element, Template, A, E, R, Mode>
): Step<R> => {
  type Args = Resolved<Template>
  const mode = step.onFailure ?? "failFast"
  const from = sources<Input, Results>()
  const pages = typeof step.over === "function" ? undefined : step.over
  const elements: Elements<R> = {
    over: typeof step.over === "function" ? step.over(from) : undefined,
    pages: pages && {
      coding: codingOf(Schema.Array(pages.element)),
      page: (input, place) => pages.page(input as Input, place)
    },
    batch: step.batch ?? usualBatch,
    mode
  }
  return {
    ...plain,
    ...placed(name, step),
    ...worked<Args, A, R>(step),
    template: step.takes({ ...from, element: SagaRef.refs<Element>({ _tag: "Element" }) }),
    gives: mode === "collect" ? collected(step.gives) : Schema.Array(step.gives),
    coding: codingOf(step.gives),
    run: (args, context) => step.run(args as Args, context),
    elements
  }
}

const collected = (gives: Schema.Codec<unknown, unknown>): Schema.Codec<unknown, unknown> =>
  Schema.Struct({
    successes: Schema.Array(Schema.Struct({ index: Schema.Int, value: gives })),
    failures: Schema.Array(Schema.Struct({ index: Schema.Int, error: StepError }))
  })

const interrupted = <Input, Results, Template, A, E, R>(
  name: string,
  step: InterruptOptions<Input, Results, Template, A, E, R>
): Step<R> => {
  type Args = Resolved<Template>
  const { ask, correlation } = step
  const decode = Schema.decodeUnknownResult(Schema.toCodecJson(step.gives))
  const pause: Pause = {
    correlation: (args, context) => correlation(args as Args, context),
    timeoutMillis: step.timeout === undefined ? undefined : Duration.toMillis(step.timeout),
    attempts: step.attempts,
    complaintAbout: (payload) =>
      Option.getOrUndefined(Result.getFailure(Result.mapError(decode(payload), ({ message }) => message)))
  }
  return {
    ...plain,
    ...placed(name, step),
    ...worked<Args, A, R>(step),
    template: step.takes?.(sources()) ?? {},
    gives: step.gives,
    coding: codingOf(step.gives),
    run: (args, context) =>
      ask === undefined
        ? neverRun()
        : ask(args as Args, { ...context, correlation: correlation(args as Args, context) }),
    pause
  }
}

/** A step that is a saga, or that asks nobody, has nothing of its own to run. */
const neverRun = (): Effect.Effect<void> => Effect.void

// --- The saga ---------------------------------------------------------------

const assemble = <Input, A, R>(
  name: string,
  options: SagaOptions<Input, R>,
  steps: ReadonlyArray<Step<R>>,
  returns: string
): Saga<Input, A, R> => {
  const { concurrency = usualConcurrency, guards, idempotencyKey, input, retry = StepRetryPolicy.once } = options
  const graph = Result.getOrThrow(
    SagaGraph.check({
      name,
      returns,
      concurrency,
      steps: steps.map((step) => ({
        name: step.name,
        kind: step.kind,
        takes: SagaRef.stepsOf([step.template, step.elements?.over]),
        waitsFor: step.waitsFor,
        isAsync: step.isAsync,
        nested: step.nested?.graph,
        isMapped: step.elements !== undefined,
        isPause: step.pause !== undefined,
        retry: step.retry,
        batch: step.elements?.batch,
        answers: step.pause?.attempts
      }))
    })
  )
  const byName = new Map(steps.map((step) => [step.name, step]))
  const output = byName.get(returns)!.gives as Schema.Codec<A, unknown>
  return {
    name,
    input,
    output,
    graph,
    steps: byName,
    retry,
    idempotencyKey,
    inputCoding: codingOf(input),
    outputCoding: codingOf(output),
    guards: guards && ((given) => guards(given as Input))
  }
}
