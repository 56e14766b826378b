/**
 * Whether a gateway's word about an operation agrees with what was recorded of
 * it: the question of whoever verifies, long after.
 *
 * The rules of recording answer it. Word that would be recorded as nothing is
 * what is known; word that would be refused contradicts; word that would be
 * recorded is news that florin has not heard.
 */
import { Result } from "effect"
import type { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import type { Answer } from "./Gateway.ts"
import type { OperationHistory } from "./OperationHistory.ts"
import type * as Payment from "./Payment.ts"
import type { Rule } from "./PaymentCommand.ts"
import { decide } from "./PaymentDecision.ts"

export type Agreement =
  | { readonly _tag: "Agrees" }
  /** The gateway has no such operation, and florin has its end on record. */
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Contradicts"; readonly rule: Rule }
  /** The gateway says that it has yet to come to an end. */
  | { readonly _tag: "Pending" }
  /** The gateway is further than florin knows. */
  | { readonly _tag: "Ahead" }
  /** Recorded as proven not sent, and the gateway has it with an effect. */
  | { readonly _tag: "SentAfterAll" }

const agrees: Agreement = { _tag: "Agrees" }

/** Answers that say that nothing happened: whether a gateway keeps such an operation at all is its own affair. */
const isWithoutEffect = (answer: Answer["_tag"]) => answer === "Declined" || answer === "Refused"

/** `found` is what a lookup that proves something found, or nothing; `operation` has ended in `state`. */
export const of = (
  operation: OperationHistory,
  found: Answer | undefined,
  state: Payment.State,
  at: Instant
): Agreement => {
  const { call, end } = operation
  if (end._tag === "Open") return agrees
  if (end._tag === "NotSent") {
    return found === undefined || isWithoutEffect(found._tag) ? agrees : { _tag: "SentAfterAll" }
  }
  if (found === undefined) return isWithoutEffect(end.answer) ? agrees : { _tag: "Unknown" }
  if (found._tag === "Pending") return { _tag: "Pending" }
  const evidence = { _tag: "Lookup", gateway: call.gateway } as const
  const news = decide({ _tag: "RecordAnswer", operation: call.operation, answer: found, evidence, at }, state)
  return Result.match(news, {
    onFailure: ({ rule }): Agreement => ({ _tag: "Contradicts", rule }),
    onSuccess: (events): Agreement => (events.length === 0 ? agrees : { _tag: "Ahead" })
  })
}

/** An answer in a few words. */
export const describe = (answer: Answer): string => {
  switch (answer._tag) {
    case "Approved":
      return answer.captured ? "Approved and captured" : "Approved"
    case "Captured":
      return `Captured ${Money.format(answer.amount)} ${answer.amount.currency}`
    case "Declined":
      return `Declined (${answer.decline.code})`
    case "Refused":
      return `Refused (${answer.code})`
    case "ActionRequired":
    case "Voided":
    case "Refunded":
    case "Pending":
      return answer._tag
  }
}
