/**
 * `POST /v1/payments/{id}/decision`: what an operator found out at the gateway
 * about an operation that florin could not settle by itself.
 *
 * What can be found depends on the operation, as `Operation.accepts` says; what
 * does not fit is refused with `AnswerMismatch`.
 */
import { Schema } from "effect"
import type { Currency } from "../../domain/Currency.ts"
import { Evidence } from "../../domain/payment/Evidence.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import { DeclineCategory, Reference } from "../../domain/payment/Gateway.ts"
import * as Operation from "../../domain/payment/Operation.ts"
import { Token } from "../../domain/Text.ts"
import { Amount } from "./PaymentJson.ts"

const optional = Schema.optionalKey

const saying = {
  operation: Operation.OperationId.annotate({ description: "One of the payment's `escalations`" }),
  /** Who decides, and why: both stay with the payment for good. */
  operator: Evidence.cases.Operator.fields.name,
  reason: Evidence.cases.Operator.fields.reason
}

const Code = Token(64).annotate({ description: "The scheme's or the gateway's code" })

const found = <const Word extends string, Fields extends Schema.Struct.Fields>(word: Word, fields: Fields) =>
  Schema.Struct({ found: Schema.Literal(word), ...saying, ...fields })

const cases = [
  /** The authorization stands; with `captured` the money has moved as well. */
  found("approved", { reference: Reference, captured: optional(Schema.Boolean) }),
  /** The authorization was declined; `final` unless another category is said. */
  found("declined", { code: Code, category: optional(DeclineCategory) }),
  /** The money has moved, so much of it. */
  found("captured", { amount: Amount, reference: optional(Reference) }),
  found("voided", {}),
  found("refunded", { reference: optional(Reference) }),
  /** A capture, void or refund that the gateway refused for good. */
  found("refused", { code: Code, authorizationGone: optional(Schema.Boolean) }),
  /** The gateway knows nothing of the operation, and will not. */
  found("not_taken_effect", {})
] as const

const words = cases.map(({ fields }) => fields.found.literal).join(", ")

export const Decision = Schema.Union(cases).annotate({
  identifier: "Decision",
  message: `Expected "found" to be one of ${words}`
})
export type Decision = typeof Decision.Type

/** The code of a decline or refusal that nobody but florin's operator gave. */
const nothingCode = "not_taken_effect"

/** What was found, as the gateway would have said it. */
export const toAnswer = (decision: Decision, currency: Currency): Answer => {
  switch (decision.found) {
    case "approved":
      return { _tag: "Approved", reference: decision.reference, captured: decision.captured ?? false }
    case "declined":
      return { _tag: "Declined", decline: { code: decision.code, category: decision.category ?? "final" } }
    case "captured": {
      const { amount, reference } = decision
      return { _tag: "Captured", amount: { currency, minor: BigInt(amount) }, ...(reference && { reference }) }
    }
    case "voided":
      return { _tag: "Voided" }
    case "refunded":
      return { _tag: "Refunded", ...(decision.reference && { reference: decision.reference }) }
    case "refused":
      return { _tag: "Refused", code: decision.code, authorizationGone: decision.authorizationGone ?? false }
    case "not_taken_effect": {
      const kind = Operation.kindOf(decision.operation)
      return kind === "authorize" || kind === "confirm"
        ? { _tag: "Declined", decline: { code: nothingCode, category: "final" } }
        : { _tag: "Refused", code: nothingCode, authorizationGone: false }
    }
  }
}

const wordOf: Record<Answer["_tag"], ReadonlyArray<Decision["found"]>> = {
  Approved: ["approved"],
  Declined: ["declined", "not_taken_effect"],
  Captured: ["captured"],
  Voided: ["voided"],
  Refunded: ["refunded"],
  Refused: ["refused", "not_taken_effect"],
  // A person ends the doubt: what is still to come is no decision.
  ActionRequired: [],
  Pending: []
}

/** What can be decided about an operation of this kind. */
export const decidable = (kind: Operation.Kind): ReadonlyArray<Decision["found"]> =>
  Operation.accepts[kind].flatMap((tag) => wordOf[tag])
