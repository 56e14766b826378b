/** What becomes of a payment, by the stored payment method it is made with. `adyen_` before them is florin's. */

export type Outcome =
  | { readonly _tag: "Authorised" }
  | { readonly _tag: "Refused"; readonly code: string; readonly reason: string; readonly advice?: string }
  | { readonly _tag: "Error" | "Cancelled"; readonly code: string; readonly reason: string }
  /** Answered so, and told of by notification. */
  | { readonly _tag: "Pending" | "Received"; readonly success: boolean }
  /** A page at the bank; what the customer brings back ends so. */
  | { readonly _tag: "RedirectShopper"; readonly back: "Authorised" | "Refused" }
  /** Asks for Adyen's component in the page. */
  | { readonly _tag: "ChallengeShopper" | "IdentifyShopper" }

export interface Token {
  readonly outcome: Outcome
  /** What the scheme says to a capture or a refund. */
  readonly refuses?: { readonly capture?: string; readonly refund?: string }
}

const authorised: Outcome = { _tag: "Authorised" }
const refused = (code: string, reason: string, advice?: string): Token => ({
  outcome: { _tag: "Refused", code, reason, ...(advice !== undefined && { advice }) }
})

export const table: Readonly<Record<string, Token>> = {
  visa: { outcome: authorised },
  mc: { outcome: authorised },
  M5N7TQ4TG5PFWR50: { outcome: authorised },
  // Cards that a vault made known to another acquirer, too.
  pm_card_visa: { outcome: authorised },
  pm_card_visa_chargeDeclined: { outcome: authorised },
  refused: refused("2", "Refused"),
  poor: refused("12", "Not enough balance"),
  unavailable: refused("9", "Issuer Unavailable"),
  fraud: refused("20", "FRAUD"),
  unheard: refused("999", "Something New"),
  never_again: refused("2", "Refused", "03: Do not try again"),
  error: { outcome: { _tag: "Error", code: "4", reason: "Acquirer Error" } },
  cancelled: { outcome: { _tag: "Cancelled", code: "16", reason: "Shopper Cancelled" } },
  pending: { outcome: { _tag: "Pending", success: true } },
  pending_refused: { outcome: { _tag: "Pending", success: false } },
  received: { outcome: { _tag: "Received", success: true } },
  challenged: { outcome: { _tag: "RedirectShopper", back: "Authorised" } },
  challenged_fails: { outcome: { _tag: "RedirectShopper", back: "Refused" } },
  component: { outcome: { _tag: "ChallengeShopper" } },
  fingerprint: { outcome: { _tag: "IdentifyShopper" } },
  capture_refused: { outcome: authorised, refuses: { capture: "Insufficient balance on payment" } },
  refund_refused: { outcome: authorised, refuses: { refund: "Refund not possible for this payment" } }
}
