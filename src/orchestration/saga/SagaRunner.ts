/**
 * Runs sagas, and knows their runs.
 *
 *     const sagas = Layer.mergeAll(SagaRunner.register(Payment), SagaRunner.register(Billing))
 *     const inMemory = sagas.pipe(
 *       Layer.provideMerge(SagaRunner.layer),
 *       Layer.provide(SagaEngine.layerMemory),
 *       Layer.provide(MemorySagaRuns.layer),
 *       Layer.provide(SecureRandom.layerWebCrypto)
 *     )
 *     const answer = yield* Effect.flatMap(SagaRunner, (runner) => runner.run(Payment, order))
 *
 * What the steps of a saga need, its registration needs. The same program is
 * durable over `DurableSagas.layer`, a `WorkflowEngine` and `SqlSagaRuns`, in
 * place of the two memory layers.
 *
 * - `run` waits for the result; `start` answers with the run's id at once, and `result` waits for it later.
 * - A run with an id, or with a key of its saga (`idempotencyKey`), that is there already is not begun again: the
 *   answer is that run's, with its id.
 * - `cancel` ends a run that goes on, before its next step, and takes it back, unless it is past its pivot.
 * - `resume` goes on with a run that stalled past its pivot, or that nobody is running.
 * - `undo` takes back a run that has ended, the pivot included, for somebody decided so; what could not be taken back
 *   before is tried again. A run that goes on is cancelled.
 * - `answer` answers a question (`interrupt`) by its correlation: one that is wrong counts, and fails the step when it is
 *   the last that may be. `answerStep` answers by run and step, and a wrong one changes nothing.
 */
import { Clock, Context, Effect, Exit, Layer, Option, Schedule } from "effect"
import type { Schema, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Kept, OpenQuestion, Purpose, Query, SagaRun } from "../../adapters/SagaRuns.ts"
import { SagaRuns } from "../../adapters/SagaRuns.ts"
import * as SagaSecrets from "../../domain/saga/SagaSecrets.ts"
import type { Wake } from "../../domain/saga/StepOutcome.ts"
import type { Told } from "./KeptRun.ts"
import { complaintAbout, generationAt, isTakenBack, resultOf, secretsOf, toldBy } from "./KeptRun.ts"
import { journaled } from "./JournaledDriver.ts"
import type { Saga } from "./Saga.ts"
import type { Answer } from "./SagaAnswer.ts"
import type { InvalidInput, SagaFailed } from "./SagaAnswer.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import type { EngineDriver, Generation } from "./SagaEngine.ts"
import { SagaEngine } from "./SagaEngine.ts"
import type { Ended } from "./SagaExecutor.ts"
import * as SagaExecutor from "./SagaExecutor.ts"
import { Observers, tell } from "./SagaObserver.ts"
import { NotAsked, NotNow, NotRegistered, SagaRunnerError, UnknownRun, WrongAnswer } from "./SagaRunnerError.ts"
import type { SagaBody } from "./SagaStep.ts"
import * as SagaWaiters from "./SagaWaiters.ts"

// --- The service ------------------------------------------------------------

export interface RunOptions {
  /** The run's id, where the caller has one; made up when absent. */
  readonly execution?: string
}

type Refusal = SagaRunnerError | StorageUnavailable

export class SagaRunner extends Context.Service<
  SagaRunner,
  {
    readonly register: <Input, A, R>(saga: Saga<Input, A, R>) => Effect.Effect<void, never, R | Scope.Scope>
    readonly run: <Input, A, R>(
      saga: Saga<Input, A, R>,
      input: Input,
      options?: RunOptions
    ) => Effect.Effect<Answer<A>, SagaFailed | InvalidInput | Refusal>
    readonly start: <Input, A, R>(
      saga: Saga<Input, A, R>,
      input: Input,
      options?: RunOptions
    ) => Effect.Effect<string, InvalidInput | Refusal>
    /** Waits for it. */
    readonly result: <Input, A, R>(
      saga: Saga<Input, A, R>,
      execution: string
    ) => Effect.Effect<Answer<A>, SagaFailed | Refusal>
    readonly status: (execution: string) => Effect.Effect<SagaRun, Refusal>
    /** The newest first. */
    readonly find: (query: Query) => Effect.Effect<ReadonlyArray<SagaRun>, StorageUnavailable>
    readonly cancel: (execution: string) => Effect.Effect<void, Refusal>
    readonly undo: (execution: string) => Effect.Effect<void, Refusal>
    readonly resume: (execution: string) => Effect.Effect<void, Refusal>
    readonly answer: (saga: string, correlation: string, payload: Schema.Json) => Effect.Effect<void, Refusal>
    readonly answerStep: (execution: string, step: string, payload: Schema.Json) => Effect.Effect<void, Refusal>
    /** Runs that go on, of the sagas that are registered here, are seen to: what a process does when it starts. */
    readonly recover: Effect.Effect<number, StorageUnavailable>
  }
>()("florin/orchestration/saga/SagaRunner") {}

/** Runs a saga's runs here; needs what its steps need. */
export const register = <Input, A, R>(
  saga: Saga<Input, A, R>
): Layer.Layer<never, never, SagaRunner | Exclude<R, Scope.Scope>> =>
  Layer.effectDiscard(Effect.flatMap(SagaRunner, (runner) => runner.register(saga)))

// --- How --------------------------------------------------------------------

/** Whoever waits for a run that another process runs looks this often. */
const lookEvery = "1 second"

/** A store that does not answer is asked again for a minute; then the run is left to whoever recovers it. */
const persistently = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.upTo({ duration: "1 minute" })
)

const refuse = (execution: string, reason: SagaRunnerError["reason"]) => new SagaRunnerError({ execution, reason })

type AnySaga = SagaBody<unknown>

export const layer: Layer.Layer<SagaRunner, never, SagaEngine | SagaRuns | SecureRandom.SecureRandom> = Layer.effect(
  SagaRunner,
  Effect.gen(function* () {
    const engine = yield* SagaEngine
    const runs = yield* SagaRuns
    const random = yield* SecureRandom.SecureRandom
    const sagas = new Map<string, AnySaga>()
    const waiters = SagaWaiters.make(runs)
    /** Runs of this process that were asked to end. */
    const cancelled = new Set<string>()

    // Another process may have been asked to cancel a run that this one runs, and may run one that is waited for here.
    const look = Effect.gen(function* () {
      for (const execution of yield* runs.cancelled) cancelled.add(execution)
      yield* waiters.look
    })
    yield* look.pipe(
      Effect.catchTag("StorageUnavailable", (error) =>
        Effect.logWarning("it is not known how runs of sagas stand elsewhere", error)
      ),
      Effect.delay(lookEvery),
      Effect.forever,
      Effect.forkScoped
    )

    // --- A generation ---

    const driverOf = <R>(saga: SagaBody<R>, of: Generation, from: EngineDriver): SagaDriver => {
      const { execution, generation, isAwaited } = of
      const isCancelAsked = Effect.map(
        persist(runs.get(execution)),
        Option.exists(({ run }) => run.isCancelAsked)
      )
      return {
        ...from,
        execution,
        contention: isAwaited ? "fail" : "wait",
        open: ({ attempts, ...question }) =>
          persist(runs.open({ ...question, execution, saga: saga.name, generation, attemptsLeft: attempts })),
        isCancelled: (hasWaited) => (hasWaited ? isCancelAsked : Effect.sync(() => cancelled.has(execution))),
        // It may have been cancelled by another process, and while it slept.
        sleep: (name, millis) =>
          Effect.flatMap(isCancelAsked, (isAsked) => (isAsked ? Effect.void : from.sleep(name, millis))),
        answered: (value) =>
          Effect.gen(function* () {
            const json = yield* Effect.orDie(saga.outputCoding.encode(value))
            const shown = SagaSecrets.mask(json, secretsOf(value))
            yield* persist(runs.answer(execution, generation, shown, json))
            yield* waiters.tell(execution, Exit.succeed({ _tag: "Completed", execution, value }))
          })
      }
    }

    const generationOf =
      <R>(saga: SagaBody<R>) =>
      (of: Generation, from: EngineDriver): Effect.Effect<void, never, R> =>
        Effect.gen(function* () {
          const { execution, generation, journal: before, purpose } = of
          const { driver, journal } = journaled(driverOf(saga, of, from), before, purpose)
          const input = saga.inputCoding.decode(of.input)
          const ended = yield* SagaExecutor.run(saga, input, { driver, isUndoing: purpose === "undo" })
          const json = yield* resultOf(saga, ended)
          const isFirst = yield* persist(
            runs.settle({
              execution,
              generation,
              at: yield* Clock.currentTimeMillis,
              ending: ended.ending,
              result: json && SagaSecrets.mask(json, ended.secrets),
              step: ended.failure?.step ?? ended.halted?.step,
              error: ended.failure?.error,
              rollbackFailures: ended.rollbackFailures,
              sealed: { journal: journal(), unfinished: [...ended.unfinished], result: json }
            })
          )
          cancelled.delete(execution)
          if (isFirst) yield* tellEnded(saga, of, ended)
          yield* waiters.tell(
            execution,
            yield* Effect.exit(Effect.fromResult(SagaExecutor.answerOf(saga, execution, ended)))
          )
        })

    const tellEnded = Effect.fnUntraced(function* (saga: AnySaga, { execution, generation }: Generation, ended: Ended) {
      const at = yield* Clock.currentTimeMillis
      const { ending, failure, rollbackFailures } = ended
      const about = { execution, saga: saga.name, at, generation, ending, rollbackFailures }
      yield* tell(yield* Observers, { _tag: "RunEnded", ...about, ...failure })
    })

    // --- Beginning ---

    const nameOf = ({ execution }: RunOptions) =>
      execution === undefined
        ? Effect.map(random.ulid, (ulid) => `saga_${ulid.toLowerCase()}`)
        : Effect.succeed(execution)

    const begin = Effect.fnUntraced(function* <Input, A, R>(
      saga: Saga<Input, A, R>,
      input: Input,
      isAwaited: boolean,
      execution: string
    ) {
      const json = yield* SagaExecutor.checkInput(saga, input)
      if (!sagas.has(saga.name)) return yield* refuse(execution, new NotRegistered({ saga: saga.name }))
      const at = yield* Clock.currentTimeMillis
      const { isNew, kept } = yield* runs.begin({
        execution,
        saga: saga.name,
        key: saga.idempotencyKey?.(input),
        at,
        input: SagaSecrets.mask(json, secretsOf(input)),
        sealed: json
      })
      if (isNew) {
        yield* tell(yield* Observers, { _tag: "RunStarted", execution, saga: saga.name, at, generation: 1 })
        yield* engine.begin(saga.name, generationAt(kept, isAwaited))
      }
      return kept
    })

    /** Of a run that is kept, whose end is told in `answer` if it comes after. */
    const result = <A>(saga: AnySaga, kept: Kept, answer: Told<unknown>) => (toldBy(saga, kept) ?? answer) as Told<A>

    // --- What there is ---

    const known = Effect.fnUntraced(function* (execution: string) {
      const kept = yield* runs.get(execution)
      return Option.isSome(kept) ? kept.value : yield* refuse(execution, new UnknownRun())
    })

    /** Begins another generation of a run that has ended. */
    const goOn = Effect.fnUntraced(function* (kept: Kept, purpose: Purpose) {
      const { run } = kept
      const isBegun = yield* runs.goOn(run.execution, run.generation, purpose)
      const next = yield* known(run.execution)
      if (!isBegun) return yield* refuse(run.execution, new NotNow({ status: next.run.status }))
      const about = {
        execution: run.execution,
        saga: run.saga,
        at: yield* Clock.currentTimeMillis,
        generation: next.run.generation
      }
      yield* tell(yield* Observers, { _tag: "RunStarted", ...about })
      yield* engine.begin(run.saga, generationAt(next, false))
    })

    const cancel = Effect.fnUntraced(function* (execution: string) {
      const { run } = yield* known(execution)
      if (!(yield* runs.askCancel(execution))) {
        return yield* refuse(execution, new NotNow({ status: (yield* known(execution)).run.status }))
      }
      cancelled.add(execution)
      for (const question of yield* runs.questions({ execution })) yield* say(question, { _tag: "Cancelled" })
      yield* engine.hurry(run.saga, run)
    })

    // --- Answers from outside ---

    const say = Effect.fnUntraced(function* (question: OpenQuestion, wake: Wake) {
      const isFirst = yield* runs.close(question, wake)
      if (isFirst) yield* engine.wake(question.saga, question, question.name, wake)
      return isFirst
    })

    const answerQuestion = Effect.fnUntraced(function* (
      question: OpenQuestion | undefined,
      named: { readonly execution: string; readonly question: string; readonly isCounted: boolean },
      payload: Schema.Json
    ) {
      const notAsked = new NotAsked({ question: named.question })
      if (question === undefined) return yield* refuse(named.execution, notAsked)
      const { execution, saga } = question
      const body = sagas.get(saga)
      if (body === undefined) return yield* refuse(execution, new NotRegistered({ saga }))
      const detail = complaintAbout(body, question, payload)
      if (detail === undefined) {
        const at = yield* Clock.currentTimeMillis
        const isHeard = yield* say(question, { _tag: "Answered", payload, at })
        return isHeard ? undefined : yield* refuse(execution, notAsked)
      }
      if (!named.isCounted) return yield* refuse(execution, new WrongAnswer({ detail }))
      const left = yield* runs.refuse(question)
      if (Option.isNone(left)) return yield* refuse(execution, notAsked)
      const { attemptsLeft } = left.value
      if (attemptsLeft !== undefined && attemptsLeft <= 0) yield* say(question, { _tag: "Refused", detail })
      return yield* refuse(
        execution,
        new WrongAnswer({ detail, ...(attemptsLeft === undefined ? {} : { attemptsLeft: Math.max(0, attemptsLeft) }) })
      )
    })

    return SagaRunner.of({
      register: (saga) =>
        Effect.andThen(
          Effect.sync(() => sagas.set(saga.name, saga)),
          engine.register(saga.name, generationOf(saga))
        ),
      run: Effect.fnUntraced(function* <Input, A, R>(saga: Saga<Input, A, R>, input: Input, options: RunOptions = {}) {
        const execution = yield* nameOf(options)
        // Listens before it begins: a short run may have ended by the time that it is asked about.
        return yield* waiters.listening(
          saga,
          execution,
          Effect.fnUntraced(function* (answer) {
            const kept = yield* begin(saga, input, true, execution)
            const known = kept.run.execution
            // Under a key, it may be a run that is there already.
            return yield* known === execution
              ? result<A>(saga, kept, answer)
              : waiters.listening(saga, known, (answer) => result<A>(saga, kept, answer))
          })
        )
      }),
      start: Effect.fnUntraced(function* (saga, input, options = {}) {
        const { run } = yield* begin(saga, input, false, yield* nameOf(options))
        return run.execution
      }),
      // Listens before it looks, so that what ends in between is heard.
      result: <Input, A, R>(saga: Saga<Input, A, R>, execution: string) =>
        waiters.listening(saga, execution, (answer) =>
          Effect.flatMap(known(execution), (kept) => result<A>(saga, kept, answer))
        ),
      status: (execution) => Effect.map(known(execution), ({ run }) => run),
      find: (query) => runs.find(query),
      cancel,
      undo: Effect.fnUntraced(function* (execution) {
        const kept = yield* known(execution)
        if (kept.run.status === "running") return yield* cancel(execution)
        if (isTakenBack(kept)) return yield* refuse(execution, new NotNow({ status: kept.run.status }))
        yield* goOn(kept, "undo")
      }),
      resume: Effect.fnUntraced(function* (execution) {
        const kept = yield* known(execution)
        if (kept.run.status === "running") return yield* engine.begin(kept.run.saga, generationAt(kept, false))
        if (kept.run.status !== "stalled") return yield* refuse(execution, new NotNow({ status: kept.run.status }))
        yield* goOn(kept, "run")
      }),
      answer: Effect.fnUntraced(function* (saga, correlation, payload) {
        const [question] = yield* runs.questions({ saga, correlation })
        yield* answerQuestion(question, { execution: saga, question: correlation, isCounted: true }, payload)
      }),
      answerStep: Effect.fnUntraced(function* (execution, step, payload) {
        yield* known(execution)
        const question = (yield* runs.questions({ execution })).find((each) => each.step === step)
        yield* answerQuestion(question, { execution, question: step, isCounted: false }, payload)
      }),
      recover: Effect.gen(function* () {
        const going = (yield* runs.running).filter(({ run }) => sagas.has(run.saga))
        for (const execution of yield* runs.cancelled) cancelled.add(execution)
        yield* Effect.forEach(going, (kept) => engine.begin(kept.run.saga, generationAt(kept, false)), {
          concurrency: 16,
          discard: true
        })
        for (const { question, wake } of yield* runs.said)
          yield* engine.wake(question.saga, question, question.name, wake)
        return going.length
      })
    })
  })
)

const persist = <A>(asked: Effect.Effect<A, StorageUnavailable>): Effect.Effect<A> =>
  Effect.orDie(Effect.retry(asked, persistently))
