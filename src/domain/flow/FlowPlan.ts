/**
 * What a flow owes next (R7): the first run, the run after a crash and the run
 * in another worker ask the same question.
 *
 * What was proven not sent is sent again, and fails once that was tried often
 * enough. What is in doubt is asked again under the same key for as long as the
 * gateway keeps it, and never fails: it is escalated, and its error flow told.
 */
import type { Instant } from "../Instant.ts"
import { plus } from "../Instant.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import * as RetryPolicies from "../RetryPolicy.ts"
import type { Holder, State } from "./FlowState.ts"

export interface Policy {
  /** Of what was proven not sent. */
  readonly sending: RetryPolicy
  /** Asking again about what is in doubt. */
  readonly doubt: RetryPolicy
  /** Of a handler that failed. */
  readonly handling: RetryPolicy
  /** How long the gateway keeps an idempotency key. */
  readonly keyRetentionMillis: number
  /** So much earlier it counts as forgotten: more than two clocks differ and a call takes. */
  readonly keyMarginMillis: number
}

export type Step =
  | { readonly _tag: "Send" }
  | { readonly _tag: "GiveUp" }
  | { readonly _tag: "Escalate" }
  | { readonly _tag: "Handle" }
  | { readonly _tag: "Bury" }
  | { readonly _tag: "Wait"; readonly until: Instant }
  | { readonly _tag: "Rest" }

export const next = (state: State, now: Instant, policy: Policy): Step => {
  switch (state._tag) {
    case "New":
    case "Handled":
    case "Dead":
      return { _tag: "Rest" }

    case "Dispatched": {
      const { refused, refusals } = state
      if (refused === undefined) return { _tag: "Send" }
      const failure = { retryable: true, retryAfterMillis: refused.retryAfterMillis }
      const verdict = RetryPolicies.decide(policy.sending, failure, refusals)
      return verdict._tag === "GiveUp" ? verdict : at(plus(refused.at, verdict.millis), now, { _tag: "Send" })
    }

    case "Performed": {
      const busyUntil = heldUntil(state.holder, now)
      if (busyUntil !== undefined) return { _tag: "Wait", until: busyUntil }
      const { doubted, doubts, since } = state
      const forgotten = plus(since, policy.keyRetentionMillis - policy.keyMarginMillis)
      if (doubted?.settled === true || now >= forgotten) return { _tag: "Escalate" }
      if (state.holder !== undefined || doubted === undefined) return { _tag: "Send" }
      const verdict = RetryPolicies.decide(policy.doubt, { ...doubted, retryable: true }, doubts)
      if (verdict._tag === "GiveUp") return { _tag: "Escalate" }
      const moment = plus(doubted.at, verdict.millis)
      return at(moment < forgotten ? moment : forgotten, now, { _tag: "Send" })
    }

    case "Settled": {
      const busyUntil = heldUntil(state.holder, now)
      if (busyUntil !== undefined) return { _tag: "Wait", until: busyUntil }
      const { failed, tries } = state
      if (tries === 0) return { _tag: "Handle" }
      const verdict = RetryPolicies.decide(policy.handling, { retryable: true }, tries)
      if (verdict._tag === "GiveUp") return { _tag: "Bury" }
      // One that took its worker with it waits as long as one that failed.
      const since = state.holder?.until ?? failed?.at ?? now
      return at(plus(since, verdict.millis), now, { _tag: "Handle" })
    }
  }
}

const at = (moment: Instant, now: Instant, step: Step): Step => (moment > now ? { _tag: "Wait", until: moment } : step)

const heldUntil = (holder: Holder | undefined, now: Instant): Instant | undefined =>
  holder !== undefined && holder.until > now ? holder.until : undefined

/** When it is to be looked at again by somebody; `undefined` when nothing is owed. */
export const due = (state: State, now: Instant, policy: Policy): Instant | undefined => {
  const step = next(state, now, policy)
  switch (step._tag) {
    case "Rest":
      return undefined
    case "Wait":
      return step.until
    case "Send":
    case "GiveUp":
    case "Escalate":
    case "Handle":
    case "Bury":
      return now
  }
}
