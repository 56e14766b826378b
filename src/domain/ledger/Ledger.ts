/**
 * The rules of the ledger, the whole of them: what becomes of one transaction.
 *
 *     Deposit ----> posted --Dispute--> disputed --Chargeback--> charged back
 *                     ^                     |
 *                     +------Resolve--------+
 *
 * `decide` needs to know one account and one transaction, and answers with an
 * event or a refusal; `evolve` says what the event makes of the two. Whoever
 * keeps the many, in a `Map` or in columns of bytes, keeps them by these
 * rules.
 *
 * Balances: `available` may be spent, `held` is under dispute, their sum is
 * the account's total. A chargeback freezes the account for good.
 */
import * as LedgerAmount from "./LedgerAmount.ts"
import type { LedgerEvent } from "./LedgerEvent.ts"
import type { LedgerPolicy } from "./LedgerPolicy.ts"
import type { Refusal } from "./LedgerRefusal.ts"
import type { Transaction } from "./Transaction.ts"

// --- State ------------------------------------------------------------------

/** In 10^-4. `available` is below zero when a deposit is disputed that was spent. */
export interface Account {
  readonly available: bigint
  readonly held: bigint
  /** Frozen by a chargeback. */
  readonly locked: boolean
}

export const opened: Account = { available: 0n, held: 0n, locked: false }

export const total = (account: Account): bigint => account.available + account.held

/** A deposit or a withdrawal that was applied, and where its dispute stands. */
export interface Entry {
  readonly kind: "deposit" | "withdrawal"
  readonly client: number
  readonly amount: bigint
  readonly dispute: "none" | "open" | "resolved" | "chargedBack"
}

/** What a transaction is decided on: the account of its client and the entry of its id, where there are such. */
export interface Situation {
  readonly account: Account | undefined
  readonly entry: Entry | undefined
}

// --- Decide -----------------------------------------------------------------

/** A refused row changes nothing, but that `opens` may leave an account of zeros behind. */
export type Decision =
  | { readonly _tag: "Applied"; readonly event: LedgerEvent }
  | { readonly _tag: "Refused"; readonly refusal: Refusal; readonly opens: boolean }

const applied = (event: LedgerEvent): Decision => ({ _tag: "Applied", event })
const refused = (refusal: Refusal): Decision => ({ _tag: "Refused", refusal, opens: false })

export const decide = (transaction: Transaction, situation: Situation, policy: LedgerPolicy): Decision => {
  switch (transaction._tag) {
    case "Deposit":
      return deposit(transaction, situation, policy)
    case "Withdrawal":
      return withdraw(transaction, situation, policy)
    case "Dispute":
      return dispute(transaction, situation, policy)
    case "Resolve":
    case "Chargeback":
      return settle(transaction, situation, policy)
  }
}

type Of<Tag extends Transaction["_tag"]> = Extract<Transaction, { readonly _tag: Tag }>

const deposit = (
  { amount, client, tx }: Of<"Deposit">,
  { account = opened, entry }: Situation,
  policy: LedgerPolicy
) => {
  if (entry !== undefined) return refused("DuplicateTx")
  if (account.locked && policy.frozenDeposits === "refuse") return refused("AccountFrozen")
  const event: LedgerEvent = { _tag: "Deposited", client, tx, amount }
  return fits(moved(account, event, undefined)) ? applied(event) : refused("AmountOutOfRange")
}

const withdraw = ({ amount, client, tx }: Of<"Withdrawal">, { account, entry }: Situation, policy: LedgerPolicy) => {
  if (entry !== undefined) return refused("DuplicateTx")
  const { available, locked } = account ?? opened
  if (locked && policy.frozenWithdrawals === "refuse") return refused("AccountFrozen")
  if (available < amount) {
    const opens = account === undefined && policy.unseenWithdrawals === "open"
    return { _tag: "Refused", refusal: "InsufficientFunds", opens } satisfies Decision
  }
  return applied({ _tag: "Withdrawn", client, tx, amount })
}

const dispute = ({ client, tx }: Of<"Dispute">, { account = opened, entry }: Situation, policy: LedgerPolicy) => {
  if (entry === undefined) return refused("UnknownTx")
  if (entry.client !== client) return refused("ClientMismatch")
  if (entry.kind === "withdrawal" && policy.disputable === "deposits") return refused("NotDisputable")
  if (entry.dispute === "open") return refused("AlreadyDisputed")
  if (entry.dispute === "chargedBack") return refused("ChargedBack")
  if (entry.dispute === "resolved" && policy.repeatedDisputes === "refuse") return refused("AlreadyDisputed")
  if (account.locked && policy.frozenDisputes === "refuse") return refused("AccountFrozen")
  const isSpent = entry.kind === "deposit" && account.available < entry.amount
  if (isSpent && policy.spentDisputes === "refuse") return refused("InsufficientFunds")
  const event: LedgerEvent = { _tag: "Disputed", client, tx, amount: entry.amount }
  return fits(moved(account, event, entry)) ? applied(event) : refused("AmountOutOfRange")
}

const settle = (
  { _tag, client, tx }: Of<"Resolve" | "Chargeback">,
  { account = opened, entry }: Situation,
  policy: LedgerPolicy
) => {
  if (entry === undefined) return refused("UnknownTx")
  if (entry.client !== client) return refused("ClientMismatch")
  if (entry.dispute !== "open") return refused("NotDisputed")
  if (account.locked && policy.frozenDisputes === "refuse") return refused("AccountFrozen")
  // It always fits: what is held is there to be taken, and the total does not grow.
  return applied({ _tag: _tag === "Resolve" ? "Resolved" : "ChargedBack", client, tx, amount: entry.amount })
}

const fits = (account: Account): boolean =>
  LedgerAmount.isInRange(account.available) &&
  LedgerAmount.isInRange(account.held) &&
  LedgerAmount.isInRange(total(account))

// --- Evolve -----------------------------------------------------------------

/** The situation after the event; `entry` is that of the event's `tx`. */
export const evolve = ({ account = opened, entry }: Situation, event: LedgerEvent): Situation => ({
  account: moved(account, event, entry),
  entry: posted(entry, event)
})

const moved = (account: Account, event: LedgerEvent, entry: Entry | undefined): Account => {
  const { available, held } = account
  switch (event._tag) {
    case "Opened":
      return account
    case "Deposited":
      return { ...account, available: available + event.amount }
    case "Withdrawn":
      return { ...account, available: available - event.amount }
    case "Disputed":
      return entry?.kind === "withdrawal"
        ? { ...account, held: held + event.amount }
        : { ...account, available: available - event.amount, held: held + event.amount }
    case "Resolved":
      return entry?.kind === "withdrawal"
        ? { ...account, held: held - event.amount }
        : { ...account, available: available + event.amount, held: held - event.amount }
    case "ChargedBack":
      return entry?.kind === "withdrawal"
        ? { available: available + event.amount, held: held - event.amount, locked: true }
        : { available, held: held - event.amount, locked: true }
  }
}

const posted = (entry: Entry | undefined, event: LedgerEvent): Entry | undefined => {
  switch (event._tag) {
    case "Opened":
      return entry
    case "Deposited":
      return { kind: "deposit", client: event.client, amount: event.amount, dispute: "none" }
    case "Withdrawn":
      return { kind: "withdrawal", client: event.client, amount: event.amount, dispute: "none" }
    case "Disputed":
      return { ...known(entry, event), dispute: "open" }
    case "Resolved":
      return { ...known(entry, event), dispute: "resolved" }
    case "ChargedBack":
      return { ...known(entry, event), dispute: "chargedBack" }
  }
}

// A history that no `decide` could have written is corrupt storage, not a business outcome.
const known = (entry: Entry | undefined, event: LedgerEvent): Entry => {
  if (entry === undefined) throw new Error(`corrupt journal: ${event._tag} of a transaction that it does not hold`)
  return entry
}
