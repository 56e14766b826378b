/**
 * Accounts as numbers: four doubles each, in pages of 1,024 accounts.
 *
 *     0  available  \ in 10^-4; both NaN when either is beyond 2^53,
 *     1  held       / and then both are in a map of exact integers
 *     2  status     0 never seen, 1 open, 3 locked
 *     3  owner      the client's id
 *
 * A double holds an integer of up to 2^53 exactly, some 900 billion units. An
 * account beyond that is slow and as exact. Every comparison with NaN is false,
 * so whoever tests that a sum is within 2^53 has also tested that the account
 * is not one of those.
 *
 * A client's slot is its id while ids are narrow. Wide ids are given slots in
 * the order in which they come, and a table finds them.
 */
import type { Account } from "../../domain/ledger/Ledger.ts"
import { maxNarrowClient } from "../../domain/ledger/Transaction.ts"
import { PartitionedTable } from "./PartitionedTable.ts"

export const numbersPerAccount = 4

export const available = 0
export const held = 1
export const status = 2
export const owner = 3

export const open = 1
export const locked = 3

const pageBits = 10
const pageMask = (1 << pageBits) - 1
const narrowPages = (maxNarrowClient + 1) >>> pageBits
/** Stands where no page was needed yet. */
const noPage = new Float64Array(0)

/** Mark and slot. */
const wordsPerClient = 2
const isTaken = 1

export class ColumnarAccounts {
  readonly pages: Array<Float64Array> = []
  readonly #slots: PartitionedTable | undefined
  readonly #exact = new Map<number, { readonly available: bigint; readonly held: bigint }>()
  #count = 0

  constructor(isWide: boolean, seed: number) {
    this.#slots = isWide ? new PartitionedTable(wordsPerClient, seed) : undefined
    if (!isWide) for (let index = 0; index < narrowPages; index++) this.pages.push(noPage)
  }

  get bytes(): number {
    return this.pages.reduce((sum, { byteLength }) => sum + byteLength, this.#slots?.bytes ?? 0)
  }

  /** The slot of a client, signed or not, whose page is there; of one that has none yet, a new one. */
  slot(client: number): number {
    if (this.#slots === undefined) {
      if (this.pages[client >>> pageBits] === noPage) this.#openPage(client)
      return client
    }
    const hash = this.#slots.hash(client)
    const at = this.#slots.seek(hash)
    const entries = this.#slots.words(hash)
    return entries[at] === 0 ? this.#give(client, hash, at) : entries[at + 1]!
  }

  /** Reads something of the account, so that it is near when it is needed; nothing where a table would be asked first. */
  peek(client: number): number {
    if (this.#slots !== undefined) return 0
    const page = this.pages[client >>> pageBits]!
    return page === noPage ? 0 : page[(client & pageMask) * numbersPerAccount]!
  }

  /** Where in its page the slot's numbers begin. */
  offset(slot: number): number {
    return (slot & pageMask) * numbersPerAccount
  }

  page(slot: number): Float64Array {
    return this.pages[slot >>> pageBits]!
  }

  get(client: number): Account | undefined {
    const slot = this.#find(client)
    return slot === undefined || (this.pages[slot >>> pageBits] ?? noPage) === noPage ? undefined : this.#read(slot)
  }

  set(client: number, account: Account): void {
    const slot = this.slot(client)
    const page = this.page(slot)
    const at = this.offset(slot)
    const isPlain = isSafe(account.available) && isSafe(account.held)
    page[at + available] = isPlain ? Number(account.available) : Number.NaN
    page[at + held] = isPlain ? Number(account.held) : Number.NaN
    page[at + status] = account.locked ? locked : open
    page[at + owner] = client >>> 0
    if (isPlain) this.#exact.delete(slot)
    else this.#exact.set(slot, { available: account.available, held: account.held })
  }

  /** Ascending. */
  clients(): Uint32Array {
    const all: Array<number> = []
    for (const page of this.pages) {
      for (let at = 0; at < page.length; at += numbersPerAccount) {
        if (page[at + status] !== 0) all.push(page[at + owner]!)
      }
    }
    return Uint32Array.from(all).toSorted()
  }

  #find(client: number): number | undefined {
    if (this.#slots === undefined) return client
    const hash = this.#slots.hash(client)
    const at = this.#slots.seek(hash)
    const entries = this.#slots.words(hash)
    return entries[at] === 0 ? undefined : entries[at + 1]
  }

  #read(slot: number): Account | undefined {
    const page = this.page(slot)
    const at = this.offset(slot)
    if (page[at + status] === 0) return undefined
    const exact = this.#exact.get(slot)
    return {
      available: exact?.available ?? BigInt(page[at + available]!),
      held: exact?.held ?? BigInt(page[at + held]!),
      locked: page[at + status] === locked
    }
  }

  #give(client: number, hash: number, at: number): number {
    const slots = this.#slots!
    const slot = this.#count
    this.#count += 1
    const entries = slots.words(hash)
    entries[at] = slots.mark(hash, isTaken)
    entries[at + 1] = slot
    slots.filled(hash, at)
    if ((slot & pageMask) === 0) this.#openPage(slot)
    this.page(slot)[this.offset(slot) + owner] = client >>> 0
    return slot
  }

  #openPage(slot: number): void {
    const page = new Float64Array((pageMask + 1) * numbersPerAccount)
    const index = slot >>> pageBits
    if (this.#slots === undefined) {
      const first = index << pageBits
      for (let nth = 0; nth <= pageMask; nth++) page[nth * numbersPerAccount + owner] = first + nth
    }
    this.pages[index] = page
  }
}

const isSafe = (value: bigint): boolean =>
  -BigInt(Number.MAX_SAFE_INTEGER) <= value && value <= BigInt(Number.MAX_SAFE_INTEGER)
