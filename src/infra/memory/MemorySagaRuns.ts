/** `SagaRuns` in this process's memory. */
import { Effect, Layer, Option } from "effect"
import type { Kept, OpenQuestion, Place, Purpose } from "../../adapters/SagaRuns.ts"
import { merchantOf, SagaRuns } from "../../adapters/SagaRuns.ts"
import type { Wake } from "../../domain/saga/StepOutcome.ts"

interface Asked {
  question: OpenQuestion
  wake: Wake | undefined
}

const idOf = ({ execution, generation, name }: OpenQuestion) => `${execution}#${generation}/${name}`

const newestFirst = (one: Place, other: Place): number =>
  other.startedAt - one.startedAt || (one.execution === other.execution ? 0 : one.execution > other.execution ? -1 : 1)

export const layer: Layer.Layer<SagaRuns> = Layer.sync(SagaRuns, () => {
  const runs = new Map<string, Kept>()
  const byKey = new Map<string, string>()
  const asked = new Map<string, Asked>()
  const running = () => [...runs.values()].filter(({ run }) => run.status === "running")
  const openOnes = () => [...asked.values()].flatMap(({ question, wake }) => (wake === undefined ? [question] : []))

  return SagaRuns.of({
    begin: ({ at, execution, input, key, saga, sealed }) =>
      Effect.sync(() => {
        const first = runs.get(execution) ?? runs.get(key === undefined ? "" : (byKey.get(`${saga}/${key}`) ?? ""))
        if (first !== undefined) return { isNew: false, kept: first }
        const kept: Kept = {
          run: {
            execution,
            saga,
            ...(key === undefined ? {} : { key }),
            status: "running",
            generation: 1,
            purpose: "run",
            startedAt: at,
            isCancelAsked: false,
            input,
            rollbackFailures: []
          },
          sealed: { input: sealed, journal: {}, unfinished: [] }
        }
        runs.set(execution, kept)
        if (key !== undefined) byKey.set(`${saga}/${key}`, execution)
        return { isNew: true, kept }
      }),
    get: (execution) => Effect.sync(() => Option.fromUndefinedOr(runs.get(execution))),
    keyed: (saga, key) => Effect.sync(() => Option.fromUndefinedOr(runs.get(byKey.get(`${saga}/${key}`) ?? ""))),
    find: ({ after, limit = 100, merchant, saga, status }) =>
      Effect.sync(() =>
        [...runs.values()]
          .map(({ run }) => run)
          .filter(
            (run) =>
              (saga ?? run.saga) === run.saga &&
              (status ?? run.status) === run.status &&
              (merchant === undefined || (merchantOf(run.input) ?? merchant) === merchant) &&
              (after === undefined || newestFirst(after, run) < 0)
          )
          .toSorted(newestFirst)
          .slice(0, limit)
      ),
    settle: ({ at, ending, error, execution, generation, result, rollbackFailures, sealed, step }) =>
      Effect.sync(() => {
        const kept = runs.get(execution)
        if (kept === undefined || kept.run.generation !== generation || kept.run.status !== "running") return false
        const { result: _, ...run } = kept.run
        runs.set(execution, {
          run: {
            ...run,
            status: ending,
            settledAt: at,
            ...(result === undefined ? {} : { result }),
            ...(step === undefined ? {} : { step }),
            ...(error === undefined ? {} : { error }),
            rollbackFailures
          },
          sealed: {
            input: kept.sealed.input,
            journal: sealed.journal,
            unfinished: sealed.unfinished,
            ...(sealed.result === undefined ? {} : { result: sealed.result })
          }
        })
        for (const [id, { question }] of asked) if (question.execution === execution) asked.delete(id)
        return true
      }),
    answer: (execution, generation, shown, sealed) =>
      Effect.sync(() => {
        const kept = runs.get(execution)
        if (kept === undefined || kept.run.generation !== generation || kept.run.status !== "running") return
        runs.set(execution, {
          run: { ...kept.run, result: shown },
          sealed: { ...kept.sealed, result: sealed }
        })
      }),
    goOn: (execution, generation, purpose: Purpose) =>
      Effect.sync(() => {
        const kept = runs.get(execution)
        if (kept === undefined || kept.run.generation !== generation || kept.run.status === "running") return false
        const { error: _, result: __, settledAt: ___, step: ____, ...run } = kept.run
        const { result: _____, ...sealed } = kept.sealed
        runs.set(execution, {
          run: {
            ...run,
            status: "running",
            generation: generation + 1,
            purpose,
            isCancelAsked: false,
            rollbackFailures: []
          },
          sealed
        })
        return true
      }),
    running: Effect.sync(running),
    askCancel: (execution) =>
      Effect.sync(() => {
        const kept = runs.get(execution)
        if (kept?.run.status !== "running") return false
        runs.set(execution, { ...kept, run: { ...kept.run, isCancelAsked: true } })
        return true
      }),
    cancelled: Effect.sync(() => new Set(running().flatMap(({ run }) => (run.isCancelAsked ? [run.execution] : [])))),
    open: (question) =>
      Effect.sync(() => {
        if (!asked.has(idOf(question))) asked.set(idOf(question), { question, wake: undefined })
      }),
    questions: (of) =>
      Effect.sync(() =>
        openOnes().filter((question) =>
          "execution" in of
            ? question.execution === of.execution
            : question.saga === of.saga && question.correlation === of.correlation
        )
      ),
    close: (question, wake) =>
      Effect.sync(() => {
        const one = asked.get(idOf(question))
        if (one === undefined || one.wake !== undefined) return false
        one.wake = wake
        return true
      }),
    said: Effect.sync(() =>
      [...asked.values()].flatMap(({ question, wake }) => (wake === undefined ? [] : [{ question, wake }]))
    ),
    refuse: (question) =>
      Effect.sync(() => {
        const one = asked.get(idOf(question))
        if (one === undefined || one.wake !== undefined) return Option.none()
        const { attemptsLeft } = one.question
        one.question = { ...one.question, attemptsLeft: attemptsLeft === undefined ? undefined : attemptsLeft - 1 }
        return Option.some(one.question)
      })
  })
})
