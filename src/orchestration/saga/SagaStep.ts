/**
 * A step of a saga: what it takes, what it gives, and what it does.
 *
 * `run` does it. `compensate` is asked when this step failed, to clean up what
 * it may have half done; it gets the reason. `undo` is asked when this step
 * succeeded and a later one failed, to take it back; it gets the step's own
 * result. Each gets a key that stays the same however often it is asked: it is
 * what an outside service wants as its idempotency key.
 *
 * Instead of a value, `run` may answer with a signal: `halt` ends the saga here
 * and keeps everything, `skip` gives a value that is never undone.
 */
import type { Duration, Effect, Schema } from "effect"
import type { SagaGraph, StepKind } from "../../domain/saga/SagaGraph.ts"
import type { Ref, Refs, Resolved, Taken } from "../../domain/saga/SagaRef.ts"
import type { StepError } from "../../domain/saga/StepOutcome.ts"
import type { StepRetry } from "../../domain/saga/StepRetry.ts"
import type { Guard } from "./SagaGuard.ts"

// --- Signals ----------------------------------------------------------------

export class Halt<out A> {
  readonly value: A
  constructor(value: A) {
    this.value = value
  }
}

export class Skip<out A> {
  readonly value: A
  constructor(value: A) {
    this.value = value
  }
}

/** Ends the saga here; what was done stays, and it counts as a success. */
export const halt = <A>(value: A): Halt<A> => new Halt(value)

/** There was nothing to do: the value flows on, and there is nothing to undo. */
export const skip = <A>(value: A): Skip<A> => new Skip(value)

export type Signal<A> = Halt<A> | Skip<A>

// --- What a step is given ---------------------------------------------------

export interface StepContext {
  readonly saga: string
  readonly execution: string
  readonly step: string
  /** From 1. */
  readonly attempt: number
  /** The same for every attempt of this step of this run, and of nothing else. */
  readonly key: string
}

/** What the arguments of a step can be taken from. */
export interface Sources<Input, Results> {
  readonly input: Refs<Input>
  readonly steps: { readonly [K in keyof Results]: Refs<Results[K]> }
}

// --- A step as its author writes it -----------------------------------------

/** A value of the step's schema, which has to have a JSON form. */
export type ResultSchema<A> = Schema.Codec<A, unknown>

export interface Placed<Results> {
  /** `compensatable` when absent. */
  readonly kind?: StepKind
  /** Steps that have to be over before it, without their results. */
  readonly waitFor?: ReadonlyArray<keyof Results & string>
}

export interface TakenBack<Args, A, R> {
  readonly compensate?: (args: Args, reason: StepError, context: StepContext) => Effect.Effect<unknown, unknown, R>
  readonly undo?: (result: A, args: Args, context: StepContext) => Effect.Effect<unknown, unknown, R>
}

export interface Tried<Args, R> {
  /** The saga's when absent. */
  readonly retry?: StepRetry
  /** Of each attempt. One that takes longer is interrupted and has failed. */
  readonly timeout?: Duration.Input
  /** What it has to hold while it runs: locks, permits, its share of a rate. */
  readonly guards?: (args: Args) => ReadonlyArray<Guard<R>>
}

export interface StepOptions<Input, Results, Template, A, E, R>
  extends Placed<Results>, TakenBack<Resolved<Template>, A, R>, Tried<Resolved<Template>, R> {
  /** Its arguments, by name; none when absent. */
  readonly takes?: (sources: Sources<Input, Results>) => Template
  /** What the arguments have to hold to; a step whose arguments do not never begins. */
  readonly accepts?: Schema.Codec<NoInfer<Resolved<Template>>, unknown>
  /** What the result has to hold to, and its JSON form. */
  readonly gives: ResultSchema<A>
  readonly run: (args: Resolved<Template>, context: StepContext) => Effect.Effect<A | Signal<A>, E, R>
  /** The saga's result does not wait for it. It has to be best effort. */
  readonly async?: boolean
}

/** Its steps retry themselves, so it says nothing of retries. */
export interface ComposeOptions<Input, Results, ChildInput> extends Placed<Results> {
  /** The input of the saga within. */
  readonly takes: (sources: Sources<Input, Results>) => Taken<ChildInput>
  readonly async?: boolean
}

/** `failFast`: the first element that fails fails the step; `collect`: every element is tried. */
export type OnFailure = "failFast" | "collect"

export interface MapOptions<Input, Results, Element, Template, A, E, R, Mode extends OnFailure>
  extends Placed<Results>, TakenBack<Resolved<Template>, A, R>, Tried<Resolved<Template>, R> {
  /** The elements that are there, or else how to get them a page at a time. */
  readonly over: ((sources: Sources<Input, Results>) => Ref<ReadonlyArray<Element>>) | Pages<Input, Element, R>
  readonly takes: (sources: Sources<Input, Results> & { readonly element: Refs<Element> }) => Template
  /** Of one element. */
  readonly gives: ResultSchema<A>
  readonly run: (args: Resolved<Template>, context: StepContext) => Effect.Effect<A | Skip<A>, E, R>
  /** So many elements at once, and on their way from the source; 10 when absent. */
  readonly batch?: number
  /** `failFast` when absent. */
  readonly onFailure?: Mode
}

/** A source that is too large to be held: the next page is asked for when the one before is done. */
export interface Pages<Input, Element, R> {
  readonly element: Schema.Codec<Element, unknown>
  /** At most `limit` elements from `offset`; fewer, and there are no more. */
  readonly page: (
    input: Input,
    place: { readonly offset: number; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<Element>, unknown, R>
}

export interface Collected<A> {
  readonly successes: ReadonlyArray<{ readonly index: number; readonly value: A }>
  readonly failures: ReadonlyArray<{ readonly index: number; readonly error: StepError }>
}

export interface InterruptOptions<Input, Results, Template, A, E, R>
  extends Placed<Results>, TakenBack<Resolved<Template>, A, R> {
  readonly takes?: (sources: Sources<Input, Results>) => Template
  /** What the answer has to hold to. */
  readonly gives: ResultSchema<A>
  /** What the outside world knows the question by: unique among those of this saga that are open. */
  readonly correlation: (args: Resolved<Template>, context: StepContext) => string
  /** Asks, where somebody has to be asked. It may be asked again with the same key. */
  readonly ask?: (
    args: Resolved<Template>,
    context: StepContext & { readonly correlation: string }
  ) => Effect.Effect<unknown, E, R>
  /** Of asking. */
  readonly retry?: StepRetry
  /** So long an answer may take; for ever when absent. */
  readonly timeout?: Duration.Input
  /** So many answers that do not hold to the contract fail it; any number when absent. */
  readonly attempts?: number
}

// --- A step as the engine has it --------------------------------------------

/** Types are checked where the step is written; here everything is what its schemas say. */
export interface Step<out R> {
  readonly name: string
  readonly kind: StepKind
  readonly template: unknown
  readonly waitsFor: ReadonlyArray<string>
  readonly isAsync: boolean
  readonly retry: StepRetry | undefined
  readonly timeout: Duration.Input | undefined
  readonly gives: Schema.Codec<unknown, unknown>
  /** Throws where the arguments do not hold to the step's contract. */
  readonly hold: ((args: unknown) => unknown) | undefined
  /** Between the result of `run` and its JSON: of one element, where it is mapped. */
  readonly coding: Coding
  readonly run: (args: unknown, context: StepContext) => Effect.Effect<unknown, unknown, R>
  readonly compensate:
    | ((args: unknown, reason: StepError, context: StepContext) => Effect.Effect<unknown, unknown, R>)
    | undefined
  readonly undo:
    | ((result: unknown, args: unknown, context: StepContext) => Effect.Effect<unknown, unknown, R>)
    | undefined
  readonly guards: ((args: unknown) => ReadonlyArray<Guard<R>>) | undefined
  readonly nested: SagaBody<R> | undefined
  readonly elements: Elements<R> | undefined
  readonly pause: Pause | undefined
}

/** A schema's JSON form, compiled once. */
export interface Coding {
  readonly encode: (value: unknown) => Effect.Effect<Schema.Json, Schema.SchemaError>
  readonly decode: (json: Schema.Json) => unknown
}

/** A saga as the engine has it, whatever its types are. */
export interface SagaBody<out R> {
  readonly name: string
  readonly graph: SagaGraph
  readonly steps: ReadonlyMap<string, Step<R>>
  readonly retry: StepRetry
  readonly inputCoding: Coding
  readonly outputCoding: Coding
  readonly guards: ((input: unknown) => ReadonlyArray<Guard<R>>) | undefined
}

export interface Elements<out R> {
  readonly over: unknown
  readonly pages:
    | {
        readonly coding: Coding
        readonly page: (
          input: unknown,
          place: { readonly offset: number; readonly limit: number }
        ) => Effect.Effect<ReadonlyArray<unknown>, unknown, R>
      }
    | undefined
  readonly batch: number
  readonly mode: OnFailure
}

export interface Pause {
  readonly correlation: (args: unknown, context: StepContext) => string
  readonly timeoutMillis: number | undefined
  readonly attempts: number | undefined
  readonly complaintAbout: (payload: unknown) => string | undefined
}

export type { Ref, Refs, Resolved, Taken }
