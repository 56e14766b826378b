/**
 * What a payment owes next (R7).
 *
 * `next` is the whole of retry, fallback, verification, expiry and escalation.
 * The first run, the run after a crash, the run after a notification and the
 * run on another machine all ask it the same question, so there is no other
 * recovery. Its answer is one of four:
 *
 * - `Decide`: a command that needs nothing from the outside;
 * - `Perform`: a call to make, whose intent is recorded already (R2);
 * - `Wait`: nothing before a moment;
 * - `Rest`: nothing at all.
 */
import type { Instant } from "../Instant.ts"
import { earlier, plus } from "../Instant.ts"
import type { Money } from "../Money.ts"
import * as Routing from "../Routing.ts"
import type { GatewayName, MethodToken, Reference } from "./Gateway.ts"
import * as Operation from "./Operation.ts"
import type * as Payment from "./Payment.ts"
import { isUnsent, openOperations } from "./Payment.ts"
import type { Command } from "./PaymentCommand.ts"
import { promisesOf } from "./PaymentRecording.ts"
import type { Order } from "./PaymentEvent.ts"

// --- Policy -----------------------------------------------------------------

/** What the owner of the service decided, and what is known of the gateways now. */
export interface Policy {
  readonly runner: Operation.RunId
  readonly routing: Routing.Table
  readonly health: (gateway: GatewayName) => Routing.Health
  /** For authorizations: while a customer waits, and nothing is owed if they go. */
  readonly authorizing: Operation.Patience
  /** For what must arrive once an authorization has: confirmations, captures, voids and refunds. */
  readonly settling: Operation.Patience
  /** A payment that was never tried is not begun after this: the customer is long gone. */
  readonly readyMillis: number
  /** How long a customer has for the redirect, where the gateway does not say. */
  readonly actionMillis: number
  /** How long a hold stands, where the gateway does not say. */
  readonly authorizationMillis: number
}

// --- Steps ------------------------------------------------------------------

/** A call to a gateway; `operation` is its idempotency key. */
export type Call =
  | {
      readonly _tag: "Authorize"
      readonly operation: Operation.OperationId
      readonly gateway: GatewayName
      readonly order: Order
      readonly method: MethodToken
      /** Ask for 3-D Secure. */
      readonly challenge: boolean
    }
  | {
      readonly _tag: "Confirm"
      readonly operation: Operation.OperationId
      readonly gateway: GatewayName
      readonly reference: Reference
      /** What the customer brought back, where the gateway needs it. */
      readonly result: string | undefined
    }
  | {
      readonly _tag: "Capture"
      readonly operation: Operation.OperationId
      readonly gateway: GatewayName
      readonly reference: Reference
      readonly amount: Money
      readonly final: boolean
    }
  | {
      readonly _tag: "Void"
      readonly operation: Operation.OperationId
      readonly gateway: GatewayName
      readonly reference: Reference
    }
  | {
      readonly _tag: "Refund"
      readonly operation: Operation.OperationId
      readonly gateway: GatewayName
      readonly reference: Reference
      readonly amount: Money
    }

export type Step =
  | { readonly _tag: "Screen"; readonly order: Order; readonly at: Instant }
  | { readonly _tag: "Send"; readonly call: Call }
  | { readonly _tag: "Lookup"; readonly call: Call }

export type Next =
  | { readonly _tag: "Decide"; readonly command: Command }
  | { readonly _tag: "Perform"; readonly step: Step }
  | { readonly _tag: "Wait"; readonly until: Instant }
  | { readonly _tag: "Rest" }

// --- Next -------------------------------------------------------------------

export const next = (state: Payment.State, now: Instant, policy: Policy): Next => {
  const by = policy.runner
  switch (state._tag) {
    case "Screening":
      return now >= plus(state.initiatedAt, policy.readyMillis)
        ? decide({ _tag: "Expire", at: now })
        : { _tag: "Perform", step: { _tag: "Screen", order: state.order, at: state.initiatedAt } }

    case "Ready":
      if (state.cancel !== undefined) return decide({ _tag: "Cancel", at: now })
      if (state.closed.length === 0 && now >= plus(state.initiatedAt, policy.readyMillis)) {
        return decide({ _tag: "Expire", at: now })
      }
      return decide(beginNext(state, now, policy) ?? { _tag: "Fail", at: now })

    case "Authorizing":
      if (isUnsent(state)) {
        if (state.cancel !== undefined) return decide({ _tag: "Cancel", at: now })
        const elsewhere = beginElsewhere(state, now, policy)
        if (elsewhere !== undefined) return decide(elsewhere)
      }
      return owed(state, now, policy)

    case "ActionRequired": {
      if (state.cancel !== undefined) return decide({ _tag: "Void", by, reason: "Requested", at: now })
      const { expiresAt, since } = state.authorization
      const until = expiresAt ?? plus(since, policy.actionMillis)
      return now < until ? wait(until) : decide({ _tag: "Void", by, reason: "ActionExpired", at: now })
    }

    case "Authorized": {
      if (state.cancel !== undefined) return decide({ _tag: "Void", by, reason: "Requested", at: now })
      if (state.order.capture === "automatic") {
        return state.captureRefused === undefined
          ? decide({ _tag: "Capture", by, final: true, at: now })
          : decide({ _tag: "Void", by, reason: "CaptureRefused", at: now })
      }
      const { expiresAt, since } = state.authorization
      const until = expiresAt ?? plus(since, policy.authorizationMillis)
      return now < until ? wait(until) : decide({ _tag: "Void", by, reason: "AuthorizationExpired", at: now })
    }

    case "Capturing":
    case "Captured":
    case "Voiding":
      return owed(state, now, policy)

    case "New":
    case "Voided":
    case "Cancelled":
    case "Expired":
    case "Failed":
      return rest
  }
}

const rest: Next = { _tag: "Rest" }
const wait = (until: Instant): Next => ({ _tag: "Wait", until })
const decide = (command: Command): Next => ({ _tag: "Decide", command })

// --- Attempts: which card, which gateway ------------------------------------

type Ready = Extract<Payment.State, { readonly _tag: "Ready" }>
type Authorizing = Extract<Payment.State, { readonly _tag: "Authorizing" }>

/**
 * The next attempt after nothing or after a decline, or `undefined` when there
 * is none left: a final decline ends the payment, one for this card goes on to
 * the next card, one that might pass elsewhere goes to the next gateway first.
 */
const beginNext = (state: Ready, now: Instant, policy: Policy): Command | undefined => {
  const last = state.closed.at(-1)
  const category = last?.outcome._tag === "Declined" ? last.outcome.decline.category : "retryLater"
  if (category === "final") return undefined
  const first = last === undefined ? 0 : category === "otherInstrument" ? last.method + 1 : last.method
  for (let method = first; method < state.order.methods.length; method++) {
    const command = beginWith(method, state.closed, state.order, now, policy)
    if (command !== undefined) return command
  }
  return undefined
}

/** The same card at another gateway, after proof that this one was not reached. */
const beginElsewhere = (state: Authorizing, now: Instant, policy: Policy): Command | undefined =>
  beginWith(state.attempt.method, [...state.closed, state.attempt], state.order, now, policy)

/**
 * The next card at a gateway of its own, once this one's gateway was not
 * reached for too long: what lets nobody in lets no other card in either.
 */
const beginNextCard = (state: Authorizing, now: Instant, policy: Policy): Command | undefined => {
  const attempts = [...state.closed, state.attempt]
  const unreached = [...state.closed.filter(({ outcome }) => outcome._tag === "NotSent"), state.attempt].map(
    ({ gateway }) => gateway
  )
  for (let method = state.attempt.method + 1; method < state.order.methods.length; method++) {
    const command = beginWith(method, attempts, state.order, now, policy, unreached)
    if (command !== undefined) return command
  }
  return undefined
}

const beginWith = (
  method: number,
  attempts: ReadonlyArray<Payment.Attempt>,
  order: Order,
  now: Instant,
  policy: Policy,
  unreached: ReadonlyArray<GatewayName> = []
): Command | undefined => {
  const before = attempts.filter((attempt) => attempt.method === method).map(({ gateway }) => gateway)
  const request = { amount: order.amount, method: order.methods[method]!, tried: [...before, ...unreached] }
  const choice = Routing.choose(request, policy.routing, policy.health)
  const [best] = choice.ordered
  return best === undefined
    ? undefined
    : {
        _tag: "BeginAuthorization",
        by: policy.runner,
        gateway: best.gateway.name,
        method,
        capabilities: best.gateway.capabilities,
        routing: Routing.explain(choice),
        at: now
      }
}

// --- Operations: what is owed to those that have begun ----------------------

/** The first open operation that can be moved on now, else the first moment that one can, else nothing. */
const owed = (state: Payment.State, now: Instant, policy: Policy): Next => {
  let soonest: Next = rest
  for (const operation of openOperations(state)) {
    const answer = owedTo(operation, state, now, policy)
    if (answer._tag === "Decide" || answer._tag === "Perform") return answer
    if (answer._tag === "Wait") {
      soonest = soonest._tag === "Wait" ? wait(earlier(soonest.until, answer.until)) : answer
    }
  }
  return soonest
}

const owedTo = (operation: Operation.Operation, state: Payment.State, now: Instant, policy: Policy): Next => {
  const promises = promisesOf(state)
  const call = callOf(operation, state)
  if (promises === undefined || call === undefined) return rest
  const patience = operation.kind === "authorize" ? policy.authorizing : policy.settling
  const { id } = operation
  const ask = Operation.ask(operation, promises, policy.runner, now, patience)
  switch (ask._tag) {
    case "Send":
    case "Lookup":
      return { _tag: "Perform", step: { _tag: ask._tag, call } }
    case "TakeOver":
      return decide({ _tag: "TakeOver", operation: id, at: now })
    case "SendAgain":
      return decide({ _tag: "Resume", operation: id, by: policy.runner, at: now })
    case "GiveUp":
      // Before money there is nothing to undo; after it, somebody has to know.
      if (operation.kind !== "authorize" || state._tag !== "Authorizing") {
        return decide({ _tag: "Escalate", operation: id, reason: "NeverSent", at: now })
      }
      return decide(beginNextCard(state, now, policy) ?? { _tag: "Fail", at: now })
    case "Escalate":
      return decide({ _tag: "Escalate", operation: id, reason: ask.reason, at: now })
    case "Wait":
      return wait(ask.until)
    case "Rest":
      return rest
  }
}

/** The call that an operation stands for; the same whenever it is made. */
const callOf = (operation: Operation.Operation, state: Payment.State): Call | undefined => {
  const { id } = operation
  if (state._tag === "Authorizing") {
    const { gateway, method } = state.attempt
    return state.confirmation === undefined
      ? {
          _tag: "Authorize",
          operation: id,
          gateway,
          order: state.order,
          method: state.order.methods[method]!,
          challenge: state.challenge
        }
      : { _tag: "Confirm", operation: id, gateway, ...state.confirmation }
  }
  if (state._tag === "Voiding") {
    const { gateway, reference } = state.authorization
    return { _tag: "Void", operation: id, gateway, reference }
  }
  if (state._tag !== "Capturing" && state._tag !== "Captured") return undefined
  const { gateway, reference } = state.authorization
  if (state._tag === "Capturing" && state.operation.id === id) {
    const { amount, final } = state.capture
    return { _tag: "Capture", operation: id, gateway, reference, amount, final }
  }
  const refund = state.refunds.find((candidate) => candidate.operation.id === id)
  return refund === undefined ? undefined : { _tag: "Refund", operation: id, gateway, reference, amount: refund.amount }
}
