/**
 * Payments for contract suites, and for tests of what is built on a store.
 *
 * A sample is a payment of 10.99 EUR that is taken in five events, a
 * millisecond apart. Each call makes another id, so that tests which share a
 * store do not meet; ids ascend in the order in which they were made, within
 * one process.
 */
import { Fingerprint, IdempotencyKey } from "../../domain/Idempotency.ts"
import { Instant, plus } from "../../domain/Instant.ts"
import { GatewayName, MethodToken, Reference } from "../../domain/payment/Gateway.ts"
import { idOf, RunId } from "../../domain/payment/Operation.ts"
import type { Event, Order } from "../../domain/payment/PaymentEvent.ts"
import { MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as PaymentDraft from "../../domain/payment/PaymentDraft.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { Append, Creation } from "../../adapters/PaymentRepository.ts"

/** When every sample begins. */
export const at = Instant.make(1_700_000_000_000)
export const later = (millis: number) => plus(at, millis)
export const run = (name: string) => RunId.make(`run_${name}`)
export const shop = MerchantId.make("shop")

let count = 0
/** Letters and digits that no other call in this process returns, in ascending order. */
export const unique = (prefix: string) => `${prefix}${String(++count).padStart(6, "0")}`
export const paymentId = () => PaymentId.make(unique("pay_c"))
export const key = () => IdempotencyKey.make(unique("key-"))

/** A history of a payment that was taken, of which any beginning is a history too. */
export const historyOf = (payment: PaymentId, changes: Partial<Order> = {}): ReadonlyArray<Event> => {
  const gateway = GatewayName.make("bank")
  const evidence = { _tag: "GatewayAnswer", gateway } as const
  const amount = { currency: "EUR", minor: 10_99n } as const
  const authorization = idOf(payment, "authorize", 1)
  const capture = idOf(payment, "capture", 1)
  const by = run("writer")
  return [
    {
      _tag: "Initiated",
      order: {
        payment,
        merchant: shop,
        amount,
        capture: "automatic",
        methods: [MethodToken.make("tok_visa")],
        ...changes
      },
      screening: false,
      at
    },
    {
      _tag: "AuthorizationBegun",
      operation: authorization,
      by,
      gateway,
      method: 0,
      capabilities: {
        idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: false },
        lookup: "authoritative",
        autoCapture: false,
        partialCapture: true,
        multipleCaptures: true,
        partialRefund: true
      },
      routing: { reasons: [], passedOver: [] },
      at: later(1)
    },
    { _tag: "Authorized", operation: authorization, reference: Reference.make("ch_1"), evidence, at: later(2) },
    { _tag: "CaptureBegun", operation: capture, by, amount, final: true, at: later(3) },
    { _tag: "Captured", operation: capture, amount, evidence, at: later(4) }
  ]
}

/** The view after all of `history`. */
export const viewOf = (history: ReadonlyArray<Event>): PaymentView => PaymentDraft.view(PaymentDraft.of(history))!

/** What creates the payment with the first event of its history, due at once, claimed for a second. */
export const creation = (payment: PaymentId, changes: Partial<Creation> & { readonly order?: Partial<Order> } = {}) => {
  const { order, ...rest } = changes
  const events = historyOf(payment, order).slice(0, 1)
  return {
    key: key(),
    fingerprint: Fingerprint.make("{}"),
    payment,
    merchant: shop,
    events,
    view: viewOf(events),
    due: at,
    lease: { owner: run("creator"), until: later(1000) },
    ...rest
  } satisfies Creation
}

/** Appends the `count` events that follow the first `expected` of the payment's history. */
export const append = (payment: PaymentId, expected: number, count: number, changes: Partial<Append> = {}): Append => {
  const history = historyOf(payment)
  return {
    payment,
    expected,
    events: history.slice(expected, expected + count),
    view: viewOf(history.slice(0, expected + count)),
    due: undefined,
    claim: undefined,
    answer: undefined,
    ...changes
  }
}
