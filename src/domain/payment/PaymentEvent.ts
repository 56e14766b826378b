/**
 * What can be asked of a payment once, and what can happen to it: the order and
 * the events, which are the stored format.
 *
 * Stored events change only by adding: a new kind, or a new optional field. A
 * field is never renamed, narrowed or given another meaning, because every
 * payment ever taken is folded from these.
 */
import * as Schema from "effect/Schema"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import * as Risk from "../Risk.ts"
import * as Routing from "../Routing.ts"
import { Text, Token } from "../Text.ts"
import { Evidence } from "./Evidence.ts"
import {
  Action,
  Capabilities,
  Decline,
  DoubtReason,
  GatewayName,
  MethodToken,
  NotSentReason,
  Reference,
  RetryAfter
} from "./Gateway.ts"
import * as Operation from "./Operation.ts"

// --- Ids --------------------------------------------------------------------

export const PaymentId = Schema.String.check(
  Schema.isPattern(/^pay_[0-9a-z]{1,40}$/, { expected: 'a payment id such as "pay_01jd8m2r6v"' })
).pipe(Schema.brand("PaymentId"))
export type PaymentId = typeof PaymentId.Type

export const MerchantId = Token(64).pipe(Schema.brand("MerchantId"))
export type MerchantId = typeof MerchantId.Type

/** Names one request of the merchant, so that repeating it records nothing; an idempotency key fits. */
export const RequestId = Schema.String.check(
  Schema.isPattern(/^[ -~]{1,255}$/, { expected: "a request id of 1 to 255 printable ASCII characters" })
).pipe(Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

export const DisputeId = Token(255).pipe(Schema.brand("DisputeId"))
export type DisputeId = typeof DisputeId.Type

// --- Order: what was asked for, and never changes ---------------------------

/** More cards than anyone offers for one payment; it bounds the attempts of a payment as well. */
const maxMethods = 10

/** As many as the gateways that we know of keep. */
const maxMetadataKeys = 50

export const MethodIndex = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxMethods - 1 }))

export const Metadata = Schema.Record(Token(40), Text(500)).check(
  Schema.isMaxProperties(maxMetadataKeys, { expected: `at most ${maxMetadataKeys} metadata keys` })
)

export const Order = Schema.Struct({
  payment: PaymentId,
  merchant: MerchantId,
  amount: Money.Money,
  capture: Schema.Literals(["automatic", "manual"]),
  methods: Schema.NonEmptyArray(MethodToken).check(
    Schema.isMaxLength(maxMethods, { expected: `at most ${maxMethods} payment methods` })
  ),
  customer: Schema.optionalKey(Text(255)),
  reference: Schema.optionalKey(Text(255)),
  returnUrl: Schema.optionalKey(Token(2048)),
  metadata: Schema.optionalKey(Metadata)
})
export type Order = typeof Order.Type

export const VoidReason = Schema.Literals(["Requested", "AuthorizationExpired", "ActionExpired", "CaptureRefused"])
export type VoidReason = typeof VoidReason.Type

/** Why a payment failed. `Declined` and `CaptureRefused` rest on evidence, the others on nothing having been sent. */
export const FailureReason = Schema.TaggedUnion({
  Blocked: { reasons: Schema.Array(Risk.Reason) },
  Declined: { decline: Decline, evidence: Evidence },
  NotSent: { gateway: GatewayName, reason: NotSentReason },
  NoRoute: {}
})
export type FailureReason = typeof FailureReason.Type

// --- Events: past tense ------------------------------------------------------

const at = Instant
const operation = Operation.OperationId
const by = Operation.RunId

export const Event = Schema.TaggedUnion({
  Initiated: { order: Order, screening: Schema.Boolean, at },
  Screened: { verdict: Risk.Verdict, reasons: Schema.Array(Risk.Reason), at },

  AuthorizationBegun: {
    operation,
    by,
    gateway: GatewayName,
    /** Index into the order's methods. */
    method: MethodIndex,
    capabilities: Capabilities,
    /** Why this gateway, and why none before it. */
    routing: Routing.Explanation,
    at
  },
  ActionRequired: {
    operation,
    reference: Reference,
    action: Action,
    expiresAt: Schema.optionalKey(Instant),
    evidence: Evidence,
    at
  },
  ActionCompleted: { operation, by, result: Schema.optionalKey(Text(4096)), at },
  Authorized: { operation, reference: Reference, expiresAt: Schema.optionalKey(Instant), evidence: Evidence, at },
  AuthorizationDeclined: { operation, decline: Decline, evidence: Evidence, at },

  CaptureBegun: {
    operation,
    by,
    amount: Money.Money,
    final: Schema.Boolean,
    request: Schema.optionalKey(RequestId),
    at
  },
  Captured: { operation, amount: Money.Money, reference: Schema.optionalKey(Reference), evidence: Evidence, at },
  CaptureFailed: { operation, code: Token(64), authorizationGone: Schema.Boolean, evidence: Evidence, at },

  VoidBegun: { operation, by, reason: VoidReason, at },
  Voided: { operation, evidence: Evidence, at },
  VoidFailed: { operation, code: Token(64), evidence: Evidence, at },

  RefundBegun: {
    operation,
    by,
    amount: Money.Money,
    request: Schema.optionalKey(RequestId),
    reason: Schema.optionalKey(Text(500)),
    at
  },
  Refunded: { operation, reference: Schema.optionalKey(Reference), evidence: Evidence, at },
  RefundFailed: { operation, code: Token(64), evidence: Evidence, at },

  DisputeOpened: {
    dispute: DisputeId,
    amount: Money.Money,
    reason: Schema.optionalKey(Text(200)),
    evidence: Evidence,
    at
  },
  DisputeWon: { dispute: DisputeId, evidence: Evidence, at },
  DisputeLost: { dispute: DisputeId, evidence: Evidence, at },

  /** The intent to send once more what was proven not sent. */
  OperationResumed: { operation, by, at },
  OperationNotSent: {
    operation,
    reason: NotSentReason,
    retryAfterMillis: Schema.optionalKey(RetryAfter),
    evidence: Schema.optionalKey(Evidence),
    at
  },
  OperationDoubted: { operation, asked: Schema.Literals(["send", "lookup", "takeover"]), reason: DoubtReason, at },
  OperationPending: { operation, reference: Schema.optionalKey(Reference), evidence: Evidence, at },
  OperationEscalated: {
    operation,
    reason: Operation.EscalationReason,
    detail: Schema.optionalKey(Text(200)),
    at
  },

  CancelRequested: { request: Schema.optionalKey(RequestId), reason: Schema.optionalKey(Text(500)), at },
  Cancelled: { request: Schema.optionalKey(RequestId), reason: Schema.optionalKey(Text(500)), at },
  Expired: { at },
  Failed: { reason: FailureReason, at }
})
export type Event = typeof Event.Type
