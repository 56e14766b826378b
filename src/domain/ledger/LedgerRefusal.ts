/** Why a row was not applied: one word for each rule, and for a row that cannot be read, where it goes wrong. */
import * as Schema from "effect/Schema"

/** What the rules refuse. */
export const Refusal = Schema.Literals([
  /** A deposit or a withdrawal of an id that another has used. */
  "DuplicateTx",
  /** A withdrawal of more than is available. */
  "InsufficientFunds",
  /** The account was frozen by a chargeback. */
  "AccountFrozen",
  /** A balance would not fit. */
  "AmountOutOfRange",
  /** A dispute, resolve or chargeback of a transaction that nobody made. */
  "UnknownTx",
  /** A dispute, resolve or chargeback of another client's transaction. */
  "ClientMismatch",
  /** A dispute of what cannot be disputed. */
  "NotDisputable",
  "AlreadyDisputed",
  /** A dispute of what was charged back. */
  "ChargedBack",
  /** A resolve or chargeback where no dispute is open. */
  "NotDisputed"
])
export type Refusal = typeof Refusal.Type

/** What is wrong with a row before any rule is asked. An amount beyond the range is `AmountOutOfRange` here too. */
export type RowFault =
  | { readonly _tag: "MalformedRow"; readonly field: Field }
  | { readonly _tag: "UnknownType" }
  | { readonly _tag: "NonPositiveAmount" }
  | { readonly _tag: "AmountOutOfRange" }

/** `row`: too many columns, a quote that is not closed, or a line that is too long. */
export type Field = "client" | "tx" | "amount" | "row"

/** As in reports: `DuplicateTx`, `MalformedRow:amount`. */
export const text = (refusal: Refusal | RowFault): string =>
  typeof refusal === "string"
    ? refusal
    : refusal._tag === "MalformedRow"
      ? `MalformedRow:${refusal.field}`
      : refusal._tag
