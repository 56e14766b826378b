/**
 * The ledger's accounts and transactions as they stand, in memory: derived from
 * the journal, and kept by the rules of `domain/ledger`.
 *
 * Everything here is synchronous and plain. What is applied here is not durable
 * by that; whoever applies appends the event to the journal before they answer.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Account, Decision, Entry } from "../domain/ledger/Ledger.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import type { LedgerPolicy } from "../domain/ledger/LedgerPolicy.ts"
import type { ClientId, Transaction, TxId } from "../domain/ledger/Transaction.ts"

export interface Books {
  /** Decides, and takes what was decided into the books. */
  readonly apply: (transaction: Transaction) => Decision
  /** Takes in what has happened, whatever the policy says of it today. An impossible history is a defect. */
  readonly replay: (event: LedgerEvent) => void
  readonly account: (client: ClientId) => Account | undefined
  readonly entry: (tx: TxId) => Entry | undefined
  /** By client, ascending. */
  readonly accounts: () => Iterable<readonly [ClientId, Account]>
}

/** Not a snapshot, not one of ours, or not whole. Whoever has it starts from another one. */
export class SnapshotUnreadable extends Schema.TaggedError<SnapshotUnreadable>()("SnapshotUnreadable", {
  detail: Schema.String
}) {
  override get message() {
    return `the snapshot cannot be used: ${this.detail}`
  }
}

/** Books that can be put away and taken out again. */
export interface KeptBooks extends Books {
  /** All that is in them now, as bytes that `restore` reads: later changes do not reach them. */
  readonly bytes: () => ReadonlyArray<Uint8Array>
}

/** Takes the bytes of books one after the other, however they are cut. Both throw `SnapshotUnreadable`. */
export interface BooksRestoration {
  readonly take: (bytes: Uint8Array) => void
  readonly end: () => KeptBooks
}

export class LedgerBooks extends Context.Service<
  LedgerBooks,
  {
    /** Empty books. */
    readonly open: (policy: LedgerPolicy) => Effect.Effect<KeptBooks>
    /** Books as they were put away. The policy is today's: what has happened does not depend on it. */
    readonly restore: (policy: LedgerPolicy) => BooksRestoration
  }
>()("florin/adapters/LedgerBooks") {}
