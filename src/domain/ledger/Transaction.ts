/**
 * What is asked of the ledger: money in, money out, or a word about a
 * transaction before.
 *
 * `client` names the account, `tx` the transaction: a deposit's or a
 * withdrawal's own, and of the other three the one that they are about. Ids of
 * transactions are global, so that no two deposits or withdrawals share one,
 * whoever's they are.
 */
import * as Schema from "effect/Schema"
import { LedgerAmount } from "./LedgerAmount.ts"

/** Both kinds of ids are unsigned 32-bit integers. */
export const maxId = 4_294_967_295
/** What a client's id may be unless wide ones are asked for: an unsigned 16-bit integer. */
export const maxNarrowClient = 65_535

const id = (what: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxId }, { expected: `${what} of 0 to ${maxId}` }))

export const ClientId = id("a client's id").pipe(Schema.brand("ClientId"))
export type ClientId = typeof ClientId.Type

export const TxId = id("a transaction's id").pipe(Schema.brand("TxId"))
export type TxId = typeof TxId.Type

const moves = { client: ClientId, tx: TxId, amount: LedgerAmount }
const isAbout = { client: ClientId, tx: TxId }

export const Transaction = Schema.TaggedUnion({
  Deposit: moves,
  Withdrawal: moves,
  /** The client says that the deposit was not theirs: its amount is held until that is settled. */
  Dispute: isAbout,
  /** The dispute is withdrawn: what was held is available again. */
  Resolve: isAbout,
  /** The deposit is taken back, and the account is frozen. */
  Chargeback: isAbout
})
export type Transaction = typeof Transaction.Type
