/**
 * The ledger's books over typed arrays: the rules of `domain/ledger/Ledger`, at
 * the speed of the memory that the transactions are scattered over.
 *
 * Rows come in blocks, and a block is gone through twice. The first pass only
 * reads where each row's transaction is, which lets the processor fetch many
 * cache lines at a time; the second one decides, row after row.
 *
 * Amounts and balances are doubles as long as they are exact, up to 2^53. What
 * goes beyond is decided by the rules themselves, over `bigint`.
 *
 * Tests hold this to `LedgerBook`, row by row.
 */
import type * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Books } from "../../adapters/LedgerBooks.ts"
import type { Account, Decision, Entry } from "../../domain/ledger/Ledger.ts"
import * as Ledger from "../../domain/ledger/Ledger.ts"
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import type { ClientId, Transaction } from "../../domain/ledger/Transaction.ts"
import { ColumnarAccounts } from "./ColumnarAccounts.ts"
import * as Accounts from "./ColumnarAccounts.ts"
import * as ColumnarReplay from "./ColumnarReplay.ts"
import type { PartitionedTable } from "./PartitionedTable.ts"
import * as RowBlock from "./RowBlock.ts"
import * as RowCode from "./RowCode.ts"
import * as Table from "./TransactionTable.ts"

export interface Options {
  readonly policy: LedgerPolicy
  /** Clients of up to 2^32 - 1; otherwise of up to 65,535, which takes no table. */
  readonly wideClients: boolean
  /** What keys are hashed with: a number that nobody who writes transactions can know. */
  readonly seed: number
}

/** The largest integer that a double tells from its neighbours. */
const maxPlain = Number.MAX_SAFE_INTEGER
/** An entry that is not in its home is mostly in the next cache line. */
const nextLine = 4 * Table.wordsPerEntry
/** The upper half of 2^53. */
const plainHigh = 1 << 21
const word = 4_294_967_296

export class ColumnarBooks implements Books {
  readonly options: Options
  readonly entries: PartitionedTable
  readonly balances: ColumnarAccounts
  readonly #refuseFrozenDeposits: boolean
  readonly #refuseFrozenWithdrawals: boolean
  readonly #refuseFrozenDisputes: boolean
  readonly #disputeAll: boolean
  readonly #refuseSpentDisputes: boolean
  readonly #refuseRepeatedDisputes: boolean
  readonly #openUnseen: boolean
  readonly #one = RowBlock.make(1)
  /** What the first pass has read: a result that is kept cannot be optimised away. */
  fetched = 0

  constructor(options: Options) {
    const { policy } = options
    this.options = options
    this.entries = Table.make(options.seed)
    this.balances = new ColumnarAccounts(options.wideClients, options.seed)
    this.#refuseFrozenDeposits = policy.frozenDeposits === "refuse"
    this.#refuseFrozenWithdrawals = policy.frozenWithdrawals === "refuse"
    this.#refuseFrozenDisputes = policy.frozenDisputes === "refuse"
    this.#disputeAll = policy.disputable === "all"
    this.#refuseSpentDisputes = policy.spentDisputes === "refuse"
    this.#refuseRepeatedDisputes = policy.repeatedDisputes === "refuse"
    this.#openUnseen = policy.unseenWithdrawals === "open"
  }

  /** Decides each row, takes it in, and writes its code; a dispute and its end are given the amount that they move. */
  applyRows(block: RowBlock.RowBlock): void {
    this.fetch(block)
    const { words } = block
    const end = block.count * RowBlock.wordsPerRow
    for (let at = 0; at < end; at += RowBlock.wordsPerRow) {
      const kind = words[at + RowBlock.kind]!
      if (kind === 0) continue
      words[at + RowBlock.code] =
        kind === 1
          ? this.#deposit(words, at)
          : kind === 2
            ? this.#withdraw(words, at)
            : kind === 3
              ? this.#dispute(words, at)
              : this.#settle(words, at)
    }
  }

  // --- The rules, in numbers ------------------------------------------------

  /**
   * Has the entries and accounts of all rows fetched, and leaves the hashes in the rows. Each loop does little else than
   * one kind of reading, because the processor looks so many instructions ahead and no further: the fewer a row takes,
   * the more rows are fetched at a time. While the table moves, which is seldom, its entries are not.
   */
  fetch({ count, homes, words }: RowBlock.RowBlock): void {
    const { balances, entries } = this
    let at = 0
    for (let row = 0; row < count; row++) {
      const hash = entries.hash(words[at + RowBlock.tx]!)
      words[at + RowBlock.hash] = hash
      homes[row] = entries.home(hash)
      at += RowBlock.wordsPerRow
    }
    let fetched = 0
    const settled = entries.settled
    if (settled !== undefined) {
      for (let row = 0; row < count; row++) {
        const home = homes[row]!
        fetched ^= settled[home]! ^ settled[home + nextLine]!
      }
    }
    let balance = 0
    at = 0
    for (let row = 0; row < count; row++) {
      balance += balances.peek(words[at + RowBlock.client]!)
      at += RowBlock.wordsPerRow
    }
    this.fetched = fetched + balance
  }

  #deposit(words: Int32Array, at: number): number {
    const hash = words[at + RowBlock.hash]!
    const found = this.entries.seek(hash)
    if (this.entries.words(hash)[found] !== 0) return RowCode.duplicateTx
    const high = words[at + RowBlock.high]!
    const slot = this.balances.slot(words[at + RowBlock.client]!)
    const page = this.balances.page(slot)
    const account = this.balances.offset(slot)
    if (page[account + Accounts.status] === Accounts.locked && this.#refuseFrozenDeposits) return RowCode.accountFrozen
    const available = page[account + Accounts.available]! + high * word + (words[at + RowBlock.low]! >>> 0)
    if (!(available <= maxPlain) || high >= plainHigh) return this.#exactly(words, at)
    page[account + Accounts.available] = available
    if (page[account + Accounts.status] === 0) page[account + Accounts.status] = Accounts.open
    this.#enter(words, at, hash, found, Table.deposit)
    return RowCode.applied
  }

  #withdraw(words: Int32Array, at: number): number {
    const hash = words[at + RowBlock.hash]!
    const found = this.entries.seek(hash)
    if (this.entries.words(hash)[found] !== 0) return RowCode.duplicateTx
    const high = words[at + RowBlock.high]!
    const slot = this.balances.slot(words[at + RowBlock.client]!)
    const page = this.balances.page(slot)
    const account = this.balances.offset(slot)
    const status = page[account + Accounts.status]!
    if (status === Accounts.locked && this.#refuseFrozenWithdrawals) return RowCode.accountFrozen
    const available = page[account + Accounts.available]! - (high * word + (words[at + RowBlock.low]! >>> 0))
    if (!(available >= -maxPlain) || high >= plainHigh) return this.#exactly(words, at)
    if (available < 0) {
      if (status !== 0 || !this.#openUnseen) return RowCode.insufficientFunds
      page[account + Accounts.status] = Accounts.open
      return RowCode.insufficientFunds | RowCode.opens
    }
    page[account + Accounts.available] = available
    this.#enter(words, at, hash, found, Table.withdrawal)
    return RowCode.applied
  }

  #dispute(words: Int32Array, at: number): number {
    const hash = words[at + RowBlock.hash]!
    const found = this.entries.seek(hash)
    const entries = this.entries.words(hash)
    const mark = entries[found]!
    if (mark === 0) return RowCode.unknownTx
    if (entries[found + Table.client] !== words[at + RowBlock.client]) return RowCode.clientMismatch
    const state = mark & Table.stateMask
    const isDeposit = state < Table.withdrawal
    if (!isDeposit && !this.#disputeAll) return RowCode.notDisputable
    const dispute = isDeposit ? state - Table.deposit : state - Table.withdrawal
    if (dispute === Table.open) return RowCode.alreadyDisputed
    if (dispute === Table.chargedBack) return RowCode.chargedBack
    if (dispute === Table.resolved && this.#refuseRepeatedDisputes) return RowCode.alreadyDisputed
    const slot = this.balances.slot(words[at + RowBlock.client]!)
    const page = this.balances.page(slot)
    const account = this.balances.offset(slot)
    if (page[account + Accounts.status] === Accounts.locked && this.#refuseFrozenDisputes) return RowCode.accountFrozen
    const low = entries[found + Table.low]!
    const high = entries[found + Table.high]!
    const amount = high * word + (low >>> 0)
    const available = page[account + Accounts.available]! - (isDeposit ? amount : 0)
    const held = page[account + Accounts.held]! + amount
    if (!(available >= -maxPlain && held <= maxPlain) || high >= plainHigh) return this.#exactly(words, at)
    if (available < 0 && isDeposit && this.#refuseSpentDisputes) return RowCode.insufficientFunds
    page[account + Accounts.available] = available
    page[account + Accounts.held] = held
    entries[found] = mark - dispute + Table.open
    words[at + RowBlock.low] = low
    words[at + RowBlock.high] = high
    return RowCode.applied
  }

  /** A resolve or a chargeback. */
  #settle(words: Int32Array, at: number): number {
    const hash = words[at + RowBlock.hash]!
    const found = this.entries.seek(hash)
    const entries = this.entries.words(hash)
    const mark = entries[found]!
    if (mark === 0) return RowCode.unknownTx
    if (entries[found + Table.client] !== words[at + RowBlock.client]) return RowCode.clientMismatch
    const state = mark & Table.stateMask
    const isDeposit = state < Table.withdrawal
    if (state !== (isDeposit ? Table.deposit : Table.withdrawal) + Table.open) return RowCode.notDisputed
    const slot = this.balances.slot(words[at + RowBlock.client]!)
    const page = this.balances.page(slot)
    const account = this.balances.offset(slot)
    if (page[account + Accounts.status] === Accounts.locked && this.#refuseFrozenDisputes) return RowCode.accountFrozen
    const low = entries[found + Table.low]!
    const high = entries[found + Table.high]!
    const amount = high * word + (low >>> 0)
    const isChargeback = words[at + RowBlock.kind] === 5
    // A resolve gives a deposit back to its client, a chargeback a withdrawal.
    const available = page[account + Accounts.available]! + (isDeposit === isChargeback ? 0 : amount)
    const held = page[account + Accounts.held]! - amount
    if (!(available <= maxPlain && held >= -maxPlain) || high >= plainHigh) return this.#exactly(words, at)
    page[account + Accounts.available] = available
    page[account + Accounts.held] = held
    if (isChargeback) page[account + Accounts.status] = Accounts.locked
    entries[found] = mark - Table.open + (isChargeback ? Table.chargedBack : Table.resolved)
    words[at + RowBlock.low] = low
    words[at + RowBlock.high] = high
    return RowCode.applied
  }

  #enter(words: Int32Array, at: number, hash: number, found: number, state: number): void {
    const entries = this.entries.words(hash)
    entries[found] = this.entries.mark(hash, state)
    entries[found + Table.client] = words[at + RowBlock.client]!
    entries[found + Table.low] = words[at + RowBlock.low]!
    entries[found + Table.high] = words[at + RowBlock.high]!
    this.entries.filled(hash, found)
  }

  // --- The rules themselves, where doubles do not do ------------------------

  #exactly(words: Int32Array, at: number): number {
    const transaction = RowBlock.read(words, at)
    const situation = { account: this.account(transaction.client), entry: this.entry(transaction.tx) }
    const decision = Ledger.decide(transaction, situation, this.options.policy)
    if (decision._tag === "Refused") {
      if (!decision.opens) return RowCode.of(decision.refusal)
      this.evolve({ _tag: "Opened", client: transaction.client })
      return RowCode.of(decision.refusal) | RowCode.opens
    }
    this.evolve(decision.event)
    if (decision.event._tag !== "Opened") RowBlock.setAmount(words, at, decision.event.amount)
    return RowCode.applied
  }

  /** Takes in an event by the rules themselves. */
  evolve(event: LedgerEvent): void {
    const tx = event._tag === "Opened" ? undefined : event.tx
    const before = { account: this.account(event.client), entry: tx === undefined ? undefined : this.entry(tx) }
    const { account, entry } = Ledger.evolve(before, event)
    if (account !== undefined) this.balances.set(event.client, account)
    if (entry !== undefined && tx !== undefined) this.#setEntry(tx, entry)
  }

  #setEntry(tx: number, entry: Entry): void {
    const hash = this.entries.hash(tx)
    const found = this.entries.seek(hash)
    const entries = this.entries.words(hash)
    const isNew = entries[found] === 0
    entries[found] = this.entries.mark(hash, Table.stateOf(entry))
    entries[found + Table.client] = entry.client
    entries[found + Table.low] = Number(BigInt.asIntN(32, entry.amount))
    entries[found + Table.high] = Number(BigInt.asIntN(32, entry.amount >> 32n))
    if (isNew) this.entries.filled(hash, found)
  }

  // --- Books ----------------------------------------------------------------

  apply(transaction: Transaction): Decision {
    const { words } = this.#one
    const { _tag, client, tx } = transaction
    RowBlock.write(words, 0, transaction)
    this.#one.count = 1
    this.applyRows(this.#one)
    const code = words[RowBlock.code]!
    if (code !== RowCode.applied) {
      const refusal = RowCode.refusal(code & RowCode.reasonBits)
      return { _tag: "Refused", refusal, opens: (code & RowCode.opens) !== 0 }
    }
    return { _tag: "Applied", event: { _tag: eventOf[_tag], client, tx, amount: RowBlock.amount(words, 0) } }
  }

  replay(event: LedgerEvent): void {
    RowBlock.writeEvent(this.#one.words, 0, event)
    this.#one.count = 1
    ColumnarReplay.rows(this, this.#one)
  }

  /** Events as a journal has them: `PackedEvents`. */
  replayPacked(events: Uint8Array): void {
    ColumnarReplay.packed(this, events)
  }

  account(client: number): Account | undefined {
    return this.balances.get(client)
  }

  entry(tx: number): Entry | undefined {
    const hash = this.entries.hash(tx)
    const found = this.entries.seek(hash)
    const entries = this.entries.words(hash)
    return entries[found] === 0 ? undefined : Table.entry(entries, found)
  }

  *accounts(): Iterable<readonly [ClientId, Account]> {
    for (const client of this.balances.clients()) yield [client as ClientId, this.balances.get(client)!]
  }
}

const eventOf = {
  Deposit: "Deposited",
  Withdrawal: "Withdrawn",
  Dispute: "Disputed",
  Resolve: "Resolved",
  Chargeback: "ChargedBack"
} as const

/** As `seed`: every 32-bit integer, signed. */
export const randomSeed: Effect.Effect<number> = Random.nextIntBetween(-0x8000_0000, 0x7fff_ffff)
