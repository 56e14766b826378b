/**
 * A world of one payment small enough to visit all of it: two cards, two
 * gateways that promise opposite things and both answer for everything, an
 * amount of two units, two of every id, and two moments, the later one for what
 * a lookup does not find. `explore` searches it exhaustively.
 */
import { Result } from "effect"
import { Instant, plus } from "../../../src/domain/Instant.ts"
import type * as Evidence from "../../../src/domain/payment/Evidence.ts"
import * as Gateway from "../../../src/domain/payment/Gateway.ts"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import type { Rule } from "../../../src/domain/payment/PaymentCommand.ts"
import { Command } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import type { Event, Order } from "../../../src/domain/payment/PaymentEvent.ts"
import { DisputeId, MerchantId, PaymentId, RequestId, VoidReason } from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"

export const { cases: command } = Command

export const at = Instant.make(1_700_000_000_000)
export const later = plus(at, 1000)
export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const
export const usd = (minor: bigint) => ({ currency: "USD", minor }) as const

export const id = PaymentId.make("pay_1")
export const run1 = Operation.RunId.make("run_1")
export const run2 = Operation.RunId.make("run_2")
export const reference = Gateway.Reference.make("ref_1")
export const op = (path: string) => Operation.OperationId.make(`pay_1/${path}`)

// --- Two gateways, as unlike as they come -----------------------------------

export const able = Gateway.GatewayName.make("able")
export const plain = Gateway.GatewayName.make("plain")

export const capabilities: Record<"able" | "plain", Gateway.Capabilities> = {
  able: {
    idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: true },
    lookup: "authoritative",
    autoCapture: true,
    partialCapture: true,
    multipleCaptures: true,
    partialRefund: true
  },
  plain: {
    idempotencyKey: { retentionMillis: 0, maxLength: 64, storesErrors: false },
    lookup: "eventual",
    autoCapture: false,
    partialCapture: false,
    multipleCaptures: false,
    partialRefund: false
  }
}

export const order = (capture: Order["capture"] = "automatic"): Order => ({
  payment: id,
  merchant: MerchantId.make("shop"),
  amount: eur(2n),
  capture,
  methods: [Gateway.MethodToken.make("tok_a"), Gateway.MethodToken.make("tok_b")]
})

// --- Answers ----------------------------------------------------------------

const { cases: answer } = Gateway.Answer
export const answers = {
  approved: answer.Approved.make({ reference, captured: false }),
  sold: answer.Approved.make({ reference, captured: true }),
  declined: answer.Declined.make({ decline: { code: "51", category: "otherInstrument" } }),
  lost: answer.Declined.make({ decline: { code: "43", category: "final" } }),
  redirect: answer.ActionRequired.make({
    reference,
    action: { type: "redirect", url: "https://bank.example/3ds" }
  }),
  captured: (minor: bigint) => answer.Captured.make({ amount: eur(minor) }),
  voided: answer.Voided.make({}),
  refunded: answer.Refunded.make({}),
  refused: answer.Refused.make({ code: "no", authorizationGone: false }),
  gone: answer.Refused.make({ code: "expired", authorizationGone: true }),
  pending: answer.Pending.make({})
}

/** The ways in which a gateway is heard. */
export const evidenceOf = (gateway: Gateway.GatewayName) =>
  ({
    answer: { _tag: "GatewayAnswer", gateway },
    lookup: { _tag: "Lookup", gateway },
    webhook: { _tag: "Webhook", gateway, notification: "evt_1" }
  }) as const satisfies Record<string, Evidence.Evidence>

export const evidence = {
  ...evidenceOf(able),
  operator: { _tag: "Operator", name: "Ada", reason: "called the bank" }
} as const satisfies Record<string, Evidence.Evidence>

// --- Every command of this world --------------------------------------------

export const initiate = (capture: Order["capture"], screening = false) =>
  command.Initiate.make({ order: order(capture), screening, at })

export const beginAuthorization = (gateway: "able" | "plain", method = 0, by = run1) =>
  command.BeginAuthorization.make({
    by,
    gateway: Gateway.GatewayName.make(gateway),
    method,
    capabilities: capabilities[gateway],
    routing: { reasons: [], passedOver: [] },
    at
  })

export const record = (operation: string, what: Gateway.Answer, how: Evidence.Evidence = evidence.answer) =>
  command.RecordAnswer.make({ operation: op(operation), answer: what, evidence: how, at })

const requests = ["req_1", "req_2"].map((text) => RequestId.make(text))
const dispute = DisputeId.make("dp_1")

/** The word of each gateway; only one of them has the operation. */
const heard = (path: string, what: Gateway.Answer): ReadonlyArray<Command> =>
  [able, plain].map((gateway) => record(path, what, evidenceOf(gateway).answer))

/** Everything that a gateway, or the lack of one, can say about an operation. */
const aboutOperation = (path: string, what: ReadonlyArray<Gateway.Answer>): ReadonlyArray<Command> => [
  ...what.flatMap((one) => heard(path, one)),
  record(path, answers.refused, evidence.operator),
  command.RecordNotSent.make({ operation: op(path), by: run1, reason: "ConnectionRefused", at }),
  command.RecordNotSent.make({ operation: op(path), by: run2, reason: "ConnectionRefused", at }),
  command.RecordDoubt.make({ operation: op(path), asked: "send", reason: "ServerError", at }),
  command.RecordNotFound.make({ operation: op(path), gateway: able, at }),
  ...[able, plain].map((gateway) => command.RecordNotFound.make({ operation: op(path), gateway, at: later })),
  command.TakeOver.make({ operation: op(path), at }),
  command.Resume.make({ operation: op(path), by: run1, at }),
  command.Escalate.make({ operation: op(path), reason: "NoWayToAsk", at })
]

/** From the wish to pay to the hold, its capture or its end. */
export const authorizing: ReadonlyArray<Command> = [
  initiate("automatic"),
  initiate("automatic", true),
  initiate("manual"),
  ...(["allow", "challenge", "block"] as const).map((verdict) =>
    command.RecordScreening.make({ verdict, reasons: [], at })
  ),
  beginAuthorization("able"),
  beginAuthorization("plain"),
  beginAuthorization("able", 1),
  beginAuthorization("able", 2),
  command.CompleteAction.make({ by: run1, at }),
  ...[eur(0n), eur(1n), eur(3n), usd(1n)].map((amount) =>
    command.Capture.make({ by: run1, amount, final: true, request: requests[0]!, at })
  ),
  command.Capture.make({ by: run1, final: true, at }),
  command.Void.make({ by: run1, reason: "Requested", at }),
  command.Void.make({ by: run1, reason: "AuthorizationExpired", at }),
  command.Void.make({ by: run1, reason: "CaptureRefused", at }),
  command.Refund.make({ by: run1, request: requests[0]!, at }),
  command.Cancel.make({ at }),
  command.Expire.make({ at }),
  command.Fail.make({ at }),
  ...["auth/1", "auth/1/confirm/1"].flatMap((path) =>
    aboutOperation(path, [answers.approved, answers.declined, answers.redirect, answers.pending])
  ),
  ...heard("auth/1", answers.sold),
  ...heard("auth/1", answers.lost),
  ...heard("auth/1", answers.captured(2n)),
  ...heard("auth/2", answers.approved),
  ...heard("auth/2", answers.declined),
  command.RecordDoubt.make({ operation: op("auth/2"), asked: "send", reason: "Timeout", at }),
  ...aboutOperation("capture/1", [answers.captured(1n), answers.captured(3n), answers.refused, answers.gone]),
  ...aboutOperation("void/1", [answers.voided, answers.captured(2n), answers.refused, answers.gone, answers.pending]),
  record("auth/1", answers.approved, evidence.operator),
  record("auth/1", answers.sold, evidence.operator),
  { ...record("auth/1", answers.pending, evidence.webhook), at: later },
  record("auth/1", { ...answers.captured(1n), amount: usd(1n) })
]

/** From the hold to captures, refunds and disputes. */
export const settling: ReadonlyArray<Command> = [
  initiate("manual"),
  beginAuthorization("able"),
  beginAuthorization("plain"),
  ...heard("auth/1", answers.approved),
  ...heard("auth/1", answers.sold),
  ...[eur(1n), eur(2n)].map((amount) =>
    command.Capture.make({ by: run1, amount, final: true, request: requests[0]!, at })
  ),
  command.Capture.make({ by: run1, amount: eur(1n), final: false, request: requests[1]!, at }),
  ...heard("capture/1", answers.captured(1n)),
  ...heard("capture/1", answers.captured(2n)),
  ...heard("capture/2", answers.captured(1n)),
  ...heard("capture/2", answers.refused),
  command.RecordDoubt.make({ operation: op("capture/2"), asked: "send", reason: "Timeout", at }),
  ...requests.map((request) => command.Refund.make({ by: run1, amount: eur(1n), request, at })),
  ...[eur(0n), eur(2n), eur(3n), usd(1n)].map((amount) =>
    command.Refund.make({ by: run1, amount, request: requests[1]!, at })
  ),
  command.Refund.make({ by: run1, request: requests[0]!, at }),
  ...aboutOperation("refund/1", [answers.refunded, answers.refused, answers.pending]),
  ...aboutOperation("refund/2", [answers.refunded, answers.refused]),
  ...[able, plain].flatMap((gateway): ReadonlyArray<Command> => {
    const told = { dispute, evidence: evidenceOf(gateway).webhook, at }
    return [
      ...[eur(0n), eur(1n), eur(2n), usd(1n)].map((amount) => command.OpenDispute.make({ ...told, amount })),
      ...(["Won", "Lost"] as const).map((outcome) => command.CloseDispute.make({ ...told, outcome }))
    ]
  }),
  command.Cancel.make({ at })
]

// --- Searching it -----------------------------------------------------------

/** Enough operations to decline, confirm, capture twice and refund twice; more only repeats with higher ordinals. */
const maxEnded = 3

/** What no rule reads: labels, and how often something was sent. */
const labels = new Set(["sends", "order", "evidence", "detail", "code", "advice", "request"])

const summary = (key: string, value: unknown): unknown => {
  if (labels.has(key)) return undefined
  if (typeof value === "bigint") return String(value)
  if (key === "cancel") return value !== undefined
  if (key === "reason" && !VoidReason.literals.some((reason) => reason === value)) return undefined
  return value
}

const keyOf = (state: Payment.State) => JSON.stringify(state, summary) + ("order" in state ? state.order.capture : "")

export interface Move {
  readonly from: Payment.State
  readonly asked: Command
  /** What was recorded: nothing, where it was on record already. */
  readonly events: ReadonlyArray<Event>
  readonly to: Payment.State
}

export interface World {
  readonly states: ReadonlyArray<Payment.State>
  /** What was accepted. */
  readonly moves: ReadonlyArray<Move>
  /** Why the rest was refused: millions of times, so each rule is kept once. */
  readonly refusals: ReadonlySet<Rule>
}

/** Every state that `pool` can reach from nothing, with every command tried in each of them. */
export const explore = (pool: ReadonlyArray<Command>): World => {
  const states = new Map<string, Payment.State>([["", Payment.initial]])
  const moves: Array<Move> = []
  const refusals = new Set<Rule>()
  // Millions of refusals, none of which anyone reads the stack of. An error without one, not even an empty one, is
  // half the work.
  const { stackTraceLimit } = Error
  Reflect.set(Error, "stackTraceLimit", undefined)
  // A map is iterated in the order of insertion, so it is its own frontier.
  for (const from of states.values()) {
    for (const asked of pool) {
      const decision = PaymentDecision.decide(asked, from)
      if (Result.isFailure(decision)) {
        refusals.add(decision.failure.rule)
        continue
      }
      const events = decision.success
      const to = fold(events, from)
      moves.push({ from, asked, events, to })
      if (to === from || ("ended" in to && Object.keys(to.ended).length > maxEnded)) continue
      const key = keyOf(to)
      if (!states.has(key)) states.set(key, to)
    }
  }
  Error.stackTraceLimit = stackTraceLimit
  return { states: [...states.values()], moves, refusals }
}

export const given = (...commands: ReadonlyArray<Command>): Payment.State =>
  commands.reduce((state: Payment.State, asked) => {
    const decision = PaymentDecision.decide(asked, state)
    if (Result.isFailure(decision)) throw decision.failure
    return fold(decision.success, state)
  }, Payment.initial)

export const refusal = (asked: Command, state: Payment.State) => {
  const decision = PaymentDecision.decide(asked, state)
  return Result.isFailure(decision) ? decision.failure.rule : undefined
}
