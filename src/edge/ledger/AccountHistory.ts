/** What happened to one client's account: each event, what it moved, and the balance after it. */
import { Stream } from "effect"
import type { Block } from "../../adapters/LedgerJournal.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { Account, Entry } from "../../domain/ledger/Ledger.ts"
import * as Ledger from "../../domain/ledger/Ledger.ts"
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../../domain/ledger/PackedEvents.ts"

export interface Chapter {
  readonly sequence: number
  readonly at: Instant
  readonly source: string
  readonly line: number
  readonly event: LedgerEvent
  readonly before: Account
  readonly after: Account
}

/**
 * Of all events of the blocks, up to the sequence `upTo`. An account needs only
 * its own: whatever is about a transaction is its client's.
 */
export const of = <E>(client: number, blocks: Stream.Stream<Block, E>, upTo: number): Stream.Stream<Chapter, E> =>
  Stream.suspend(() => {
    let account: Account | undefined
    const entries = new Map<number, Entry>()
    return Stream.flatMap(blocks, (block) => {
      if (!mentions(block.events, client)) return Stream.empty
      const chapters: Array<Chapter> = []
      for (const [index, { event, line }] of PackedEvents.unpack(block.events, block.line).entries()) {
        const sequence = block.first + index
        if (event.client !== client || sequence > upTo) continue
        const tx = event._tag === "Opened" ? undefined : event.tx
        const before = account ?? Ledger.opened
        const situation = { account, entry: tx === undefined ? undefined : entries.get(tx) }
        const evolved = Ledger.evolve(situation, event)
        account = evolved.account ?? before
        if (evolved.entry !== undefined && tx !== undefined) entries.set(tx, evolved.entry)
        chapters.push({ sequence, at: block.at, source: block.source, line, event, before, after: account })
      }
      return Stream.fromArray(chapters)
    })
  })

/** Looked for among the bytes first: of most blocks, none is the client's, and to unpack them takes long. */
const mentions = (events: Uint8Array, client: number): boolean => {
  const view = new DataView(events.buffer, events.byteOffset, events.byteLength)
  for (let at = 8; at < events.byteLength; at += PackedEvents.bytesPerEvent) {
    if (view.getUint32(at, true) === client) return true
  }
  return false
}
