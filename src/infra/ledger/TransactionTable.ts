/**
 * Deposits and withdrawals by their tx, 16 bytes each, so that four share a
 * cache line:
 *
 *     0   mark of the tx (`PartitionedTable`), whose lower bits are the state
 *     4   client
 *     8   amount, low 32 bits
 *     12  amount, high 32 bits
 */
import type { Entry } from "../../domain/ledger/Ledger.ts"
import { PartitionedTable } from "./PartitionedTable.ts"

export const wordsPerEntry = 4

export const client = 1
export const low = 2
export const high = 3

// --- State ------------------------------------------------------------------

export const stateMask = 0xf

export const deposit = 1
/** A state's number is its kind's and one of these. */
export const none = 0
export const open = 1
export const resolved = 2
export const chargedBack = 3
export const withdrawal = 5

const disputes = ["none", "open", "resolved", "chargedBack"] as const

export const entry = (entries: Int32Array, at: number): Entry => {
  const state = entries[at]! & stateMask
  const kind = state < withdrawal ? "deposit" : "withdrawal"
  return {
    kind,
    client: entries[at + client]! >>> 0,
    amount: (BigInt(entries[at + high]! >>> 0) << 32n) | BigInt(entries[at + low]! >>> 0),
    dispute: disputes[state - (kind === "deposit" ? deposit : withdrawal)]!
  }
}

export const stateOf = ({ dispute, kind }: Entry): number =>
  (kind === "deposit" ? deposit : withdrawal) + disputes.indexOf(dispute)

export const make = (seed: number): PartitionedTable => new PartitionedTable(wordsPerEntry, seed)
