/**
 * A payment gateway as the domain knows it: its name, what it promises, and
 * what it can answer.
 *
 * A call ends in one of three ways (R1). A definite answer is an `Answer`.
 * Proof that the call took no effect is a `NotSentReason`. Everything else is
 * a `DoubtReason`: money may have moved, and only asking again can tell.
 */
import * as Schema from "effect/Schema"
import { Instant } from "../Instant.ts"
import { Money } from "../Money.ts"
import { Text, Token } from "../Text.ts"

export const GatewayName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/, { expected: 'a gateway name such as "stripe-eu"' })
).pipe(Schema.brand("GatewayName"))
export type GatewayName = typeof GatewayName.Type

/** The gateway's own id of an object: a charge, a payment intent, a refund. */
export const Reference = Token(255).pipe(Schema.brand("Reference"))
export type Reference = typeof Reference.Type

/** A gateway's token for a card or account; never the number itself (R10). */
export const MethodToken = Token(255).pipe(Schema.brand("MethodToken"))
export type MethodToken = typeof MethodToken.Type

// --- Promises ---------------------------------------------------------------

/**
 * What a gateway declares, and florin acts on.
 *
 * - `idempotencyKey.retentionMillis`: how long a repeated key gets the first
 *   answer back; 0 when the gateway knows no keys.
 * - `idempotencyKey.storesErrors`: a 5xx is stored under the key too, so
 *   sending again only repeats it.
 * - `lookup`: `authoritative` when "not found" proves that nothing happened,
 *   `eventual` when it proves nothing, `none` when there is no lookup.
 * - `autoCapture`: one call can authorize and capture.
 */
export const Capabilities = Schema.Struct({
  idempotencyKey: Schema.Struct({
    retentionMillis: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
    maxLength: Schema.Int.check(Schema.isGreaterThan(0)),
    storesErrors: Schema.Boolean
  }),
  lookup: Schema.Literals(["authoritative", "eventual", "none"]),
  autoCapture: Schema.Boolean,
  partialCapture: Schema.Boolean,
  multipleCaptures: Schema.Boolean,
  partialRefund: Schema.Boolean
})
export type Capabilities = typeof Capabilities.Type

// --- Answers ----------------------------------------------------------------

/**
 * What a decline leaves open. `retryLater`: the issuer could not decide, so
 * another gateway may succeed. `otherInstrument`: this card will not do, another
 * may. `final`: stop asking; unknown codes are final.
 */
export const DeclineCategory = Schema.Literals(["retryLater", "otherInstrument", "final"])
export type DeclineCategory = typeof DeclineCategory.Type

export const Decline = Schema.Struct({
  code: Token(64),
  category: DeclineCategory,
  advice: Schema.optionalKey(Text(200))
})
export type Decline = typeof Decline.Type

/** Where to send the customer before the authorization can end. */
export const Action = Schema.Struct({ type: Schema.Literal("redirect"), url: Token(2048) })
export type Action = typeof Action.Type

/** A definite answer. Which of them fits which operation is in `Operation.accepts`. */
export const Answer = Schema.TaggedUnion({
  /** The hold stands; with `captured` the money has moved as well. */
  Approved: { reference: Reference, captured: Schema.Boolean, expiresAt: Schema.optionalKey(Instant) },
  Declined: { decline: Decline, reference: Schema.optionalKey(Reference) },
  ActionRequired: { reference: Reference, action: Action, expiresAt: Schema.optionalKey(Instant) },
  Captured: { amount: Money, reference: Schema.optionalKey(Reference) },
  Voided: {},
  Refunded: { reference: Schema.optionalKey(Reference) },
  /** Refused for good, nothing moved; `authorizationGone` when the hold no longer exists. */
  Refused: { code: Token(64), authorizationGone: Schema.Boolean },
  /** Taken on; the outcome comes by notification or by lookup. */
  Pending: { reference: Schema.optionalKey(Reference) }
})
export type Answer = typeof Answer.Type

// --- No answer --------------------------------------------------------------

/** Proof that a call took no effect. `NotFound` comes from an authoritative lookup. */
export const NotSentReason = Schema.Literals(["ConnectionRefused", "CircuitOpen", "Throttled", "Refused", "NotFound"])
export type NotSentReason = typeof NotSentReason.Type

/** How long the gateway asks to be left alone, in milliseconds. */
export const RetryAfter = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * Why it is unknown whether a call took effect. `TakenOver`: the worker that
 * began it is gone. `NotSent`: a repeat was not sent, which says nothing of the
 * first. `NotFound`: a lookup that is not authoritative found nothing.
 */
export const DoubtReason = Schema.Literals([
  "Timeout",
  "ConnectionLost",
  "ServerError",
  "KeyInUse",
  "Unreadable",
  "TakenOver",
  "NotSent",
  "NotFound",
  "LookupFailed"
])
export type DoubtReason = typeof DoubtReason.Type
