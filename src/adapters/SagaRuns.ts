/**
 * The runs of sagas: what was asked, how it stands, what came of it, and the
 * questions that are open to the outside.
 *
 * A run has generations: the first is what was asked for; each resume and each
 * undo of a run that has ended begins another, from the journal of the one
 * before. `settle` ends a generation once.
 *
 * Moments are in milliseconds. `SagaRun` is what may be shown: what a schema redacts is taken out of it. What
 * a run needs to go on, secrets included, is `Sealed`, and only the engine reads it.
 */
import { Context, Schema } from "effect"
import type { Effect, Option } from "effect"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import { SagaJournal } from "../domain/saga/SagaJournal.ts"
import { Ending } from "../domain/saga/SagaPlan.ts"
import type { Wake } from "../domain/saga/StepOutcome.ts"
import { RollbackFailure, StepError } from "../domain/saga/StepOutcome.ts"
import type { StorageUnavailable } from "./Storage.ts"

export const Status = Schema.Literals(["running", ...Ending.literals])
export type Status = typeof Status.Type

/** `undo`: nothing new begins, and all of it is taken back. */
export const Purpose = Schema.Literals(["run", "undo"])
export type Purpose = typeof Purpose.Type

export const SagaRun = Schema.Struct({
  execution: Schema.String,
  saga: Schema.String,
  key: Schema.optionalKey(Schema.String),
  status: Status,
  generation: Schema.Int,
  purpose: Purpose,
  startedAt: Schema.Finite,
  settledAt: Schema.optionalKey(Schema.Finite),
  isCancelAsked: Schema.Boolean,
  input: Schema.Json,
  /** Of a run that has its result. */
  result: Schema.optionalKey(Schema.Json),
  /** The step that failed it, or that halted it. */
  step: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(StepError),
  rollbackFailures: Schema.Array(RollbackFailure)
})
export type SagaRun = typeof SagaRun.Type

export const Sealed = Schema.Struct({
  input: Schema.Json,
  /** Of the generation before this one. */
  journal: SagaJournal,
  /** The steps that a resumed run tries again. */
  unfinished: Schema.Array(Schema.String),
  result: Schema.optionalKey(Schema.Json)
})
export type Sealed = typeof Sealed.Type

export interface Kept {
  readonly run: SagaRun
  readonly sealed: Sealed
}

export interface Beginning {
  readonly execution: string
  readonly saga: string
  readonly key: string | undefined
  readonly at: number
  /** As it may be shown. */
  readonly input: Schema.Json
  readonly sealed: Schema.Json
}

export interface Settlement {
  readonly execution: string
  readonly generation: number
  readonly at: number
  readonly ending: Ending
  readonly result: Schema.Json | undefined
  readonly step: string | undefined
  readonly error: StepError | undefined
  readonly rollbackFailures: ReadonlyArray<RollbackFailure>
  readonly sealed: {
    readonly journal: SagaJournal
    readonly unfinished: ReadonlyArray<string>
    readonly result: Schema.Json | undefined
  }
}

/** Where a run stands among all, the newest first: by its beginning, then by its id. */
export type Place = Pick<SagaRun, "startedAt" | "execution">

export interface Query {
  readonly saga?: string | undefined
  readonly status?: Status | undefined
  /** Runs whose input names this merchant, or none: `merchantOf`. */
  readonly merchant?: MerchantId | undefined
  /** Those that stand after this place: older ones. */
  readonly after?: Place | undefined
  /** 100 when absent. */
  readonly limit?: number | undefined
}

/** Whose run it is, where its input says so: an order's merchant, or its own. Stock is of everybody on a database. */
export const merchantOf = (input: Schema.Json): unknown =>
  Object(Object(input).order).merchant ?? Object(input).merchant ?? undefined

/** A question that waits for its answer. */
export interface OpenQuestion {
  readonly execution: string
  readonly saga: string
  readonly generation: number
  /** The name of its pause. */
  readonly name: string
  readonly step: string
  readonly correlation: string
  /** The so-manieth wrong answer from now fails it; none does when absent. */
  readonly attemptsLeft: number | undefined
}

export class SagaRuns extends Context.Service<
  SagaRuns,
  {
    /** Begins a run, unless one with its id, or with its saga's key, is there: then that one is the answer. */
    readonly begin: (
      run: Beginning
    ) => Effect.Effect<{ readonly isNew: boolean; readonly kept: Kept }, StorageUnavailable>
    readonly get: (execution: string) => Effect.Effect<Option.Option<Kept>, StorageUnavailable>
    /** The run of a saga that has this key. */
    readonly keyed: (saga: string, key: string) => Effect.Effect<Option.Option<Kept>, StorageUnavailable>
    /** The newest first. */
    readonly find: (query: Query) => Effect.Effect<ReadonlyArray<SagaRun>, StorageUnavailable>
    /** Ends a generation; false when it has been ended before. Its questions are closed with it. */
    readonly settle: (settlement: Settlement) => Effect.Effect<boolean, StorageUnavailable>
    /** The saga's result, before its async steps are over. */
    readonly answer: (
      execution: string,
      generation: number,
      shown: Schema.Json,
      sealed: Schema.Json
    ) => Effect.Effect<void, StorageUnavailable>
    /** Begins the next generation of a run whose last one is `generation` and has ended; false when it is not so. */
    readonly goOn: (
      execution: string,
      generation: number,
      purpose: Purpose
    ) => Effect.Effect<boolean, StorageUnavailable>
    /** Asks a running run to end; false when it is not running. */
    readonly askCancel: (execution: string) => Effect.Effect<boolean, StorageUnavailable>
    /** The runs that go on, or that nobody runs since a process died. The oldest first. */
    readonly running: Effect.Effect<ReadonlyArray<Kept>, StorageUnavailable>
    /** The running runs that were asked to end. */
    readonly cancelled: Effect.Effect<ReadonlySet<string>, StorageUnavailable>
    /** Makes a question known; a repeat changes nothing. */
    readonly open: (question: OpenQuestion) => Effect.Effect<void, StorageUnavailable>
    /** Open questions, of a run or with a correlation. */
    readonly questions: (
      of: { readonly execution: string } | { readonly saga: string; readonly correlation: string }
    ) => Effect.Effect<ReadonlyArray<OpenQuestion>, StorageUnavailable>
    /** Closes a question with what is said to who waits, for who comes first; false for everybody else. */
    readonly close: (question: OpenQuestion, wake: Wake) => Effect.Effect<boolean, StorageUnavailable>
    /** What was said about questions of runs that still run, so that nobody waits for what has been said. */
    readonly said: Effect.Effect<
      ReadonlyArray<{ readonly question: OpenQuestion; readonly wake: Wake }>,
      StorageUnavailable
    >
    /** Counts a wrong answer; the question as it stands then, or none where it is closed. */
    readonly refuse: (question: OpenQuestion) => Effect.Effect<Option.Option<OpenQuestion>, StorageUnavailable>
  }
>()("florin/adapters/SagaRuns") {}
