/**
 * What happened on the way through a source, packed for the journal: groups of
 * `PackedEvents`, cut where a row ends, with how far into the source each goes.
 */
import { endianness } from "node:os"
import { crc32 } from "node:zlib"
import type { SourcePosition } from "../../adapters/LedgerJournal.ts"
import { bytesPerEvent, maxLineGap } from "../../domain/ledger/PackedEvents.ts"
import * as RowBlock from "./RowBlock.ts"
import * as RowCode from "./RowCode.ts"

export interface EventGroup {
  /** The line before the first event's, from which `events` counts theirs. */
  readonly line: number
  readonly to: SourcePosition
  /** 0 when only the position has moved, over rows that were refused. */
  readonly count: number
  readonly events: Uint8Array
}

/** Large enough that what each group costs is little, small enough to be written in a millisecond. */
export const maxEvents = 8192

const wordsPerEvent = bytesPerEvent / 4
const kindBits = 3
const opened = 0

export class EventPacker {
  /** Grows to what a group needs, because most of those who pack have little to. */
  #words = new Uint32Array(RowBlock.capacity * wordsPerEvent)
  readonly #taken: (group: EventGroup) => void
  #count = 0
  /** The line of the last event, or before the first. */
  #last: number
  /** Where the group begins, and how far everything goes that was packed. */
  #from: SourcePosition
  #line: number
  #byte: number
  #checksum: number

  constructor(from: SourcePosition, taken: (group: EventGroup) => void) {
    this.#taken = taken
    this.#from = from
    this.#last = from.line
    this.#line = from.line
    this.#byte = from.byte
    this.#checksum = from.checksum
  }

  /** Rows as the books have left them, from the line that was reached; `advance` follows. */
  pack({ count, words }: RowBlock.RowBlock): void {
    // Lines without an event can be as many as an event's gap does not hold.
    if (this.#count + count > maxEvents || this.#line - this.#last > maxLineGap / 2) this.cut()
    if ((this.#count + count) * wordsPerEvent > this.#words.length) this.#grow()
    const events = this.#words
    const end = count * RowBlock.wordsPerRow
    let to = this.#count * wordsPerEvent
    let last = this.#last - this.#line
    for (let at = 0; at < end; at += RowBlock.wordsPerRow) {
      const code = words[at + RowBlock.code]!
      if (code !== RowCode.applied && code < RowCode.opens) continue
      const isApplied = code === RowCode.applied
      const line = words[at + RowBlock.line]!
      events[to] = ((line - last) << kindBits) | (isApplied ? words[at + RowBlock.kind]! : opened)
      events[to + 1] = isApplied ? words[at + RowBlock.tx]! : 0
      events[to + 2] = words[at + RowBlock.client]!
      events[to + 3] = isApplied ? words[at + RowBlock.low]! : 0
      events[to + 4] = isApplied ? words[at + RowBlock.high]! : 0
      to += wordsPerEvent
      last = line
    }
    this.#last = this.#line + last
    this.#count = to / wordsPerEvent
  }

  #grow(): void {
    const words = new Uint32Array(maxEvents * wordsPerEvent)
    words.set(this.#words)
    this.#words = words
  }

  /** Over whole lines, whose bytes are given; a long line's may be given in parts, the last with `lines` of 1. */
  advance(bytes: Uint8Array, lines: number): void {
    this.#checksum = crc32(bytes, this.#checksum)
    this.#byte += bytes.byteLength
    this.#line += lines
  }

  /** Hands over what there is; nothing when the position has not moved. To be called where a row has ended. */
  cut(): void {
    if (this.#byte === this.#from.byte) return
    const to = { line: this.#line, byte: this.#byte, checksum: this.#checksum }
    const events = Buffer.from(this.#words.slice(0, this.#count * wordsPerEvent).buffer)
    if (isBigEndian) events.swap32()
    this.#taken({ line: this.#from.line, to, count: this.#count, events })
    this.#from = to
    this.#last = this.#line
    this.#count = 0
  }
}

/** The stored form is little-endian wherever it is written. */
const isBigEndian = endianness() === "BE"
