/**
 * What became of a row, as a number: what the engine's loops answer with where
 * the rules answer with a word. 0 is applied, each other one a reason.
 */
import type { Refusal, RowFault } from "../../domain/ledger/LedgerRefusal.ts"
import * as LedgerRefusal from "../../domain/ledger/LedgerRefusal.ts"

export const applied = 0

export const duplicateTx = 1
export const insufficientFunds = 2
export const accountFrozen = 3
export const amountOutOfRange = 4
export const unknownTx = 5
export const clientMismatch = 6
export const notDisputable = 7
export const alreadyDisputed = 8
export const chargedBack = 9
export const notDisputed = 10
export const malformedRow = 11

/** Added to a refusal that leaves an account of zeros behind. */
export const opens = 0x40
/** The code without `opens`. */
export const reasonBits = 0x3f

/** By code less one. */
const reasons: ReadonlyArray<string> = [
  ...LedgerRefusal.Refusal.literals,
  "MalformedRow:row",
  "MalformedRow:client",
  "MalformedRow:tx",
  "MalformedRow:amount",
  "UnknownType",
  "NonPositiveAmount"
]

/** How many codes there are, `applied` among them. */
export const count = reasons.length + 1

/** As in reports: `DuplicateTx`, `MalformedRow:amount`; empty of a row that was applied. */
export const text = (code: number): string => reasons[code - 1] ?? ""

export const of = (reason: Refusal | RowFault): number => reasons.indexOf(LedgerRefusal.text(reason)) + 1

/** Of a code that the rules answer with. */
export const refusal = (code: number): Refusal => {
  const found = LedgerRefusal.Refusal.literals[code - 1]
  if (found === undefined) throw new RangeError(`no rule refuses with ${code}`)
  return found
}
