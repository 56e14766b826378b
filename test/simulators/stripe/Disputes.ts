/** Disputes: opened by a customer's bank, and closed for the merchant or against them. */
import * as Objects from "./StripeObjects.ts"
import type { Charge, Dispute, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"

export const open = (tables: Tables, charge: Charge, reason: string, amount = charge.amount_captured): Dispute => {
  const dispute: Dispute = {
    id: tables.id("dp"),
    created: tables.seconds(),
    amount,
    currency: charge.currency,
    charge: charge.id,
    payment_intent: charge.payment_intent,
    reason,
    status: "needs_response"
  }
  charge.disputed = true
  tables.disputes.set(dispute.id, dispute)
  emit(tables, "charge.dispute.created", Objects.dispute(dispute))
  return dispute
}

export const close = (tables: Tables, id: string, outcome: "won" | "lost"): void => {
  const dispute = tables.disputes.get(id)!
  dispute.status = outcome
  emit(tables, "charge.dispute.closed", Objects.dispute(dispute))
}
