/** Stripe as a gateway: the contract that every gateway keeps, and what is Stripe's own. */
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import * as PaymentGatewayContract from "../../../src/testing/contract/PaymentGatewayContract.ts"
import { overHttp } from "./StripeFixture.ts"

const challenged = {
  approved: "pm_card_authenticationRequired",
  declined: "pm_card_threeDSecure2Required",
  abandoned: "pm_card_authenticationRequiredSetupForOffSession"
}

PaymentGatewayContract.suite("stripe", overHttp(challenged), StripeGateway.capabilities, {
  approved: ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"],
  declined: [
    { token: "pm_card_visa_chargeDeclined", code: "generic_decline", category: "retryLater" },
    { token: "pm_card_visa_chargeDeclinedInsufficientFunds", code: "insufficient_funds", category: "retryLater" },
    { token: "pm_card_visa_chargeDeclinedLostCard", code: "lost_card", category: "final" },
    { token: "pm_card_visa_chargeDeclinedStolenCard", code: "stolen_card", category: "final" },
    { token: "pm_card_chargeDeclinedExpiredCard", code: "expired_card", category: "otherInstrument" },
    { token: "pm_card_chargeDeclinedIncorrectCvc", code: "incorrect_cvc", category: "otherInstrument" },
    { token: "pm_card_chargeDeclinedProcessingError", code: "processing_error", category: "retryLater" },
    { token: "pm_card_chargeDeclinedFraudulent", code: "fraudulent", category: "final" },
    { token: "pm_nobody_ever_issued", code: "resource_missing", category: "otherInstrument" }
  ],
  challenged
})
