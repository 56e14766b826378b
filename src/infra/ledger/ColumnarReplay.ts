/**
 * Events back into the books: what has happened, whatever the policy says of it
 * today. A history that the rules cannot have written is corrupt storage, and
 * a defect.
 */
import { endianness } from "node:os"
import { bytesPerEvent } from "../../domain/ledger/PackedEvents.ts"
import * as Accounts from "./ColumnarAccounts.ts"
import type { ColumnarBooks } from "./ColumnarBooks.ts"
import * as RowBlock from "./RowBlock.ts"
import * as Table from "./TransactionTable.ts"

const wordsPerEvent = bytesPerEvent / 4
const kindMask = 7

/** Kinds as in PackedEvents. */
const opened = 0
const deposited = 1
const withdrawn = 2
const disputed = 3
const resolved = 4
const chargedBack = 5

const maxPlain = Number.MAX_SAFE_INTEGER
const plainHigh = 1 << 21
const word = 4_294_967_296

/** As many packed events as there are bytes for. */
export const packed = (books: ColumnarBooks, bytes: Uint8Array): void => {
  const events = words(bytes)
  const block = RowBlock.make()
  for (let from = 0; from < events.length; from += RowBlock.capacity * wordsPerEvent) {
    const end = Math.min(events.length, from + RowBlock.capacity * wordsPerEvent)
    let to = 0
    for (let at = from; at < end; at += wordsPerEvent) {
      block.words[to + RowBlock.kind] = events[at]! & kindMask
      block.words[to + RowBlock.tx] = events[at + 1]!
      block.words[to + RowBlock.client] = events[at + 2]!
      block.words[to + RowBlock.low] = events[at + 3]!
      block.words[to + RowBlock.high] = events[at + 4]!
      to += RowBlock.wordsPerRow
    }
    block.count = to / RowBlock.wordsPerRow
    rows(books, block)
  }
}

/** Rows that are events: kind 0 is an account that was opened. */
export const rows = (books: ColumnarBooks, block: RowBlock.RowBlock): void => {
  books.fetch(block)
  const end = block.count * RowBlock.wordsPerRow
  for (let at = 0; at < end; at += RowBlock.wordsPerRow) replay(books, block.words, at)
}

const replay = (books: ColumnarBooks, words: Int32Array, at: number): void => {
  const kind = words[at + RowBlock.kind]!
  const { balances, entries: table } = books
  const slot = balances.slot(words[at + RowBlock.client]!)
  const page = balances.page(slot)
  const account = balances.offset(slot)
  if (kind === opened) {
    if (page[account + Accounts.status] === 0) page[account + Accounts.status] = Accounts.open
    return
  }
  const hash = words[at + RowBlock.hash]!
  const found = table.seek(hash)
  const entries = table.words(hash)
  const mark = entries[found]!
  const state = mark & Table.stateMask
  if (!isPossible(kind, state) || (mark !== 0 && !isSame(entries, found, words, at))) throw corrupt(words, at)

  const isWithdrawal = kind === withdrawn || state >= Table.withdrawal
  const high = words[at + RowBlock.high]!
  const amount = high * word + (words[at + RowBlock.low]! >>> 0)
  const available = page[account + Accounts.available]! + amount * availableSigns[kind + (isWithdrawal ? kinds : 0)]!
  const held = page[account + Accounts.held]! + amount * heldSigns[kind]!
  if (!(Math.abs(available) <= maxPlain && Math.abs(held) <= maxPlain) || high < 0 || high >= plainHigh) {
    return books.evolve(RowBlock.readEvent(words, at))
  }
  page[account + Accounts.available] = available
  page[account + Accounts.held] = held
  if (kind === chargedBack) page[account + Accounts.status] = Accounts.locked
  else if (page[account + Accounts.status] === 0) page[account + Accounts.status] = Accounts.open

  const after = table.mark(hash, (isWithdrawal ? Table.withdrawal : Table.deposit) + disputes[kind]!)
  entries[found] = after
  if (mark !== 0) return
  entries[found + Table.client] = words[at + RowBlock.client]!
  entries[found + Table.low] = words[at + RowBlock.low]!
  entries[found + Table.high] = words[at + RowBlock.high]!
  table.filled(hash, found)
}

/** How many kinds there are; by kind, first of what is about a deposit, then about a withdrawal. */
const kinds = 6
const availableSigns = Float64Array.of(0, 1, -1, -1, 1, 0, 0, 1, -1, 0, 0, 1)
const heldSigns = Float64Array.of(0, 0, 0, 1, -1, -1)
/** What an event makes of its entry's dispute. */
const disputes = Uint8Array.of(0, Table.none, Table.none, Table.open, Table.resolved, Table.chargedBack)

/** Whether the rules can have written an event about an entry in this state; 0 is none. */
const isPossible = (kind: number, state: number): boolean => {
  if (kind === deposited || kind === withdrawn) return state === 0
  if (state === 0) return false
  const dispute = state - (state < Table.withdrawal ? Table.deposit : Table.withdrawal)
  if (kind === disputed) return dispute === Table.none || dispute === Table.resolved
  return (kind === resolved || kind === chargedBack) && dispute === Table.open
}

const isSame = (entries: Int32Array, found: number, words: Int32Array, at: number): boolean =>
  entries[found + Table.client] === words[at + RowBlock.client] &&
  entries[found + Table.low] === words[at + RowBlock.low] &&
  entries[found + Table.high] === words[at + RowBlock.high]

const corrupt = (words: Int32Array, at: number): Error =>
  new Error(
    `corrupt journal: an event of kind ${words[at + RowBlock.kind]} of transaction ${words[at + RowBlock.tx]! >>> 0} that cannot have followed what is before it`
  )

/** In this processor's order, wherever the bytes begin. */
const words = (bytes: Uint8Array): Int32Array => {
  const isUsable = bytes.byteOffset % 4 === 0 && endianness() === "LE"
  const whole = Math.floor(bytes.byteLength / bytesPerEvent) * wordsPerEvent
  if (isUsable) return new Int32Array(bytes.buffer, bytes.byteOffset, whole)
  const copy = Buffer.from(bytes.slice().buffer)
  if (endianness() === "BE") copy.subarray(0, whole * 4).swap32()
  return new Int32Array(copy.buffer, copy.byteOffset, whole)
}
