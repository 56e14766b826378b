/**
 * One run's state, and the values that its steps have given.
 *
 * A saga that is a step of another has a run of its own, inside: they share what
 * is true of the whole, and its steps' names begin with that of the step it is.
 */
import { Clock, Effect } from "effect"
import type { Schema } from "effect"
import type { SagaNotice } from "../../domain/saga/SagaNotice.ts"
import * as SagaPlan from "../../domain/saga/SagaPlan.ts"
import * as SagaRef from "../../domain/saga/SagaRef.ts"
import * as SagaSecrets from "../../domain/saga/SagaSecrets.ts"
import type { RollbackFailure, StepError, StepOutcome } from "../../domain/saga/StepOutcome.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import type { SagaObserver } from "./SagaObserver.ts"
import * as Observer from "./SagaObserver.ts"
import type { SagaBody, Step, StepContext } from "./SagaStep.ts"

/** What a run and the runs within it share. */
export interface Whole {
  readonly saga: string
  readonly driver: SagaDriver
  readonly observers: ReadonlyArray<SagaObserver>
  readonly secrets: Set<string>
  /** Somebody decided that it is taken back, and nothing new begins. */
  readonly isUndoing: boolean
  readonly rollbackFailures: Array<RollbackFailure>
  /** The steps that failed for good and keep the saga from its end: what a resumed run tries again. */
  readonly unfinished: Set<string>
}

/** `outcome` is absent where the step's fiber was stopped: its run is suspended, and will be taken up again. */
export interface Over {
  readonly step: string
  readonly outcome: StepOutcome | undefined
}

/** One element that is done: what its undo takes. */
export interface DoneElement {
  readonly index: number
  readonly args: unknown
  readonly value: unknown
}

export class Run<R> {
  readonly body: SagaBody<R>
  readonly input: unknown
  readonly whole: Whole
  state: SagaPlan.SagaState = SagaPlan.initial
  readonly values = new Map<string, unknown>()
  readonly args = new Map<string, unknown>()
  readonly errors: Array<{ readonly step: string; readonly error: StepError }> = []
  readonly within = new Map<string, Run<R>>()
  readonly doneElements = new Map<string, ReadonlyArray<DoneElement>>()
  halted: { readonly step: string; readonly value: Schema.Json } | undefined
  private readonly path: string
  private readonly outer: Run<R> | undefined
  private readonly stopped = new Set<string>()
  private readonly begins = new Map<string, number>()

  constructor(
    body: SagaBody<R>,
    input: unknown,
    whole: Whole,
    outer?: { readonly run: Run<R>; readonly step: string }
  ) {
    this.body = body
    this.input = input
    this.whole = whole
    this.outer = outer?.run
    this.path = outer === undefined ? "" : `${outer.run.nameOf(outer.step)}/`
    SagaSecrets.collect(input, whole.secrets)
  }

  record(event: SagaPlan.SagaEvent): void {
    this.state = SagaPlan.evolve(this.state, event)
  }

  begin(step: string): void {
    this.begins.set(step, (this.begins.get(step) ?? 0) + 1)
    this.record({ _tag: "StepBegan", step })
  }

  /** Of a step as it is kept: where it is begun again after a cancellation that came to nothing, it is another. */
  nameOf(step: string): string {
    const begins = this.begins.get(step) ?? 1
    return begins === 1 ? `${this.path}${step}` : `${this.path}${step}~${begins}`
  }

  /** Whether a cancellation can still be heeded. */
  get mayCancel(): boolean {
    return !SagaPlan.isPastPivot(this.body.graph, this.state) && (this.outer?.mayCancel ?? true)
  }

  /** Whether it is a step of another run. */
  get isInside(): boolean {
    return this.outer !== undefined
  }

  /** Tells the result before the end; of a saga within, the step that it is has none until it is over. */
  get answered(): Effect.Effect<void> {
    const { driver } = this.whole
    return this.isInside ? Effect.void : driver.answered(this.values.get(this.body.graph.returns))
  }

  get isUnderWay(): boolean {
    for (const standing of this.state.standings.values()) if (standing === "running") return true
    return false
  }

  /** Whether nothing that is under way can go on here. */
  get isSuspended(): boolean {
    for (const [step, standing] of this.state.standings) {
      if (standing === "running" && !this.stopped.has(step)) return false
    }
    return true
  }

  take({ outcome, step }: Over): void {
    if (outcome === undefined) {
      this.stopped.add(step)
      return
    }
    switch (outcome._tag) {
      case "Halted":
        this.halted = { step, value: outcome.value }
        if (outcome.isIdle === true) return this.record({ _tag: "StepHalted", step, at: outcome.at, isIdle: true })
        this.keep(step, outcome.value)
        return this.record({ _tag: "StepHalted", step, at: outcome.at })
      case "Succeeded":
        this.keep(step, outcome.value)
        return this.record({ _tag: "StepSucceeded", step, at: outcome.at })
      case "Skipped":
        this.keep(step, outcome.value)
        return this.record({ _tag: "StepSkipped", step })
      case "Failed":
        this.fail(step, outcome.error)
        return this.record({ _tag: "StepFailed", step, began: outcome.began })
      case "Stalled":
        this.errors.push({ step, error: outcome.error })
        return this.record({ _tag: "StepStalled", step, at: outcome.at })
      case "Left":
        return this.record({ _tag: "StepLeft", step })
      case "Contended":
        throw new Error(`${step} is contended, which is no end of a step`)
    }
  }

  /** Runs within and elements have left their values here already. */
  private keep(name: string, json: Schema.Json): void {
    const { coding, elements, nested } = this.body.steps.get(name)!
    if (nested !== undefined || elements !== undefined) return
    const value = coding.decode(json)
    SagaSecrets.collect(value, this.whole.secrets)
    this.values.set(name, value)
  }

  private fail(name: string, error: StepError): void {
    const step = this.body.steps.get(name)!
    this.errors.push({ step: name, error })
    if (step.kind !== "bestEffort" && step.nested === undefined) this.whole.unfinished.add(this.nameOf(name))
  }

  /** The first failure that fails the saga. */
  get failure(): { readonly step: string; readonly error: StepError } | undefined {
    return this.errors.find(({ step }) => this.body.steps.get(step)!.kind !== "bestEffort")
  }

  /** What the template takes; throws where it is not there. `element` is what is mapped over. */
  resolve(template: unknown, element?: { readonly value: unknown }): unknown {
    return SagaRef.resolve(template, (source) => {
      switch (source._tag) {
        case "Input":
          return this.input
        case "Result":
          if (this.values.has(source.step)) return this.values.get(source.step)
          throw new TypeError(`there is no result of ${source.step}`)
        case "Element":
          if (element !== undefined) return element.value
          throw new TypeError("there is no element")
      }
    })
  }

  /** `name` is the step's, or that of one of its elements. */
  context(name: string, attempt: number): StepContext {
    const { execution } = this.whole.driver
    return { saga: this.whole.saga, execution, step: name, attempt, key: `${execution}/${name}` }
  }

  mask(text: string): string {
    return SagaSecrets.maskText(text, this.whole.secrets)
  }

  /** Tells the observers, where there are any. */
  tell(make: (about: { execution: string; saga: string; at: number }) => SagaNotice): Effect.Effect<void> {
    const { driver, observers, saga } = this.whole
    if (observers.length === 0) return Effect.void
    return Effect.flatMap(Clock.currentTimeMillis, (at) =>
      Observer.tell(observers, make({ execution: driver.execution, saga, at }))
    )
  }
}

/** The step's own schema has made it, whatever it is. */
export const stepOf = <R>(run: Run<R>, name: string): Step<R> => run.body.steps.get(name)!
