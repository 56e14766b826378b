/**
 * Payments in JSON, as the API takes and gives them.
 *
 * Amounts are integers of the currency's minor unit, and at most what a JSON
 * number carries exactly; moments are ISO 8601 in UTC.
 */
import { DateTime, Schema } from "effect"
import { Currency } from "../../domain/Currency.ts"
import { DeclineCategory, MethodToken } from "../../domain/payment/Gateway.ts"
import * as Operation from "../../domain/payment/Operation.ts"
import { Event, Order } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import { Status } from "../../domain/payment/PaymentView.ts"
import { Text } from "../../domain/Text.ts"
import type { NewPayment } from "../../orchestration/Payments.ts"

export const Amount = Schema.Int.check(
  Schema.isBetween(
    { minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    { expected: `a positive integer of minor units, at most ${Number.MAX_SAFE_INTEGER}` }
  )
).annotate({ description: "Minor units of the currency: 1099 EUR is 10.99 euros" })

const optional = Schema.optionalKey

// --- Requests ---------------------------------------------------------------

export const CreatePayment = Schema.Struct({
  amount: Amount,
  currency: Currency,
  capture: optional(Schema.Literals(["automatic", "manual"])),
  paymentMethods: Order.fields.methods,
  customer: Order.fields.customer,
  reference: Order.fields.reference,
  returnUrl: Order.fields.returnUrl,
  metadata: Order.fields.metadata
}).annotate({ identifier: "CreatePayment" })

export const CapturePayment = Schema.Struct({
  /** All that is left when absent. */
  amount: optional(Amount),
  /** `false` keeps the rest of the hold open, where the gateway can. */
  final: optional(Schema.Boolean)
}).annotate({ identifier: "CapturePayment" })

export const CancelPayment = Schema.Struct({ reason: optional(Text(500)) }).annotate({ identifier: "CancelPayment" })

export const RefundPayment = Schema.Struct({
  /** All that is left when absent. */
  amount: optional(Amount),
  reason: optional(Text(500))
}).annotate({ identifier: "RefundPayment" })

export const CompleteAction = Schema.Struct({
  /** What the gateway gave the customer to bring back, where it gives anything. */
  result: optional(Text(4096))
}).annotate({ identifier: "CompleteAction" })

export const toNewPayment = (request: typeof CreatePayment.Type): NewPayment => {
  const { amount, capture = "automatic", currency, paymentMethods, ...rest } = request
  return { amount: { currency, minor: BigInt(amount) }, capture, methods: paymentMethods, ...rest }
}

/** The client's name for what differs between two requests, from the path in what florin compares. */
export const fieldOf = (path: string): string => {
  if (path === "amount.minor") return "amount"
  if (path === "amount.currency") return "currency"
  return path.replace(/^methods\b/, "paymentMethods").replace(/^body\./, "")
}

// --- Answers ----------------------------------------------------------------

export const Payment = Schema.Struct({
  id: Schema.String,
  status: Status,
  /** An operation outlived every way of asking and waits for an operator. */
  escalated: Schema.Boolean,
  amount: Schema.Int,
  currency: Currency,
  capture: Schema.Literals(["automatic", "manual"]),
  authorizedAmount: Schema.Int,
  capturedAmount: Schema.Int,
  refundedAmount: Schema.Int,
  disputedAmount: Schema.Int,
  gateway: optional(Schema.String),
  paymentMethod: optional(MethodToken),
  customer: optional(Schema.String),
  reference: optional(Schema.String),
  metadata: optional(Schema.Record(Schema.String, Schema.String)),
  nextAction: optional(
    Schema.Struct({ type: Schema.Literal("redirect"), url: Schema.String, expiresAt: optional(Schema.String) })
  ),
  failure: optional(Schema.Struct({ code: Schema.String, category: optional(DeclineCategory) })),
  refunds: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      amount: Schema.Int,
      status: Schema.Literals(["pending", "succeeded", "failed", "in_doubt"])
    })
  ),
  disputes: Schema.Array(
    Schema.Struct({ id: Schema.String, amount: Schema.Int, status: Schema.Literals(["open", "won", "lost"]) })
  ),
  /** What waits for an operator's decision. */
  escalations: optional(
    Schema.Array(
      Schema.Struct({
        /** What a decision names. */
        operation: Operation.OperationId,
        kind: Operation.Kind,
        gateway: Schema.String,
        reason: Operation.EscalationReason,
        since: Schema.String,
        amount: Schema.Int
      })
    )
  ),
  createdAt: Schema.String,
  updatedAt: Schema.String,
  /** Grows with every event: of two answers the one with the higher version is the later. */
  version: Schema.Int
}).annotate({ identifier: "Payment" })
export type Payment = typeof Payment.Type

/** A payment's events as they are stored. Amounts in them are text, for they may exceed a JSON number. */
export const Events = Schema.Struct({
  events: Schema.Array(Schema.Struct({ version: Schema.Int, event: Event }))
}).annotate({ identifier: "Events" })

const iso = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))

export const fromView = (view: PaymentView): Payment => {
  const { action, customer, escalations, failure, gateway, metadata, method, reference } = view
  return {
    id: view.id,
    status: view.status,
    escalated: view.escalated,
    amount: Number(view.amountMinor),
    currency: view.currency,
    capture: view.capture,
    authorizedAmount: Number(view.authorizedMinor),
    capturedAmount: Number(view.capturedMinor),
    refundedAmount: Number(view.refundedMinor),
    disputedAmount: Number(view.disputedMinor),
    ...(gateway !== undefined && { gateway }),
    ...(method !== undefined && { paymentMethod: method }),
    ...(customer !== undefined && { customer }),
    ...(reference !== undefined && { reference }),
    ...(metadata !== undefined && { metadata }),
    ...(action !== undefined && {
      nextAction: {
        type: action.type,
        url: action.url,
        ...(action.expiresAt !== undefined && { expiresAt: iso(action.expiresAt) })
      }
    }),
    ...(failure !== undefined && { failure }),
    refunds: view.refunds.map(({ amountMinor, id, status }) => ({ id, amount: Number(amountMinor), status })),
    disputes: view.disputes.map(({ amountMinor, id, status }) => ({ id, amount: Number(amountMinor), status })),
    ...(escalations !== undefined && {
      escalations: escalations.map(({ amountMinor, since, ...rest }) => ({
        ...rest,
        since: iso(since),
        amount: Number(amountMinor)
      }))
    }),
    createdAt: iso(view.createdAt),
    updatedAt: iso(view.updatedAt),
    version: view.version
  }
}
