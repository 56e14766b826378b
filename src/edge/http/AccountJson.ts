/**
 * Clients' accounts in JSON, as the API takes and gives them.
 *
 * Amounts are decimal text of at most four decimals, exact up to
 * 922337203685477.5807, and given with all four; moments are ISO 8601 in UTC.
 */
import { DateTime, Option, Result, Schema, SchemaGetter } from "effect"
import { Base64Url } from "effect/encoding"
import * as Ledger from "../../domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import type { Transaction as LedgerTransaction } from "../../domain/ledger/Transaction.ts"
import { ClientId, maxId, TxId } from "../../domain/ledger/Transaction.ts"
import * as TransactionRow from "../../domain/ledger/TransactionRow.ts"
import type { ClientAccount } from "../../orchestration/ClientAccounts.ts"
import type { Happening } from "../../orchestration/ClientHistory.ts"
import type { Recorded } from "../../orchestration/LedgerDraft.ts"
import { Limit, usualLimit } from "./PaymentList.ts"

const optional = Schema.optionalKey

// --- Requests ---------------------------------------------------------------

const isMoved = Schema.is(LedgerAmount.LedgerAmount)

const amountOf = (text: string): bigint | undefined => {
  const amount = LedgerAmount.parse(text)
  return isMoved(amount) ? amount : undefined
}

/** More than nothing. */
const Amount = Schema.String.annotate({ description: "Decimal text of at most four decimals, such as `10.99`" })
  .check(
    Schema.makeFilter(
      (text) =>
        amountOf(text) !== undefined ||
        `Expected decimal text of at most four decimals, 0.0001 to ${LedgerAmount.format(LedgerAmount.max)}`
    )
  )
  .pipe(
    Schema.decodeTo(LedgerAmount.LedgerAmount, {
      decode: SchemaGetter.transform((text) => amountOf(text)!),
      encode: SchemaGetter.transform(LedgerAmount.format)
    })
  )

const Type = Schema.Literals(["deposit", "withdrawal", "dispute", "resolve", "chargeback"])
type Type = typeof Type.Type

/** Those that move an amount of their own, and have an id of their own. */
const isPosting = (type: Type): type is "deposit" | "withdrawal" => type === "deposit" || type === "withdrawal"

export const NewTransaction = Schema.Struct({
  type: Type,
  tx: TxId.annotate({ description: "The transaction's own id; of a dispute and its end, the disputed one's" }),
  /** Of deposits and withdrawals; the others move the disputed transaction's. */
  amount: optional(Amount)
})
  .check(
    Schema.makeFilter(({ amount, type }) => {
      if (isPosting(type) === (amount !== undefined)) return undefined
      const issue = isPosting(type) ? `Expected the amount of a ${type}` : `Expected no amount: a ${type} has none`
      return { path: ["amount"], issue }
    })
  )
  .annotate({ identifier: "NewTransaction" })
export type NewTransaction = typeof NewTransaction.Type

/** Whether a repeat can only be known by a key. */
export const needsKey = ({ type }: NewTransaction): boolean => !isPosting(type)

export const toTransaction = (client: ClientId, { amount, tx, type }: NewTransaction): LedgerTransaction =>
  isPosting(type)
    ? { _tag: TransactionRow.types[type], client, tx, amount: amount! }
    : { _tag: TransactionRow.types[type], client, tx }

// --- Where ------------------------------------------------------------------

export const Client = Schema.String.annotate({ description: `A client's id, 0 to ${maxId}` })
  .check(
    Schema.makeFilter(
      (text) => (/^\d{1,10}$/.test(text) && Number(text) <= maxId) || `Expected a client's id of 0 to ${maxId}`
    )
  )
  .pipe(Schema.decodeTo(ClientId, { decode: SchemaGetter.transform(Number), encode: SchemaGetter.transform(String) }))

const cursorOf = (place: number): string => Base64Url.encode(String(place))

const placeOf = (cursor: string): Option.Option<number> =>
  Option.filter(
    Option.map(Result.getSuccess(Base64Url.decodeString(cursor)), Number),
    (place) => Number.isSafeInteger(place) && place >= 0 && cursorOf(place) === cursor
  )

const Cursor = Schema.String.annotate({ description: "The `nextCursor` of the page before" }).check(
  Schema.makeFilter((text) => Option.isSome(placeOf(text)) || "Expected a cursor that a page gave as nextCursor")
)

export const Query = { limit: optional(Limit), cursor: optional(Cursor) }

interface Asked {
  readonly cursor?: string
  readonly limit?: number
}

const afterOf = ({ cursor }: Asked): number | undefined =>
  cursor === undefined ? undefined : Option.getOrUndefined(placeOf(cursor))

/** A page of a history: its places are sequences. */
export const toPage = (asked: Asked) => ({ after: afterOf(asked) ?? 0, limit: asked.limit ?? usualLimit })

/** A page of accounts: its places are clients. */
export const toPlace = (asked: Asked) => {
  const after = afterOf(asked)
  // Who is beyond the last client that there can be is behind all of them.
  return {
    after: after === undefined ? undefined : ClientId.make(Math.min(after, maxId)),
    limit: asked.limit ?? usualLimit
  }
}

// --- Answers ----------------------------------------------------------------

export const Account = Schema.Struct({
  client: ClientId,
  /** What may be spent; below zero when a deposit is disputed that was spent. */
  available: Schema.String,
  /** What is under dispute. */
  held: Schema.String,
  /** Both together. */
  total: Schema.String,
  /** Frozen by a chargeback. */
  locked: Schema.Boolean
}).annotate({ identifier: "Account" })
export type Account = typeof Account.Type

export const fromAccount = ({ account, client }: ClientAccount): Account => ({
  client,
  available: LedgerAmount.format(account.available),
  held: LedgerAmount.format(account.held),
  total: LedgerAmount.format(Ledger.total(account)),
  locked: account.locked
})

const nextCursor = optional(Schema.String.annotate({ description: "Where the next page begins; absent on the last" }))

export const Accounts = Schema.Struct({ accounts: Schema.Array(Account), nextCursor }).annotate({
  identifier: "Accounts"
})

/** A transaction as it was applied. */
export const Transaction = Schema.Struct({
  type: Type,
  client: ClientId,
  tx: TxId,
  amount: Schema.String
}).annotate({ identifier: "AccountTransaction" })
export type Transaction = typeof Transaction.Type

const typeOf = {
  Deposited: "deposit",
  Withdrawn: "withdrawal",
  Disputed: "dispute",
  Resolved: "resolve",
  ChargedBack: "chargeback"
} as const satisfies Record<Recorded["_tag"], Type>

export const fromRecorded = ({ _tag, amount, client, tx }: Recorded): Transaction => ({
  type: typeOf[_tag],
  client,
  tx,
  amount: LedgerAmount.format(amount)
})

const place = { sequence: Schema.Int, at: Schema.String }

export const Transactions = Schema.Struct({
  transactions: Schema.Array(
    Schema.Union([
      Schema.Struct({ ...place, ...Transaction.fields }),
      /** An account of zeros, by a withdrawal that was refused. */
      Schema.Struct({ ...place, type: Schema.Literal("opened"), client: ClientId })
    ])
  ),
  nextCursor
}).annotate({ identifier: "AccountTransactions" })

const fromEvent = (event: LedgerEvent) =>
  event._tag === "Opened" ? { type: "opened" as const, client: event.client } : fromRecorded(event)

export const fromHappening = ({ at, event, sequence }: Happening) => ({
  sequence,
  at: DateTime.formatIso(DateTime.makeUnsafe(at)),
  ...fromEvent(event)
})

/** The `nextCursor` of a page, where there is one. */
export const next = <A>(items: ReadonlyArray<A>, isMore: boolean, placeOf: (item: A) => number) => {
  const last = items.at(-1)
  return isMore && last !== undefined ? { nextCursor: cursorOf(placeOf(last)) } : {}
}
