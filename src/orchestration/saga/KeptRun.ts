/**
 * What a run that is kept means: what it answers, what its next generation
 * begins from, what can still be done about it.
 */
import { Effect } from "effect"
import type { Schema } from "effect"
import type { Kept, OpenQuestion } from "../../adapters/SagaRuns.ts"
import * as SagaJournal from "../../domain/saga/SagaJournal.ts"
import * as SagaSecrets from "../../domain/saga/SagaSecrets.ts"
import type { Answer } from "./SagaAnswer.ts"
import { SagaFailed } from "./SagaAnswer.ts"
import type { Generation } from "./SagaEngine.ts"
import type { Ended } from "./SagaExecutor.ts"
import type { SagaBody } from "./SagaStep.ts"

export type Told<A> = Effect.Effect<Answer<A>, SagaFailed>

export const secretsOf = (value: unknown): ReadonlySet<string> => {
  const secrets = new Set<string>()
  SagaSecrets.collect(value, secrets)
  return secrets
}

export const generationAt = ({ run, sealed }: Kept, isAwaited: boolean): Generation => {
  const { execution, generation, purpose } = run
  const journal =
    purpose === "undo" ? SagaJournal.toUndo(sealed.journal) : SagaJournal.toResume(sealed.journal, sealed.unfinished)
  return { execution, generation, purpose, input: sealed.input, journal, isAwaited }
}

export const resultOf = (
  saga: SagaBody<unknown>,
  { ending, halted, value }: Ended
): Effect.Effect<Schema.Json | undefined> =>
  ending === "completed"
    ? Effect.orDie(saga.outputCoding.encode(value))
    : Effect.succeed(ending === "halted" ? halted?.value : undefined)

/** What a run that is kept answers: nothing yet, where it goes on and has no result. */
export const toldBy = (saga: SagaBody<unknown>, { run, sealed }: Kept): Told<unknown> | undefined => {
  const { error, execution, rollbackFailures, status, step } = run
  switch (status) {
    case "running":
      if (sealed.result === undefined) return undefined
      return Effect.succeed({ _tag: "Completed", execution, value: saga.outputCoding.decode(sealed.result) })
    case "completed":
      return Effect.succeed({ _tag: "Completed", execution, value: saga.outputCoding.decode(sealed.result ?? null) })
    case "halted":
      return Effect.succeed({ _tag: "Halted", execution, step: step ?? "", value: sealed.result ?? null })
    case "failed":
    case "stalled":
    case "cancelled":
    case "undone":
      return Effect.fail(
        new SagaFailed({
          saga: run.saga,
          execution,
          ending: status,
          ...(step === undefined ? {} : { step }),
          ...(error === undefined ? {} : { error }),
          rollbackFailures
        })
      )
  }
}

/** Whether there is nothing left to take back. */
export const isTakenBack = ({ run: { rollbackFailures, status } }: Kept): boolean =>
  (status === "failed" || status === "cancelled" || status === "undone") && rollbackFailures.length === 0

/** What is wrong with an answer to a question, whose step may be in a saga within. */
export const complaintAbout = (
  saga: SagaBody<unknown>,
  { step }: OpenQuestion,
  payload: Schema.Json
): string | undefined => {
  const names = step.split("/").map((name) => name.replace(/~\d+$/, ""))
  let body: SagaBody<unknown> | undefined = saga
  for (const name of names.slice(0, -1)) body = body?.steps.get(name)?.nested
  return body?.steps.get(names.at(-1) ?? "")?.pause?.complaintAbout(payload)
}
