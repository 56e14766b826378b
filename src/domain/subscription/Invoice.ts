/**
 * An invoice: numbered lines, their sum, and what is left to pay of it.
 *
 *     total      = the sum of the lines; below zero when more is credited than charged
 *     fromCredit = what the subscription's credit pays of it; below zero: what it adds to that credit
 *     due        = total - fromCredit, never below zero
 *
 * Its id is derived from its subscription. Its number in the books of the
 * merchant is given by the store, in the statement that keeps it, so that the
 * numbers of a merchant have no gaps.
 */
import { Schema } from "effect"
import * as Currency from "../Currency.ts"
import { Instant } from "../Instant.ts"
import * as Money from "../Money.ts"
import { Text } from "../Text.ts"

export const SubscriptionId = Schema.String.check(
  Schema.isPattern(/^sub_[0-9a-z]{1,40}$/, { expected: 'a subscription id such as "sub_01jd8m2r6v"' })
).pipe(Schema.brand("SubscriptionId"))
export type SubscriptionId = typeof SubscriptionId.Type

export const InvoiceId = Schema.String.check(
  Schema.isPattern(/^sub_[0-9a-z]{1,40}\/inv\/[1-9][0-9]{0,8}$/, {
    expected: 'an invoice id such as "sub_01jd8m2r6v/inv/1"'
  })
).pipe(Schema.brand("InvoiceId"))
export type InvoiceId = typeof InvoiceId.Type

/** The `count`-th invoice of a subscription. */
export const idOf = (subscription: SubscriptionId, count: number): InvoiceId =>
  InvoiceId.make(`${subscription}/inv/${count}`)

/** `plan`: a whole period. `discount`: what a coupon takes off it. `charge` and `credit`: for the rest of one. */
export const LineKind = Schema.Literals(["plan", "discount", "charge", "credit"])

export const Line = Schema.Struct({
  /** From 1, without gaps. */
  number: Schema.Int,
  kind: LineKind,
  description: Text(200),
  amountMinor: Money.Minor,
  start: Instant,
  end: Instant
})
export type Line = typeof Line.Type

export const Invoice = Schema.Struct({
  id: InvoiceId,
  currency: Currency.Currency,
  lines: Schema.Array(Line),
  totalMinor: Money.Minor,
  fromCreditMinor: Money.Minor,
  dueMinor: Money.Minor,
  at: Instant
})
export type Invoice = typeof Invoice.Type

/** A line that has no number yet. */
export type Draft = Omit<Line, "number">

/** One line, or none where it would say zero. */
export const line = (
  kind: Line["kind"],
  description: string,
  amountMinor: bigint,
  start: Instant,
  end: Instant
): ReadonlyArray<Draft> => (amountMinor === 0n ? [] : [{ kind, description, amountMinor, start, end }])

/** Numbers the lines, sums them up, and takes what it can from `creditMinor`. */
export const of = (invoice: {
  readonly id: InvoiceId
  readonly currency: Currency.Currency
  readonly lines: ReadonlyArray<Draft>
  readonly creditMinor: bigint
  readonly at: Instant
}): Invoice => {
  const { at, creditMinor, currency, id } = invoice
  const lines = invoice.lines.map((line, index) => ({ number: index + 1, ...line }))
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  const fromCreditMinor = totalMinor < creditMinor ? totalMinor : creditMinor
  return { id, currency, lines, totalMinor, fromCreditMinor, dueMinor: totalMinor - fromCreditMinor, at }
}
