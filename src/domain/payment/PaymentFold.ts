/**
 * How events make a state: `evolve` one by one, `fold` a whole history.
 *
 * `evolve` never refuses. It is total over every pair that `decide` can
 * produce; a history that no `decide` could have written is corrupt storage,
 * not a business outcome, so it dies as a defect instead of becoming a `State`.
 */
import type { Answer } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import type { Attempt, Authorization, ClosedAttempt, Known, Settled, State } from "./Payment.ts"
import { initial } from "./Payment.ts"
import type { Event } from "./PaymentEvent.ts"

export const evolve = (state: State, event: Event): State => {
  if (event._tag === "Initiated") return state._tag === "New" ? initiated(event) : corrupt(state, event)
  if (state._tag === "New") return corrupt(state, event)

  switch (event._tag) {
    case "Screened":
      if (state._tag !== "Screening") return corrupt(state, event)
      return { ...state, _tag: "Ready", challenge: event.verdict === "challenge" }

    case "AuthorizationBegun":
      if (state._tag !== "Ready" && state._tag !== "Authorizing") return corrupt(state, event)
      return {
        ...known(state),
        _tag: "Authorizing",
        closed: state._tag === "Ready" ? state.closed : [...state.closed, leftBehind(state, event)],
        attempt: {
          operation: event.operation,
          gateway: event.gateway,
          method: event.method,
          capabilities: event.capabilities
        },
        operation: Operation.begin(event.operation, "authorize", event.by, event.at),
        confirmation: undefined
      }

    case "ActionRequired":
      if (state._tag !== "Authorizing") return corrupt(state, event)
      return {
        ...ended(state, event.operation, "ActionRequired"),
        _tag: "ActionRequired",
        redirected: true,
        authorization: { ...state.attempt, reference: event.reference, since: event.at, expiresAt: event.expiresAt },
        action: event.action
      }

    case "ActionCompleted":
      if (state._tag !== "ActionRequired") return corrupt(state, event)
      return {
        ...known(state),
        _tag: "Authorizing",
        attempt: attemptOf(state.authorization),
        operation: Operation.begin(event.operation, "confirm", event.by, event.at),
        confirmation: { reference: state.authorization.reference, result: event.result }
      }

    case "Authorized": {
      if (state._tag !== "Authorizing" && state._tag !== "ActionRequired") return corrupt(state, event)
      const attempt = state._tag === "Authorizing" ? state.attempt : attemptOf(state.authorization)
      return {
        ...ended(ended(state, event.operation, "Approved"), attempt.operation, "Approved"),
        _tag: "Authorized",
        authorization: { ...attempt, reference: event.reference, since: event.at, expiresAt: event.expiresAt },
        captureRefused: undefined
      }
    }

    case "AuthorizationDeclined": {
      if (state._tag !== "Authorizing" && state._tag !== "ActionRequired") return corrupt(state, event)
      const attempt = state._tag === "Authorizing" ? state.attempt : attemptOf(state.authorization)
      const outcome = { _tag: "Declined", decline: event.decline, evidence: event.evidence } as const
      return {
        ...ended(ended(state, event.operation, "Declined"), attempt.operation, "Declined"),
        _tag: "Ready",
        closed: [...state.closed, { ...attempt, outcome }]
      }
    }

    case "CaptureBegun":
      if (state._tag !== "Authorized" && state._tag !== "Captured") return corrupt(state, event)
      return {
        ...settled(state),
        _tag: "Capturing",
        operation: Operation.begin(event.operation, "capture", event.by, event.at),
        capture: {
          operation: event.operation,
          amount: event.amount,
          asked: event.amount,
          final: event.final,
          request: event.request
        }
      }

    case "Captured": {
      if (state._tag !== "Authorized" && state._tag !== "Capturing" && state._tag !== "Voiding") {
        return corrupt(state, event)
      }
      // One that florin did not begin took what the gateway says, and closes the hold.
      const { operation } = event
      const unasked = { operation, asked: undefined, final: true, request: undefined }
      const capture = state._tag === "Capturing" ? state.capture : unasked
      const before = settled(state)
      // A void that came too late has its answer with the money.
      const answered = state._tag === "Voiding" ? ended(before, state.operation.id, "Captured") : before
      return {
        ...before,
        ...ended(answered, event.operation, "Captured"),
        _tag: "Captured",
        captures: [...before.captures, { ...capture, amount: event.amount }]
      }
    }

    case "CaptureFailed": {
      if (state._tag !== "Capturing") return corrupt(state, event)
      const { request } = state.capture
      const after = {
        ...state,
        ...ended(state, event.operation, "Refused"),
        refusedCaptures: request === undefined ? state.refusedCaptures : [...state.refusedCaptures, request]
      }
      if (state.captures.length > 0) return { ...settled(after), _tag: "Captured" }
      return event.authorizationGone
        ? { ...known(after), _tag: "Expired", authorization: state.authorization }
        : { ...known(after), _tag: "Authorized", authorization: state.authorization, captureRefused: event.code }
    }

    case "VoidBegun":
      if (state._tag !== "Authorized" && state._tag !== "ActionRequired") return corrupt(state, event)
      return {
        ...known(state),
        _tag: "Voiding",
        authorization: state.authorization,
        operation: Operation.begin(event.operation, "void", event.by, event.at),
        reason: event.reason,
        action: state._tag === "ActionRequired" ? state.action : undefined,
        captureRefused: state._tag === "Authorized" ? state.captureRefused : undefined
      }

    case "Voided":
      if (state._tag !== "Voiding") return corrupt(state, event)
      return released({ ...state, ...ended(state, event.operation, "Voided") })

    case "VoidFailed": {
      if (state._tag !== "Voiding") return corrupt(state, event)
      const { action, authorization, captureRefused } = state
      const after = { ...ended(state, event.operation, "Refused"), authorization }
      return action === undefined
        ? { ...after, _tag: "Authorized", captureRefused }
        : { ...after, _tag: "ActionRequired", action }
    }

    case "RefundBegun": {
      if (state._tag !== "Captured") return corrupt(state, event)
      const operation = Operation.begin(event.operation, "refund", event.by, event.at)
      const refund = { operation, amount: event.amount, request: event.request, outcome: "Open" } as const
      return { ...state, refunds: [...state.refunds, refund] }
    }

    case "Refunded":
      return withRefund(state, event, "Refunded")

    case "RefundFailed":
      return withRefund(state, event, "Failed")

    case "DisputeOpened": {
      if (state._tag !== "Captured" && state._tag !== "Capturing") return corrupt(state, event)
      const dispute = { id: event.dispute, amount: event.amount, outcome: "Open" } as const
      return { ...state, disputes: [...state.disputes, dispute] }
    }

    case "DisputeWon":
      return withDispute(state, event, "Won")

    case "DisputeLost":
      return withDispute(state, event, "Lost")

    case "OperationResumed":
      return withOperation(state, event, (self) => Operation.sending(self, event.by))

    case "OperationNotSent":
      return withOperation(state, event, (self) =>
        Operation.notSent(self, event.reason, event.retryAfterMillis, event.at)
      )

    case "OperationDoubted":
      return withOperation(state, event, (self) => Operation.doubted(self, event.asked, event.reason, event.at))

    case "OperationPending":
      return withOperation(state, event, (self) => Operation.pending(self, event.reference, event.at))

    case "OperationEscalated":
      return withOperation(state, event, (self) => Operation.escalated(self, event.reason, event.at))

    case "CancelRequested":
      return { ...state, cancel: { request: event.request, at: event.at } }

    case "Cancelled":
      return { ...closedBy(state), _tag: "Cancelled", cancel: { request: event.request, at: event.at } }

    case "Expired":
      return { ...closedBy(state), _tag: "Expired", authorization: undefined }

    case "Failed":
      return { ...closedBy(state), _tag: "Failed", authorization: undefined, reason: event.reason }
  }
}

export const fold = (events: Iterable<Event>, from: State = initial): State => {
  let state = from
  for (const event of events) state = evolve(state, event)
  return state
}

const corrupt = (state: State, event: Event): never => {
  throw new Error(`corrupt history: ${event._tag} after ${state._tag}`)
}

type Of<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>
type InState<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

const initiated = (event: Of<"Initiated">): State => ({
  _tag: event.screening ? "Screening" : "Ready",
  order: event.order,
  initiatedAt: event.at,
  challenge: false,
  closed: [],
  cancel: undefined,
  redirected: false,
  refusedCaptures: [],
  ended: {}
})

// States are rebuilt from named parts, so that no field of the state before
// stays behind unseen.
const known = (state: Known): Known => ({
  order: state.order,
  initiatedAt: state.initiatedAt,
  challenge: state.challenge,
  closed: state.closed,
  cancel: state.cancel,
  redirected: state.redirected,
  refusedCaptures: state.refusedCaptures,
  ended: state.ended
})

const attemptOf = ({ capabilities, gateway, method, operation }: Attempt): Attempt => ({
  operation,
  gateway,
  method,
  capabilities
})

const settled = (state: Known & { readonly authorization: Authorization } & Partial<Settled>): Settled => ({
  ...known(state),
  authorization: state.authorization,
  captures: state.captures ?? [],
  refunds: state.refunds ?? [],
  disputes: state.disputes ?? []
})

const ended = (state: Known, operation: Operation.OperationId, answer: Answer["_tag"]): Known => ({
  ...known(state),
  ended: { ...state.ended, [operation]: answer }
})

/** The attempt that a new one leaves behind: proven not sent, or `decide` would have refused. */
const leftBehind = (state: InState<"Authorizing">, event: Event): ClosedAttempt =>
  state.operation.standing._tag === "NotSent"
    ? { ...state.attempt, outcome: { _tag: "NotSent", reason: state.operation.standing.reason } }
    : corrupt(state, event)

/** A payment that ends where it stands keeps what its last attempt came to. */
const closedBy = (state: Exclude<State, { readonly _tag: "New" }>): Known =>
  state._tag === "Authorizing" && state.operation.standing._tag === "NotSent"
    ? {
        ...known(state),
        closed: [
          ...state.closed,
          { ...state.attempt, outcome: { _tag: "NotSent", reason: state.operation.standing.reason } }
        ]
      }
    : known(state)

const released = (state: InState<"Voiding">): State => {
  switch (state.reason) {
    case "Requested":
      return { ...known(state), _tag: "Voided", authorization: state.authorization }
    case "AuthorizationExpired":
    case "ActionExpired":
      return { ...known(state), _tag: "Expired", authorization: state.authorization }
    case "CaptureRefused":
      return {
        ...known(state),
        _tag: "Failed",
        authorization: state.authorization,
        reason: { _tag: "CaptureRefused", code: state.captureRefused ?? "unknown" }
      }
  }
}

const withOperation = (
  state: State,
  event: Event & { readonly operation: Operation.OperationId },
  change: (operation: Operation.Operation) => Operation.Operation
): State => {
  if (
    (state._tag === "Authorizing" || state._tag === "Capturing" || state._tag === "Voiding") &&
    state.operation.id === event.operation
  ) {
    return { ...state, operation: change(state.operation) }
  }
  if (state._tag !== "Captured" && state._tag !== "Capturing") return corrupt(state, event)
  return {
    ...state,
    refunds: state.refunds.map((refund) =>
      refund.operation.id === event.operation ? { ...refund, operation: change(refund.operation) } : refund
    )
  }
}

const withRefund = (state: State, event: Of<"Refunded" | "RefundFailed">, outcome: "Refunded" | "Failed"): State => {
  if (state._tag !== "Captured" && state._tag !== "Capturing") return corrupt(state, event)
  return {
    ...state,
    ...ended(state, event.operation, outcome === "Refunded" ? "Refunded" : "Refused"),
    refunds: state.refunds.map((refund) => (refund.operation.id === event.operation ? { ...refund, outcome } : refund))
  }
}

const withDispute = (state: State, event: Of<"DisputeWon" | "DisputeLost">, outcome: "Won" | "Lost"): State => {
  if (state._tag !== "Captured" && state._tag !== "Capturing") return corrupt(state, event)
  return {
    ...state,
    disputes: state.disputes.map((dispute) => (dispute.id === event.dispute ? { ...dispute, outcome } : dispute))
  }
}
