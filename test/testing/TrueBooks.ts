/**
 * Books of seven payments of 10.00 EUR that are all as they should be, as
 * literals: what each payment recorded, and what its gateway booked.
 */
import { Instant } from "../../src/domain/Instant.ts"
import type { Capabilities } from "../../src/domain/payment/Gateway.ts"
import { GatewayName, MethodToken, Reference } from "../../src/domain/payment/Gateway.ts"
import { OperationId, RunId } from "../../src/domain/payment/Operation.ts"
import { DisputeId, Event, MerchantId, PaymentId, RequestId } from "../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../src/domain/payment/PaymentFold.ts"
import * as PaymentView from "../../src/domain/payment/PaymentView.ts"
import type { Charge } from "../../src/infra/simulated/SandboxCharge.ts"
import type { BookedCharge, Books } from "../../src/testing/Auditor.ts"

const { cases: event } = Event
export const at = Instant.make(1_700_000_000_000)
export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const
const run = RunId.make("run_1")
export const answer = { _tag: "GatewayAnswer", gateway: GatewayName.make("able") } as const
export const plainAnswer = { _tag: "GatewayAnswer", gateway: GatewayName.make("plain") } as const
export const lookup = { _tag: "Lookup", gateway: GatewayName.make("plain") } as const
export const webhook = { ...answer, _tag: "Webhook", notification: "evt_1" } as const

const promises: Capabilities = {
  idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: false },
  lookup: "authoritative",
  autoCapture: false,
  partialCapture: true,
  multipleCaptures: true,
  partialRefund: true
}

// --- Events: operations by the whole id that the gateway sees -------------------

const of = (operation: string) => ({ operation: OperationId.make(operation), at })
const answered = (operation: string) => ({ ...of(operation), evidence: answer })
const decline = { code: "51", category: "otherInstrument" } as const

export const initiated = (payment: string) =>
  event.Initiated.make({
    order: {
      payment: PaymentId.make(payment),
      merchant: MerchantId.make("shop"),
      amount: eur(10_00n),
      capture: "automatic",
      methods: [MethodToken.make("tok_a"), MethodToken.make("tok_b")]
    },
    screening: false,
    at
  })
export const begun = (operation: string, method = 0, gateway = "able") =>
  event.AuthorizationBegun.make({
    ...of(operation),
    by: run,
    gateway: GatewayName.make(gateway),
    method,
    capabilities: { ...promises, lookup: gateway === "able" ? "authoritative" : "eventual" },
    routing: { reasons: [], passedOver: [] }
  })
export const authorized = (operation: string, reference: string) =>
  event.Authorized.make({ ...answered(operation), reference: Reference.make(reference) })
export const declined = (operation: string) => event.AuthorizationDeclined.make({ ...answered(operation), decline })
export const away = (operation: string, reference: string) =>
  event.ActionRequired.make({
    ...answered(operation),
    reference: Reference.make(reference),
    action: { type: "redirect", url: "https://bank.example/3ds" }
  })
export const back = (operation: string) => event.ActionCompleted.make({ ...of(operation), by: run })
export const captureBegun = (operation: string) =>
  event.CaptureBegun.make({ ...of(operation), by: run, amount: eur(10_00n), final: true })
export const captured = (operation: string) => event.Captured.make({ ...answered(operation), amount: eur(10_00n) })
export const voidBegun = (operation: string) => event.VoidBegun.make({ ...of(operation), by: run, reason: "Requested" })
export const voided = (operation: string) => event.Voided.make(answered(operation))
export const refundBegun = (operation: string) =>
  event.RefundBegun.make({ ...of(operation), by: run, amount: eur(4_00n), request: RequestId.make("req_1") })
export const refunded = (operation: string) => event.Refunded.make(answered(operation))
export const disputed = (minor: bigint) =>
  event.DisputeOpened.make({ dispute: DisputeId.make("dp_1"), amount: eur(minor), evidence: webhook, at })
export const won = event.DisputeWon.make({ dispute: DisputeId.make("dp_1"), evidence: webhook, at })
export const lost = event.DisputeLost.make({ dispute: DisputeId.make("dp_1"), evidence: webhook, at })
export const doubted = (operation: string) =>
  event.OperationDoubted.make({ ...of(operation), asked: "send", reason: "Timeout" })
export const notSent = (operation: string) =>
  event.OperationNotSent.make({ ...of(operation), reason: "ConnectionRefused" })
export const notFound = (operation: string) =>
  event.OperationNotSent.make({ ...of(operation), reason: "NotFound", evidence: lookup })
export const resumed = (operation: string) => event.OperationResumed.make({ ...of(operation), by: run })
export const escalated = (operation: string) =>
  event.OperationEscalated.make({ ...of(operation), reason: "NoWayToAsk" })
export const cancelRequested = event.CancelRequested.make({ at })
export const cancelled = event.Cancelled.make({ at })
export const expired = event.Expired.make({ at })
export const failed = event.Failed.make({ reason: { _tag: "Declined", decline, evidence: answer }, at })
export const unroutable = event.Failed.make({ reason: { _tag: "NoRoute" }, at })

// --- Payments and charges -----------------------------------------------------

export type Name = "plain" | "refund" | "second" | "doubt" | "away" | "released" | "unsent"

export type Histories = Readonly<Record<Name, ReadonlyArray<Event>>>

export const histories: Histories = {
  plain: [
    initiated("pay_plain"),
    begun("pay_plain/auth/1"),
    authorized("pay_plain/auth/1", "ch_plain"),
    captureBegun("pay_plain/capture/1"),
    captured("pay_plain/capture/1")
  ],
  refund: [
    initiated("pay_refund"),
    begun("pay_refund/auth/1"),
    authorized("pay_refund/auth/1", "ch_refund"),
    captureBegun("pay_refund/capture/1"),
    captured("pay_refund/capture/1"),
    disputed(8_00n),
    won,
    refundBegun("pay_refund/refund/1"),
    refunded("pay_refund/refund/1")
  ],
  second: [
    initiated("pay_second"),
    begun("pay_second/auth/1"),
    declined("pay_second/auth/1"),
    begun("pay_second/auth/2", 1),
    authorized("pay_second/auth/2", "ch_second_2"),
    captureBegun("pay_second/capture/1"),
    captured("pay_second/capture/1")
  ],
  doubt: [
    initiated("pay_doubt"),
    begun("pay_doubt/auth/1"),
    declined("pay_doubt/auth/1"),
    begun("pay_doubt/auth/2", 1),
    doubted("pay_doubt/auth/2"),
    escalated("pay_doubt/auth/2")
  ],
  away: [
    initiated("pay_away"),
    begun("pay_away/auth/1"),
    away("pay_away/auth/1", "ch_away"),
    back("pay_away/auth/1/confirm/1"),
    doubted("pay_away/auth/1/confirm/1"),
    declined("pay_away/auth/1/confirm/1"),
    failed
  ],
  released: [
    initiated("pay_released"),
    begun("pay_released/auth/1"),
    cancelRequested,
    authorized("pay_released/auth/1", "ch_released"),
    voidBegun("pay_released/void/1"),
    voided("pay_released/void/1")
  ],
  unsent: [
    initiated("pay_unsent"),
    begun("pay_unsent/auth/1"),
    notSent("pay_unsent/auth/1"),
    begun("pay_unsent/auth/2", 0, "plain"),
    { ...declined("pay_unsent/auth/2"), evidence: plainAnswer },
    { ...failed, reason: { _tag: "Declined", decline, evidence: plainAnswer } }
  ]
}

export const charge = (payment: string, changes: Partial<Charge> = {}): Charge => ({
  reference: Reference.make(`ch_${payment.slice("pay_".length)}`),
  operation: OperationId.make(`${payment}/auth/1`),
  payment: PaymentId.make(payment),
  merchant: MerchantId.make("shop"),
  method: MethodToken.make("tok_a"),
  currency: "EUR",
  amountMinor: 10_00n,
  capture: "automatic",
  status: "captured",
  capturedMinor: 10_00n,
  refundedMinor: 0n,
  ...changes
})

export const untaken = (status: Charge["status"]) => ({ status, capturedMinor: 0n }) as const
const second = (payment: string) => ({
  reference: Reference.make(`ch_${payment.slice("pay_".length)}_2`),
  operation: OperationId.make(`${payment}/auth/2`)
})

export const charges: ReadonlyArray<BookedCharge> = [
  { gateway: "able", charge: charge("pay_plain") },
  { gateway: "able", charge: charge("pay_refund", { refundedMinor: 4_00n }) },
  { gateway: "able", charge: charge("pay_second", untaken("declined")) },
  { gateway: "able", charge: charge("pay_second", second("pay_second")) },
  { gateway: "able", charge: charge("pay_doubt", untaken("declined")) },
  { gateway: "able", charge: charge("pay_away", untaken("declined")) },
  { gateway: "able", charge: charge("pay_released", untaken("voided")) },
  { gateway: "plain", charge: charge("pay_unsent", { ...second("pay_unsent"), ...untaken("declined") }) }
]

// --- Books ----------------------------------------------------------------------

/** The books that go with these histories: read model, heads and deliveries follow the events. */
export const booksOf = (own: Histories, booked: ReadonlyArray<BookedCharge> = charges): Books => {
  const streams = Object.entries(own).map(([name, events]) => ({
    payment: PaymentId.make(`pay_${name}`),
    head: events.length,
    events: events.map((event, index) => ({ version: index + 1, event })),
    due: undefined
  }))
  return {
    charges: booked,
    streams,
    views: streams.flatMap(({ events, head }) => {
      const state = fold(events.map(({ event }) => event))
      return state._tag === "New" ? [] : [PaymentView.of(state, head, at)]
    }),
    // One version of each payment after the other, as several relays publish them.
    deliveries: streams
      .flatMap(({ events, payment }) => events.map(({ version }) => ({ payment, version })))
      .toSorted((one, other) => one.version - other.version),
    deadLetters: []
  }
}
