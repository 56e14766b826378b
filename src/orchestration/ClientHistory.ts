/** All that was recorded of one client, from the journal: a page of it, the first event first. */
import { Effect, Stream } from "effect"
import type { LedgerJournalError } from "../adapters/LedgerJournal.ts"
import { LedgerJournal } from "../adapters/LedgerJournal.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../domain/ledger/PackedEvents.ts"
import type { ClientId } from "../domain/ledger/Transaction.ts"
import type { Instant } from "../domain/Instant.ts"
import type { Span } from "./ReplicaSnapshot.ts"

export interface Happening {
  readonly sequence: number
  readonly at: Instant
  readonly event: LedgerEvent
}

/** Where a page begins, and how long it is at most. */
export interface Page {
  /** The `sequence` of the last one seen; 0 before the first. */
  readonly after: number
  readonly limit: number
}

export interface History {
  readonly events: ReadonlyArray<Happening>
  readonly isMore: boolean
}

/**
 * Reads the journal from the client's first event, or from the page before, and
 * stops at the client's last or at the end of the page: a journal that holds
 * others' events in between is read through them.
 */
export const read = Effect.fnUntraced(function* (
  client: ClientId,
  span: Span,
  { after, limit }: Page
): Effect.fn.Return<History, LedgerJournalError, LedgerJournal> {
  const journal = yield* LedgerJournal
  const from = Math.max(after, span.first - 1)
  if (from >= span.last) return { events: [], isMore: false }
  const events = yield* journal.read({ after: from, upTo: span.last }).pipe(
    Stream.flatMap(({ at, events, first, line }) =>
      Stream.fromIterable(
        PackedEvents.unpack(events, line).map(({ event }, index): Happening => ({ sequence: first + index, at, event }))
      )
    ),
    Stream.filter(({ event, sequence }) => event.client === client && sequence > from && sequence <= span.last),
    Stream.take(limit + 1),
    Stream.runCollect
  )
  return { events: events.slice(0, limit), isMore: events.length > limit }
})
