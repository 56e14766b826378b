/**
 * A payment as its merchant sees it: the read model's row and the answer of
 * every endpoint.
 *
 * It is a function of the history alone, so that the read model can be dropped
 * and rebuilt to the same rows (R8). Amounts are minor units of `currency`.
 */
import { Schema } from "effect"
import * as Currency from "../Currency.ts"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { Text, Token } from "../Text.ts"
import { Action, DeclineCategory, GatewayName, MethodToken } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import * as Payment from "./Payment.ts"
import { DisputeId, MerchantId, Metadata, PaymentId } from "./PaymentEvent.ts"

/** The few words that callers act on; refunded and disputed amounts stand beside them. */
export const Status = Schema.Literals([
  "initiated",
  "authenticated",
  "requires_action",
  "processing",
  "authorized",
  "succeeded",
  "failed",
  "cancelled",
  "in_doubt"
])
export type Status = typeof Status.Type

const optional = Schema.optionalKey

export const PaymentView = Schema.Struct({
  id: PaymentId,
  merchant: MerchantId,
  status: Status,
  /** The kind of state behind the status. */
  state: Schema.String,
  /** An operation outlived every way of asking and waits for an operator. */
  escalated: Schema.Boolean,
  currency: Currency.Currency,
  amountMinor: Money.Minor,
  authorizedMinor: Money.Minor,
  capturedMinor: Money.Minor,
  refundedMinor: Money.Minor,
  disputedMinor: Money.Minor,
  capture: Schema.Literals(["automatic", "manual"]),
  gateway: optional(GatewayName),
  method: optional(MethodToken),
  customer: optional(Text(255)),
  reference: optional(Text(255)),
  metadata: optional(Metadata),
  action: optional(Schema.Struct({ ...Action.fields, expiresAt: optional(Instant) })),
  /** Why it failed: a scheme's or gateway's code, or one of florin's. */
  failure: optional(Schema.Struct({ code: Token(64), category: optional(DeclineCategory) })),
  refunds: Schema.Array(
    Schema.Struct({
      id: Operation.OperationId,
      amountMinor: Money.Minor,
      status: Schema.Literals(["pending", "succeeded", "failed", "in_doubt"])
    })
  ),
  disputes: Schema.Array(
    Schema.Struct({ id: DisputeId, amountMinor: Money.Minor, status: Schema.Literals(["open", "won", "lost"]) })
  ),
  /** The operations that wait for an operator, and what is known of them; absent when there are none. */
  escalations: optional(
    Schema.NonEmptyArray(
      Schema.Struct({
        operation: Operation.OperationId,
        kind: Operation.Kind,
        gateway: GatewayName,
        reason: Operation.EscalationReason,
        since: Instant,
        /** What was asked for: of an authorization all, of a capture or a refund its amount, of a void the hold. */
        amountMinor: Money.Minor
      })
    )
  ),
  createdAt: Instant,
  updatedAt: Instant,
  /** How many events the payment has: a later view of it has a higher version. */
  version: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
})
export type PaymentView = typeof PaymentView.Type

/** The view of `state` after `version` events, the last of them at `updatedAt`. */
export const of = (state: Payment.Begun, version: number, updatedAt: Instant): PaymentView => {
  const { order } = state
  const settled = "captures" in state ? state : undefined
  const attempt = attemptOf(state)
  const failure = failureOf(state)
  const [escalation, ...escalations] = escalationsOf(state)
  return {
    id: order.payment,
    merchant: order.merchant,
    status: status(state),
    state: state._tag,
    escalated: escalation !== undefined,
    currency: order.amount.currency,
    amountMinor: order.amount.minor,
    authorizedMinor: state._tag === "Authorized" || settled !== undefined ? order.amount.minor : 0n,
    capturedMinor: settled === undefined ? 0n : Payment.captured(settled).minor,
    refundedMinor: settled === undefined ? 0n : Payment.refunded(settled).minor,
    disputedMinor: settled === undefined ? 0n : Payment.disputed(settled).minor,
    capture: order.capture,
    ...(attempt && { gateway: attempt.gateway, method: order.methods[attempt.method]! }),
    ...(order.customer !== undefined && { customer: order.customer }),
    ...(order.reference !== undefined && { reference: order.reference }),
    ...(order.metadata !== undefined && { metadata: order.metadata }),
    ...(state._tag === "ActionRequired" && { action: actionOf(state) }),
    ...(failure && { failure }),
    refunds: (settled?.refunds ?? []).map((refund) => ({
      id: refund.operation.id,
      amountMinor: refund.amount.minor,
      status: refundStatus(refund)
    })),
    disputes: (settled?.disputes ?? []).map(({ amount, id, outcome }) => ({
      id,
      amountMinor: amount.minor,
      status: ({ Open: "open", Won: "won", Lost: "lost" } as const)[outcome]
    })),
    ...(escalation !== undefined && { escalations: [escalation, ...escalations] as const }),
    createdAt: state.initiatedAt,
    updatedAt,
    version
  }
}

export const status = (state: Payment.Begun): Status => {
  switch (state._tag) {
    case "Screening":
      return "initiated"
    case "Ready":
      return state.closed.length === 0 ? "initiated" : "processing"
    case "Authorizing":
      if (Operation.isDoubtful(state.operation)) return "in_doubt"
      return state.operation.kind === "confirm" ? "authenticated" : "processing"
    case "ActionRequired":
      return "requires_action"
    case "Authorized":
      return state.order.capture === "manual" ? "authorized" : "processing"
    case "Capturing":
    case "Voiding":
      return Operation.isDoubtful(state.operation) ? "in_doubt" : "processing"
    case "Captured":
      return "succeeded"
    case "Failed":
      return "failed"
    case "Voided":
    case "Cancelled":
    case "Expired":
      return "cancelled"
  }
}

const refundStatus = ({ operation, outcome }: Payment.Refund) => {
  switch (outcome) {
    case "Open":
      return Operation.isDoubtful(operation) ? "in_doubt" : "pending"
    case "Refunded":
      return "succeeded"
    case "Failed":
      return "failed"
  }
}

/** The attempt that counts: the one with the authorization, else the one that is open, else the last. */
const attemptOf = (state: Payment.Begun): Payment.Attempt | undefined => {
  if ("authorization" in state && state.authorization !== undefined) return state.authorization
  return state._tag === "Authorizing" ? state.attempt : state.closed.at(-1)
}

const actionOf = ({ action, authorization }: Extract<Payment.State, { readonly _tag: "ActionRequired" }>) =>
  authorization.expiresAt === undefined ? action : { ...action, expiresAt: authorization.expiresAt }

const failureOf = (state: Payment.Begun): PaymentView["failure"] => {
  if (state._tag !== "Failed") return undefined
  const { reason } = state
  switch (reason._tag) {
    case "Declined":
      return { code: reason.decline.code, category: reason.decline.category }
    case "CaptureRefused":
      return { code: reason.code }
    case "Blocked":
      return { code: "blocked_by_screening" }
    case "NotSent":
      return { code: "gateway_unreachable" }
    case "NoRoute":
      return { code: "no_gateway_for_payment" }
  }
}

const escalationsOf = (state: Payment.Begun) =>
  Payment.openOperations(state).flatMap(({ id, kind, standing }) => {
    const gateway = Payment.gatewayOf(state, id)
    if (standing._tag !== "Escalated" || gateway === undefined) return []
    const { at: since, reason } = standing
    return [{ operation: id, kind, gateway, reason, since, amountMinor: amountOf(state, id) }]
  })

const amountOf = (state: Payment.Begun, id: Operation.OperationId): bigint => {
  if (state._tag === "Capturing" && state.operation.id === id) return state.capture.amount.minor
  const refund = "refunds" in state ? state.refunds.find(({ operation }) => operation.id === id) : undefined
  return (refund?.amount ?? state.order.amount).minor
}
