/**
 * A ledger small enough to visit all of it: two clients, three ids, and the
 * least and the largest amount. Whatever a sequence of transactions leads to,
 * however long it is, is one of its states, because what becomes of a
 * transaction depends on the state alone.
 */
import * as Ledger from "../../../src/domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import type { LedgerPolicy } from "../../../src/domain/ledger/LedgerPolicy.ts"
import { ClientId, Transaction, TxId } from "../../../src/domain/ledger/Transaction.ts"

const { cases: ask } = Transaction

export const clients = [1, 2].map((id) => ClientId.make(id))
export const txs = [1, 2, 3].map((id) => TxId.make(id))
export const amounts = [1n, LedgerAmount.max]

const about = clients.flatMap((client) => txs.map((tx) => ({ client, tx })))

/** Everything that can be asked. */
export const transactions: ReadonlyArray<Transaction> = [
  ...about.flatMap((names) => amounts.map((amount) => ask.Deposit.make({ ...names, amount }))),
  ...about.flatMap((names) => amounts.map((amount) => ask.Withdrawal.make({ ...names, amount }))),
  ...about.flatMap((names) => [ask.Dispute.make(names), ask.Resolve.make(names), ask.Chargeback.make(names)])
]

export const copy = ({ accounts, entries, policy }: LedgerBook.LedgerBook): LedgerBook.LedgerBook => ({
  policy,
  accounts: new Map(accounts),
  entries: new Map(entries)
})

/** The same for two books that hold the same. */
export const keyOf = ({ accounts, entries }: LedgerBook.LedgerBook): string => {
  let key = ""
  for (const client of clients) {
    const account = accounts.get(client)
    key += account === undefined ? "-;" : `${account.available},${account.held},${account.locked};`
  }
  for (const tx of txs) {
    const entry = entries.get(tx)
    key += entry === undefined ? "-;" : `${entry.kind},${entry.client},${entry.amount},${entry.dispute};`
  }
  return key
}

export interface Move {
  readonly from: LedgerBook.LedgerBook
  readonly asked: Transaction
  readonly decision: Ledger.Decision
  readonly to: LedgerBook.LedgerBook
}

/** Shows every transaction in every state that can be reached, and answers with how many states there are. */
export const explore = (policy: LedgerPolicy, see: (move: Move) => void): number => {
  const start = LedgerBook.make(policy)
  const seen = new Set([keyOf(start)])
  const frontier = [start]
  for (let from = frontier.pop(); from !== undefined; from = frontier.pop()) {
    for (const asked of transactions) {
      const to = copy(from)
      const decision = LedgerBook.apply(to, asked)
      see({ from, asked, decision, to })
      if (decision._tag === "Refused" && !decision.opens) continue
      const key = keyOf(to)
      if (seen.has(key)) continue
      seen.add(key)
      frontier.push(to)
    }
  }
  return seen.size
}
