/**
 * The life of one payment: what can happen to it, and what it is then.
 *
 *     New -> Screening? -> Ready -> Authorizing -> Authorized -> Capturing -> Captured
 *               |          ^  |       |  ^  |        |  ^          |            |-> refunds: Begun -> Refunded | Failed
 *               |          |  |       |  |  |        |  +----------+            |-> disputes: Opened -> Won | Lost
 *               |          |  |       |  +--|- ActionRequired (3-D Secure)      +-> Capturing, where a hold stays open
 *               |          +--|-------+     |   |    |
 *               |    declined |       |     +---|----|-> Captured, where one call does both
 *               |             |       |         v    v
 *               +-> Failed <--+-------+      Voiding -> Voided | Expired | Failed
 *     Cancelled, Expired: from every state in which no money can have moved.
 *
 * Reading order is data order. `PaymentDecision.decide` answers a command with
 * events, `PaymentFold.evolve` folds them into a `State`, and `PaymentPlan.next`
 * names the one thing that is still owed. Whatever is in flight or in doubt is
 * an `Operation` inside the state. Time arrives as `at`; nothing in this folder
 * reads a clock, draws a random number or performs an effect.
 *
 * Money inside a state is in the currency of `order.amount`.
 */
import type { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import type { Evidence } from "./Evidence.ts"
import type { Action, Answer, Capabilities, Decline, GatewayName, NotSentReason, Reference } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import type { DisputeId, FailureReason, Order, RequestId, VoidReason } from "./PaymentEvent.ts"

// --- State ------------------------------------------------------------------

/** One try with one card at one gateway. */
export interface Attempt {
  readonly operation: Operation.OperationId
  readonly gateway: GatewayName
  readonly method: number
  readonly capabilities: Capabilities
}

export interface ClosedAttempt extends Attempt {
  readonly outcome:
    | { readonly _tag: "Declined"; readonly decline: Decline; readonly evidence: Evidence }
    | { readonly _tag: "NotSent"; readonly reason: NotSentReason }
}

/** A hold, or the gateway's object that may become one. */
export interface Authorization extends Attempt {
  readonly reference: Reference
  readonly since: Instant
  readonly expiresAt: Instant | undefined
}

export interface Capture {
  readonly operation: Operation.OperationId
  /** What was asked for, then what the gateway took. */
  readonly amount: Money.Money
  /** What was asked for; `undefined` when florin did not ask. */
  readonly asked: Money.Money | undefined
  readonly final: boolean
  readonly request: RequestId | undefined
}

export interface Refund {
  readonly operation: Operation.Operation
  readonly amount: Money.Money
  readonly request: RequestId | undefined
  readonly outcome: "Open" | "Refunded" | "Failed"
}

export interface Dispute {
  readonly id: DisputeId
  readonly amount: Money.Money
  readonly outcome: "Open" | "Won" | "Lost"
}

/** What every state after `New` knows. */
export interface Known {
  readonly order: Order
  readonly initiatedAt: Instant
  /** The screen asked for 3-D Secure. */
  readonly challenge: boolean
  readonly closed: ReadonlyArray<ClosedAttempt>
  readonly cancel: { readonly request: RequestId | undefined; readonly at: Instant } | undefined
  /** The customer was sent away once; coming back more than once is no news. */
  readonly redirected: boolean
  /** Requests to capture that the gateway refused. */
  readonly refusedCaptures: ReadonlyArray<RequestId>
  /** How each operation that has ended did end: a repeat of it is a no-op, its contrary a contradiction. */
  readonly ended: Readonly<Record<string, Answer["_tag"]>>
}

/** What is known once money can have moved. */
export interface Settled extends Known {
  readonly authorization: Authorization
  readonly captures: ReadonlyArray<Capture>
  readonly refunds: ReadonlyArray<Refund>
  readonly disputes: ReadonlyArray<Dispute>
}

export type State =
  | { readonly _tag: "New" }
  | (Known & { readonly _tag: "Screening" })
  | (Known & { readonly _tag: "Ready" })
  | (Known & {
      readonly _tag: "Authorizing"
      readonly attempt: Attempt
      /** The authorization itself, or the confirmation after the customer's action. */
      readonly operation: Operation.Operation
      readonly confirmation: { readonly reference: Reference; readonly result: string | undefined } | undefined
    })
  | (Known & {
      readonly _tag: "ActionRequired"
      readonly authorization: Authorization
      readonly action: Action
    })
  | (Known & {
      readonly _tag: "Authorized"
      readonly authorization: Authorization
      readonly captureRefused: string | undefined
    })
  | (Settled & { readonly _tag: "Capturing"; readonly operation: Operation.Operation; readonly capture: Capture })
  | (Settled & { readonly _tag: "Captured" })
  | (Known & {
      readonly _tag: "Voiding"
      readonly authorization: Authorization
      readonly operation: Operation.Operation
      readonly reason: VoidReason
      /** What it goes back to when the void is refused: the hold, or the customer's action. */
      readonly action: Action | undefined
      readonly captureRefused: string | undefined
    })
  | (Known & { readonly _tag: "Voided"; readonly authorization: Authorization })
  | (Known & { readonly _tag: "Cancelled" })
  | (Known & { readonly _tag: "Expired"; readonly authorization: Authorization | undefined })
  | (Known & {
      readonly _tag: "Failed"
      /** The hold that could not be captured and was given back. */
      readonly authorization: Authorization | undefined
      readonly reason: FailureReason | { readonly _tag: "CaptureRefused"; readonly code: string }
    })

export type Begun = Exclude<State, { readonly _tag: "New" }>

export const initial: State = { _tag: "New" }

// --- Attempts ---------------------------------------------------------------

/** Every try so far, the last one last. */
const attempts = (state: Begun): ReadonlyArray<Attempt> => {
  if (state._tag === "Authorizing") return [...state.closed, state.attempt]
  return "authorization" in state && state.authorization !== undefined
    ? [...state.closed, state.authorization]
    : state.closed
}

/** The gateway that was asked last: no other can have taken money that is still taken. */
export const lastGateway = (state: Begun): GatewayName | undefined => attempts(state).at(-1)?.gateway

/** The gateway that an operation was begun at; `undefined` when nothing of that id can have been begun. */
export const gatewayOf = (state: Begun, id: Operation.OperationId): GatewayName | undefined => {
  const attempt = attempts(state).find(({ operation }) => id === operation || id.startsWith(`${operation}/`))
  if (attempt !== undefined) return attempt.gateway
  // Captures, voids and refunds are of the hold.
  return "authorization" in state ? state.authorization?.gateway : undefined
}

// --- Sums: what bounds the next capture, refund and dispute -----------------

const sum = (currency: Money.Money["currency"], amounts: ReadonlyArray<Money.Money>): Money.Money =>
  Money.of(
    currency,
    amounts.reduce((total, { minor }) => total + minor, 0n)
  )

const amounts = (list: ReadonlyArray<{ readonly amount: Money.Money }>) => list.map(({ amount }) => amount)

export const captured = (state: Settled): Money.Money => sum(state.order.amount.currency, amounts(state.captures))

/** Given back: refunds that have ended well. */
export const refunded = (state: Settled): Money.Money =>
  sum(state.order.amount.currency, amounts(state.refunds.filter(({ outcome }) => outcome === "Refunded")))

/** Taken back or claimed back: disputes that are open or lost. */
export const disputed = (state: Settled): Money.Money =>
  sum(state.order.amount.currency, amounts(state.disputes.filter(({ outcome }) => outcome !== "Won")))

/** What a further refund or dispute may take: refunds on their way count as given back already. */
export const refundable = (state: Settled): Money.Money =>
  Money.of(
    state.order.amount.currency,
    captured(state).minor -
      sum(state.order.amount.currency, amounts(state.refunds.filter(({ outcome }) => outcome !== "Failed"))).minor -
      disputed(state).minor
  )

/** What a further capture may take; nothing after a final one. */
export const capturable = (state: Settled): Money.Money =>
  state.captures.some(({ final }) => final)
    ? Money.zero(state.order.amount.currency)
    : Money.of(state.order.amount.currency, state.order.amount.minor - captured(state).minor)

/** The operations that have begun and not ended, the one that bars the others first. */
export const openOperations = (state: State): ReadonlyArray<Operation.Operation> => {
  switch (state._tag) {
    case "Authorizing":
    case "Voiding":
      return [state.operation]
    case "Capturing":
      return [state.operation, ...openRefunds(state)]
    case "Captured":
      return openRefunds(state)
    case "New":
    case "Screening":
    case "Ready":
    case "ActionRequired":
    case "Authorized":
    case "Voided":
    case "Cancelled":
    case "Expired":
    case "Failed":
      return []
  }
}

const openRefunds = ({ refunds }: Settled) =>
  refunds.filter(({ outcome }) => outcome === "Open").map(({ operation }) => operation)

/**
 * The attempt was proven not sent, so another may begin or the payment may end.
 * A confirmation that was not sent proves nothing: the gateway has its
 * authorization, and the customer may have completed it there.
 */
export const isUnsent = (state: State): boolean =>
  state._tag === "Authorizing" && state.operation.kind === "authorize" && state.operation.standing._tag === "NotSent"
