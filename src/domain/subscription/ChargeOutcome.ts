/** What a payment's standing says of the charge that it was made for. */
import { Schema } from "effect"
import type { DeclineCategory } from "../payment/Gateway.ts"
import { PaymentId } from "../payment/PaymentEvent.ts"
import type { PaymentView } from "../payment/PaymentView.ts"
import { ChargeFailure } from "./SubscriptionEvent.ts"

/** `Pending`: nobody knows yet, so no other charge may begin (R5). */
export const ChargeOutcome = Schema.TaggedUnion({
  Paid: { payment: PaymentId },
  Failed: { payment: PaymentId, failure: ChargeFailure },
  Pending: {}
})
export type ChargeOutcome = typeof ChargeOutcome.Type

export const pending: ChargeOutcome = { _tag: "Pending" }

export const of = ({ failure, id: payment, status }: PaymentView): ChargeOutcome => {
  switch (status) {
    case "succeeded":
      return { _tag: "Paid", payment }
    case "failed": {
      const code = failure?.code ?? "unknown"
      return { _tag: "Failed", payment, failure: { code, category: failure?.category ?? categoryOf(code) } }
    }
    // Nobody came back from the bank's page, or somebody called it off: this card will not do by itself.
    case "cancelled":
      return { _tag: "Failed", payment, failure: { code: "payment_cancelled", category: "otherInstrument" } }
    case "initiated":
    case "authenticated":
    case "requires_action":
    case "processing":
    case "authorized":
    case "in_doubt":
      return pending
  }
}

/** Of florin's own codes: what could not be sent may be sent later, anything else is final. */
const categoryOf = (code: string): DeclineCategory =>
  code === "gateway_unreachable" || code === "no_gateway_for_payment" ? "retryLater" : "final"
