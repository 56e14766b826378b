/**
 * What a payment answers to a command.
 *
 * `decide` is total: a command gives the events to record, `[]` when they are
 * recorded already (R9), or `Rejected` with the rule that forbids it. Here are
 * the merchant's wishes and the loop's own steps; what gateways say is in
 * `PaymentRecording`.
 *
 * Operation ids are derived here from what has happened so far, and nowhere
 * else (R3).
 */
import * as Money from "../Money.ts"
import type { GatewayName } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import * as Payment from "./Payment.ts"
import type { Command, Decision, Of } from "./PaymentCommand.ts"
import { accept, given, reject } from "./PaymentCommand.ts"
import type { Event, FailureReason } from "./PaymentEvent.ts"
import * as PaymentRecording from "./PaymentRecording.ts"

export const decide = (command: Command, state: Payment.State): Decision => {
  if (command._tag === "Initiate") return initiate(command, state)
  if (state._tag === "New") return reject(command, state, "WrongState")
  if (isFromAnother(command, state)) return reject(command, state, "WrongGateway")

  switch (command._tag) {
    case "RecordScreening":
      return recordScreening(command, state)
    case "BeginAuthorization":
      return beginAuthorization(command, state)
    case "CompleteAction":
      return completeAction(command, state)
    case "Capture":
      return capture(command, state)
    case "Void":
      return beginVoid(command, state)
    case "Refund":
      return refund(command, state)
    case "Cancel":
      return cancel(command, state)
    case "RecordAnswer":
      return PaymentRecording.recordAnswer(command, state)
    case "RecordNotSent":
    case "RecordDoubt":
    case "RecordNotFound":
    case "TakeOver":
    case "Resume":
    case "Escalate":
      return PaymentRecording.changeStanding(command, state)
    case "OpenDispute":
      return openDispute(command, state)
    case "CloseDispute":
      return closeDispute(command, state)
    case "Expire":
      return expire(command, state)
    case "Fail":
      return fail(command, state)
  }
}

/** What one gateway says of another's operations is no evidence (R4). */
const isFromAnother = (command: Command, state: Payment.Begun): boolean => {
  const said = gatewayHeard(command)
  const asked = "operation" in command ? Payment.gatewayOf(state, command.operation) : Payment.lastGateway(state)
  return said !== undefined && asked !== undefined && said !== asked
}

/** The gateway whose word a command brings, if it brings any. */
const gatewayHeard = (command: Command): GatewayName | undefined => {
  if (command._tag === "RecordNotFound") return command.gateway
  if (!("evidence" in command) || command.evidence._tag === "Operator") return undefined
  return command.evidence.gateway
}

// --- Beginning --------------------------------------------------------------

const initiate = (command: Of<"Initiate">, state: Payment.State): Decision => {
  if (!Money.isPositive(command.order.amount)) return reject(command, state, "AmountNotPositive")
  if (state._tag === "New") {
    return accept({ _tag: "Initiated", order: command.order, screening: command.screening, at: command.at })
  }
  return state.order.payment === command.order.payment && state.initiatedAt === command.at
    ? accept()
    : reject(command, state, "WrongState")
}

/** The first verdict stands: a second screen of the same payment changes nothing. */
const recordScreening = (command: Of<"RecordScreening">, state: Payment.Begun): Decision => {
  if (state._tag !== "Screening") return accept()
  const { reasons, verdict } = command
  const screened: Event = { _tag: "Screened", verdict, reasons, at: command.at }
  return verdict === "block"
    ? accept(screened, { _tag: "Failed", reason: { _tag: "Blocked", reasons }, at: command.at })
    : accept(screened)
}

const beginAuthorization = (command: Of<"BeginAuthorization">, state: Payment.Begun): Decision => {
  const { gateway, method } = command
  const same = (attempt: Payment.Attempt) => attempt.gateway === gateway && attempt.method === method
  if (state._tag !== "Ready" && state._tag !== "Authorizing") return reject(command, state, "WrongState")
  if (state._tag === "Authorizing" && !Payment.isUnsent(state)) {
    return same(state.attempt) ? accept() : reject(command, state, "AttemptOpen")
  }
  if (state.cancel !== undefined) return reject(command, state, "CancelRequested")
  if (method < 0 || method >= state.order.methods.length) return reject(command, state, "UnknownMethod")
  const tried: ReadonlyArray<Payment.Attempt> =
    state._tag === "Authorizing" ? [...state.closed, state.attempt] : state.closed
  if (tried.some(same)) return reject(command, state, "AlreadyTried")
  return accept({
    ...command,
    _tag: "AuthorizationBegun",
    operation: Operation.idOf(state.order.payment, "authorize", tried.length + 1)
  })
}

const completeAction = (command: Of<"CompleteAction">, state: Payment.Begun): Decision => {
  if (state._tag !== "ActionRequired") {
    // The customer may come back twice, or after a notification has said it all.
    return state.redirected ? accept() : reject(command, state, "WrongState")
  }
  if (state.cancel !== undefined) return reject(command, state, "CancelRequested")
  const attempt = state.authorization.operation
  return accept({
    ...command,
    _tag: "ActionCompleted",
    operation: Operation.idOf(attempt, "confirm", count(state, `${attempt}/confirm/`) + 1)
  })
}

/** How many operations below `prefix` have ended. */
const count = (state: Payment.Known, prefix: string): number =>
  Object.keys(state.ended).filter((id) => id.startsWith(prefix)).length

// --- Money ------------------------------------------------------------------

const capture = (command: Of<"Capture">, state: Payment.Begun): Decision => {
  const before = captureOf(command.request, state)
  if (before === "refused") return accept()
  if (before !== undefined) {
    const { amount } = command
    const same = amount === undefined || (before.asked !== undefined && Money.equals(amount, before.asked))
    return same && command.final === before.final ? accept() : reject(command, state, "RequestMismatch")
  }
  if (state._tag !== "Authorized" && state._tag !== "Captured") return reject(command, state, "WrongState")
  if (state.cancel !== undefined) return reject(command, state, "CancelRequested")
  const left = state._tag === "Captured" ? Payment.capturable(state) : state.order.amount
  const amount = command.amount ?? left
  if (amount.currency !== left.currency) return reject(command, state, "CurrencyMismatch")
  if (!Money.atMost(amount, left)) return reject(command, state, "AboveAuthorized")
  if (!Money.isPositive(amount)) {
    return reject(command, state, command.amount === undefined ? "AboveAuthorized" : "AmountNotPositive")
  }
  const { multipleCaptures, partialCapture } = state.authorization.capabilities
  const isPartial = amount.minor < left.minor
  if ((isPartial && !partialCapture) || (!command.final && !multipleCaptures)) {
    return reject(command, state, "GatewayCannot")
  }
  const { payment } = state.order
  return accept({
    ...command,
    _tag: "CaptureBegun",
    amount,
    operation: Operation.idOf(payment, "capture", count(state, `${payment}/capture/`) + 1)
  })
}

/** What this request has asked for already. One without a name is only known while it is in flight. */
const captureOf = (
  request: Payment.Capture["request"],
  state: Payment.Begun
): Payment.Capture | "refused" | undefined => {
  if (request !== undefined && state.refusedCaptures.includes(request)) return "refused"
  if (state._tag === "Capturing" && state.capture.request === request) return state.capture
  if (request === undefined || !("captures" in state)) return undefined
  return state.captures.find((capture) => capture.request === request)
}

const beginVoid = (command: Of<"Void">, state: Payment.Begun): Decision => {
  const { payment } = state.order
  if (state._tag === "Voiding") return accept()
  if (state._tag !== "Authorized" && state._tag !== "ActionRequired") {
    const wasVoided = Object.entries(state.ended).some(
      ([id, answer]) => id.startsWith(`${payment}/void/`) && answer === "Voided"
    )
    return wasVoided ? accept() : reject(command, state, "WrongState")
  }
  return accept({
    ...command,
    _tag: "VoidBegun",
    operation: Operation.idOf(payment, "void", count(state, `${payment}/void/`) + 1)
  })
}

const refund = (command: Of<"Refund">, state: Payment.Begun): Decision => {
  if (state._tag !== "Captured" && state._tag !== "Capturing") return reject(command, state, "WrongState")
  const before = state.refunds.find(({ request }) => request === command.request)
  if (before !== undefined) {
    return command.amount === undefined || Money.equals(command.amount, before.amount)
      ? accept()
      : reject(command, state, "RequestMismatch")
  }
  if (state._tag !== "Captured") return reject(command, state, "WrongState")
  const left = Payment.refundable(state)
  const amount = command.amount ?? left
  if (amount.currency !== left.currency) return reject(command, state, "CurrencyMismatch")
  if (!Money.atMost(amount, left)) return reject(command, state, "AboveCaptured")
  if (!Money.isPositive(amount)) {
    return reject(command, state, command.amount === undefined ? "AboveCaptured" : "AmountNotPositive")
  }
  const isPartial = amount.minor < Payment.captured(state).minor
  if (isPartial && !state.authorization.capabilities.partialRefund) return reject(command, state, "GatewayCannot")
  return accept({
    ...command,
    _tag: "RefundBegun",
    amount,
    operation: Operation.idOf(state.order.payment, "refund", state.refunds.length + 1)
  })
}

const openDispute = (command: Of<"OpenDispute">, state: Payment.Begun): Decision => {
  if (state._tag !== "Captured" && state._tag !== "Capturing") return reject(command, state, "WrongState")
  const before = state.disputes.find(({ id }) => id === command.dispute)
  if (before !== undefined) {
    return Money.equals(before.amount, command.amount) ? accept() : reject(command, state, "ContradictsRecord")
  }
  if (!Money.isPositive(command.amount)) return reject(command, state, "AmountNotPositive")
  const left = Payment.refundable(state)
  if (command.amount.currency !== left.currency) return reject(command, state, "CurrencyMismatch")
  return Money.atMost(command.amount, left)
    ? accept({ ...command, _tag: "DisputeOpened" })
    : reject(command, state, "AboveCaptured")
}

const closeDispute = (command: Of<"CloseDispute">, state: Payment.Begun): Decision => {
  if (state._tag !== "Captured" && state._tag !== "Capturing") return reject(command, state, "WrongState")
  const before = state.disputes.find(({ id }) => id === command.dispute)
  if (before === undefined) return reject(command, state, "UnknownDispute")
  if (before.outcome === command.outcome) return accept()
  if (before.outcome !== "Open") return reject(command, state, "ContradictsRecord")
  const { dispute, evidence } = command
  return accept({ _tag: command.outcome === "Won" ? "DisputeWon" : "DisputeLost", dispute, evidence, at: command.at })
}

// --- Ending without money ---------------------------------------------------

/** Nothing is at any gateway that could still move money. */
const isHarmless = (state: Payment.Begun): boolean =>
  state._tag === "Screening" || state._tag === "Ready" || Payment.isUnsent(state)

const cancel = (command: Of<"Cancel">, state: Payment.Begun): Decision => {
  const { reason, request } = command
  const wish = { ...given({ request, reason }), at: command.at }
  if (isHarmless(state)) return accept({ _tag: "Cancelled", ...wish })
  switch (state._tag) {
    case "Authorizing":
    case "ActionRequired":
    case "Authorized":
      return state.cancel === undefined ? accept({ _tag: "CancelRequested", ...wish }) : accept()
    case "Voiding":
      // The hold is on its way out for another reason; the wish is granted anyway.
      return accept()
    case "Cancelled":
    case "Voided":
    case "Expired":
      return accept()
    case "Screening":
    case "Ready":
    case "Capturing":
    case "Captured":
    case "Failed":
      return reject(command, state, "WrongState")
  }
}

const expire = (command: Of<"Expire">, state: Payment.Begun): Decision => {
  if (state._tag === "Expired") return accept()
  return isHarmless(state) ? accept({ _tag: "Expired", at: command.at }) : reject(command, state, "WrongState")
}

const fail = (command: Of<"Fail">, state: Payment.Begun): Decision => {
  if (state._tag === "Failed") return accept()
  const failed = (reason: FailureReason) => accept({ _tag: "Failed", reason, at: command.at })
  if (state._tag === "Authorizing" && state.operation.standing._tag === "NotSent" && Payment.isUnsent(state)) {
    return failed({ _tag: "NotSent", gateway: state.attempt.gateway, reason: state.operation.standing.reason })
  }
  if (state._tag !== "Ready") return reject(command, state, "WrongState")
  const last = state.closed.at(-1)
  if (last === undefined) return failed({ _tag: "NoRoute" })
  return failed(
    last.outcome._tag === "Declined"
      ? { _tag: "Declined", decline: last.outcome.decline, evidence: last.outcome.evidence }
      : { _tag: "NotSent", gateway: last.gateway, reason: last.outcome.reason }
  )
}
