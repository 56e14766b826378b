/**
 * Some hundred rows between the reader and the books, eight 32-bit words each:
 *
 *     0  kind    as in PackedEvents: 1 deposit, 2 withdrawal, 3 dispute, 4 resolve, 5 chargeback;
 *                0 a row that cannot be read
 *     1  client
 *     2  tx
 *     3  amount, low 32 bits    \ of a dispute and its end: filled in by the books
 *     4  amount, high 32 bits   / when they apply it, with what it moves
 *     5  line    counted from the block's own
 *     6  hash    of `tx`, kept by the books between their two passes
 *     7  code    `RowCode`: what became of the row; of one that cannot be read, why
 *
 * Words are signed, because that is what the engine's compiler keeps in a
 * register; whoever reads an id or a low half makes it unsigned with `>>> 0`.
 */
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../../domain/ledger/PackedEvents.ts"
import type { Transaction } from "../../domain/ledger/Transaction.ts"
import { ClientId, TxId } from "../../domain/ledger/Transaction.ts"

export const wordsPerRow = 8

export const kind = 0
export const client = 1
export const tx = 2
export const low = 3
export const high = 4
export const line = 5
export const hash = 6
export const code = 7

/**
 * The books look at each row twice, first to have its table entry fetched, so a
 * block with its entries has to stay in the processor's cache: 16 KiB of rows
 * and 32 KiB of entries.
 */
export const capacity = 512

export interface RowBlock {
  readonly words: Int32Array
  /** Of each row's `tx`: its home in the table, kept by the books between two passes. */
  readonly homes: Int32Array
  /** Rows in it. */
  count: number
  /** Lines that it took, blank ones too. */
  lines: number
}

export const make = (rows: number = capacity): RowBlock => ({
  words: new Int32Array(rows * wordsPerRow),
  homes: new Int32Array(rows),
  count: 0,
  lines: 0
})

// --- A row as a transaction or an event --------------------------------------

const tags = ["Deposit", "Withdrawal", "Dispute", "Resolve", "Chargeback"] as const
const kinds = { Deposit: 1, Withdrawal: 2, Dispute: 3, Resolve: 4, Chargeback: 5 } as const

/** Kind, client, tx and amount of the row at `at`. */
export const write = (words: Int32Array, at: number, transaction: Transaction): void => {
  words[at + kind] = kinds[transaction._tag]
  words[at + client] = transaction.client
  words[at + tx] = transaction.tx
  setAmount(words, at, "amount" in transaction ? transaction.amount : 0n)
}

/** Of a row that can be read. */
export const read = (words: Int32Array, at: number): Transaction => {
  const _tag = tags[words[at + kind]! - 1]!
  const ids = { client: ClientId.make(words[at + client]! >>> 0), tx: TxId.make(words[at + tx]! >>> 0) }
  return _tag === "Deposit" || _tag === "Withdrawal" ? { _tag, ...ids, amount: amount(words, at) } : { _tag, ...ids }
}

export const writeEvent = (words: Int32Array, at: number, event: LedgerEvent): void => {
  words[at + kind] = PackedEvents.kinds.indexOf(event._tag)
  words[at + client] = event.client
  words[at + tx] = event._tag === "Opened" ? 0 : event.tx
  setAmount(words, at, event._tag === "Opened" ? 0n : event.amount)
}

export const readEvent = (words: Int32Array, at: number): LedgerEvent => {
  const _tag = PackedEvents.kinds[words[at + kind]!]!
  const owner = ClientId.make(words[at + client]! >>> 0)
  return _tag === "Opened"
    ? { _tag, client: owner }
    : { _tag, client: owner, tx: TxId.make(words[at + tx]! >>> 0), amount: amount(words, at) }
}

export const amount = (words: Int32Array, at: number): bigint =>
  (BigInt(words[at + high]! >>> 0) << 32n) | BigInt(words[at + low]! >>> 0)

export const setAmount = (words: Int32Array, at: number, amount: bigint): void => {
  words[at + low] = Number(BigInt.asIntN(32, amount))
  words[at + high] = Number(BigInt.asIntN(32, amount >> 32n))
}
