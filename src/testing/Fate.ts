/** What became of one payment, from its events. */
import * as Payment from "../domain/payment/Payment.ts"
import { evolve } from "../domain/payment/PaymentFold.ts"
import * as PaymentView from "../domain/payment/PaymentView.ts"
import type { StoredStream } from "./Auditor.ts"

export interface Fate {
  /** The merchant's number of it. */
  readonly order: string
  readonly payment: string
  /** Each once, in the order in which it had them first; the last is not always the one it ended with. */
  readonly statuses: ReadonlyArray<PaymentView.Status>
  /** `undefined` when its stream is broken. */
  readonly ended: PaymentView.Status | undefined
  readonly escalated: boolean
  /** Operations that were in doubt and then ended. */
  readonly resolvedDoubts: number
  /** From the first event to the last, by the clocks of those who wrote them. */
  readonly restMillis: number
}

export const of = ({ events, payment }: StoredStream): Fate => {
  const statuses = new Set<PaymentView.Status>()
  const doubted = new Set<string>()
  let state: Payment.State = Payment.initial
  let escalated = false
  let resolvedDoubts = 0
  for (const { event } of events) {
    if (event._tag === "OperationDoubted") doubted.add(event.operation)
    else if ("operation" in event && !isOpen(event._tag) && doubted.delete(event.operation)) resolvedDoubts += 1
    const next = evolved(state, event)
    if (next === undefined) break
    state = next
    statuses.add(PaymentView.status(state))
    escalated = Payment.openOperations(state).some(({ standing }) => standing._tag === "Escalated")
  }
  const first = events[0]?.event
  const last = events.at(-1)?.event
  return {
    order: (first?._tag === "Initiated" ? first.order.reference : undefined) ?? "",
    payment,
    statuses: [...statuses],
    ended: state._tag === "New" ? undefined : PaymentView.status(state),
    escalated,
    resolvedDoubts,
    // A clock may have been set back between the two.
    restMillis: first === undefined || last === undefined ? 0 : Math.max(0, last.at - first.at)
  }
}

/** An operation goes on after these. */
const isOpen = (tag: string) => tag.startsWith("Operation") || tag.endsWith("Begun") || tag === "ActionCompleted"

/** A history that no payment can have is the auditor's to tell. */
const evolved = (state: Payment.State, event: Parameters<typeof evolve>[1]): Payment.Begun | undefined => {
  try {
    const next = evolve(state, event)
    return next._tag === "New" ? undefined : next
  } catch {
    return undefined
  }
}
