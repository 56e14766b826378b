/**
 * What an object of Stripe's says of an operation: the answers of the domain.
 *
 * | intent | its authorization |
 * | --- | --- |
 * | requires_capture | approved, until `capture_before` |
 * | succeeded | approved and captured |
 * | requires_action | to the page that it names |
 * | requires_payment_method, canceled | declined, by its last error or its last charge |
 * | processing, and what is not known | pending |
 *
 * An intent that has neither failed nor been cancelled may still be charged,
 * so it is never a decline.
 */
import { Result, Schema } from "effect"
import type { AuthorizationAnswer, CaptureAnswer, RefundAnswer, VoidAnswer } from "../../adapters/PaymentGateway.ts"
import { Instant } from "../../domain/Instant.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import { Action } from "../../domain/payment/Gateway.ts"
import type { StripeAmountError } from "./StripeAmount.ts"
import * as StripeAmount from "./StripeAmount.ts"
import * as StripeDecline from "./StripeDecline.ts"
import type { Intent, Refund } from "./StripeObject.ts"

// --- Authorizations ---------------------------------------------------------

export const ofAuthorization = (intent: Intent): AuthorizationAnswer => {
  const { id: reference, status } = intent
  switch (status) {
    case "requires_capture":
    case "succeeded": {
      const captured = status === "succeeded"
      const expiresAt = captured ? undefined : expiryOf(intent)
      return { _tag: "Approved", reference, captured, ...(expiresAt !== undefined && { expiresAt }) }
    }
    case "requires_action": {
      const action = actionOf(intent)
      // A customer cannot be sent there, so florin waits for what becomes of it.
      return action === undefined ? { _tag: "Pending", reference } : { _tag: "ActionRequired", reference, action }
    }
    case "requires_payment_method":
    case "canceled": {
      const declined = declinedOf(intent)
      if (declined !== undefined) return { _tag: "Declined", decline: StripeDecline.of(declined), reference }
      if (status === "requires_payment_method") return { _tag: "Pending", reference }
      return { _tag: "Declined", decline: { code: "canceled", category: "final" }, reference }
    }
    default:
      return { _tag: "Pending", reference }
  }
}

/** Until when the issuer keeps the hold. */
const expiryOf = ({ latest_charge }: Intent): Instant | undefined => {
  if (typeof latest_charge !== "object" || latest_charge === null) return undefined
  const seconds = latest_charge.payment_method_details?.card?.capture_before ?? undefined
  return seconds === undefined ? undefined : Instant.make(seconds * 1000)
}

const isAction = Schema.is(Action)

const actionOf = ({ next_action }: Intent): Action | undefined => {
  const action = { type: "redirect", url: next_action?.redirect_to_url?.url ?? "" }
  return isAction(action) ? action : undefined
}

/** Cancelling may clear the intent's error; the charge keeps its own. */
const declinedOf = ({ last_payment_error, latest_charge }: Intent): StripeDecline.Declined | undefined => {
  if (last_payment_error !== undefined && last_payment_error !== null) {
    const { advice_code, code, decline_code } = last_payment_error
    return {
      code: code ?? undefined,
      declineCode: decline_code ?? undefined,
      adviceCode: advice_code ?? undefined
    }
  }
  if (typeof latest_charge !== "object" || latest_charge?.status !== "failed") return undefined
  const { failure_code, outcome } = latest_charge
  return {
    code: failure_code ?? undefined,
    declineCode: outcome?.reason ?? undefined,
    adviceCode: outcome?.advice_code ?? undefined
  }
}

// --- Captures, voids and refunds --------------------------------------------

type Captured = Extract<Answer, { readonly _tag: "Captured" }>

/** What was taken, as Stripe says it. */
export const captured = (intent: Intent): Result.Result<Captured, StripeAmountError> =>
  Result.map(StripeAmount.fromStripe(intent.currency, intent.amount_received), (amount) => ({
    _tag: "Captured",
    amount,
    reference: intent.id
  }))

/** A capture that the intent's state forbids. Of money that is taken already, the void or a person has to tell. */
export const ofRefusedCapture = ({ status }: Intent, code: string): CaptureAnswer => ({
  _tag: "Refused",
  code,
  authorizationGone: status === "canceled"
})

/** A void that the intent's state forbids, or one that is looked up; `undefined` while the hold stands. */
export const ofVoid = (intent: Intent): Result.Result<VoidAnswer | undefined, StripeAmountError> => {
  if (intent.status === "canceled") return Result.succeed({ _tag: "Voided" })
  return intent.status === "succeeded" ? captured(intent) : Result.succeed(undefined)
}

export const ofRefund = ({ failure_reason, id: reference, status }: Refund): RefundAnswer => {
  switch (status) {
    case "succeeded":
      return { _tag: "Refunded", reference }
    case "failed":
    case "canceled":
      return { _tag: "Refused", code: codeOf(failure_reason ?? status), authorizationGone: false }
    case null:
    default:
      return { _tag: "Pending", reference }
  }
}

/** A code of Stripe's in the form that events may hold. */
export const codeOf = (code: string | undefined): string =>
  code !== undefined && /^[a-z0-9_]{1,64}$/.test(code) ? code : "refused"
