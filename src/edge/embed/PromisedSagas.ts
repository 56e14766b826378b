/** Checkouts and runs of sagas by promises, over the HTTP API as a function. */
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import * as SagaJson from "../http/SagaJson.ts"
import type { Handle } from "./Asked.ts"
import { asked, queryOf } from "./Asked.ts"

export type SagaRun = SagaJson.Run

interface Keyed {
  readonly idempotencyKey?: IdempotencyKey | (string & {})
}

export interface SagaQuery {
  readonly saga?: string
  readonly status?: SagaRun["status"]
  /** 1 to 100; 25 when it is not said. */
  readonly limit?: number
}

/**
 * A run that failed is no rejection: its `status`, `error` and `rollbackFailures` say how it ended. Each rejects with
 * one of the problems, among them `SagaRunNotFound`, `SagaRunRefused`, `SagaNotOffered`, `KeyReused`.
 */
export interface PromisedCheckouts {
  /** Comes back when the run has ended, or with it as it stands when that takes longer than `answerMillis`. */
  readonly start: (checkout: typeof SagaJson.StartCheckout.Encoded & Keyed) => Promise<SagaRun>
  /** By the order's number. */
  readonly get: (reference: string) => Promise<SagaJson.RunWithSteps>
}

export interface PromisedSagas {
  readonly start: (order: typeof SagaJson.StartSaga.Encoded & Keyed) => Promise<SagaRun>
  /** The newest first. */
  readonly list: (query?: SagaQuery) => Promise<ReadonlyArray<SagaRun>>
  readonly get: (id: string) => Promise<SagaJson.RunWithSteps>
  readonly cancel: (id: string) => Promise<SagaRun>
  readonly undo: (id: string) => Promise<SagaRun>
  readonly resume: (id: string) => Promise<SagaRun>
}

export { QuestionNotFound, SagaNotOffered, SagaRunNotFound, SagaRunRefused } from "../http/Problem.ts"

export const checkouts = (handle: Handle): PromisedCheckouts => ({
  start: (checkout) => asked(handle, SagaJson.Run, "/v1/checkouts", { ...checkout }),
  get: (reference) => asked(handle, SagaJson.RunWithSteps, `/v1/checkouts/${encodeURIComponent(reference)}`)
})

export const make = (handle: Handle): PromisedSagas => {
  const change = (what: string) => (id: string) => asked(handle, SagaJson.Run, `${at(id)}/${what}`, {})
  return {
    start: (order) => asked(handle, SagaJson.Run, "/v1/sagas", { ...order }),
    list: async (query = {}) => (await asked(handle, SagaJson.Runs, `/v1/sagas${queryOf(query)}`)).runs,
    get: (id) => asked(handle, SagaJson.RunWithSteps, at(id)),
    cancel: change("cancel"),
    undo: change("undo"),
    resume: change("resume")
  }
}

const at = (id: string) => `/v1/sagas/${encodeURIComponent(id)}`
