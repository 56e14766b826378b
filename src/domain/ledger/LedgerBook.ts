/**
 * A whole ledger in two maps: the rules of `Ledger` over all accounts and
 * transactions. It is the specification that the fast engine is held to, and
 * small enough to be read as one.
 */
import * as Ledger from "./Ledger.ts"
import type { LedgerEvent } from "./LedgerEvent.ts"
import type { LedgerPolicy } from "./LedgerPolicy.ts"
import type { Transaction } from "./Transaction.ts"

/** Changed in place: a copy for each of a million transactions would show nothing more. */
export interface LedgerBook {
  readonly policy: LedgerPolicy
  readonly accounts: Map<number, Ledger.Account>
  readonly entries: Map<number, Ledger.Entry>
}

export const make = (policy: LedgerPolicy): LedgerBook => ({ policy, accounts: new Map(), entries: new Map() })

/** Decides, and takes what was decided into the book. */
export const apply = (book: LedgerBook, transaction: Transaction): Ledger.Decision => {
  const decision = Ledger.decide(transaction, situation(book, transaction.client, transaction.tx), book.policy)
  if (decision._tag === "Applied") replay(book, decision.event)
  else if (decision.opens) replay(book, { _tag: "Opened", client: transaction.client })
  return decision
}

/** Takes in what has happened, whatever the policy says of it today. */
export const replay = (book: LedgerBook, event: LedgerEvent): void => {
  const tx = event._tag === "Opened" ? undefined : event.tx
  const { account, entry } = Ledger.evolve(situation(book, event.client, tx), event)
  if (account !== undefined) book.accounts.set(event.client, account)
  if (entry !== undefined && tx !== undefined) book.entries.set(tx, entry)
}

const situation = (book: LedgerBook, client: number, tx: number | undefined): Ledger.Situation => ({
  account: book.accounts.get(client),
  entry: tx === undefined ? undefined : book.entries.get(tx)
})
