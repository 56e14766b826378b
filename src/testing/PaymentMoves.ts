/**
 * What can happen next to a payment: the commands that matter in its state.
 *
 * Commands drawn at random almost never fit (of 500 random payments none was
 * ever captured), so a history is made by choosing, at each state, among what a
 * merchant, a gateway, a loop or an operator could say of exactly that payment.
 * Most of these are accepted, some are refused, and what comes late is among
 * them. The first of a list leads on towards captured money and back.
 */
import type { Instant } from "../domain/Instant.ts"
import type { Money } from "../domain/Money.ts"
import type { Evidence } from "../domain/payment/Evidence.ts"
import type { Answer, Capabilities } from "../domain/payment/Gateway.ts"
import { GatewayName, Reference } from "../domain/payment/Gateway.ts"
import * as Operation from "../domain/payment/Operation.ts"
import * as Payment from "../domain/payment/Payment.ts"
import type { Command } from "../domain/payment/PaymentCommand.ts"
import type { Order } from "../domain/payment/PaymentEvent.ts"
import { DisputeId, RequestId } from "../domain/payment/PaymentEvent.ts"

/** How one move is chosen; the smaller the numbers, the plainer the move. */
export interface Choice {
  /** Which of the moves, modulo their weights. */
  readonly pick: number
  /** Which details: gateway, card, evidence, run, and so on, each modulo what there is. */
  readonly detail: number
  /** Of the amount that is left, in percent: 100 is all, more is too much. */
  readonly percent: number
  readonly at: Instant
}

/** A command, and how often it is chosen beside the others. */
export type Move = readonly [weight: number, command: Command]

/** The command that `choice` makes of the moves from `state`; a new payment is of `order`. */
export const choose = (state: Payment.State, order: Order, choice: Choice): Command => {
  const moves = movesFrom(state, order, choice)
  let left = choice.pick % moves.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, command] of moves) {
    if (left < weight) return command
    left -= weight
  }
  return moves[0]![1]
}

// --- Details ----------------------------------------------------------------

/** Two gateways, as unlike in what they promise as two can be. */
export const gateways: ReadonlyArray<{ readonly name: GatewayName; readonly capabilities: Capabilities }> = [
  {
    name: GatewayName.make("able"),
    capabilities: {
      idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: true },
      lookup: "authoritative",
      autoCapture: true,
      partialCapture: true,
      multipleCaptures: true,
      partialRefund: true
    }
  },
  {
    name: GatewayName.make("plain"),
    capabilities: {
      idempotencyKey: { retentionMillis: 0, maxLength: 64, storesErrors: false },
      lookup: "eventual",
      autoCapture: false,
      partialCapture: false,
      multipleCaptures: false,
      partialRefund: false
    }
  }
]

const runs = ["run_1", "run_2"].map((id) => Operation.RunId.make(id))
const requests = ["req_1", "req_2", "req_3"].map((id) => RequestId.make(id))
const disputes = ["dp_1", "dp_2"].map((id) => DisputeId.make(id))
const reference = Reference.make("ref_1")

const one = <A>(list: ReadonlyArray<A>, detail: number): A => list[detail % list.length]!

/** The second digit of the detail and so on, so that details vary apart from each other. */
const digit = (detail: number, place: number): number => Math.floor(detail / 4 ** place)

const share = (amount: Money, percent: number): Money => ({
  currency: amount.currency,
  minor: (amount.minor * BigInt(percent) + 99n) / 100n
})

// --- Moves ------------------------------------------------------------------

const movesFrom = (state: Payment.State, order: Order, choice: Choice): ReadonlyArray<Move> => {
  const { at, detail } = choice
  const by = one(runs, detail)
  switch (state._tag) {
    case "New":
      return [[1, { _tag: "Initiate", order, screening: detail % 3 === 2, at }]]
    case "Screening":
      return [
        [
          8,
          { _tag: "RecordScreening", verdict: one(["allow", "challenge", "allow", "block"], detail), reasons: [], at }
        ],
        ...ends(at)
      ]
    case "Ready":
      return [[16, beginAuthorization(state, choice)], ...ends(at)]
    case "Authorizing":
      return [
        ...about(state.operation, state, choice),
        ...(Payment.isUnsent(state) ? ([[4, beginAuthorization(state, choice)], ...ends(at)] as const) : []),
        [3, { _tag: "Cancel", request: one(requests, detail), at }]
      ]
    case "ActionRequired":
      return [
        [8, { _tag: "CompleteAction", by, at }],
        [2, recordAnswer(state.authorization.operation, "authorize", state, choice)],
        [1, { _tag: "Void", by, reason: one(["ActionExpired", "Requested"], detail), at }],
        [1, { _tag: "Cancel", at }]
      ]
    case "Authorized":
      return [
        [16, capture(state.order.amount, choice)],
        [1, { _tag: "Void", by, reason: one(["Requested", "AuthorizationExpired", "CaptureRefused"], detail), at }],
        [1, recordAnswer(state.authorization.operation, "capture", state, choice)],
        [1, { _tag: "Cancel", at }],
        ...late(state, choice)
      ]
    case "Capturing":
      return [...about(state.operation, state, choice), ...givingBack(state, choice), ...late(state, choice)]
    case "Captured":
      return [
        ...givingBack(state, choice),
        [6, capture(Payment.capturable(state), choice)],
        ...late(state, choice),
        [1, { _tag: "Cancel", at }]
      ]
    case "Voiding":
      return [...about(state.operation, state, choice), [1, { _tag: "Cancel", at }], ...late(state, choice)]
    case "Voided":
    case "Cancelled":
    case "Expired":
    case "Failed":
      return [...ends(at), ...late(state, choice)]
  }
}

const ends = (at: Instant): ReadonlyArray<Move> => [
  [1, { _tag: "Cancel", at }],
  [1, { _tag: "Expire", at }],
  [1, { _tag: "Fail", at }]
]

const beginAuthorization = (state: Payment.Begun, { at, detail }: Choice): Command => {
  const { capabilities, name } = one(gateways, digit(detail, 1))
  const method = state.closed.length % state.order.methods.length
  const routing = { reasons: [], passedOver: [] }
  return { _tag: "BeginAuthorization", by: one(runs, detail), gateway: name, method, capabilities, routing, at }
}

const capture = (left: Money, { at, detail, percent }: Choice): Command => ({
  _tag: "Capture",
  by: one(runs, detail),
  ...(detail % 5 === 4 ? {} : { amount: share(left, percent) }),
  final: digit(detail, 1) % 2 === 1,
  ...(detail % 7 === 6 ? {} : { request: one(requests, digit(detail, 2)) }),
  at
})

type WithMoney = Extract<Payment.State, { readonly _tag: "Capturing" | "Captured" }>

/** Refunds and disputes: begun, answered and closed. */
const givingBack = (state: WithMoney, choice: Choice): ReadonlyArray<Move> => {
  const { at, detail, percent } = choice
  const left = Payment.refundable(state)
  const amount = share(left, percent)
  const dispute = one(disputes, detail)
  return [
    [6, { _tag: "Refund", by: one(runs, detail), amount, request: one(requests, digit(detail, 1)), at }],
    ...state.refunds
      .filter(({ outcome }) => outcome === "Open")
      .flatMap(({ operation }) => about(operation, state, choice)),
    [3, { _tag: "OpenDispute", dispute, amount, evidence: told(state, detail), at }],
    [
      3,
      { _tag: "CloseDispute", dispute, outcome: one(["Won", "Lost"], digit(detail, 1)), evidence: told(state, 0), at }
    ]
  ]
}

/** All that can be said of an operation that is open. */
const about = (open: Operation.Operation, state: Payment.Begun, choice: Choice): ReadonlyArray<Move> => {
  const { at, detail } = choice
  const operation = open.id
  const by = open.standing._tag === "InFlight" && detail % 3 !== 2 ? open.standing.by : one(runs, detail)
  const retry = open.standing._tag === "NotSent" ? 12 : 1
  const notSent = one(["ConnectionRefused", "Throttled", "Refused"] as const, digit(detail, 1))
  const doubt = one(["Timeout", "ServerError", "ConnectionLost", "LookupFailed"] as const, digit(detail, 1))
  const escalation = one(["NoWayToAsk", "AsksExhausted", "Misconfigured"] as const, digit(detail, 1))
  return [
    [16, recordAnswer(operation, open.kind, state, choice)],
    [retry, { _tag: "Resume", operation, by, at }],
    [4, { _tag: "RecordNotSent", operation, by, reason: notSent, at }],
    [2, { _tag: "RecordDoubt", operation, asked: one(["send", "lookup"], detail), reason: doubt, at }],
    [1, { _tag: "RecordNotFound", operation, gateway: gatewayOf(state), at }],
    [1, { _tag: "TakeOver", operation, at }],
    [1, { _tag: "Escalate", operation, reason: escalation, at }]
  ]
}

// --- Answers ----------------------------------------------------------------

const recordAnswer = (
  operation: Operation.OperationId,
  kind: Operation.Kind,
  state: Payment.Begun,
  choice: Choice
): Command => {
  const answers = answersTo(kind, state, choice)
  // Half of all answers are the one that leads on.
  const answer = choice.detail % 2 === 0 ? answers[0]! : one(answers, digit(choice.detail, 1))
  return { _tag: "RecordAnswer", operation, answer, evidence: evidenceFor(operation, state, choice), at: choice.at }
}

/** Every answer that an operation of a kind can get, the one that leads on first. */
export const answersTo = (kind: Operation.Kind, state: Payment.Begun, choice: Choice): ReadonlyArray<Answer> => {
  const { detail, percent } = choice
  const { amount } = state.order
  const refused = { _tag: "Refused", code: "no", authorizationGone: false } as const
  const gone = { _tag: "Refused", code: "expired", authorizationGone: true } as const
  const pending = { _tag: "Pending" } as const
  const asked = state._tag === "Capturing" ? state.capture.amount : amount
  const captured = { _tag: "Captured", amount: digit(detail, 2) % 2 === 0 ? asked : share(asked, percent) } as const
  switch (kind) {
    case "authorize":
    case "confirm":
      return [
        { _tag: "Approved", reference, captured: false },
        {
          _tag: "Declined",
          decline: { code: "51", category: one(["otherInstrument", "retryLater", "final"], detail) }
        },
        { _tag: "ActionRequired", reference, action: { type: "redirect", url: "https://bank.example/3ds" } },
        { _tag: "Approved", reference, captured: true },
        pending
      ]
    case "capture":
      return [captured, refused, gone, pending]
    case "void":
      return [{ _tag: "Voided" }, captured, refused, gone, pending]
    case "refund":
      return [{ _tag: "Refunded" }, refused, pending]
  }
}

/** Late or repeated word of an operation that has ended. */
const late = (state: Payment.Begun, choice: Choice): ReadonlyArray<Move> => {
  const ids = Object.keys(state.ended)
  if (ids.length === 0) return []
  const operation = Operation.OperationId.make(one(ids, choice.detail))
  return [[1, recordAnswer(operation, kindOf(operation), state, { ...choice, detail: choice.detail + 1 })]]
}

const segments = { auth: "authorize", confirm: "confirm", capture: "capture", void: "void", refund: "refund" } as const
const isSegment = (text: string): text is keyof typeof segments => Object.hasOwn(segments, text)

/** What kind of operation an id names. */
export const kindOf = (id: Operation.OperationId): Operation.Kind => {
  const segment = id.split("/").at(-2)!
  return isSegment(segment) ? segments[segment] : "authorize"
}

const gatewayOf = (state: Payment.Begun): GatewayName => {
  if (state._tag === "Authorizing") return state.attempt.gateway
  return "authorization" in state && state.authorization !== undefined ? state.authorization.gateway : gateways[0]!.name
}

const told = (state: Payment.Begun, detail: number): Evidence => ({
  _tag: "Webhook",
  gateway: gatewayOf(state),
  notification: `evt_${detail}`
})

/** An operator's word where only that is left, else what a gateway said, was asked, or told. */
const evidenceFor = (id: Operation.OperationId, state: Payment.Begun, { detail }: Choice): Evidence => {
  const open = Payment.openOperations(state).find((operation) => operation.id === id)
  const gateway = gatewayOf(state)
  if (open?.standing._tag === "Escalated" && detail % 4 !== 3) {
    return { _tag: "Operator", name: "Ada", reason: "called the bank" }
  }
  const ways: ReadonlyArray<Evidence> = [
    { _tag: "GatewayAnswer", gateway },
    { _tag: "Lookup", gateway },
    told(state, detail)
  ]
  return one(ways, digit(detail, 1))
}
