/**
 * Payments by promises, over the HTTP API as a function: what goes in is
 * checked there and nowhere else, and what it answers comes back as a value or
 * as the problem's class.
 */
import { Schema } from "effect"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import * as PaymentJson from "../http/PaymentJson.ts"
import * as Problem from "../http/Problem.ts"

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
export type CompleteAction = typeof PaymentJson.CompleteAction.Encoded & Partial<Keyed>

/**
 * Each rejects with one of the problems: `InvalidRequest`, `CardNumberRefused`,
 * `PaymentNotFound`, `OperationRefused`, `RequestInFlight`, `KeyReused`,
 * `PaymentStopped`, `Unavailable`, `InternalError`. A decline is no rejection:
 * it is the payment's `failure`.
 */
export interface PaymentsClient {
  /** Comes back when the payment rests, or with what is known when that takes longer than `answerMillis`. */
  readonly create: (payment: CreatePayment) => Promise<Payment>
  readonly get: (id: string) => Promise<Payment>
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

/** A host is needed to write a URL; nobody is asked at this one. */
const origin = "http://florin.invalid"

export const make = (handle: (request: Request) => Promise<Response>): PaymentsClient => {
  const ask = async <A>(answer: Schema.Codec<A, unknown>, path: string, body?: Partial<Keyed>): Promise<A> => {
    const { idempotencyKey, ...payload } = body ?? {}
    const response = await handle(
      new Request(`${origin}/v1/payments${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          "content-type": "application/json",
          ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey })
        },
        body: body === undefined ? null : JSON.stringify(payload)
      })
    )
    const said: unknown = await response.json()
    if (!response.ok) throw Problem.fromJson(said)
    return Schema.decodeUnknownSync(Schema.toCodecJson(answer))(said)
  }
  return {
    create: (payment) => ask(PaymentJson.Payment, "", payment),
    get: (id) => ask(PaymentJson.Payment, at(id)),
    events: async (id) => (await ask(PaymentJson.Events, `${at(id)}/events`)).events,
    capture: (id, capture = {}) => ask(PaymentJson.Payment, `${at(id)}/capture`, capture),
    cancel: (id, cancel = {}) => ask(PaymentJson.Payment, `${at(id)}/cancel`, cancel),
    refund: (id, refund = {}) => ask(PaymentJson.Payment, `${at(id)}/refunds`, refund),
    completeAction: (id, result = {}) => ask(PaymentJson.Payment, `${at(id)}/actions/complete`, result)
  }
}

const at = (id: string) => `/${encodeURIComponent(id)}`
