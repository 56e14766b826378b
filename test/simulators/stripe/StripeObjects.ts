/** The objects of an account as Stripe shows them. */
import type { JsonObject } from "./StripeReply.ts"
import type { Charge, Dispute, Intent, Method, Refund, StripeEvent, Tables } from "./StripeTables.ts"

/** What an account's events are rendered at, whatever version a request asked for. */
export const accountVersion = "2026-08-26.dahlia"

export const intent = (it: Intent): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "payment_intent",
  amount: it.amount,
  amount_capturable: it.amount_capturable,
  amount_received: it.amount_received,
  automatic_payment_methods: it.automatic_payment_methods,
  canceled_at: it.canceled_at,
  cancellation_reason: it.cancellation_reason,
  capture_method: it.capture_method,
  client_secret: `${it.id}_secret_test`,
  confirmation_method: "automatic",
  created: it.created,
  currency: it.currency,
  customer: it.customer,
  description: it.description,
  last_payment_error: it.last_payment_error,
  latest_charge: it.latest_charge,
  livemode: false,
  metadata: it.metadata,
  next_action: it.next_action,
  payment_method: it.payment_method,
  payment_method_types: ["card"],
  setup_future_usage: it.setup_future_usage,
  statement_descriptor: it.statement_descriptor,
  statement_descriptor_suffix: it.statement_descriptor_suffix,
  status: it.status
})

/** Issuers keep a hold of a sale made over the network for a week. */
const holdSeconds = 7 * 24 * 60 * 60

export const charge = (it: Charge): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "charge",
  amount: it.amount,
  amount_captured: it.amount_captured,
  amount_refunded: it.amount_refunded,
  captured: it.captured,
  created: it.created,
  currency: it.currency,
  customer: it.customer,
  disputed: it.disputed,
  failure_code: it.failure?.["code"] ?? null,
  livemode: false,
  metadata: it.metadata,
  outcome:
    it.failure === null
      ? { network_status: "approved_by_network", type: "authorized" }
      : {
          network_status: "declined_by_network",
          type: "issuer_declined",
          reason: it.failure["decline_code"] ?? null,
          ...(it.failure["advice_code"] !== undefined && { advice_code: it.failure["advice_code"] })
        },
  paid: it.failure === null,
  payment_intent: it.payment_intent,
  payment_method: it.payment_method,
  payment_method_details: {
    type: "card",
    card: { brand: "visa", ...(it.failure === null && !it.captured && { capture_before: it.created + holdSeconds }) }
  },
  refunded: it.amount_refunded === it.amount,
  status: it.failure === null ? "succeeded" : "failed"
})

export const refund = (it: Refund): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "refund",
  amount: it.amount,
  charge: it.charge,
  created: it.created,
  currency: it.currency,
  ...(it.failure_reason !== null && { failure_reason: it.failure_reason }),
  metadata: it.metadata,
  payment_intent: it.payment_intent,
  reason: it.reason,
  status: it.status
})

export const dispute = (it: Dispute): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "dispute",
  amount: it.amount,
  charge: it.charge,
  created: it.created,
  currency: it.currency,
  livemode: false,
  metadata: {},
  payment_intent: it.payment_intent,
  reason: it.reason,
  status: it.status
})

export const method = (it: Method): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "payment_method",
  card: { brand: "visa", exp_month: 12, exp_year: 2034, last4: "4242" },
  created: it.created,
  customer: it.customer,
  livemode: false,
  metadata: {},
  type: "card"
})

export const event = (it: StripeEvent): JsonObject & { readonly id: string } => ({
  id: it.id,
  object: "event",
  api_version: accountVersion,
  created: it.created,
  data: { object: it.object },
  livemode: false,
  pending_webhooks: 0,
  request: { ...it.request },
  type: it.type
})

/** Replaces the ids that `expand` names by their objects, as far as they are charges or intents. */
export const expanded = (tables: Tables, object: JsonObject, paths: ReadonlyArray<string>): JsonObject => {
  let result = object
  for (const path of paths) {
    const name = path.replace(/^data\./, "")
    const items = result["data"]
    if (Array.isArray(items)) {
      result = { ...result, data: items.map((item: JsonObject) => expandOne(tables, item, name)) }
    } else result = expandOne(tables, result, name)
  }
  return result
}

const expandOne = (tables: Tables, object: JsonObject, name: string): JsonObject => {
  const id = object[name]
  if (typeof id !== "string") return object
  const found = tables.charges.get(id)
  if (found !== undefined) return { ...object, [name]: charge(found) }
  const other = tables.intents.get(id)
  return other === undefined ? object : { ...object, [name]: intent(other) }
}
