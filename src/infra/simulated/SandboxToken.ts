/**
 * What the sandbox does with each payment method token: the table that its
 * users read, as data that its machine acts on.
 *
 * A token says how the issuer decides (`outcome`), whether the customer has to
 * go through 3-D Secure first (`challenge`), what is refused later (`refuses`),
 * and which calls fail on the way (`faults`). A fault strikes the first sends of
 * an operation; whoever sends again under the same key gets the stored answer.
 *
 * Decline codes are those of ISO 8583, field 39, as issuers send them.
 */
import type { Decline, MethodToken } from "../../domain/payment/Gateway.ts"
import type { Kind } from "../../domain/payment/Operation.ts"

// --- What a token can do ----------------------------------------------------

export type Outcome =
  | { readonly _tag: "Approve" }
  | { readonly _tag: "Decline"; readonly decline: Decline }
  /** Taken on; approved from the `lookups`-th lookup on. */
  | { readonly _tag: "Pend"; readonly lookups: number }

/** How a caller misses the answer: silence, a connection that breaks, a 5xx, a 429, a connection refused. */
export type Failure = "hang" | "drop" | "serverError" | "throttle" | "refuse"

export interface Fault {
  readonly failure: Failure
  /** The books have changed by the time that it strikes. */
  readonly acts: boolean
  /** How many sends of an operation it strikes. */
  readonly sends: number
}

export interface SandboxToken {
  readonly outcome: Outcome
  /** `abandoned`: the customer is sent to the bank and never comes back. */
  readonly challenge?: "returns" | "abandoned"
  /** Codes of what is refused for good. */
  readonly refuses?: { readonly capture?: string; readonly refund?: string }
  /** The hold is gone by the time that it is captured. */
  readonly holdExpires?: boolean
  readonly faults?: Partial<Record<Kind | "lookup", Fault>>
  /** How long the first send of the authorization takes to be answered. */
  readonly delayMillis?: number
}

/** What a throttled caller is told to wait: the smallest `Retry-After` there is. */
export const retryAfterMillis = 1000

// --- The table --------------------------------------------------------------

const approve: Outcome = { _tag: "Approve" }
const decline = (code: string, category: Decline["category"]): Outcome => ({
  _tag: "Decline",
  decline: { code, category }
})

const once = (failure: Failure, when: "before" | "after"): Fault => ({ failure, acts: when === "after", sends: 1 })
const always = (fault: Fault): Fault => ({ ...fault, sends: Number.POSITIVE_INFINITY })

const lost = once("drop", "after")

export const table: Readonly<Record<string, SandboxToken>> = {
  // Approved at once.
  tok_visa: { outcome: approve },
  tok_mastercard: { outcome: approve },
  tok_amex: { outcome: approve },

  // Declined at once.
  tok_declined_insufficient_funds: { outcome: decline("51", "otherInstrument") },
  tok_declined_expired_card: { outcome: decline("54", "otherInstrument") },
  tok_declined_issuer_unavailable: { outcome: decline("91", "retryLater") },
  tok_declined_stolen: { outcome: decline("43", "final") },
  // A code that no list has; what is unknown is final.
  tok_declined_unknown: { outcome: decline("Z9", "final") },

  // 3-D Secure first: approved, declined, or neither because the customer never comes back.
  tok_3ds: { outcome: approve, challenge: "returns" },
  // The bank did not recognise its customer; another card may have another bank.
  tok_3ds_fails: { outcome: decline("authentication_failed", "otherInstrument"), challenge: "returns" },
  tok_3ds_abandoned: { outcome: approve, challenge: "abandoned" },

  // Taken on; the second lookup finds it approved.
  tok_pending: { outcome: { _tag: "Pend", lookups: 2 } },

  // The authorization's answer goes missing, before or after the charge was made; sent again, it is approved.
  tok_timeout_before: { outcome: approve, faults: { authorize: once("hang", "before") } },
  tok_timeout_after: { outcome: approve, faults: { authorize: once("hang", "after") } },
  tok_lost_answer: { outcome: approve, faults: { authorize: lost } },
  tok_500_before: { outcome: approve, faults: { authorize: once("serverError", "before") } },
  tok_500_after: { outcome: approve, faults: { authorize: once("serverError", "after") } },
  // Not sent: twice, then approved; and for ever.
  tok_throttled: { outcome: approve, faults: { authorize: { ...once("throttle", "before"), sends: 2 } } },
  tok_unreachable: { outcome: approve, faults: { authorize: always(once("refuse", "before")) } },
  // Longer than most calls take, shorter than every timeout in use.
  tok_slow: { outcome: approve, delayMillis: 2000 },
  // It has acted, and nobody will ever hear of it: only a person can end this doubt.
  tok_never_answers: { outcome: approve, faults: { authorize: always(lost), lookup: always(lost) } },

  // Approved; what goes wrong comes later.
  tok_capture_refused: { outcome: approve, refuses: { capture: "capture_refused" } },
  tok_capture_lost_answer: { outcome: approve, faults: { capture: lost } },
  tok_authorization_expired: { outcome: approve, holdExpires: true },
  tok_refund_refused: { outcome: approve, refuses: { refund: "refund_refused" } },
  tok_refund_lost_answer: { outcome: approve, faults: { refund: lost } },
  tok_void_lost_answer: { outcome: approve, faults: { void: lost } }
}

/** 14 is "invalid card number": this sandbox has issued no such card. */
const unknown: SandboxToken = { outcome: decline("14", "final") }

export const isKnown = (token: MethodToken): boolean => Object.hasOwn(table, token)

export const of = (token: MethodToken): SandboxToken => (isKnown(token) ? table[token]! : unknown)
