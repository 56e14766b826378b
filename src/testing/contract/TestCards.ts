/**
 * The test cards of a gateway: which token is answered how.
 *
 * Every acquirer's sandbox has such a list in its manual. The contract suite
 * asks for what a card is for, so that it can be run against any of them.
 */
import type { DeclineCategory } from "../../domain/payment/Gateway.ts"

export interface TestCards {
  /** Approved at once; two at least, because a key must not serve for another card. */
  readonly approved: readonly [string, string, ...ReadonlyArray<string>]
  /** Declined at once, with the code and the category that the adapter must give it. */
  readonly declined: readonly [DeclinedCard, ...ReadonlyArray<DeclinedCard>]
  /** Cards with 3-D Secure; without them nothing of it is asked. */
  readonly challenged?: {
    /** The bank recognises its customer, and the card is approved. */
    readonly approved: string
    /** The bank does not recognise its customer. */
    readonly declined: string
    /** The customer never comes back from the bank, where a sandbox can play that. */
    readonly abandoned?: string
  }
}

export interface DeclinedCard {
  readonly token: string
  readonly code: string
  readonly category: DeclineCategory
}

/** The cards of florin's own sandbox (`src/infra/simulated/SandboxToken.ts`). */
export const sandbox: TestCards = {
  approved: ["tok_visa", "tok_mastercard", "tok_amex"],
  declined: [
    { token: "tok_declined_insufficient_funds", code: "51", category: "otherInstrument" },
    { token: "tok_declined_expired_card", code: "54", category: "otherInstrument" },
    { token: "tok_declined_issuer_unavailable", code: "91", category: "retryLater" },
    { token: "tok_declined_stolen", code: "43", category: "final" },
    { token: "tok_declined_unknown", code: "Z9", category: "final" },
    { token: "tok_nobody_ever_issued", code: "14", category: "final" },
    // A name that every JavaScript object has, and no card.
    { token: "__proto__", code: "14", category: "final" }
  ],
  challenged: { approved: "tok_3ds", declined: "tok_3ds_fails", abandoned: "tok_3ds_abandoned" }
}
