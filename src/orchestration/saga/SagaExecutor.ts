/**
 * Runs a saga.
 *
 * 1. The input is held against its schema. Nothing runs on a wrong one.
 * 2. `SagaPlan.next` says which steps can begin; each begins in a fiber of its own.
 * 3. A step resolves its arguments, holds them against its contract, and makes its attempts, with the waits between
 *    them, until one succeeds, signals, or there is no use in another.
 * 4. What becomes of it goes into the plan's state, and `next` is asked again.
 * 5. After a failure nothing new begins; what is under way is waited for; then `next` names the step to compensate,
 *    then those to undo, one at a time.
 * 6. When nothing is owed, the result of the step that the saga returns is its answer.
 *
 * Nothing is judged here: whether to go on, to try again or to take back is
 * `SagaPlan`'s and `StepRetry`'s to say.
 */
import { Cause, Clock, Duration, Effect, Exit, Queue, Result, Schema } from "effect"
import type { Scope } from "effect"
import * as SagaPlan from "../../domain/saga/SagaPlan.ts"
import * as SagaRef from "../../domain/saga/SagaRef.ts"
import { RollbackFailure, StepError } from "../../domain/saga/StepOutcome.ts"
import * as StepOutcome from "../../domain/saga/StepOutcome.ts"
import * as StepRetry from "../../domain/saga/StepRetry.ts"
import type { Saga } from "./Saga.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import type { Step, StepContext } from "./SagaStep.ts"
import { Halt, Skip } from "./SagaStep.ts"

// --- What comes of a run ----------------------------------------------------

export type Answer<A> =
  | { readonly _tag: "Completed"; readonly execution: string; readonly value: A }
  /** A step ended the saga early, and what was done stays. */
  | { readonly _tag: "Halted"; readonly execution: string; readonly step: string; readonly value: Schema.Json }

/** The input is not what the saga takes. Nothing has run. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  saga: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.saga}: ${this.detail}`
  }
}

/**
 * A step failed for good. `failed` and `cancelled`: what was done is taken
 * back, but for what `rollbackFailures` names. `stalled`: the saga is past its
 * pivot, nothing is taken back, and somebody has to resume it.
 */
export class SagaFailed extends Schema.TaggedError<SagaFailed>()("SagaFailed", {
  saga: Schema.String,
  execution: Schema.String,
  ending: Schema.Literals(["failed", "stalled", "cancelled"]),
  /** The first step that failed; none when it was cancelled. */
  step: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(StepError),
  rollbackFailures: Schema.Array(RollbackFailure)
}) {
  override get message() {
    const about = this.step === undefined ? "" : ` at ${this.step}: ${this.error?.message ?? ""}`
    return `${this.saga} ${this.ending}${about}`
  }
}

// --- The run ----------------------------------------------------------------

/** `outcome` is absent where the step's fiber was stopped: its run is suspended, and will be taken up again. */
interface Over {
  readonly step: string
  readonly outcome: StepOutcome.StepOutcome | undefined
}

export const execute = <Input, A, R>(
  saga: Saga<Input, A, R>,
  input: Input,
  driver: SagaDriver
): Effect.Effect<Answer<A>, SagaFailed | InvalidInput, R> =>
  Effect.scoped(Effect.andThen(checkInput(saga, input), runAll(saga, input, driver)))

const checkInput = <Input>({ input: schema, name }: Saga<Input, unknown, unknown>, input: Input) =>
  Schema.encodeUnknownEffect(Schema.toCodecJson(schema))(input).pipe(
    Effect.mapError(({ message }) => new InvalidInput({ saga: name, detail: message }))
  )

const runAll = Effect.fnUntraced(function* <Input, A, R>(
  saga: Saga<Input, A, R>,
  input: Input,
  driver: SagaDriver
): Effect.fn.Return<Answer<A>, SagaFailed, R | Scope.Scope> {
  const over = yield* Queue.unbounded<Over>()
  const run = new Run(saga, input, driver)
  while (true) {
    const next = SagaPlan.next(saga.graph, run.state)
    switch (next._tag) {
      case "Begin":
        for (const name of next.steps) {
          run.record({ _tag: "StepBegan", step: name })
          const step = saga.steps.get(name)!
          yield* Effect.forkScoped(
            Effect.onExit(attempts(run, step), (exit) =>
              Queue.offer(over, { step: name, outcome: Exit.isSuccess(exit) ? exit.value : undefined })
            )
          )
        }
        break
      case "Await": {
        // A wait that outlives this process stops its step's fiber. The others are heard out first, and kept.
        if (run.isSuspended) return yield* Effect.interrupt
        run.take(yield* Queue.take(over))
        break
      }
      case "Compensate":
      case "Undo":
        yield* takeBack(run, saga.steps.get(next.step)!, next._tag)
        break
      case "End":
        return yield* ended(run, next.ending)
    }
  }
})

/** One run's state, and the values that its steps have given. */
class Run<Input, A, R> {
  readonly saga: Saga<Input, A, R>
  readonly input: Input
  readonly driver: SagaDriver
  state: SagaPlan.SagaState = SagaPlan.initial
  readonly values = new Map<string, unknown>()
  readonly args = new Map<string, unknown>()
  readonly errors: Array<{ readonly step: string; readonly error: StepError }> = []
  readonly rollbackFailures: Array<RollbackFailure> = []
  halted: { readonly step: string; readonly value: Schema.Json } | undefined
  private readonly stopped = new Set<string>()

  constructor(saga: Saga<Input, A, R>, input: Input, driver: SagaDriver) {
    this.saga = saga
    this.input = input
    this.driver = driver
  }

  record(event: SagaPlan.SagaEvent): void {
    this.state = SagaPlan.evolve(this.state, event)
  }

  /** Whether nothing that is under way can go on here. */
  get isSuspended(): boolean {
    const underWay = [...this.state.standings].filter(([, standing]) => standing === "running")
    return underWay.every(([step]) => this.stopped.has(step))
  }

  take({ outcome, step }: Over): void {
    if (outcome === undefined) {
      this.stopped.add(step)
      return
    }
    switch (outcome._tag) {
      case "Halted":
        this.values.set(step, decode(this.saga.steps.get(step)!, outcome.value))
        this.halted = { step, value: outcome.value }
        return this.record({ _tag: "StepHalted", step, at: outcome.at })
      case "Succeeded":
        this.values.set(step, decode(this.saga.steps.get(step)!, outcome.value))
        return this.record({ _tag: "StepSucceeded", step, at: outcome.at })
      case "Skipped":
        this.values.set(step, decode(this.saga.steps.get(step)!, outcome.value))
        return this.record({ _tag: "StepSkipped", step })
      case "Failed":
        this.errors.push({ step, error: outcome.error })
        return this.record({ _tag: "StepFailed", step, began: outcome.began })
    }
  }

  context(step: string, attempt: number): StepContext {
    const { execution } = this.driver
    return { saga: this.saga.name, execution, step, attempt, key: `${execution}/${step}` }
  }
}

const decode = <R>({ gives }: Step<R>, value: Schema.Json): unknown =>
  Schema.decodeUnknownSync(Schema.toCodecJson(gives))(value)

// --- A step -----------------------------------------------------------------

const attempts = Effect.fnUntraced(function* <Input, A, R>(run: Run<Input, A, R>, step: Step<R>) {
  const args = resolveArguments(run, step)
  if (Result.isFailure(args)) {
    const error = StepOutcome.defectOf(args.failure)
    return { _tag: "Failed", error, began: false } satisfies StepOutcome.StepOutcome
  }
  run.args.set(step.name, args.success)
  const retry = step.retry ?? run.saga.retry
  for (let attempt = 1; ; attempt++) {
    const name = `${step.name}/${attempt}`
    const outcome = yield* run.driver.attempt(name, attemptOnce(step, args.success, run.context(step.name, attempt)))
    if (outcome._tag !== "Failed") return outcome
    const verdict = StepRetry.decide(retry, outcome.error.isRetryable, attempt, lot(run.driver.execution, name))
    if (verdict._tag === "GiveUp") return outcome
    yield* run.driver.sleep(`${name}/wait`, verdict.afterMillis)
  }
})

/** What the template takes, held against the step's contract. */
const resolveArguments = <Input, A, R>({ input, values }: Run<Input, A, R>, { accepts, template }: Step<R>) =>
  Result.try(() => {
    const args = SagaRef.resolve(template, (source) => {
      if (source._tag === "Input") return input
      if (source._tag === "Result" && values.has(source.step)) return values.get(source.step)
      throw new TypeError(source._tag === "Result" ? `there is no result of ${source.step}` : "there is no element")
    })
    if (accepts !== undefined) Schema.encodeUnknownSync(accepts)(args)
    return args
  })

const attemptOnce = <R>(
  step: Step<R>,
  args: unknown,
  context: StepContext
): Effect.Effect<StepOutcome.StepOutcome, never, R> => {
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(step.gives))
  const body = Effect.suspend(() => step.run(args, context))
  return withTimeout(body, step.timeout).pipe(
    Effect.flatMap((given) => {
      const signal = given instanceof Halt ? "Halted" : given instanceof Skip ? "Skipped" : "Succeeded"
      const value = given instanceof Halt || given instanceof Skip ? given.value : given
      return Effect.zipWith(encode(value), Clock.currentTimeMillis, (json, at): StepOutcome.StepOutcome =>
        signal === "Skipped" ? { _tag: signal, value: json } : { _tag: signal, value: json, at }
      )
    }),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.interrupt
        : Effect.succeed<StepOutcome.StepOutcome>({ _tag: "Failed", error: errorIn(cause), began: true })
    )
  )
}

const withTimeout = <R>(body: Effect.Effect<unknown, unknown, R>, timeout: Duration.Input | undefined) =>
  timeout === undefined ? body : Effect.timeout(body, timeout)

const errorIn = (cause: Cause.Cause<unknown>): StepError =>
  Cause.hasFails(cause) ? StepOutcome.errorOf(Cause.squash(cause)) : StepOutcome.defectOf(Cause.squash(cause))

/** From 0 up to 1, and the same in every replay of this run. */
const lot = (execution: string, name: string): number => {
  let hash = 0x811c9dc5
  for (const character of `${execution}/${name}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return (hash >>> 0) / 2 ** 32
}

// --- Taking back ------------------------------------------------------------

const takeBack = Effect.fnUntraced(function* <Input, A, R>(
  run: Run<Input, A, R>,
  step: Step<R>,
  what: "Compensate" | "Undo"
) {
  const context = run.context(step.name, 1)
  const args = run.args.get(step.name)
  const error = run.errors.find((each) => each.step === step.name)?.error
  const effect =
    what === "Undo" ? step.undo?.(run.values.get(step.name), args, context) : step.compensate?.(args, error!, context)
  const kind = what === "Undo" ? "undo" : "compensate"
  const outcome: StepOutcome.TakingBack =
    effect === undefined ? { _tag: "Done" } : yield* run.driver.takeBack(`${step.name}/${kind}`, outcomeOf(effect))
  if (outcome._tag === "Failed") {
    run.rollbackFailures.push({ step: step.name, kind, reason: outcome.reason, message: outcome.message })
  }
  run.record({ _tag: what === "Undo" ? "Undone" : "Compensated", step: step.name, failed: outcome._tag === "Failed" })
})

const outcomeOf = <R>(effect: Effect.Effect<unknown, unknown, R>): Effect.Effect<StepOutcome.TakingBack, never, R> =>
  Effect.suspend(() => effect).pipe(
    Effect.as<StepOutcome.TakingBack>({ _tag: "Done" }),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.interrupt
        : Effect.succeed<StepOutcome.TakingBack>({
            _tag: "Failed",
            reason: Cause.hasFails(cause) ? "returned" : "raised",
            message: StepOutcome.messageOf(Cause.squash(cause))
          })
    )
  )

// --- The end ----------------------------------------------------------------

const ended = <Input, A, R>(
  { driver: { execution }, errors, halted, rollbackFailures, saga, values }: Run<Input, A, R>,
  ending: SagaPlan.Ending
): Effect.Effect<Answer<A>, SagaFailed> => {
  switch (ending) {
    case "completed":
      return Effect.succeed({ _tag: "Completed", execution, value: values.get(saga.graph.returns) as A })
    case "halted":
      return Effect.succeed({ _tag: "Halted", execution, ...halted! })
    case "failed":
    case "stalled":
    case "cancelled": {
      const first = errors.find(({ step }) => saga.graph.steps.find(({ name }) => name === step)?.kind !== "bestEffort")
      const about = ending === "cancelled" || first === undefined ? {} : first
      return Effect.fail(new SagaFailed({ saga: saga.name, execution, ending, ...about, rollbackFailures }))
    }
  }
}
