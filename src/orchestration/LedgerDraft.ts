/**
 * What a group of commands comes to, before any of it is durable: decided by
 * the rules of `Ledger` on the books as they are, and on what the group's
 * earlier commands have changed, which is kept beside the books and not in
 * them.
 *
 * A repeat records nothing and is answered as the first was. A deposit or a
 * withdrawal is known by its own `tx`, anything by its key. A key stands for
 * what was recorded under it: after a refusal it is free.
 */
import { Result } from "effect"
import type { ClientAccountsError } from "./ClientAccountsError.ts"
import * as Errors from "./ClientAccountsError.ts"
import * as Ledger from "../domain/ledger/Ledger.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import type { Refusal } from "../domain/ledger/LedgerRefusal.ts"
import type { ClientId, Transaction, TxId } from "../domain/ledger/Transaction.ts"
import type { LedgerReplica } from "./LedgerReplica.ts"

export interface Command {
  readonly transaction: Transaction
  readonly key: string | undefined
}

export type Recorded = Exclude<LedgerEvent, { readonly _tag: "Opened" }>

export type Answer =
  /** `replayed`: it had been recorded before. */
  | { readonly _tag: "Applied"; readonly event: Recorded; readonly replayed: boolean }
  | { readonly _tag: "Refused"; readonly refusal: Refusal }

/** An event of the group, and the key that it is recorded under. */
export interface Drafted {
  readonly event: LedgerEvent
  readonly key: string | undefined
}

export interface LedgerDraft {
  readonly decide: (command: Command) => Result.Result<Answer, ClientAccountsError>
  readonly events: ReadonlyArray<Drafted>
}

export const make = ({ books, policy, recorded }: LedgerReplica): LedgerDraft => {
  const accounts = new Map<ClientId, Ledger.Account>()
  const entries = new Map<TxId, Ledger.Entry>()
  const keys = new Map<string, LedgerEvent>()
  const events: Array<Drafted> = []

  const situation = (client: ClientId, tx: TxId): Ledger.Situation => ({
    account: accounts.get(client) ?? books.account(client),
    entry: entries.get(tx) ?? books.entry(tx)
  })

  const draft = (before: Ledger.Situation, event: LedgerEvent, key: string | undefined): void => {
    const { account, entry } = Ledger.evolve(before, event)
    if (account !== undefined) accounts.set(event.client, account)
    if (entry !== undefined && event._tag !== "Opened") entries.set(event.tx, entry)
    if (key !== undefined) keys.set(key, event)
    events.push({ event, key })
  }

  const decide = ({ key, transaction }: Command): Result.Result<Answer, ClientAccountsError> => {
    const first = key === undefined ? undefined : (keys.get(key) ?? recorded(key))
    if (first !== undefined) {
      const field = difference(first, transaction)
      return field === undefined ? repeated(first) : Result.fail(Errors.keyReused(field))
    }
    const { client, tx } = transaction
    const before = situation(client, tx)
    const posted = postedAs(transaction, before.entry)
    if (posted !== undefined) return repeated(posted)
    const decision = Ledger.decide(transaction, before, policy)
    if (decision._tag === "Refused") {
      if (decision.opens) draft(before, { _tag: "Opened", client }, undefined)
      return Result.succeed({ _tag: "Refused", refusal: decision.refusal })
    }
    draft(before, decision.event, key)
    return applied(decision.event, false)
  }

  return { decide, events }
}

const applied = (event: LedgerEvent, replayed: boolean): Result.Result<Answer> => {
  if (event._tag === "Opened") throw new Error("nobody asks for an account to be opened")
  return Result.succeed({ _tag: "Applied", event, replayed })
}

const repeated = (event: LedgerEvent) => applied(event, true)

/** The event of a deposit or withdrawal that is there already, with the same client and amount. */
const postedAs = (transaction: Transaction, entry: Ledger.Entry | undefined): LedgerEvent | undefined => {
  if (entry === undefined || entry.client !== transaction.client) return undefined
  const { client, tx } = transaction
  if (transaction._tag !== "Deposit" && transaction._tag !== "Withdrawal") return undefined
  if (transaction.amount !== entry.amount || entry.kind !== transaction._tag.toLowerCase()) return undefined
  return { _tag: pastOf[transaction._tag], client, tx, amount: entry.amount }
}

const pastOf = {
  Deposit: "Deposited",
  Withdrawal: "Withdrawn",
  Dispute: "Disputed",
  Resolve: "Resolved",
  Chargeback: "ChargedBack"
} as const satisfies Record<Transaction["_tag"], LedgerEvent["_tag"]>

/** In what the command is another than the one that was recorded. */
const difference = (event: LedgerEvent, transaction: Transaction): Errors.KeyReused["field"] | undefined => {
  if (event._tag !== pastOf[transaction._tag]) return "type"
  if (event.client !== transaction.client) return "client"
  if (event.tx !== transaction.tx) return "tx"
  return "amount" in transaction && event.amount !== transaction.amount ? "amount" : undefined
}
