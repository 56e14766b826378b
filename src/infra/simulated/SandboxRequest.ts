/**
 * What can be asked of the sandbox, and what it can answer to each.
 *
 * `key` is the operation's id. It is the idempotency key, and it is in the
 * metadata of what the operation makes, so that it can be looked up after the
 * key has been forgotten (R3). Amounts are minor units.
 */
import { Schema } from "effect"
import type { Fingerprint } from "../../domain/Idempotency.ts"
import * as Idempotency from "../../domain/Idempotency.ts"
import type { Money } from "../../domain/Money.ts"
import type { MethodToken, Reference } from "../../domain/payment/Gateway.ts"
import { Answer } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import type { MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"

export interface Authorize {
  readonly kind: "authorize"
  readonly key: OperationId
  readonly payment: PaymentId
  readonly merchant: MerchantId
  readonly amount: Money
  readonly method: MethodToken
  /** Ask for 3-D Secure, whatever the card. */
  readonly challenge: boolean
  readonly capture: "automatic" | "manual"
  readonly returnUrl: string | undefined
}

export interface Confirm {
  readonly kind: "confirm"
  readonly key: OperationId
  readonly reference: Reference
  readonly result: string | undefined
}

export interface Capture {
  readonly kind: "capture"
  readonly key: OperationId
  readonly reference: Reference
  readonly amount: Money
  readonly final: boolean
}

export interface Void {
  readonly kind: "void"
  readonly key: OperationId
  readonly reference: Reference
}

export interface Refund {
  readonly kind: "refund"
  readonly key: OperationId
  readonly reference: Reference
  readonly amount: Money
}

export type SandboxRequest = Authorize | Confirm | Capture | Void | Refund

/** The request that a call of florin's is. */
export const ofCall = (call: Call): SandboxRequest => {
  const key = call.operation
  switch (call._tag) {
    case "Authorize": {
      const { amount, capture, merchant, payment, returnUrl } = call.order
      const { challenge, method } = call
      return { kind: "authorize", key, payment, merchant, amount, method, challenge, capture, returnUrl }
    }
    case "Confirm":
      return { kind: "confirm", key, reference: call.reference, result: call.result }
    case "Capture":
      return { kind: "capture", key, reference: call.reference, amount: call.amount, final: call.final }
    case "Void":
      return { kind: "void", key, reference: call.reference }
    case "Refund":
      return { kind: "refund", key, reference: call.reference, amount: call.amount }
  }
}

/** What makes two requests under one key the same: everything but the key. */
export const fingerprint = (request: SandboxRequest): Fingerprint =>
  Idempotency.fingerprint(
    Object.fromEntries(
      Object.entries(request).flatMap(([name, value]) => {
        if (name === "key" || value === undefined) return []
        return [[name, typeof value === "object" ? { ...value, minor: String(value.minor) } : value]]
      })
    )
  )

// --- Answers ----------------------------------------------------------------

const { ActionRequired, Approved, Captured, Declined, Pending, Refunded, Refused, Voided } = Answer.cases

export const AuthorizationAnswer = Schema.Union([Approved, Declined, ActionRequired, Pending])
export const CaptureAnswer = Schema.Union([Captured, Refused, Pending])
export const VoidAnswer = Schema.Union([Voided, Captured, Refused, Pending])
export const RefundAnswer = Schema.Union([Refunded, Refused, Pending])

export const isAuthorizationAnswer = Schema.is(AuthorizationAnswer)
export const isCaptureAnswer = Schema.is(CaptureAnswer)
export const isVoidAnswer = Schema.is(VoidAnswer)
export const isRefundAnswer = Schema.is(RefundAnswer)
