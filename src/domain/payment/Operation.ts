/**
 * One operation at a gateway, from its intent to its definite answer.
 *
 *     begin -> InFlight -> (answered)
 *                 |  \-> Pending -> (answered)            taken on, outcome later
 *                 |  \-> NotSent -> InFlight              proven without effect
 *                 \----> InDoubt -> (answered) | Pending | NotSent
 *                           \-> Escalated -> (answered)   by an operator, or late evidence
 *                                     \-> Pending         where it was not known to be taken on
 *
 * Its id is derived from the payment, never random (R3): it is the gateway's
 * idempotency key and the same over every resend, so that sending it twice can
 * charge only once.
 *
 * Only the run that began an operation may send it as if for the first time.
 * Any other run cannot know whether it was sent, so it first records that
 * doubt (`TakenOver`) and then asks. `ask` says how.
 */
import * as Schema from "effect/Schema"
import type { Instant } from "../Instant.ts"
import { later, plus } from "../Instant.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import type { Answer, Capabilities, DoubtReason, NotSentReason, Reference } from "./Gateway.ts"

/** A payment's id, or one derived from it: `pay_01.../auth/1`. */
export const OperationId = Schema.String.check(
  Schema.isPattern(/^pay_[0-9a-z]{1,40}(\/[a-z]+\/\d+)+$/, { expected: 'an operation id such as "pay_1/auth/1"' })
).pipe(Schema.brand("OperationId"))
export type OperationId = typeof OperationId.Type

/** One run of the payment loop; it names the worker, never the operation. */
export const RunId = Schema.String.check(
  Schema.isPattern(/^run_[0-9a-z]{1,40}$/, { expected: 'a run id such as "run_1"' })
).pipe(Schema.brand("RunId"))
export type RunId = typeof RunId.Type

export const Kind = Schema.Literals(["authorize", "confirm", "capture", "void", "refund"])
export type Kind = typeof Kind.Type

const segment: Record<Kind, string> = {
  authorize: "auth",
  confirm: "confirm",
  capture: "capture",
  void: "void",
  refund: "refund"
}

/** `idOf("pay_1", "capture", 2)` is `pay_1/capture/2`; a confirmation hangs below its authorization. */
export const idOf = (parent: string, kind: Kind, ordinal: number): OperationId =>
  OperationId.make(`${parent}/${segment[kind]}/${ordinal}`)

const kinds = new Map(Kind.literals.map((kind) => [segment[kind], kind]))

/** What an id says about its operation; `undefined` where florin makes no such ids. */
export const kindOf = (id: OperationId): Kind | undefined => kinds.get(id.split("/").at(-2) ?? "")

// --- State ------------------------------------------------------------------

export type Standing =
  | { readonly _tag: "InFlight"; readonly by: RunId }
  | {
      readonly _tag: "NotSent"
      readonly reason: NotSentReason
      readonly retryAfterMillis: number | undefined
      readonly at: Instant
    }
  | {
      readonly _tag: "InDoubt"
      readonly reason: DoubtReason
      readonly asks: number
      readonly askedAt: Instant
      /** When it may last have been sent: a lookup is no proof before that has settled. */
      readonly sentAt: Instant
      /** A 5xx was seen: where errors are stored under the key, sending again repeats it. */
      readonly serverError: boolean
    }
  | Pending
  | {
      readonly _tag: "Escalated"
      readonly reason: EscalationReason
      readonly at: Instant
      /** What the gateway had taken on by then: to hear so again is no news to the operator. */
      readonly pending: Pending | undefined
    }

interface Pending {
  readonly _tag: "Pending"
  readonly reference: Reference | undefined
  readonly asks: number
  readonly since: Instant
  readonly askedAt: Instant
}

export interface Operation {
  readonly id: OperationId
  readonly kind: Kind
  readonly begunAt: Instant
  /** How often it was begun to be sent, the first time included. */
  readonly sends: number
  readonly standing: Standing
}

/** Why florin stopped asking by itself. */
export const EscalationReason = Schema.Literals([
  "NoWayToAsk",
  "AsksExhausted",
  "NeverSent",
  "NoOutcome",
  "Misconfigured",
  "VoidRefused"
])
export type EscalationReason = typeof EscalationReason.Type

export const begin = (id: OperationId, kind: Kind, by: RunId, at: Instant): Operation => ({
  id,
  kind,
  begunAt: at,
  sends: 1,
  standing: { _tag: "InFlight", by }
})

/** Money may have moved, or may yet move, without florin knowing. */
export const isDoubtful = ({ standing }: Operation): boolean =>
  standing._tag === "InDoubt" || standing._tag === "Escalated"

/** Which answers an operation of each kind can get. */
export const accepts: Record<Kind, ReadonlyArray<Answer["_tag"]>> = {
  authorize: ["Approved", "Declined", "ActionRequired", "Pending"],
  confirm: ["Approved", "Declined", "ActionRequired", "Pending"],
  capture: ["Captured", "Refused", "Pending"],
  void: ["Voided", "Captured", "Refused", "Pending"],
  refund: ["Refunded", "Refused", "Pending"]
}

// --- What happened to it ----------------------------------------------------

export const sending = (self: Operation, by: RunId): Operation => ({
  ...self,
  sends: self.sends + 1,
  standing: { _tag: "InFlight", by }
})

export const notSent = (
  self: Operation,
  reason: NotSentReason,
  retryAfterMillis: number | undefined,
  at: Instant
): Operation => ({ ...self, standing: { _tag: "NotSent", reason, retryAfterMillis, at } })

export const doubted = (
  self: Operation,
  asked: "send" | "lookup" | "takeover",
  reason: DoubtReason,
  at: Instant
): Operation => {
  const { standing } = self
  // What the gateway has taken on stays so, however often it cannot be asked.
  if (standing._tag === "Pending") return { ...self, standing: { ...standing, asks: standing.asks + 1, askedAt: at } }
  const before = standing._tag === "InDoubt" ? standing : undefined
  return {
    ...self,
    standing: {
      _tag: "InDoubt",
      reason,
      // A takeover has asked nothing yet, so its first question is due at once.
      asks: (before?.asks ?? 0) + (asked === "takeover" ? 0 : 1),
      askedAt: at,
      sentAt: asked === "lookup" ? (before?.sentAt ?? at) : at,
      serverError: (before?.serverError ?? false) || reason === "ServerError"
    }
  }
}

export const pending = (self: Operation, reference: Reference | undefined, at: Instant): Operation => {
  const before = self.standing._tag === "Pending" ? self.standing : undefined
  return {
    ...self,
    standing: {
      _tag: "Pending",
      reference: reference ?? before?.reference,
      asks: (before?.asks ?? 0) + 1,
      since: before?.since ?? at,
      askedAt: at
    }
  }
}

export const escalated = (self: Operation, reason: EscalationReason, at: Instant): Operation => {
  const pending = self.standing._tag === "Pending" ? self.standing : undefined
  return { ...self, standing: { _tag: "Escalated", reason, at, pending } }
}

// --- What is owed to it -----------------------------------------------------

export interface Patience {
  /** Sending again what was proven not sent. */
  readonly resend: RetryPolicy.RetryPolicy
  /** Asking again what is in doubt. */
  readonly verify: RetryPolicy.RetryPolicy
  /** Asking what became of an operation that the gateway has taken on. */
  readonly poll: RetryPolicy.RetryPolicy
  /** How long before its retention ends a key is no longer trusted. */
  readonly keyMarginMillis: number
  /** How long after the last send a "not found" is believed: longer than any call can take. */
  readonly settleMillis: number
}

export type Ask =
  | { readonly _tag: "Send" }
  | { readonly _tag: "TakeOver" }
  | { readonly _tag: "SendAgain" }
  | { readonly _tag: "Lookup" }
  | { readonly _tag: "Wait"; readonly until: Instant }
  | { readonly _tag: "GiveUp" }
  | { readonly _tag: "Escalate"; readonly reason: EscalationReason }
  | { readonly _tag: "Rest" }

/**
 * What to ask next, in the order of what is definitive: the same key again
 * while the gateway keeps it, then a lookup, then a person. A key that may be
 * gone is never sent again: it would charge anew.
 */
export const ask = (self: Operation, promises: Capabilities, runner: RunId, now: Instant, patience: Patience): Ask => {
  const { standing } = self
  switch (standing._tag) {
    case "InFlight":
      return standing.by === runner ? { _tag: "Send" } : { _tag: "TakeOver" }

    case "NotSent": {
      const failure = { retryable: standing.reason !== "Refused", retryAfterMillis: standing.retryAfterMillis }
      const verdict = RetryPolicy.decide(patience.resend, failure, self.sends)
      return verdict._tag === "GiveUp"
        ? { _tag: "GiveUp" }
        : due(plus(standing.at, verdict.millis), now, { _tag: "SendAgain" })
    }

    case "InDoubt": {
      const question = askInDoubt(self.begunAt, standing, promises, now, patience)
      if (question._tag === "Escalate" || standing.asks === 0) return question
      const verdict = RetryPolicy.decide(patience.verify, { retryable: true }, standing.asks)
      if (verdict._tag === "GiveUp") return { _tag: "Escalate", reason: "AsksExhausted" }
      const at = plus(standing.askedAt, verdict.millis)
      return question._tag === "Wait" ? { _tag: "Wait", until: later(at, question.until) } : due(at, now, question)
    }

    case "Pending": {
      const verdict = RetryPolicy.decide(patience.poll, { retryable: true }, standing.asks)
      if (verdict._tag === "GiveUp") return { _tag: "Escalate", reason: "NoOutcome" }
      // With nothing to ask, only a notification can end it; a person is told when none comes.
      return promises.lookup === "none"
        ? due(plus(standing.since, noticeMillis(patience.poll)), now, { _tag: "Escalate", reason: "NoOutcome" })
        : due(plus(standing.askedAt, verdict.millis), now, { _tag: "Lookup" })
    }

    case "Escalated":
      return { _tag: "Rest" }
  }
}

const askInDoubt = (
  begunAt: Instant,
  standing: Extract<Standing, { readonly _tag: "InDoubt" }>,
  promises: Capabilities,
  now: Instant,
  patience: Patience
): Ask => {
  const { retentionMillis, storesErrors } = promises.idempotencyKey
  const keyLives = now < plus(begunAt, retentionMillis - patience.keyMarginMillis)
  const repeatsError = storesErrors && standing.serverError
  if (keyLives && !repeatsError) return { _tag: "Send" }
  if (promises.lookup === "none") return { _tag: "Escalate", reason: "NoWayToAsk" }
  return due(plus(standing.sentAt, patience.settleMillis), now, { _tag: "Lookup" })
}

const due = (at: Instant, now: Instant, then: Ask): Ask => (now < at ? { _tag: "Wait", until: at } : then)

/** The whole time that a retry policy would have gone on. */
const noticeMillis = (policy: RetryPolicy.RetryPolicy): number => {
  let total = 0
  for (let attempt = 1; attempt < policy.maxAttempts; attempt++) {
    const verdict = RetryPolicy.decide(policy, { retryable: true }, attempt)
    total += verdict._tag === "Wait" ? verdict.millis : 0
  }
  return total
}
