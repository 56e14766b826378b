/**
 * The choices that the exercise leaves open, each by its name.
 *
 * A policy is data: `decide` reads it, the command line takes it as
 * `--policy NAME=CHOICE`, and the guide on the ledger has one row for each.
 * Ids of refused rows are no choice here: they stay free, or a row with a
 * mistyped amount could never be sent again.
 */
import { Schema } from "effect"

export const LedgerPolicy = Schema.Struct({
  /** Deposits into a frozen account. */
  frozenDeposits: Schema.Literals(["accept", "refuse"]),
  /** Withdrawals from a frozen account. */
  frozenWithdrawals: Schema.Literals(["refuse", "accept"]),
  /** Disputes, resolves and chargebacks of a frozen account. */
  frozenDisputes: Schema.Literals(["accept", "refuse"]),
  /**
   * What can be disputed. A disputed withdrawal is a claim to have it back: its amount is held in favour of the
   * client, a chargeback makes it available, a resolve drops it.
   */
  disputable: Schema.Literals(["deposits", "all"]),
  /** A dispute of more than is available, because the client has spent it: `accept` lets available go below zero. */
  spentDisputes: Schema.Literals(["accept", "refuse"]),
  /** Another dispute of a transaction whose dispute was resolved. */
  repeatedDisputes: Schema.Literals(["accept", "refuse"]),
  /** Whether a refused withdrawal of a client never seen opens an account. */
  unseenWithdrawals: Schema.Literals(["open", "ignore"])
})
export type LedgerPolicy = typeof LedgerPolicy.Type

export const standard: LedgerPolicy = {
  frozenDeposits: "accept",
  frozenWithdrawals: "refuse",
  frozenDisputes: "accept",
  disputable: "deposits",
  spentDisputes: "accept",
  repeatedDisputes: "accept",
  unseenWithdrawals: "open"
}
