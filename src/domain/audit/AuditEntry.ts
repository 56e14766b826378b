/**
 * What the audit log says of a command, in two entries.
 *
 * - `Asked`: who asked for what, from where; it is durable before the command takes effect.
 * - `Answered`: what came of it; it names the first by its sequence. Without it, nobody knows here what came of the
 *   command, because the process ended in between, and the payment's events do.
 *
 * Of a request are kept its kind, its amounts, and the SHA-256 of its idempotency key. Its metadata, its payment
 * methods, its customer and its free texts are not, except an operator's reason; and whatever looks like a card number
 * is masked.
 */
import { Schema } from "effect"
import * as CardNumber from "../CardNumber.ts"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { Answer } from "../payment/Gateway.ts"
import { OperationId } from "../payment/Operation.ts"
import { Rule } from "../payment/PaymentCommand.ts"
import { MerchantId, PaymentId } from "../payment/PaymentEvent.ts"
import { Status } from "../payment/PaymentView.ts"
import { Text } from "../Text.ts"

const optional = Schema.optionalKey

/** 64 hexadecimal digits. */
export const Sha256 = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256 as 64 hexadecimal digits" })
)

// --- Who and from where -----------------------------------------------------

const maxNameLength = 200

/** `actor` is a person's or a program's name; `origin` is the way and the place it came from. */
export const Caller = Schema.Struct({ actor: Text(maxNameLength), origin: Text(maxNameLength) })
export type Caller = typeof Caller.Type

/** Text from outside as it can be kept: printable, at most `maxLength` long, without card numbers. */
export const plain = (text: string, maxLength = maxNameLength): string => {
  const printable = CardNumber.mask(text)
    .slice(0, maxLength)
    .replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "?")
  return printable === "" ? "unknown" : printable
}

// --- What was asked ---------------------------------------------------------

/** `key` is the SHA-256 of the idempotency key: a repeat is recognised, and nobody can repeat it from here. */
export const Request = Schema.TaggedUnion({
  Create: { amount: Money.Money, capture: Schema.Literals(["automatic", "manual"]), key: Sha256 },
  /** Without `amount`: all that is left. */
  Capture: { amount: optional(Money.Money), final: Schema.Boolean, key: Sha256 },
  Refund: { amount: optional(Money.Money), key: Sha256 },
  Cancel: { key: Sha256 },
  CompleteAction: {},
  /** An operator's word about an operation that was escalated. */
  Decide: {
    operation: OperationId,
    answer: Schema.Literals(Object.keys(Answer.cases) as ReadonlyArray<Answer["_tag"]>),
    operator: Text(maxNameLength),
    reason: Text(500)
  },
  /** What an operator does to more than one payment or to none, in the words of the command line. */
  Operate: { what: Text(500) }
})
export type Request = typeof Request.Type

// --- What came of it --------------------------------------------------------

export const Outcome = Schema.TaggedUnion({
  /** The payment as the caller was answered; `settled` when nothing is on its way. `replayed`: as it was before. */
  Accepted: {
    status: Status,
    version: Schema.Int,
    settled: Schema.Boolean,
    replayed: optional(Schema.Boolean)
  },
  /** Done, where there is no payment to show. */
  Done: {},
  /** The payment's state forbids it. */
  Refused: { state: Schema.String, rule: Rule },
  /** The key names another request. */
  KeyReused: { field: Text(500) },
  /** The first request of this key has no answer yet. */
  InFlight: {},
  NotFound: {},
  /** The store could not answer, or the payment's history cannot be read. It may have taken effect. */
  Unavailable: { because: Schema.String },
  /** The caller went away. What was begun goes on. */
  Abandoned: {},
  /** A bug; florin's log has it. */
  Broken: {}
})
export type Outcome = typeof Outcome.Type

// --- Entries ----------------------------------------------------------------

const asked = {
  at: Instant,
  caller: Caller,
  merchant: optional(MerchantId),
  payment: optional(PaymentId),
  request: Request
}
/** `asked` is the sequence of the entry that this one answers. */
const answered = { at: Instant, asked: Schema.Int, payment: optional(PaymentId), outcome: Outcome }

/** What is to be appended. */
export const Draft = Schema.TaggedUnion({ Asked: asked, Answered: answered })
export type Draft = typeof Draft.Type

/** Where an entry stands: counted from 1 without gaps, and the hash of the one before. */
const place = { sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), previous: Sha256 }

export const Entry = Schema.TaggedUnion({ Asked: { ...asked, ...place }, Answered: { ...answered, ...place } })
export type Entry = typeof Entry.Type
