/**
 * Where a flow stands, folded from its events.
 *
 *     New -> Dispatched <-> Performed -> Settled -> Handled
 *                |                         ^ |
 *                +--------- given up ------+ +--> Dead
 *
 *     retried, or answered after all: Dead -> Settled, Handled -> Dispatched | Performed | Settled
 *
 * `Dispatched`: nothing can have taken effect. `Performed`: the gateway was
 * asked, and has not answered. `Settled`: an answer, an error, or a doubt that
 * nothing more can be done about, whose handler has not run to its end.
 */
import type { Schema } from "effect"
import type { Instant } from "../Instant.ts"
import type { RunId } from "../payment/Operation.ts"
import type { FlowError } from "./FlowError.ts"
import type { Event, Order } from "./FlowEvent.ts"

interface Common {
  readonly order: Order
  /** Counts the idempotency keys that were used up by a definite failure and an operator's retry, from 1. */
  readonly round: number
}

/** Who is at it, and until when nobody else is. */
export interface Holder {
  readonly by: RunId
  readonly until: Instant
}

/** What the handler is given. */
export type Result =
  | { readonly _tag: "Answered"; readonly response: Schema.Json }
  | { readonly _tag: "Failed"; readonly error: FlowError }
  /** Nobody knows whether it took effect; `since` is when the gateway was first asked. */
  | { readonly _tag: "InDoubt"; readonly error: FlowError; readonly since: Instant }

export type State =
  | { readonly _tag: "New" }
  | (Common & {
      readonly _tag: "Dispatched"
      /** How often it was proven not sent, and what was said of the last time. */
      readonly refusals: number
      readonly refused: Refusal | undefined
    })
  | (Common & {
      readonly _tag: "Performed"
      /** When it was first asked in a way that may have taken effect: the gateway's key is no younger. */
      readonly since: Instant
      readonly refusals: number
      readonly doubts: number
      readonly holder: Holder | undefined
      readonly doubted: Doubt | undefined
    })
  | (Common & {
      readonly _tag: "Settled"
      readonly result: Result
      /** How often its handler was begun. */
      readonly tries: number
      readonly holder: Holder | undefined
      readonly failed: { readonly at: Instant; readonly detail: string } | undefined
    })
  | (Common & { readonly _tag: "Handled"; readonly result: Result })
  | (Common & { readonly _tag: "Dead"; readonly result: Result; readonly detail: string })

export interface Refusal {
  readonly at: Instant
  readonly error: FlowError
  readonly retryAfterMillis: number | undefined
}

export interface Doubt {
  readonly at: Instant
  readonly error: FlowError
  /** Of a repeat that was not sent. */
  readonly retryAfterMillis: number | undefined
  readonly settled: boolean
}

/** For people and for lists. */
export const statuses = ["dispatched", "performed", "answered", "failed", "in_doubt", "handled", "dead"] as const
export type Status = (typeof statuses)[number]

export const status = (state: State): Status => {
  switch (state._tag) {
    case "New":
    case "Dispatched":
      return "dispatched"
    case "Performed":
      return "performed"
    case "Settled":
      return statusOf(state.result)
    // A doubt stays one, whoever was told of it.
    case "Handled":
      return state.result._tag === "InDoubt" ? "in_doubt" : "handled"
    case "Dead":
      return "dead"
  }
}

const statusOf = ({ _tag }: Result): Status =>
  _tag === "Answered" ? "answered" : _tag === "Failed" ? "failed" : "in_doubt"

// --- Folding ----------------------------------------------------------------

export const initial: State = { _tag: "New" }

/** A doubt that nobody recorded: the worker is gone. */
const lost: FlowError = { _tag: "Transport", detail: "the worker that asked is gone" }

/** The state after `event`; it refuses nothing, because it happened. */
export const evolve = (state: State, event: Event): State => {
  if (event._tag === "Dispatched") {
    return { _tag: "Dispatched", order: event.order, round: 1, refusals: 0, refused: undefined }
  }
  if (state._tag === "New") throw new Error(`a flow that begins with ${event._tag}`)
  switch (event._tag) {
    case "SendingBegun":
      return sending(state, { by: event.by, until: event.until }, event.at)
    case "OutcomeRecorded":
      return recorded(state, event)
    case "GivenUp":
      return settled(state, { _tag: "Failed", error: errorOf(state) })
    case "Escalated":
      return settled(state, { _tag: "InDoubt", error: errorOf(state), since: sinceOf(state, event.at) })
    case "HandlingBegun":
      if (state._tag !== "Settled") return state
      return { ...state, tries: state.tries + 1, holder: { by: event.by, until: event.until } }
    case "HandlingFailed":
      if (state._tag !== "Settled") return state
      return { ...state, holder: undefined, failed: { at: event.at, detail: event.detail } }
    case "Handled":
      if (state._tag !== "Settled") return state
      return { _tag: "Handled", ...common(state), result: state.result }
    case "Buried":
      if (state._tag !== "Settled") return state
      return {
        _tag: "Dead",
        ...common(state),
        result: state.result,
        detail: state.failed?.detail ?? "its worker was gone each time"
      }
    case "Retried":
      return retried(state, event.at)
  }
}

export const fold = (events: ReadonlyArray<Event>): State => events.reduce(evolve, initial)

type Existing = Exclude<State, { readonly _tag: "New" }>

const common = ({ order, round }: Existing): Common => ({ order, round })

const sinceOf = (state: Existing, otherwise: Instant): Instant => (state._tag === "Performed" ? state.since : otherwise)

const errorOf = (state: Existing): FlowError => {
  switch (state._tag) {
    case "Dispatched":
      return state.refused?.error ?? lost
    case "Performed":
      return state.doubted?.error ?? lost
    case "Settled":
    case "Handled":
    case "Dead":
      return lost
  }
}

const settled = (state: Existing, result: Result): State => ({
  _tag: "Settled",
  ...common(state),
  result,
  tries: 0,
  holder: undefined,
  failed: undefined
})

const sending = (state: Existing, holder: Holder, at: Instant): State => {
  if (state._tag === "Dispatched") {
    const { refusals } = state
    return { _tag: "Performed", ...common(state), since: at, refusals, doubts: 0, holder, doubted: undefined }
  }
  if (state._tag !== "Performed") return state
  // Whoever held it never said what came of it, which is a doubt of its own.
  const isLost = state.holder !== undefined
  return {
    ...state,
    holder,
    doubts: state.doubts + (isLost ? 1 : 0),
    doubted: isLost ? { at, error: lost, retryAfterMillis: undefined, settled: false } : state.doubted
  }
}

const recorded = (state: Existing, { at, outcome }: Extract<Event, { _tag: "OutcomeRecorded" }>): State => {
  switch (outcome._tag) {
    case "Answered":
      return settled(state, { _tag: "Answered", response: outcome.response })
    case "Failed":
      return settled(state, { _tag: "Failed", error: outcome.error })
    case "NotSent": {
      if (state._tag !== "Performed") return state
      const { error, retryAfterMillis } = outcome
      // That a repeat was not sent says nothing of what was sent before.
      if (state.doubts > 0) {
        const doubted = { at, error, retryAfterMillis, settled: false }
        return { ...state, holder: undefined, doubts: state.doubts + 1, doubted }
      }
      const refused = { at, error, retryAfterMillis }
      return { _tag: "Dispatched", ...common(state), refusals: state.refusals + 1, refused }
    }
    case "InDoubt": {
      if (state._tag !== "Performed") return state
      const { error, settled } = outcome
      const doubted = { at, error, retryAfterMillis: undefined, settled }
      return { ...state, holder: undefined, doubts: state.doubts + 1, doubted }
    }
  }
}

/** Due at once, with its patience as new. */
const retried = (state: Existing, at: Instant): State => {
  switch (state._tag) {
    case "Dispatched":
      return { ...state, refusals: 0, refused: undefined }
    case "Performed":
      return { ...state, doubts: 1, doubted: undefined }
    case "Settled":
      return { ...state, tries: 0, failed: undefined }
    case "Dead":
      return settled(state, state.result)
    case "Handled":
      switch (state.result._tag) {
        case "Answered":
          return state
        // Definite, so what is asked anew is another operation, with another key.
        case "Failed":
          return { _tag: "Dispatched", ...common(state), round: state.round + 1, refusals: 0, refused: undefined }
        // It may have taken effect: the same key, and the operator's word that the gateway still knows it.
        case "InDoubt":
          return {
            _tag: "Performed",
            ...common(state),
            since: at,
            refusals: 0,
            doubts: 1,
            holder: undefined,
            doubted: undefined
          }
      }
  }
}
