/**
 * What this process knows of a journal: the books after its first `sequence`
 * events, and under which keys they were recorded.
 *
 * It holds what is durable and nothing else, so that it never has to be taken
 * back: `follow` reads what the journal has behind it, whoever wrote that, and
 * `take` adds a block that was just appended. The keys and, for each client, the
 * first and the last of their events are kept in memory beside the books.
 */
import { Effect, Stream } from "effect"
import type { Books } from "../adapters/LedgerBooks.ts"
import { LedgerBooks } from "../adapters/LedgerBooks.ts"
import type { Block } from "../adapters/LedgerJournal.ts"
import { JournalDamaged, LedgerJournal, LedgerJournalError } from "../adapters/LedgerJournal.ts"
import type { Snapshot } from "../adapters/LedgerSnapshots.ts"
import type { Instant } from "../domain/Instant.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import type { LedgerPolicy } from "../domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../domain/ledger/PackedEvents.ts"
import type { Contents, Span } from "./ReplicaSnapshot.ts"
import * as ReplicaSnapshot from "./ReplicaSnapshot.ts"

export interface LedgerReplica {
  readonly policy: LedgerPolicy
  readonly books: Books
  /** The last event that is in the books. */
  readonly sequence: () => number
  /** The event that was recorded under a key. */
  readonly recorded: (key: string) => LedgerEvent | undefined
  readonly span: (client: number) => Span | undefined
  /** Takes in a block that is durable and follows the last event. */
  readonly take: (block: Block) => void
  /** Takes in all that the journal has beyond, and answers the first of those blocks. */
  readonly follow: Effect.Effect<Block | undefined, LedgerJournalError>
  /** Itself as it is now; nothing, where it has taken in no event since it was made. */
  readonly snapshot: () => { readonly of: Snapshot; readonly parts: Iterable<Uint8Array> } | undefined
}

/** As a snapshot had it, or empty: `follow` takes in the rest. */
export const make = Effect.fnUntraced(function* (
  policy: LedgerPolicy,
  from?: Contents
): Effect.fn.Return<LedgerReplica, never, LedgerBooks | LedgerJournal> {
  const journal = yield* LedgerJournal
  const books = from?.books ?? (yield* (yield* LedgerBooks).open(policy))
  const keys = from?.keys ?? new Map<string, LedgerEvent>()
  const spans = from?.spans ?? new Map<number, Span>()
  let sequence = from?.sequence ?? 0
  let last: { readonly block: Block; readonly at: Instant } | undefined

  const take = (block: Block): void => {
    const keyOf = new Map(block.keys)
    PackedEvents.unpack(block.events, block.line).forEach(({ event }, index) => {
      const at = block.first + index
      if (at <= sequence) return
      books.replay(event)
      const key = keyOf.get(index)
      if (key !== undefined) keys.set(key, event)
      spans.set(event.client, { first: spans.get(event.client)?.first ?? at, last: at })
      sequence = at
      last = { block, at: block.at }
    })
  }

  return {
    policy,
    books,
    sequence: () => sequence,
    recorded: (key) => keys.get(key),
    span: (client) => spans.get(client),
    take,
    follow: Effect.suspend(() =>
      Stream.runFoldEffect(
        journal.read({ after: sequence }),
        (): Block | undefined => undefined,
        (first, block) => {
          if (block.first > sequence + 1) return gap(sequence, block.first)
          take(block)
          return Effect.succeed(first ?? block)
        }
      )
    ),
    snapshot: () => {
      const mark = last === undefined ? undefined : markOf(last.block, sequence)
      if (last === undefined || mark === undefined) return undefined
      return { of: { sequence, at: last.at }, parts: ReplicaSnapshot.take({ books, keys, spans, sequence, mark }) }
    }
  }
})

/** An event of a block as the journal has it: by whom, when, which line and what. */
export const markOf = ({ at, events, first, line, source }: Block, sequence: number): string | undefined => {
  const lined = PackedEvents.unpack(events, line)[sequence - first]
  if (lined === undefined) return undefined
  const { event } = lined
  const what = event._tag === "Opened" ? "" : ` ${event.tx} ${event.amount}`
  return `${at} ${JSON.stringify(source)} ${lined.line} ${event._tag} ${event.client}${what}`
}

const gap = (after: number, next: number) =>
  new LedgerJournalError({ reason: new JournalDamaged({ after, detail: `event ${next} follows` }) })
