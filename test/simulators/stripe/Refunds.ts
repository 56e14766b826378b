/** Refunds of charges, whole or in parts; a card's is through at once, unless its test card says otherwise. */
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import * as Objects from "./StripeObjects.ts"
import type { JsonObject } from "./StripeReply.ts"
import { invalidRequest, missing, noSuch, wrongState } from "./StripeReply.ts"
import type { Charge, Refund, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"
import { amountOf, find } from "./PaymentIntents.ts"

export const create = (tables: Tables, params: Params): JsonObject => {
  const asked = amountOf(params, "amount")
  const charge = chargeOf(tables, params)
  const left = charge.amount_captured - charge.amount_refunded
  if (!charge.captured) {
    throw wrongState("This PaymentIntent has an uncaptured charge; cancel the PaymentIntent instead of refunding it.")
  }
  if (left === 0) {
    throw wrongState(`Charge ${charge.id} has already been refunded.`, { code: "charge_already_refunded" })
  }
  const amount = asked ?? left
  if (amount > left) {
    throw wrongState(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: "amount"
    })
  }
  const { test } = tables.methods.get(charge.payment_method)!
  const refund: Refund = {
    id: tables.id("re"),
    created: tables.seconds(),
    amount,
    currency: charge.currency,
    charge: charge.id,
    payment_intent: charge.payment_intent,
    reason: Form.text(params, "reason") ?? null,
    metadata: Form.texts(params, "metadata"),
    status: test.refund === "pending" ? "pending" : "succeeded",
    failure_reason: null
  }
  charge.amount_refunded += amount
  tables.refunds.set(refund.id, refund)
  emit(tables, "refund.created", Objects.refund(refund))
  emit(tables, "charge.refunded", Objects.charge(charge))
  const answer = Objects.refund(refund)
  // It was through, and then the customer's bank sent it back.
  if (test.refund === "fails") end(tables, refund.id, "failed")
  return answer
}

/** The end of a refund that Stripe heard of later. */
export const end = (tables: Tables, id: string, status: "succeeded" | "failed"): void => {
  const refund = tables.refunds.get(id)!
  refund.status = status
  if (status === "failed") {
    refund.failure_reason = "expired_or_canceled_card"
    tables.charges.get(refund.charge)!.amount_refunded -= refund.amount
    emit(tables, "refund.failed", Objects.refund(refund))
  }
  emit(tables, "refund.updated", Objects.refund(refund))
  emit(tables, "charge.refund.updated", Objects.refund(refund))
}

const chargeOf = (tables: Tables, params: Params): Charge => {
  const id = Form.text(params, "charge")
  if (id !== undefined) {
    const charge = tables.charges.get(id)
    if (charge === undefined) throw noSuch("charge", id, "charge")
    return charge
  }
  const intent = Form.text(params, "payment_intent")
  if (intent === undefined) throw missing("payment_intent")
  if (!tables.intents.has(intent)) throw noSuch("payment_intent", intent, "payment_intent")
  const charge = tables.charges.get(find(tables, intent).latest_charge ?? "")
  if (charge === undefined || charge.failure !== null) {
    throw invalidRequest(`This PaymentIntent (${intent}) does not have a successful charge to refund.`)
  }
  return charge
}
