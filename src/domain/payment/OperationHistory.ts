/**
 * Every operation that a payment began at a gateway, in order: the call that it
 * stands for, what was asked about it, and how it ended.
 *
 * It is read from the events alone, for whoever looks back: an operator at one
 * payment, and the verification at all of them. What is owed is `PaymentPlan`'s
 * to say.
 */
import type { Instant } from "../Instant.ts"
import type { Evidence } from "./Evidence.ts"
import type { Answer, Capabilities, DoubtReason, GatewayName, NotSentReason } from "./Gateway.ts"
import type * as Operation from "./Operation.ts"
import * as Payment from "./Payment.ts"
import type { Event } from "./PaymentEvent.ts"
import { evolve } from "./PaymentFold.ts"
import type { Call } from "./PaymentPlan.ts"
import { promisesOf } from "./PaymentRecording.ts"

export interface Doubt {
  readonly asked: "send" | "lookup" | "takeover"
  readonly reason: DoubtReason
  readonly at: Instant
}

export type End =
  | {
      readonly _tag: "Answered"
      readonly answer: Answer["_tag"]
      /** Absent when the answer of another operation was the end of this one too. */
      readonly evidence: Evidence | undefined
    }
  | { readonly _tag: "NotSent"; readonly reason: NotSentReason }
  | { readonly _tag: "Open"; readonly operation: Operation.Operation }

export interface OperationHistory {
  readonly call: Call
  /** What the gateway had promised when it began. */
  readonly promises: Capabilities | undefined
  readonly begunAt: Instant
  /** How often it was begun to be sent. */
  readonly sends: number
  readonly doubts: ReadonlyArray<Doubt>
  readonly end: End
  /** When it was last heard of. */
  readonly lastAt: Instant
}

export const of = (history: ReadonlyArray<Event>): ReadonlyArray<OperationHistory> => {
  const begun = new Map<Operation.OperationId, Told>()
  let state: Payment.State = Payment.initial
  for (const event of history) {
    const call = callBegunBy(event, state)
    state = evolve(state, event)
    if (call !== undefined) {
      const { at } = event
      begun.set(call.operation, { call, promises: promisesOf(state), begunAt: at, sends: 1, doubts: [], lastAt: at })
    } else if ("operation" in event) {
      const told = begun.get(event.operation)
      if (told !== undefined) begun.set(event.operation, toldMore(told, event))
    }
  }
  return [...begun.values()].map(({ evidence, ...told }) => ({ ...told, end: endOf(told.call, evidence, state) }))
}

type Told = Omit<OperationHistory, "end"> & { readonly evidence?: Evidence | undefined }

const toldMore = (told: Told, event: Event): Told => {
  const { at } = event
  if (event._tag === "OperationDoubted") {
    const doubt = { asked: event.asked, reason: event.reason, at }
    return { ...told, doubts: [...told.doubts, doubt], lastAt: at }
  }
  if (event._tag === "OperationResumed") return { ...told, sends: told.sends + 1, lastAt: at }
  return { ...told, evidence: "evidence" in event ? event.evidence : told.evidence, lastAt: at }
}

const endOf = ({ operation }: Call, evidence: Evidence | undefined, state: Payment.State): End => {
  const open = Payment.openOperations(state).find(({ id }) => id === operation)
  if (open !== undefined) return { _tag: "Open", operation: open }
  if (state._tag === "New") throw new Error(`corrupt history: ${operation} before the payment`)
  const answer = state.ended[operation]
  if (answer !== undefined) return { _tag: "Answered", answer, evidence }
  const closed = state.closed.find((attempt) => attempt.operation === operation)
  if (closed?.outcome._tag === "NotSent") return { _tag: "NotSent", reason: closed.outcome.reason }
  throw new Error(`corrupt history: ${operation} has no end and is not open`)
}

/** The call whose intent this event is; `state` is what the payment was before it. */
const callBegunBy = (event: Event, state: Payment.State): Call | undefined => {
  if (state._tag === "New") return undefined
  if (event._tag === "AuthorizationBegun") {
    const { gateway, method, operation } = event
    const { challenge, order } = state
    return { _tag: "Authorize", operation, gateway, order, method: order.methods[method]!, challenge }
  }
  const hold = holdOf(state)
  if (hold === undefined) return undefined
  if (event._tag === "ActionCompleted") {
    return { _tag: "Confirm", operation: event.operation, ...hold, result: event.result }
  }
  if (event._tag === "CaptureBegun") {
    return { _tag: "Capture", operation: event.operation, ...hold, amount: event.amount, final: event.final }
  }
  if (event._tag === "VoidBegun") return { _tag: "Void", operation: event.operation, ...hold }
  return event._tag === "RefundBegun"
    ? { _tag: "Refund", operation: event.operation, ...hold, amount: event.amount }
    : undefined
}

const holdOf = (
  state: Payment.Begun
): { readonly gateway: GatewayName; readonly reference: Payment.Authorization["reference"] } | undefined => {
  if (!("authorization" in state) || state.authorization === undefined) return undefined
  const { gateway, reference } = state.authorization
  return { gateway, reference }
}
