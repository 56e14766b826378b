/**
 * What can be asked of a payment: the merchant's wishes, the steps of its own
 * loop, and what gateways, operators and clocks have to say. All of it is
 * answered by `PaymentDecision.decide`, so that every invariant has one home.
 */
import { Data, Result, Schema } from "effect"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import * as Risk from "../Risk.ts"
import * as Routing from "../Routing.ts"
import { Text } from "../Text.ts"
import { Evidence } from "./Evidence.ts"
import { Answer, Capabilities, DoubtReason, GatewayName, NotSentReason, RetryAfter } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import type { State } from "./Payment.ts"
import { DisputeId, Order, RequestId, VoidReason } from "./PaymentEvent.ts"
import type { Event } from "./PaymentEvent.ts"

// --- Commands: imperative, what is asked for --------------------------------

const at = Instant
const operation = Operation.OperationId
const by = Operation.RunId

export const Command = Schema.TaggedUnion({
  Initiate: { order: Order, screening: Schema.Boolean, at },
  RecordScreening: { verdict: Risk.Verdict, reasons: Schema.Array(Risk.Reason), at },

  BeginAuthorization: {
    by,
    gateway: GatewayName,
    method: Schema.Int,
    capabilities: Capabilities,
    routing: Routing.Explanation,
    at
  },
  /** The customer is back from the redirect; `result` is what the gateway gave them to bring. */
  CompleteAction: { by, result: Schema.optionalKey(Text(4096)), at },
  /** Without `amount`: all that is left. `final` gives back the rest of the hold. */
  Capture: {
    by,
    amount: Schema.optionalKey(Money.Money),
    final: Schema.Boolean,
    request: Schema.optionalKey(RequestId),
    at
  },
  Void: { by, reason: VoidReason, at },
  /** Without `amount`: all that is left. `request` tells a repeat from a second refund. */
  Refund: {
    by,
    amount: Schema.optionalKey(Money.Money),
    request: RequestId,
    reason: Schema.optionalKey(Text(500)),
    at
  },
  Cancel: { request: Schema.optionalKey(RequestId), reason: Schema.optionalKey(Text(500)), at },

  /** A definite answer about an operation, and how it is known. */
  RecordAnswer: { operation, answer: Answer, evidence: Evidence, at },
  RecordNotSent: { operation, by, reason: NotSentReason, retryAfterMillis: Schema.optionalKey(RetryAfter), at },
  RecordDoubt: { operation, asked: Schema.Literals(["send", "lookup"]), reason: DoubtReason, at },
  RecordNotFound: { operation, gateway: GatewayName, at },
  TakeOver: { operation, at },
  Resume: { operation, by, at },
  Escalate: { operation, reason: Operation.EscalationReason, detail: Schema.optionalKey(Text(200)), at },

  OpenDispute: {
    dispute: DisputeId,
    amount: Money.Money,
    reason: Schema.optionalKey(Text(200)),
    evidence: Evidence,
    at
  },
  CloseDispute: { dispute: DisputeId, outcome: Schema.Literals(["Won", "Lost"]), evidence: Evidence, at },

  Expire: { at },
  Fail: { at }
})
export type Command = typeof Command.Type
export type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

// --- Rejected ---------------------------------------------------------------

/**
 * Why a command was refused.
 *
 * - `WrongState`: this state has no such move.
 * - `AmountNotPositive`, `CurrencyMismatch`: not an amount of this payment.
 * - `AboveAuthorized`, `AboveCaptured`: more than is left to capture, or to refund or dispute.
 * - `GatewayCannot`: the gateway did not promise partial or multiple captures, or partial refunds.
 * - `AttemptOpen`: an attempt is in flight or in doubt, so no other may begin (R5).
 * - `AlreadyTried`: this card was tried at this gateway.
 * - `UnknownMethod`: the order has no such method.
 * - `CancelRequested`: the merchant no longer wants it.
 * - `RequestMismatch`: this request was made before, with other contents.
 * - `UnknownOperation`, `UnknownDispute`: nothing of that id was begun.
 * - `AnswerMismatch`: such an operation has no such answer.
 * - `ContradictsRecord`: the record says otherwise, with evidence.
 * - `NotEscalated`: an operator decides only what nobody else can.
 * - `WrongGateway`: a gateway speaks for its own operations only, and of disputes about money that it can have taken.
 */
export const Rule = Schema.Literals([
  "WrongState",
  "AmountNotPositive",
  "CurrencyMismatch",
  "AboveAuthorized",
  "AboveCaptured",
  "GatewayCannot",
  "AttemptOpen",
  "AlreadyTried",
  "UnknownMethod",
  "CancelRequested",
  "RequestMismatch",
  "UnknownOperation",
  "UnknownDispute",
  "AnswerMismatch",
  "ContradictsRecord",
  "NotEscalated",
  "WrongGateway"
])
export type Rule = typeof Rule.Type

/** Made of florin's own values and never decoded, so no schema checks it: a refusal costs what an error costs. */
export class Rejected extends Data.TaggedError("Payment.Rejected")<{
  readonly command: Command["_tag"]
  readonly state: State["_tag"]
  readonly rule: Rule
}> {
  override get message() {
    return `${this.command} refused in ${this.state}: ${this.rule}`
  }
}

/** The events to record, `[]` when they are recorded already (R9), or the rule that forbids it. */
export type Decision = Result.Result<ReadonlyArray<Event>, Rejected>

export const accept = (...events: ReadonlyArray<Event>): Decision => Result.succeed(events)

export const reject = (command: Command, state: State, rule: Rule): Decision =>
  Result.fail(new Rejected({ command: command._tag, state: state._tag, rule }))

/** `undefined` fields left out: a stored event has no empty fields. */
export const given = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof Fields]?: Exclude<Fields[Key], undefined>
  }
