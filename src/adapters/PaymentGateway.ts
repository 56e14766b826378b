/**
 * A payment gateway, as this system sees it, and the gateways there are.
 *
 * A decline is an answer, so it is in the success channel. `GatewayError` is
 * for calls without one, and its reason says the only thing that a caller may
 * act on: whether money can have moved (R1).
 *
 * Every call carries its operation's id, which goes to the gateway as the
 * idempotency key and into its metadata (R3).
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import type { Answer, Capabilities } from "../domain/payment/Gateway.ts"
import { DoubtReason, GatewayName, NotSentReason } from "../domain/payment/Gateway.ts"
import { OperationId } from "../domain/payment/Operation.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"

// --- Errors -----------------------------------------------------------------

/** The call took no effect, for certain: it may be made again, elsewhere too. */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", {
  because: NotSentReason,
  retryAfterMillis: Schema.optionalKey(Schema.Int),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  readonly moneyMayHaveMoved = false
}

/** The call may have taken effect: only the same operation may be asked about again. */
export class InDoubt extends Schema.TaggedError<InDoubt>()("InDoubt", {
  because: DoubtReason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  readonly moneyMayHaveMoved = true
}

/** Florin and the gateway disagree about what the operation is; asking again cannot help. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", {
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  readonly moneyMayHaveMoved = true
}

export class GatewayError extends Schema.TaggedError<GatewayError>()("GatewayError", {
  gateway: GatewayName,
  operation: OperationId,
  reason: Schema.Union([NotSent, InDoubt, Misconfigured])
}) {
  override get message() {
    const { reason } = this
    return `${this.gateway}, ${this.operation}: ${reason._tag} (${reason._tag === "Misconfigured" ? reason.detail : reason.because})`
  }
}

// --- Answers, by call -------------------------------------------------------

type AnswerOf<Tag extends Answer["_tag"]> = Extract<Answer, { readonly _tag: Tag }>
type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>

export type AuthorizationAnswer = AnswerOf<"Approved" | "Declined" | "ActionRequired" | "Pending">
export type CaptureAnswer = AnswerOf<"Captured" | "Refused" | "Pending">
/** `Captured`: the money had moved before the void arrived. */
export type VoidAnswer = AnswerOf<"Voided" | "Captured" | "Refused" | "Pending">
export type RefundAnswer = AnswerOf<"Refunded" | "Refused" | "Pending">

/** What a lookup knows of an operation. Whether `NotFound` proves anything is in `capabilities.lookup`. */
export type Found = { readonly _tag: "Found"; readonly answer: Answer } | { readonly _tag: "NotFound" }

// --- The gateway ------------------------------------------------------------

export interface PaymentGateway {
  readonly name: GatewayName
  readonly capabilities: Capabilities
  readonly authorize: (call: CallOf<"Authorize">) => Effect.Effect<AuthorizationAnswer, GatewayError>
  /** Goes on with an authorization whose customer came back. */
  readonly confirm: (call: CallOf<"Confirm">) => Effect.Effect<AuthorizationAnswer, GatewayError>
  readonly capture: (call: CallOf<"Capture">) => Effect.Effect<CaptureAnswer, GatewayError>
  readonly void: (call: CallOf<"Void">) => Effect.Effect<VoidAnswer, GatewayError>
  readonly refund: (call: CallOf<"Refund">) => Effect.Effect<RefundAnswer, GatewayError>
  /** What became of `call`, without making it. */
  readonly lookup: (call: Call) => Effect.Effect<Found, GatewayError>
}

/** Every gateway of this service, by name. */
export class PaymentGateways extends Context.Service<PaymentGateways, ReadonlyMap<GatewayName, PaymentGateway>>()(
  "florin/adapters/PaymentGateways"
) {}
