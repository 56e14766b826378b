/** What came of a run: the auditor's judgement, the client's own, and what the events tell of doubts. */
import type { Event } from "../../src/domain/payment/PaymentEvent.ts"
import type { Books } from "../../src/testing/Auditor.ts"
import { audit } from "../../src/testing/Auditor.ts"
import type { Answers } from "./Answers.ts"

export interface Violation {
  readonly rule: string
  /** A payment, an idempotency key, or a process. */
  readonly of: string
  readonly detail: string
}

/** `orders` are the keys of the creations, which the payments have as their references. */
export const violations = (
  books: Books,
  answers: Answers,
  orders: ReadonlyArray<string>,
  faults: ReadonlyArray<string>
): ReadonlyArray<Violation> => [
  ...audit(books).map(({ detail, payment, rule }) => ({ rule, of: payment, detail })),
  ...answers.contradictions().map(({ detail, key }) => ({ rule: "OneKeyOneAnswer", of: key, detail })),
  ...ofKeys(books, answers, orders),
  ...faults.map((detail) => ({ rule: "EndsOnlyWhenKilled", of: "a process", detail }))
]

/** A key makes one payment, and the one that its client was told of is there. */
const ofKeys = (books: Books, answers: Answers, orders: ReadonlyArray<string>): ReadonlyArray<Violation> => {
  const madeBy = Map.groupBy(books.views, ({ reference }) => reference ?? "")
  const named = answers.payments()
  return orders.flatMap((key) => {
    const made = new Set((madeBy.get(key) ?? []).map(({ id }): string => id))
    const lost = [...(named.get(key) ?? [])].filter((id) => !made.has(id))
    return [
      ...(made.size > 1
        ? [{ rule: "OneKeyOnePayment", of: key, detail: `expected one payment, actual: ${[...made].join(", ")}` }]
        : []),
      ...lost.map((id) => ({
        rule: "AnsweredIsStored",
        of: key,
        detail: `expected ${id} to be stored, actual: it is not`
      }))
    ]
  })
}

// --- Doubts -------------------------------------------------------------------

export interface Doubts {
  /** Operations of which it was unknown, at some time, whether they took effect. */
  readonly operations: number
  /** Those among them that were begun by a run which another had to take over from. */
  readonly takenOver: number
  /** Those among them that have a definite answer by now, or proof that they were not sent. */
  readonly resolved: number
  /** Operations that were handed to an operator. */
  readonly escalated: number
}

export const doubts = ({ streams }: Books): Doubts => {
  const events = streams.flatMap(({ events }) => events.map(({ event }) => event))
  const doubted = new Set<string>()
  const takenOver = new Set<string>()
  const resolved = new Set<string>()
  const escalated = new Set<string>()
  for (const event of events) {
    if (event._tag === "OperationDoubted") {
      doubted.add(event.operation)
      if (event.asked === "takeover") takenOver.add(event.operation)
    } else if (event._tag === "OperationEscalated") escalated.add(event.operation)
    else if ("operation" in event && isEnd(event) && doubted.has(event.operation)) resolved.add(event.operation)
  }
  return {
    operations: doubted.size,
    takenOver: takenOver.size,
    resolved: resolved.size,
    escalated: escalated.size
  }
}

/** An answer, or the proof that there will be none. */
const isEnd = ({ _tag }: Event): boolean =>
  /^(ActionRequired|Authorized|AuthorizationDeclined|Captured|CaptureFailed|Voided|VoidFailed|Refunded|RefundFailed|OperationNotSent)$/.test(
    _tag
  )
