/**
 * Stripe's test payment methods and what the issuers behind them do.
 *
 * The declines are those of `stripe-observed-behaviour.json`, row by row; the
 * others are from Stripe's page on testing.
 */

export interface DeclineOutcome {
  readonly code: string
  readonly decline_code: string
  readonly param?: string
  readonly advice_code?: string
}

export interface TestMethod {
  readonly decline?: DeclineOutcome
  /** Asks for 3-D Secure: always, or unless the customer is away and the card was set up for that. */
  readonly challenge?: "always" | "unlessOffSession"
  /** What becomes of a refund. */
  readonly refund?: "pending" | "fails"
  /** The charge is disputed as soon as it is made. */
  readonly disputed?: string
}

const declined = (decline_code: string, advice_code?: string, code = "card_declined", param?: string): TestMethod => ({
  decline: { code, decline_code, ...(advice_code && { advice_code }), ...(param && { param }) }
})

const later = "try_again_later"
const never = "do_not_try_again"
const correct = "confirm_card_data"

export const testMethods: ReadonlyMap<string, TestMethod> = new Map<string, TestMethod>([
  ["pm_card_visa", {}],
  ["pm_card_visa_debit", {}],
  ["pm_card_mastercard", {}],
  ["pm_card_amex", {}],
  ["pm_card_discover", {}],
  ["pm_card_visa_chargeDeclined", declined("generic_decline", later)],
  ["pm_card_visa_chargeDeclinedInsufficientFunds", declined("insufficient_funds", later)],
  ["pm_card_visa_chargeDeclinedLostCard", declined("lost_card", never)],
  ["pm_card_visa_chargeDeclinedStolenCard", declined("stolen_card", never)],
  ["pm_card_chargeDeclinedExpiredCard", declined("expired_card", correct, "expired_card", "exp_month")],
  ["pm_card_chargeDeclinedIncorrectCvc", declined("incorrect_cvc", correct, "incorrect_cvc", "cvc")],
  ["pm_card_chargeDeclinedProcessingError", declined("processing_error", later, "processing_error")],
  ["pm_card_chargeDeclinedFraudulent", declined("fraudulent")],
  ["pm_card_authenticationRequired", { challenge: "always" }],
  ["pm_card_authenticationRequiredSetupForOffSession", { challenge: "unlessOffSession" }],
  ["pm_card_threeDSecure2Required", { challenge: "always" }],
  ["pm_card_threeDSecureRequiredChargeDeclined", { challenge: "always", ...declined("generic_decline", later) }],
  ["pm_card_pendingRefund", { refund: "pending" }],
  ["pm_card_refundFail", { refund: "fails" }],
  ["pm_card_createDispute", { disputed: "fraudulent" }],
  ["pm_card_createDisputeProductNotReceived", { disputed: "product_not_received" }]
])
