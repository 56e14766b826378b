/**
 * What a decline of Stripe's leaves open.
 *
 * The issuer's advice comes first, where there is one; then the decline code;
 * then, where a decline has none, the error's code. What none of them knows is
 * final. Source: docs.stripe.com/declines/codes, read in 2026.
 *
 * `final` are codes that tell of fraud, of a card that was taken from its
 * owner, of an owner who forbade the charge, or of a payment that was made
 * already: another card would be asked for the same wrong thing. Every other
 * code that forbids this card leaves the next one open.
 */
import type { Decline, DeclineCategory } from "../../domain/payment/Gateway.ts"

export interface Declined {
  readonly code: string | undefined
  readonly declineCode: string | undefined
  readonly adviceCode: string | undefined
}

const byAdvice: Readonly<Record<string, DeclineCategory>> = {
  try_again_later: "retryLater",
  confirm_card_data: "otherInstrument",
  do_not_try_again: "final"
}

const codes: Readonly<Record<DeclineCategory, ReadonlyArray<string>>> = {
  /** The issuer could not decide, or would have decided otherwise with another message. */
  retryLater: ["approve_with_id", "issuer_not_available", "processing_error", "reenter_transaction", "try_again_later"],
  otherInstrument: [
    // The customer has to prove who they are, and is not there, or could not.
    "authentication_not_handled",
    "authentication_required",
    "mobile_device_authentication_required",
    // The money or the limit is used up: not by another gateway either, and maybe tomorrow.
    "card_velocity_exceeded",
    "insufficient_funds",
    "withdrawal_count_limit_exceeded",
    // What was typed is wrong, or no longer right.
    "expired_card",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_pin",
    "incorrect_zip",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "invalid_pin",
    "new_account_information_available",
    "offline_pin_required",
    "online_or_offline_pin_required",
    "pin_try_exceeded",
    // This card cannot be used for this, for reasons that are the issuer's own.
    "call_issuer",
    "card_not_supported",
    "currency_not_supported",
    "do_not_honor",
    "generic_decline",
    "invalid_account",
    "invalid_amount",
    "no_action_taken",
    "not_permitted",
    "restricted_card",
    "service_not_allowed",
    "transaction_not_allowed"
  ],
  final: [
    "do_not_try_again",
    "duplicate_transaction",
    "fraudulent",
    "lost_card",
    "merchant_blacklist",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "stolen_card",
    "stop_payment_order",
    "testmode_decline"
  ]
}

const byCode = new Map<string, DeclineCategory>(
  (["retryLater", "otherInstrument", "final"] as const).flatMap((category) =>
    codes[category].map((code) => [code, category] as const)
  )
)

export const categoryOf = ({ adviceCode, code, declineCode }: Declined): DeclineCategory => {
  const advised = adviceCode !== undefined && Object.hasOwn(byAdvice, adviceCode) ? byAdvice[adviceCode] : undefined
  return advised ?? byCode.get(declineCode ?? code ?? "") ?? "final"
}

/** The decline as it is recorded. Codes come from outside, so one that does not look like a code is not repeated. */
export const of = (declined: Declined): Decline => {
  const { adviceCode } = declined
  const named = declined.declineCode ?? declined.code ?? ""
  const code = isCode.test(named) ? named : "unknown"
  const advice = adviceCode !== undefined && isCode.test(adviceCode) ? { advice: adviceCode } : {}
  return { code, category: categoryOf(declined), ...advice }
}

const isCode = /^[a-z0-9_]{1,64}$/
