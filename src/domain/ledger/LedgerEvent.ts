/**
 * What happened in the ledger, as it is kept: a transaction that was applied,
 * or an account that a refused one opened.
 *
 * Events change only by adding. `amount` is in 10^-4; of a dispute and its end
 * it is the disputed transaction's, so that an event says all that it moved.
 */
import { Schema } from "effect"
import { LedgerAmount } from "./LedgerAmount.ts"
import { ClientId, TxId } from "./Transaction.ts"

const moves = { client: ClientId, tx: TxId, amount: LedgerAmount }

export const LedgerEvent = Schema.TaggedUnion({
  /** An account of zeros, by a withdrawal that was refused. */
  Opened: { client: ClientId },
  Deposited: moves,
  Withdrawn: moves,
  Disputed: moves,
  Resolved: moves,
  ChargedBack: moves
})
export type LedgerEvent = typeof LedgerEvent.Type
