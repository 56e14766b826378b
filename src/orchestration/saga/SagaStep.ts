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
import type { StepKind } from "../../domain/saga/SagaGraph.ts"
import type { Ref, Refs, Resolved } from "../../domain/saga/SagaRef.ts"
import type { StepError } from "../../domain/saga/StepOutcome.ts"
import type { StepRetry } from "../../domain/saga/StepRetry.ts"

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

export interface StepOptions<Input, Results, Template, A, E, R> {
  /** `compensatable` when absent. */
  readonly kind?: StepKind
  /** Its arguments, by name; none when absent. */
  readonly takes?: (sources: Sources<Input, Results>) => Template
  /** Steps that have to be over before it, without their results. */
  readonly waitFor?: ReadonlyArray<keyof Results & string>
  /** What the arguments have to hold to; a step whose arguments do not never begins. */
  readonly accepts?: Schema.Codec<NoInfer<Resolved<Template>>, unknown>
  /** What the result has to hold to, and its JSON form. */
  readonly gives: ResultSchema<A>
  readonly run: (args: Resolved<Template>, context: StepContext) => Effect.Effect<A | Signal<A>, E, R>
  readonly compensate?: (
    args: Resolved<Template>,
    reason: StepError,
    context: StepContext
  ) => Effect.Effect<unknown, unknown, R>
  readonly undo?: (result: A, args: Resolved<Template>, context: StepContext) => Effect.Effect<unknown, unknown, R>
  /** The saga's when absent. */
  readonly retry?: StepRetry
  /** Of each attempt. One that takes longer is interrupted and has failed. */
  readonly timeout?: Duration.Input
  readonly async?: boolean
}

// --- A step as the engine has it --------------------------------------------

/** Types are checked where the step is written; here everything is what its schemas say. */
export interface Step<R> {
  readonly name: string
  readonly kind: StepKind
  readonly template: unknown
  readonly waitsFor: ReadonlyArray<string>
  readonly accepts: Schema.Codec<unknown, unknown> | undefined
  readonly gives: Schema.Codec<unknown, unknown>
  readonly run: (args: unknown, context: StepContext) => Effect.Effect<unknown, unknown, R>
  readonly compensate:
    | ((args: unknown, reason: StepError, context: StepContext) => Effect.Effect<unknown, unknown, R>)
    | undefined
  readonly undo:
    | ((result: unknown, args: unknown, context: StepContext) => Effect.Effect<unknown, unknown, R>)
    | undefined
  readonly retry: StepRetry | undefined
  readonly timeout: Duration.Input | undefined
  readonly isAsync: boolean
}

export type { Ref, Refs, Resolved }
