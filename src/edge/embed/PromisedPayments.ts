/**
 * Payments by promises, over the HTTP API as a function: what goes in is
 * checked there and nowhere else, and what it answers comes back as a value or
 * as the problem's class.
 */
import type { Schema } from "effect"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import * as DecisionJson from "../http/DecisionJson.ts"
import * as PaymentJson from "../http/PaymentJson.ts"
import * as PaymentList from "../http/PaymentList.ts"
import type { Handle } from "./Asked.ts"
import { asked, queryOf } from "./Asked.ts"

/** Minor units: 1099 EUR is 10.99 euros. */
export type Payment = PaymentJson.Payment
export type PaymentEvent = (typeof PaymentJson.Events.Type)["events"][number]

/** Repeats with the same key get the first answer, and nobody is charged twice. */
interface Keyed {
  readonly idempotencyKey: IdempotencyKey | (string & {})
}

export type CreatePayment = typeof PaymentJson.CreatePayment.Encoded & Keyed
export type CapturePayment = typeof PaymentJson.CapturePayment.Encoded & Partial<Keyed>
export type CancelPayment = typeof PaymentJson.CancelPayment.Encoded & Partial<Keyed>
export type RefundPayment = typeof PaymentJson.RefundPayment.Encoded & Partial<Keyed>
export type Decision = typeof DecisionJson.Decision.Encoded & Partial<Keyed>
export type CompleteAction = typeof PaymentJson.CompleteAction.Encoded & Partial<Keyed>

/** Moments are ISO 8601, with an offset or `Z`. */
export interface ListQuery {
  readonly status?: Payment["status"]
  readonly customer?: string
  readonly createdFrom?: string
  readonly createdBefore?: string
  /** 1 to 100; 25 when it is not said. */
  readonly limit?: number
  readonly cursor?: string
}

/**
 * Each rejects with one of the problems: `InvalidRequest`, `CardNumberRefused`,
 * `PaymentNotFound`, `OperationRefused`, `RequestInFlight`, `KeyReused`,
 * `PaymentStopped`, `Unavailable`, `InternalError`. A decline is no rejection:
 * it is the payment's `failure`.
 */
export interface PromisedPayments {
  /** Comes back when the payment rests, or with what is known when that takes longer than `answerMillis`. */
  readonly create: (payment: CreatePayment) => Promise<Payment>
  readonly get: (id: string) => Promise<Payment>
  /** A page, the newest first; `nextCursor` is the next one's `cursor`. */
  readonly list: (query?: ListQuery) => Promise<typeof PaymentList.Payments.Type>
  /** All that happened to it, the first of version 1. */
  readonly events: (id: string) => Promise<ReadonlyArray<PaymentEvent>>
  /** All that is authorized, or `amount`. */
  readonly capture: (id: string, capture?: CapturePayment) => Promise<Payment>
  /** Cancels, or gives back the hold. */
  readonly cancel: (id: string, cancel?: CancelPayment) => Promise<Payment>
  /** All that was captured, or `amount`. */
  readonly refund: (id: string, refund?: RefundPayment) => Promise<Payment>
  /** The customer is back from the redirect. */
  readonly completeAction: (id: string, result?: CompleteAction) => Promise<Payment>
  /** What an operator found at the gateway about one of the payment's `escalations`. */
  readonly decide: (id: string, decision: Decision) => Promise<Payment>
}

export {
  CardNumberRefused,
  InternalError,
  InvalidRequest,
  KeyReused,
  OperationRefused,
  PaymentNotFound,
  PaymentStopped,
  RequestInFlight,
  Unavailable
} from "../http/Problem.ts"

export const make = (handle: Handle): PromisedPayments => {
  const ask = <A>(answer: Schema.Codec<A, unknown>, path: string, body?: Partial<Keyed>): Promise<A> =>
    asked(handle, answer, `/v1/payments${path}`, body)
  return {
    create: (payment) => ask(PaymentJson.Payment, "", payment),
    get: (id) => ask(PaymentJson.Payment, at(id)),
    events: async (id) => (await ask(PaymentJson.Events, `${at(id)}/events`)).events,
    capture: (id, capture = {}) => ask(PaymentJson.Payment, `${at(id)}/capture`, capture),
    cancel: (id, cancel = {}) => ask(PaymentJson.Payment, `${at(id)}/cancel`, cancel),
    refund: (id, refund = {}) => ask(PaymentJson.Payment, `${at(id)}/refunds`, refund),
    list: (query = {}) => {
      return ask(PaymentList.Payments, queryOf(query))
    },
    decide: (id, decision) => ask(PaymentJson.Payment, `${at(id)}/decision`, decision),
    completeAction: (id, result = {}) => ask(PaymentJson.Payment, `${at(id)}/actions/complete`, result)
  }
}

const at = (id: string) => `/${encodeURIComponent(id)}`
