/**
 * A journal held against the rules: every event, in order, must be what
 * `domain/ledger` decides on the accounts and transactions as they stood then.
 *
 * 1. Reading checks checksums and that no sequence is missing.
 * 2. Of each source, lines only ascend, so that no row was applied twice.
 * 3. Each event is decided anew by the rules. Which policy was in force is not
 *    on record, so what any policy allows passes, unless one is given.
 * 4. Each snapshot is held against the replay when that has come to it: its
 *    accounts, and its entry of every transaction up to then.
 *
 * Balances and entries are kept in the columnar books; the decisions are the
 * specification's own.
 */
import { Effect, Option, Schema, Stream } from "effect"
import type { Block } from "../../adapters/LedgerJournal.ts"
import { JournalDamaged, LedgerJournalError } from "../../adapters/LedgerJournal.ts"
import * as Ledger from "../../domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../domain/ledger/PackedEvents.ts"
import type { Transaction } from "../../domain/ledger/Transaction.ts"
import { ColumnarBooks } from "../../infra/ledger/ColumnarBooks.ts"
import type * as JournalPlace from "./JournalPlace.ts"
import * as PastBooks from "./PastBooks.ts"

/** The first event that the rules could not have written, or the first snapshot that is not what the events make. */
export class JournalWrong extends Schema.TaggedError<JournalWrong>()("JournalWrong", {
  sequence: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `the journal is wrong at event ${this.sequence}: ${this.detail}`
  }
}

export interface Report {
  readonly events: number
  readonly blocks: number
  readonly sources: number
  readonly accounts: number
  /** The sequences of those that were compared. */
  readonly snapshots: ReadonlyArray<number>
}

/** What any policy allows. */
const anyPolicy: LedgerPolicy = {
  frozenDeposits: "accept",
  frozenWithdrawals: "accept",
  frozenDisputes: "accept",
  disputable: "all",
  spentDisputes: "accept",
  repeatedDisputes: "accept",
  unseenWithdrawals: "open"
}

/** The hash's seed: these books take nobody's rows. */
const seed = 1

type Stores = Pick<JournalPlace.Opened, "journal" | "snapshots">

export const verify = Effect.fnUntraced(function* (
  { journal, snapshots }: Stores,
  policy: LedgerPolicy = anyPolicy,
  onProgress: (done: number, total: number) => Effect.Effect<void> = () => Effect.void
) {
  const { sequence: head } = yield* journal.head
  const due = yield* sequencesOf(snapshots)
  const beyond = due.find((sequence) => sequence > head)
  if (beyond !== undefined) {
    const detail = `a snapshot was made after event ${beyond}, which the journal does not have`
    return yield* new LedgerJournalError({ reason: new JournalDamaged({ after: head, detail }) })
  }
  const books = new ColumnarBooks({ policy, wideClients: true, seed })
  const lines = new Map<string, number>()
  let blocks = 0
  let sequence = 0
  const remaining = [...due]

  const reach = Effect.fnUntraced(function* (block: Block) {
    const events = yield* Effect.try({
      try: () => PackedEvents.unpack(block.events, block.line),
      catch: (error) => new JournalWrong({ sequence: block.first, detail: error instanceof Error ? error.message : "" })
    })
    const reached = lines.get(block.source) ?? 0
    if (block.line < reached) {
      const detail = `it begins behind line ${block.line} of ${block.source}, which was taken up to line ${reached}`
      return yield* new JournalWrong({ sequence: block.first, detail })
    }
    for (const { event, line } of events) {
      sequence += 1
      const wrong = line > block.to.line ? `it is of line ${line}, beyond its block` : complaint(books, event, policy)
      if (wrong !== undefined) {
        const detail = `${event._tag} of line ${line} of ${block.source}: ${wrong}`
        return yield* new JournalWrong({ sequence, detail })
      }
      books.evolve(event)
      if (sequence === remaining[0]) {
        remaining.shift()
        yield* compare({ journal, snapshots }, books, sequence)
      }
    }
    lines.set(block.source, block.to.line)
    blocks += 1
  })

  yield* Stream.runForEach(journal.read({ after: 0, upTo: head }), (block) =>
    Effect.andThen(
      reach(block),
      Effect.suspend(() => onProgress(sequence, head))
    )
  )
  if (sequence !== head) {
    const detail = `it should end at ${head}`
    return yield* new LedgerJournalError({ reason: new JournalDamaged({ after: sequence, detail }) })
  }
  const accounts = [...books.accounts()].length
  return { events: sequence, blocks, sources: lines.size, accounts, snapshots: due } satisfies Report
})

// --- Events -----------------------------------------------------------------

/** What is wrong with the event on these books; `undefined` when nothing is. */
const complaint = (books: ColumnarBooks, event: LedgerEvent, policy: LedgerPolicy): string | undefined => {
  const account = books.account(event.client)
  if (event._tag === "Opened") return account === undefined ? undefined : `client ${event.client} has an account`
  if (event.amount <= 0n || !LedgerAmount.isInRange(event.amount)) {
    return `${LedgerAmount.format(event.amount)} is no amount`
  }
  const decision = Ledger.decide(asked(event), { account, entry: books.entry(event.tx) }, policy)
  if (decision._tag === "Refused") return `the rules refuse it as ${decision.refusal}`
  const moved = decision.event
  return moved._tag === event._tag && moved.amount === event.amount
    ? undefined
    : `it moves ${LedgerAmount.format(event.amount)}, and the transaction has another amount`
}

/** What must have been asked for the event to happen. */
const asked = (event: Exclude<LedgerEvent, { readonly _tag: "Opened" }>): Transaction => {
  const { amount, client, tx } = event
  switch (event._tag) {
    case "Deposited":
      return { _tag: "Deposit", client, tx, amount }
    case "Withdrawn":
      return { _tag: "Withdrawal", client, tx, amount }
    case "Disputed":
      return { _tag: "Dispute", client, tx }
    case "Resolved":
      return { _tag: "Resolve", client, tx }
    case "ChargedBack":
      return { _tag: "Chargeback", client, tx }
  }
}

// --- Snapshots --------------------------------------------------------------

/** Of all that can be read, ascending. */
const sequencesOf = Effect.fnUntraced(function* (snapshots: Stores["snapshots"]) {
  const found: Array<number> = []
  while (true) {
    const before = found[0] === undefined ? {} : { sequence: found[0] - 1 }
    const one = Option.getOrUndefined(yield* snapshots.latest(before))
    if (one === undefined) return found
    found.unshift(one.sequence)
  }
})

const compare = Effect.fnUntraced(function* ({ journal, snapshots }: Stores, books: ColumnarBooks, sequence: number) {
  const wrong = (detail: string) =>
    new JournalWrong({ sequence, detail: `the snapshot that was made there differs from the events: ${detail}` })
  const found = Option.getOrUndefined(yield* snapshots.latest({ sequence }))
  // Dropped for a newer one while this went on.
  if (found?.sequence !== sequence) return
  const kept = yield* PastBooks.ofSnapshot(found.parts, { policy: anyPolicy, wideClients: true }).pipe(
    Effect.catchTag("SnapshotUnreadable", (error) => Effect.fail(wrong(error.detail)))
  )
  const [made, said] = [books.accounts()[Symbol.iterator](), kept.accounts()[Symbol.iterator]()]
  while (true) {
    const [left, right] = [made.next(), said.next()]
    if (left.done === true && right.done === true) break
    const [client, account] = left.done === true ? [right.value![0], undefined] : left.value
    if (!isSame(account, right.done === true || right.value[0] !== client ? undefined : right.value[1])) {
      return yield* wrong(`client ${client} has another account`)
    }
  }
  yield* Stream.runForEach(journal.read({ after: 0, upTo: sequence }), (block) => {
    const tx = PackedEvents.unpack(block.events, block.line)
      .filter((_, index) => block.first + index <= sequence)
      .flatMap(({ event }) => (event._tag === "Deposited" || event._tag === "Withdrawn" ? event.tx : []))
      .find((tx) => !isSame(books.entry(tx), kept.entry(tx)))
    return tx === undefined ? Effect.void : Effect.fail(wrong(`transaction ${tx} stands otherwise`))
  })
  if (kept.entries.size !== books.entries.size) return yield* wrong("it has other transactions")
})

const isSame = (one: object | undefined, other: object | undefined): boolean =>
  one === undefined || other === undefined
    ? one === other
    : Object.entries(one).every(([name, value]) => Object.entries(other).some(([n, v]) => n === name && v === value))
