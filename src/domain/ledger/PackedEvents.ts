/**
 * Events as bytes: 20 each, little-endian, in the order in which they happened.
 *
 *     0   kind (3 bits) and lines since the event before (29 bits)
 *     4   tx
 *     8   client
 *     12  amount, low and high 32 bits
 *
 * Kinds: 0 opened, 1 deposited, 2 withdrawn, 3 disputed, 4 resolved, 5 charged
 * back. The first event's line counts from `line`, the position before it. An
 * opened account has neither tx nor amount. This is a stored form: it changes
 * only by adding kinds.
 */
import * as LedgerAmount from "./LedgerAmount.ts"
import type { LedgerEvent } from "./LedgerEvent.ts"
import { ClientId, TxId } from "./Transaction.ts"

export const bytesPerEvent = 20
/** What 29 bits hold: an event that is further from the one before begins another block. */
export const maxLineGap = 0x1fff_ffff

export const kinds = ["Opened", "Deposited", "Withdrawn", "Disputed", "Resolved", "ChargedBack"] as const

/** An event and the line it came from. */
export interface Lined {
  readonly event: LedgerEvent
  readonly line: number
}

export const pack = (events: ReadonlyArray<Lined>, line: number): Uint8Array => {
  const bytes = new Uint8Array(events.length * bytesPerEvent)
  const view = new DataView(bytes.buffer)
  let before = line
  events.forEach(({ event, line }, index) => {
    const gap = line - before
    if (gap < 0 || gap > maxLineGap) throw new RangeError(`an event ${gap} lines after the one before it`)
    const at = index * bytesPerEvent
    view.setUint32(at, ((gap << 3) | kinds.indexOf(event._tag)) >>> 0, true)
    view.setUint32(at + 4, event._tag === "Opened" ? 0 : event.tx, true)
    view.setUint32(at + 8, event.client, true)
    view.setBigUint64(at + 12, event._tag === "Opened" ? 0n : event.amount, true)
    before = line
  })
  return bytes
}

/** Throws where the bytes are none that `pack` writes. */
export const unpack = (bytes: Uint8Array, line: number): ReadonlyArray<Lined> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength % bytesPerEvent !== 0) throw new RangeError(`${bytes.byteLength} bytes are no whole events`)
  let before = line
  return Array.from({ length: bytes.byteLength / bytesPerEvent }, (_, index) => {
    const at = index * bytesPerEvent
    const word = view.getUint32(at, true)
    before += word >>> 3
    const _tag = kinds[word & 7]
    if (_tag === undefined) throw new RangeError(`an event of kind ${word & 7}`)
    const client = ClientId.make(view.getUint32(at + 8, true))
    const tx = TxId.make(view.getUint32(at + 4, true))
    const amount = view.getBigUint64(at + 12, true)
    const isWhole = _tag === "Opened" ? tx === 0 && amount === 0n : 0n < amount && amount <= LedgerAmount.max
    if (!isWhole) throw new RangeError(`an event of kind ${_tag}, transaction ${tx} and amount ${amount}`)
    const event: LedgerEvent = _tag === "Opened" ? { _tag, client } : { _tag, client, tx, amount }
    return { event, line: before }
  })
}
