/**
 * What a payment records of a gateway's word, and of its silence.
 *
 * An answer is recorded with its evidence (R4), once (R9), and never against
 * what the record says with evidence already. No answer is recorded as what it
 * is: proof that nothing was sent, or doubt (R1). A repeat that was not sent
 * proves nothing about the send before it.
 */
import type { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import type { Evidence } from "./Evidence.ts"
import type { Answer, Capabilities, DoubtReason, Reference } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import * as Payment from "./Payment.ts"
import type { Decision, Of } from "./PaymentCommand.ts"
import { accept, given, reject } from "./PaymentCommand.ts"
import type { Event } from "./PaymentEvent.ts"

// --- Answers ----------------------------------------------------------------

export const recordAnswer = (command: Of<"RecordAnswer">, state: Payment.Begun): Decision => {
  const open = openOperation(state, command.operation)
  if (open === undefined) return recordUnasked(command, state)
  const { answer, evidence } = command
  if (!Operation.accepts[open.kind].includes(answer._tag)) return reject(command, state, "AnswerMismatch")
  if (evidence._tag === "Operator") {
    if (open.standing._tag !== "Escalated") return reject(command, state, "NotEscalated")
    // A person ends the doubt; "later" is what florin has waited for already.
    if (answer._tag === "Pending") return reject(command, state, "AnswerMismatch")
  } else if (open.id !== command.operation && (answer._tag === "ActionRequired" || answer._tag === "Pending")) {
    // Of the attempt that the customer is back from, only an end is news.
    return accept()
  }
  const about = { operation: open.id, evidence, at: command.at }

  switch (answer._tag) {
    case "Approved":
    case "Declined":
    case "ActionRequired":
      return accept(...authorizationEvents(answer, about, state))
    case "Captured":
      return captured(command, state, open.id, answer)
    case "Voided":
      return accept({ _tag: "Voided", ...about })
    case "Refunded":
      return accept({ _tag: "Refunded", ...about, ...given({ reference: answer.reference }) })
    case "Refused":
      return refused(command, open, answer)
    case "Pending":
      return isPendingNews(answer, command, open.standing)
        ? accept({ _tag: "OperationPending", ...about, ...given({ reference: answer.reference }) })
        : accept()
  }
}

/**
 * "Still pending" may be said at any time. It is news of what was not known to
 * be taken on, with a reference that was not known, or when florin asked: what
 * a poll hears moves its schedule on. An escalation is lifted only by what is
 * both later and new, never after a refusal.
 */
const isPendingNews = (
  { reference }: Extract<Answer, { readonly _tag: "Pending" }>,
  { at, evidence }: Of<"RecordAnswer">,
  standing: Operation.Standing
): boolean => {
  const isOther = (before: Reference | undefined) => reference !== undefined && reference !== before
  if (standing._tag === "Pending") {
    return at > standing.askedAt && (evidence._tag !== "Webhook" || isOther(standing.reference))
  }
  if (standing._tag !== "Escalated") return true
  const { pending, reason } = standing
  return at > standing.at && reason !== "VoidRefused" && (pending === undefined || isOther(pending.reference))
}

type About = { readonly operation: Operation.OperationId; readonly evidence: Evidence; readonly at: Instant }

const authorizationEvents = (
  answer: Extract<Answer, { readonly _tag: "Approved" | "Declined" | "ActionRequired" }>,
  about: About,
  state: Payment.Begun
): ReadonlyArray<Event> => {
  switch (answer._tag) {
    case "Approved": {
      const { captured, expiresAt, reference } = answer
      const authorized: Event = { _tag: "Authorized", ...about, reference, ...given({ expiresAt }) }
      return captured ? [authorized, { _tag: "Captured", ...about, amount: state.order.amount }] : [authorized]
    }
    case "Declined":
      return [{ _tag: "AuthorizationDeclined", ...about, decline: answer.decline }]
    case "ActionRequired": {
      const { action, expiresAt, reference } = answer
      return [{ _tag: "ActionRequired", ...about, reference, action, ...given({ expiresAt }) }]
    }
  }
}

/** The gateway says what it took, which may be less than was asked and never more than was authorized. */
const captured = (
  command: Of<"RecordAnswer">,
  state: Payment.Begun,
  id: Operation.OperationId,
  { amount, reference }: Extract<Answer, { readonly _tag: "Captured" }>
): Decision => {
  const before = "captures" in state ? Payment.captured(state).minor : 0n
  if (amount.currency !== state.order.amount.currency) return reject(command, state, "CurrencyMismatch")
  if (!Money.isPositive(amount)) return reject(command, state, "AmountNotPositive")
  if (before + amount.minor > state.order.amount.minor) return reject(command, state, "AboveAuthorized")
  const { evidence } = command
  return accept({ _tag: "Captured", operation: id, amount, evidence, at: command.at, ...given({ reference }) })
}

const refused = (
  command: Of<"RecordAnswer">,
  { id, kind, standing }: Operation.Operation,
  { authorizationGone, code }: Extract<Answer, { readonly _tag: "Refused" }>
): Decision => {
  const about = { operation: id, code, evidence: command.evidence, at: command.at }
  if (kind === "refund") return accept({ _tag: "RefundFailed", ...about })
  if (kind === "capture") return accept({ _tag: "CaptureFailed", ...about, authorizationGone })
  // Nobody but a person knows what a hold is that will not go away.
  if (command.evidence._tag === "Operator") return accept({ _tag: "VoidFailed", ...about })
  if (authorizationGone) return accept({ _tag: "Voided", operation: id, evidence: command.evidence, at: command.at })
  return standing._tag === "Escalated"
    ? accept()
    : accept({ _tag: "OperationEscalated", operation: id, reason: "VoidRefused", detail: code, at: command.at })
}

/**
 * An answer that nobody waits for: a repeat, a notification that overtook the
 * customer, or money moved at the gateway by other hands.
 */
const recordUnasked = (command: Of<"RecordAnswer">, state: Payment.Begun): Decision => {
  const { answer, evidence, operation } = command
  const about = { operation, evidence, at: command.at }
  if (evidence._tag === "Operator") {
    return isRecorded(answer, operation, state) ? accept() : reject(command, state, "NotEscalated")
  }
  if (state._tag === "ActionRequired" && isOfAttempt(operation, state.authorization)) {
    if (answer._tag === "Approved" || answer._tag === "Declined") {
      return accept(...authorizationEvents(answer, about, state))
    }
    return answer._tag === "ActionRequired" || answer._tag === "Pending"
      ? accept()
      : reject(command, state, "AnswerMismatch")
  }
  if ("authorization" in state && state.authorization !== undefined && isOfAttempt(operation, state.authorization)) {
    const moved = movedBy(answer, state)
    if (moved !== undefined && (state._tag === "Authorized" || state._tag === "Voiding")) {
      return captured(command, state, operation, moved)
    }
    if (moved !== undefined && state._tag === "Capturing" && isAllInFlight(moved.amount, state)) {
      return captured(command, state, state.operation.id, moved)
    }
    if (moved !== undefined && "captures" in state && isWithin(moved.amount, Payment.captured(state))) return accept()
    // The customer finished while the redirect was given up: what became of that is the void's to say.
    const isGivenUp = state._tag === "Voiding" || state._tag === "Voided" || state._tag === "Expired"
    if (moved === undefined && isGivenUp && (answer._tag === "Approved" || answer._tag === "Declined")) return accept()
  }
  if (state.ended[operation] === undefined) return reject(command, state, "UnknownOperation")
  const isOvertaken = answer._tag === "Pending" || answer._tag === "ActionRequired"
  return isOvertaken || isRecorded(answer, operation, state) ? accept() : reject(command, state, "ContradictsRecord")
}

type CapturedAnswer = Extract<Answer, { readonly _tag: "Captured" }>

/** An answer about an authorization that says that money has moved. */
const movedBy = (answer: Answer, { order }: Payment.Begun): CapturedAnswer | undefined => {
  if (answer._tag === "Captured") return answer
  return answer._tag === "Approved" && answer.captured ? { _tag: "Captured", amount: order.amount } : undefined
}

/**
 * The capture in flight asks for all, and all has moved: by that capture or by
 * other hands, it is the same money, and there is no more of it. Of a part
 * nobody can tell whose it was, so that waits for the capture's own answer.
 */
const isAllInFlight = (
  moved: Money.Money,
  { capture, order }: Extract<Payment.State, { readonly _tag: "Capturing" }>
): boolean => Money.equals(capture.amount, order.amount) && Money.equals(moved, order.amount)

const isWithin = (amount: Money.Money, limit: Money.Money): boolean =>
  amount.currency === limit.currency && amount.minor <= limit.minor

/** The operation has ended with this answer, or with what says the same. */
const isRecorded = (answer: Answer, operation: Operation.OperationId, state: Payment.Begun): boolean => {
  const recorded = state.ended[operation]
  if (answer._tag === "Approved") {
    // One call may authorize and capture: its approval is then recorded as the capture.
    return (recorded === "Approved" || recorded === "Captured") && (!answer.captured || isAllTaken(state))
  }
  // A hold that was gone already counts as voided.
  if (recorded === "Voided" && answer._tag === "Refused") return answer.authorizationGone
  return recorded === answer._tag && saysTheSame(answer, operation, state)
}

const isAllTaken = (state: Payment.Begun): boolean =>
  "captures" in state && isWithin(state.order.amount, Payment.captured(state))

/** A repeat of a capture names the same amount. */
const saysTheSame = (answer: Answer, operation: Operation.OperationId, state: Payment.Begun): boolean => {
  if (answer._tag !== "Captured" || !("captures" in state)) return true
  const capture = state.captures.find((one) => one.operation === operation)
  return capture === undefined || Money.equals(capture.amount, answer.amount)
}

const isOfAttempt = (id: Operation.OperationId, { operation }: Payment.Attempt): boolean =>
  id === operation || id.startsWith(`${operation}/confirm/`)

/** A confirmation also stands for its authorization: gateways tell of the one object behind both. */
const openOperation = (state: Payment.Begun, id: Operation.OperationId): Operation.Operation | undefined => {
  if (state._tag === "Authorizing" && state.attempt.operation === id) return state.operation
  return Payment.openOperations(state).find((operation) => operation.id === id)
}

// --- No answer --------------------------------------------------------------

type Unanswered = Of<"RecordNotSent" | "RecordDoubt" | "RecordNotFound" | "TakeOver" | "Resume" | "Escalate">

export const changeStanding = (command: Unanswered, state: Payment.Begun): Decision => {
  // A call is known by its whole id: what became of the attempt's says nothing of its confirmation's.
  const open = Payment.openOperations(state).find(({ id }) => id === command.operation)
  if (open === undefined) {
    // The answer overtook the failure of another send of the same operation.
    return state.ended[command.operation] === undefined ? reject(command, state, "UnknownOperation") : accept()
  }
  const { standing } = open
  const operation = open.id
  // One question has one moment: the same moment again is a repeat. A takeover has asked nothing yet.
  const isRepeat = "askedAt" in standing && standing.asks > 0 && standing.askedAt >= command.at
  const doubted = (asked: "send" | "lookup", reason: DoubtReason) =>
    isRepeat || standing._tag === "Escalated"
      ? accept()
      : accept({ _tag: "OperationDoubted", operation, asked, reason, at: command.at })

  switch (command._tag) {
    case "RecordNotSent": {
      if (standing._tag === "NotSent") return accept()
      // Not sent this time proves nothing of the times before, or of another run's.
      if (standing._tag !== "InFlight" || standing.by !== command.by) return doubted("send", "NotSent")
      const { reason, retryAfterMillis } = command
      return accept({ _tag: "OperationNotSent", operation, reason, at: command.at, ...given({ retryAfterMillis }) })
    }
    case "RecordDoubt":
      return doubted(command.asked, command.reason)
    case "RecordNotFound": {
      const promises = promisesOf(state)
      // While it is being sent, not to be found yet proves nothing.
      if (standing._tag === "NotSent" || standing._tag === "InFlight") return accept()
      if (standing._tag === "InDoubt" && command.at < standing.sentAt) return accept()
      // At the very moment of the send it counts as asked, so that the loop gets on, and proves nothing.
      const isAfterSend = standing._tag === "InDoubt" && command.at > standing.sentAt
      if (!isAfterSend || promises?.lookup !== "authoritative") return doubted("lookup", "NotFound")
      const evidence = { _tag: "Lookup", gateway: command.gateway } as const
      return accept({ _tag: "OperationNotSent", operation, reason: "NotFound", evidence, at: command.at })
    }
    case "TakeOver":
      return standing._tag === "InFlight"
        ? accept({ _tag: "OperationDoubted", operation, asked: "takeover", reason: "TakenOver", at: command.at })
        : accept()
    case "Resume":
      if (standing._tag === "NotSent") {
        if (open.kind === "authorize" && state.cancel !== undefined) return reject(command, state, "CancelRequested")
        return accept({ _tag: "OperationResumed", operation, by: command.by, at: command.at })
      }
      return standing._tag === "InFlight" && standing.by === command.by
        ? accept()
        : reject(command, state, "WrongState")
    case "Escalate": {
      if (standing._tag === "Escalated") return accept()
      const { detail, reason } = command
      return accept({ _tag: "OperationEscalated", operation, reason, at: command.at, ...given({ detail }) })
    }
  }
}

/** What the gateway that holds the open operation has promised. */
export const promisesOf = (state: Payment.State): Capabilities | undefined => {
  if (state._tag === "Authorizing") return state.attempt.capabilities
  return "authorization" in state ? state.authorization?.capabilities : undefined
}
