/**
 * What a gateway tells by itself, and what that is to a payment.
 *
 * A notification has one piece of news: the answer about an operation, or a
 * dispute that was opened or closed. It comes late, early, twice and in any
 * order, so it is judged by the payment's own history:
 *
 * - `New`: there is something to record, with the notification as evidence;
 * - `Known`: it is recorded already (R9);
 * - `Early`: what it rests on is not recorded yet and still may be;
 * - `Contradiction`: the record says otherwise, and only a person can tell why.
 *
 * A gateway speaks for its own operations only: what another one says of them
 * is no evidence (R4).
 */
import { Result, Schema } from "effect"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { Text, Token } from "../Text.ts"
import type { Evidence } from "./Evidence.ts"
import { Answer, GatewayName } from "./Gateway.ts"
import { OperationId } from "./Operation.ts"
import type * as Payment from "./Payment.ts"
import type { Command, Rule } from "./PaymentCommand.ts"
import { given } from "./PaymentCommand.ts"
import * as PaymentDraft from "./PaymentDraft.ts"
import type { Event } from "./PaymentEvent.ts"
import { DisputeId, PaymentId } from "./PaymentEvent.ts"

// --- Notification -----------------------------------------------------------

export const News = Schema.TaggedUnion({
  Answered: { operation: OperationId, answer: Answer },
  DisputeOpened: {
    payment: PaymentId,
    dispute: DisputeId,
    amount: Money.Money,
    reason: Schema.optionalKey(Text(200))
  },
  DisputeClosed: { payment: PaymentId, dispute: DisputeId, outcome: Schema.Literals(["Won", "Lost"]) }
})
export type News = typeof News.Type

export const Notification = Schema.Struct({
  /** The gateway's own id of this news: the same however often it is delivered. */
  id: Token(255),
  gateway: GatewayName,
  /** When it happened, by the gateway's clock. */
  at: Instant,
  news: News
})
export type Notification = typeof Notification.Type

/** As it travels: JSON, with amounts as strings. */
export const Json = Schema.toCodecJson(Notification)
export type Json = typeof Json.Encoded

export const encode = Schema.encodeSync(Json)

/** Throws where it is not one: for what was encoded before. */
export const decode = Schema.decodeUnknownSync(Json)

/** The payment that it is about; an operation's id begins with its payment's. */
export const paymentOf = ({ news }: Notification): PaymentId =>
  news._tag === "Answered" ? PaymentId.make(news.operation.slice(0, news.operation.indexOf("/"))) : news.payment

/** What it asks to be recorded; `at` is when florin heard of it. */
export const commandOf = (
  notification: Notification,
  at: Instant
): { readonly payment: PaymentId; readonly command: Command } => ({
  payment: paymentOf(notification),
  command: commandAt(notification, at)
})

const commandAt = ({ gateway, id, news }: Notification, at: Instant): Command => {
  const evidence: Evidence = { _tag: "Webhook", gateway, notification: id }
  switch (news._tag) {
    case "Answered":
      return { _tag: "RecordAnswer", operation: news.operation, answer: news.answer, evidence, at }
    case "DisputeOpened": {
      const { amount, dispute, reason } = news
      return { _tag: "OpenDispute", dispute, amount, ...given({ reason }), evidence, at }
    }
    case "DisputeClosed":
      return { _tag: "CloseDispute", dispute: news.dispute, outcome: news.outcome, evidence, at }
  }
}

// --- Verdict ----------------------------------------------------------------

export type Verdict =
  | { readonly _tag: "New"; readonly draft: PaymentDraft.Draft }
  | { readonly _tag: "Known" }
  | { readonly _tag: "Early"; readonly rule: Rule }
  | { readonly _tag: "Contradiction"; readonly rule: Rule }

/** What a notification is to the payment that it is about. `history` is that payment's, and not empty. */
export const judge = (notification: Notification, history: ReadonlyArray<Event>, at: Instant): Verdict => {
  if (isPendingAgain(notification, history)) return { _tag: "Known" }
  const before = PaymentDraft.of(history)
  const decided = PaymentDraft.decide(before, commandAt(notification, at))
  if (Result.isSuccess(decided)) {
    const draft = decided.success
    return draft.events.length === 0 ? { _tag: "Known" } : { _tag: "New", draft }
  }
  const { rule } = decided.failure
  return isEarly(notification.news, rule, before.state) ? { _tag: "Early", rule } : { _tag: "Contradiction", rule }
}

/**
 * Every other answer is recorded once whatever its message. One that says
 * pending may be overtaken by another that names another reference, and its
 * repeat then looks like news; so that is told by its id.
 */
const isPendingAgain = ({ gateway, id, news }: Notification, history: ReadonlyArray<Event>): boolean =>
  news._tag === "Answered" &&
  news.answer._tag === "Pending" &&
  history.some(
    (event) =>
      event._tag === "OperationPending" &&
      event.evidence._tag === "Webhook" &&
      event.evidence.gateway === gateway &&
      event.evidence.notification === id
  )

/** What is still open can make room for what is refused now. */
const isEarly = (news: News, rule: Rule, state: Payment.State): boolean => {
  switch (news._tag) {
    case "Answered": {
      // Money that other hands moved at the gateway is told of the authorization, and may overtake its answer.
      const hasMoved = news.answer._tag === "Captured" || (news.answer._tag === "Approved" && news.answer.captured)
      if (rule === "AnswerMismatch") return hasMoved && mayBeCaptured(state)
      // It is the capture in flight that this tells of, if that succeeds.
      return rule === "ContradictsRecord" && hasMoved && state._tag === "Capturing"
    }
    case "DisputeOpened":
      return rule === "WrongState" ? mayBeCaptured(state) : rule === "AboveCaptured" && hasRoomToCome(state)
    case "DisputeClosed":
      return rule === "WrongState" ? mayBeCaptured(state) : rule === "UnknownDispute"
  }
}

/** A gateway was asked, nothing is captured, and something may yet be. */
const mayBeCaptured = ({ _tag }: Payment.State): boolean =>
  _tag === "Authorizing" || _tag === "ActionRequired" || _tag === "Authorized" || _tag === "Voiding"

/** A capture may succeed, a refund may fail, or a dispute may be won. */
const hasRoomToCome = (state: Payment.State): boolean =>
  state._tag === "Capturing" ||
  (state._tag === "Captured" && [...state.refunds, ...state.disputes].some(({ outcome }) => outcome === "Open"))
