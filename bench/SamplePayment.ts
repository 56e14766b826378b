/**
 * One payment from its order to the captured money, as the loop decides it when
 * nothing goes wrong: an authorization, then a capture of all of it.
 */
import { Result, Schema } from "effect"
import { Instant } from "../src/domain/Instant.ts"
import { MethodToken } from "../src/domain/payment/Gateway.ts"
import * as Operation from "../src/domain/payment/Operation.ts"
import type { Command } from "../src/domain/payment/PaymentCommand.ts"
import * as PaymentDraft from "../src/domain/payment/PaymentDraft.ts"
import type { Order } from "../src/domain/payment/PaymentEvent.ts"
import { Event, MerchantId, PaymentId } from "../src/domain/payment/PaymentEvent.ts"
import * as InstantGateway from "./InstantGateway.ts"

export const merchant = MerchantId.make("bench")
export const runner = Operation.RunId.make("run_bench")

/** What a shop sends: no more than it has to, and what most of them add. */
export const request = {
  amount: { currency: "EUR", minor: 10_99n },
  capture: "automatic",
  methods: [MethodToken.make("tok_visa")],
  customer: "cus_1001",
  reference: "order-2001"
} as const satisfies Omit<Order, "payment" | "merchant">

const first = PaymentId.make("pay_1")
const start = Instant.make(1_700_000_000_000)

export const initiate = (payment: PaymentId, at: Instant): Command => ({
  _tag: "Initiate",
  order: { ...request, payment, merchant },
  screening: false,
  at
})

export const beginAuthorization = (at: Instant): Command => ({
  _tag: "BeginAuthorization",
  by: runner,
  gateway: InstantGateway.gateway.name,
  method: 0,
  capabilities: InstantGateway.gateway.capabilities,
  routing: { reasons: [], passedOver: [] },
  at
})

/** All five commands, the answers of the gateway included. */
export const commands = (payment: PaymentId = first, at: Instant = start): ReadonlyArray<Command> => {
  const { captured, held } = InstantGateway.answers
  const evidence = { _tag: "GatewayAnswer", gateway: InstantGateway.gateway.name } as const
  const authorization = Operation.idOf(payment, "authorize", 1)
  const capture = Operation.idOf(payment, "capture", 1)
  return [
    initiate(payment, at),
    beginAuthorization(at),
    { _tag: "RecordAnswer", operation: authorization, answer: held, evidence, at },
    { _tag: "Capture", by: runner, final: true, at },
    { _tag: "RecordAnswer", operation: capture, answer: captured(request.amount), evidence, at }
  ]
}

/** Decides each command on the state that the ones before left. */
export const decideAll = (all: ReadonlyArray<Command>): PaymentDraft.Draft =>
  all.reduce((draft, command) => Result.getOrThrow(PaymentDraft.decide(draft, command)), PaymentDraft.of([]))

const EventsJson = Schema.toCodecJson(Schema.Array(Event))

/** Events as they are stored: plain JSON, amounts as text. */
export const encodeEvents = Schema.encodeSync(EventsJson)
export const decodeEvents = Schema.decodeUnknownSync(EventsJson)
