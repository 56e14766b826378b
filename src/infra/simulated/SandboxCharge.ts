/**
 * A charge in the sandbox's books, and what each request makes of it.
 *
 *     (new)           -> requires_action | pending | authorized | declined
 *     requires_action -> pending | authorized | declined | voided
 *     pending         -> authorized, by a lookup
 *     authorized      -> captured | voided | expired
 *
 * Where one call authorizes and captures, `captured` takes the place of
 * `authorized`.
 * A hold that may be captured more than once is `authorized` until its last
 * capture. Amounts are minor units of the charge's currency, and always
 * 0 <= refunded <= captured <= amount: whatever would break that is refused.
 */
import { Schema } from "effect"
import { Currency } from "../../domain/Currency.ts"
import { Minor } from "../../domain/Money.ts"
import type { Answer, Capabilities, Decline } from "../../domain/payment/Gateway.ts"
import { MethodToken, Reference } from "../../domain/payment/Gateway.ts"
import { OperationId } from "../../domain/payment/Operation.ts"
import { MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { Token } from "../../domain/Text.ts"
import type * as Request from "./SandboxRequest.ts"
import * as SandboxToken from "./SandboxToken.ts"

export const Status = Schema.Literals([
  "requires_action",
  "pending",
  "authorized",
  "captured",
  "voided",
  "declined",
  "expired"
])

export const Charge = Schema.Struct({
  reference: Reference,
  /** The operation that made it, and whose payment it is. */
  operation: OperationId,
  payment: PaymentId,
  merchant: MerchantId,
  method: MethodToken,
  currency: Currency,
  amountMinor: Minor,
  capture: Schema.Literals(["automatic", "manual"]),
  status: Status,
  capturedMinor: Minor,
  refundedMinor: Minor,
  returnUrl: Schema.optionalKey(Token(2048))
})
export type Charge = typeof Charge.Type

/** The charge as it is then, and what the caller is told. */
export type Acted = readonly [Charge, Answer]

// --- The hold ---------------------------------------------------------------

export const authorize = (request: Request.Authorize, reference: Reference, rules: Capabilities): Acted => {
  const { amount, capture, challenge, key, merchant, method, payment, returnUrl } = request
  const charge: Charge = {
    reference,
    operation: key,
    payment,
    merchant,
    method,
    currency: amount.currency,
    amountMinor: amount.minor,
    capture,
    status: "requires_action",
    capturedMinor: 0n,
    refundedMinor: 0n,
    ...(returnUrl === undefined ? {} : { returnUrl })
  }
  if (amount.minor <= 0n) return declined(charge, invalidAmount)
  const isChallenged = SandboxToken.isKnown(method) && (challenge || SandboxToken.of(method).challenge !== undefined)
  return isChallenged ? [charge, standing(charge)] : decide(charge, rules)
}

/** The customer came back from the bank, or so their browser says. */
export const confirm = (charge: Charge, rules: Capabilities): Acted =>
  charge.status === "requires_action" && SandboxToken.of(charge.method).challenge !== "abandoned"
    ? decide(charge, rules)
    : [charge, standing(charge)]

const decide = (charge: Charge, rules: Capabilities): Acted => {
  const { outcome } = SandboxToken.of(charge.method)
  switch (outcome._tag) {
    case "Approve":
      return hold(charge, rules)
    case "Decline":
      return declined(charge, outcome.decline)
    case "Pend": {
      const pending: Charge = { ...charge, status: "pending" }
      return [pending, standing(pending)]
    }
  }
}

export const hold = (charge: Charge, rules: Capabilities): Acted => {
  const held: Charge =
    rules.autoCapture && charge.capture === "automatic"
      ? { ...charge, status: "captured", capturedMinor: charge.amountMinor }
      : { ...charge, status: "authorized" }
  return [held, standing(held)]
}

const declined = (charge: Charge, decline: Decline): Acted => [
  { ...charge, status: "declined" },
  { _tag: "Declined", decline, reference: charge.reference }
]

/** 13 is "invalid amount" in ISO 8583. */
const invalidAmount: Decline = { code: "13", category: "final" }

/** How a charge answers for its authorization as it is now. */
export const standing = (charge: Charge): Answer => {
  const { method, reference, status } = charge
  switch (status) {
    case "requires_action":
      return { _tag: "ActionRequired", reference, action: { type: "redirect", url: pagePath(charge) } }
    case "pending":
      return { _tag: "Pending", reference }
    case "authorized":
    case "captured":
      return { _tag: "Approved", reference, captured: status === "captured" }
    case "declined": {
      const { outcome } = SandboxToken.of(method)
      return { _tag: "Declined", decline: outcome._tag === "Decline" ? outcome.decline : invalidAmount, reference }
    }
    case "voided":
    case "expired":
      return { _tag: "Declined", decline: { code: status, category: "final" }, reference }
  }
}

// --- The money --------------------------------------------------------------

export const capture = (
  charge: Charge,
  { amount, final }: Request.Capture,
  reference: Reference,
  rules: Capabilities
): Acted => {
  const { holdExpires, refuses } = SandboxToken.of(charge.method)
  const left = charge.amountMinor - charge.capturedMinor
  if (charge.status !== "authorized") return refused(charge, `charge_${charge.status}`)
  if (holdExpires === true) return refused({ ...charge, status: "expired" }, "charge_expired")
  if (refuses?.capture !== undefined) return refused(charge, refuses.capture)
  if (amount.currency !== charge.currency) return refused(charge, "currency_mismatch")
  if (amount.minor <= 0n) return refused(charge, "amount_too_small")
  if (amount.minor > left) return refused(charge, "amount_too_large")
  if (amount.minor < left && !rules.partialCapture) return refused(charge, "partial_capture_unsupported")
  const closes = final || amount.minor === left || !rules.multipleCaptures
  const capturedMinor = charge.capturedMinor + amount.minor
  return [
    { ...charge, capturedMinor, status: closes ? "captured" : "authorized" },
    { _tag: "Captured", amount, reference }
  ]
}

/** Gives back what is still held. What was captured before stays so, and the answer says it. */
export const release = (charge: Charge): Acted => {
  const { capturedMinor, currency, status } = charge
  if (capturedMinor > 0n) {
    const amount = { currency, minor: capturedMinor }
    return [
      { ...charge, status: "captured" },
      { _tag: "Captured", amount }
    ]
  }
  if (status === "pending" || status === "declined" || status === "expired") return refused(charge, `charge_${status}`)
  return [{ ...charge, status: "voided" }, { _tag: "Voided" }]
}

export const refund = (
  charge: Charge,
  { amount }: Request.Refund,
  reference: Reference,
  rules: Capabilities
): Acted => {
  const { refuses } = SandboxToken.of(charge.method)
  const left = charge.capturedMinor - charge.refundedMinor
  if (charge.capturedMinor === 0n) return refused(charge, `charge_${charge.status}`)
  if (refuses?.refund !== undefined) return refused(charge, refuses.refund)
  if (amount.currency !== charge.currency) return refused(charge, "currency_mismatch")
  if (amount.minor <= 0n) return refused(charge, "amount_too_small")
  if (amount.minor > left) return refused(charge, "amount_too_large")
  if (amount.minor < charge.capturedMinor && !rules.partialRefund) return refused(charge, "partial_refund_unsupported")
  const refundedMinor = charge.refundedMinor + amount.minor
  return [
    { ...charge, refundedMinor },
    { _tag: "Refunded", reference }
  ]
}

const refused = (charge: Charge, code: string): Acted => {
  const authorizationGone = charge.status === "voided" || charge.status === "declined" || charge.status === "expired"
  return [charge, { _tag: "Refused", code, authorizationGone }]
}

// --- The customer's page ----------------------------------------------------

/** What an `Action` can hold, less an origin. */
const maxPathLength = 2048 - 256

/** Where the customer goes, below whatever serves it. The way back is shown there; the books know it without. */
const pagePath = ({ reference, returnUrl }: Charge): string => {
  const path = `/3ds/${reference}`
  const withReturn = returnUrl === undefined ? path : `${path}?return=${encodeURIComponent(returnUrl)}`
  return withReturn.length <= maxPathLength ? withReturn : path
}

/** The answer with its customer's page at `origin`. */
export const at = (origin: string, answer: Answer): Answer =>
  answer._tag === "ActionRequired"
    ? { ...answer, action: { ...answer.action, url: `${origin}${answer.action.url}` } }
    : answer
