/**
 * The books as bytes and back.
 *
 *     magic, version, seed, accounts             4 words
 *     up to 4,096 accounts: client, status,      6 words each
 *         available, held as 64-bit integers     ... until there are so many
 *     for each of 256 partitions: its size       1 word
 *     and its entries                            4 words each
 *
 * Words are 32-bit, little-endian. After each of these stands the CRC-32 of all
 * before it, so that nothing is used that was not checked. Entries are as they
 * are in the table, which is why the seed of its hash is kept, and in its
 * order, so that restoring writes memory from its beginning to its end.
 */
import { endianness } from "node:os"
import { crc32 } from "node:zlib"
import { SnapshotUnreadable } from "../../adapters/LedgerBooks.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import { maxNarrowClient } from "../../domain/ledger/Transaction.ts"
import { ColumnarBooks } from "./ColumnarBooks.ts"
import * as Accounts from "./ColumnarAccounts.ts"
import { partitionCount } from "./PartitionedTable.ts"
import * as Table from "./TransactionTable.ts"

/** "FLBK", read as a little-endian word. */
const magic = 0x4b42_4c46
const version = 1
const headerWords = 4
const bytesPerAccount = 24
const checksumBytes = 4
/** A part of this size or a little more: enough for one write, little to hold. */
const partBytes = 262_144
/** Accounts that are restored at a time. */
const accountsAtATime = 4096

// --- To bytes ---------------------------------------------------------------

/**
 * In parts. Each part is of the books at the moment when it is asked for: whoever goes on applying takes all of them
 * first, which for a million transactions are 16 MB.
 */
export function* parts(books: ColumnarBooks): Generator<Uint8Array> {
  let checksum = 0
  let pending: Array<Uint8Array> = []
  let size = 0
  for (const record of records(books)) {
    checksum = crc32(record, checksum)
    pending.push(record, fromWords(Int32Array.of(checksum)))
    size += record.byteLength + checksumBytes
    if (size < partBytes) continue
    yield Buffer.concat(pending)
    pending = []
    size = 0
  }
  yield Buffer.concat(pending)
}

function* records({ balances, entries, options }: ColumnarBooks): Generator<Uint8Array> {
  const clients = balances.clients()
  yield fromWords(Int32Array.of(magic, version, options.seed, clients.length))
  for (let from = 0; from < clients.length; from += accountsAtATime) {
    const some = clients.subarray(from, from + accountsAtATime)
    const bytes = Buffer.alloc(some.length * bytesPerAccount)
    some.forEach((client, index) => {
      const { available, held, locked } = balances.get(client)!
      const at = index * bytesPerAccount
      bytes.writeUInt32LE(client, at)
      bytes.writeUInt32LE(locked ? Accounts.locked : Accounts.open, at + 4)
      bytes.writeBigInt64LE(available, at + 8)
      bytes.writeBigInt64LE(held, at + 16)
    })
    yield bytes
  }
  for (let partition = 0; partition < partitionCount; partition++) {
    yield fromWords(Int32Array.of(entries.count(partition)))
    yield fromWords(entries.entries(partition))
  }
}

// --- And back ---------------------------------------------------------------

/** Takes a snapshot's bytes, however they are cut, and has the books at their end. Throws `SnapshotUnreadable`. */
export class Restoration {
  readonly #steps: Generator<number, ColumnarBooks, Buffer>
  #wanted: IteratorResult<number, ColumnarBooks>
  /** What is there of the bytes that are wanted. One buffer for all of them, because each is used before the next. */
  #gathered = Buffer.allocUnsafeSlow(partBytes)
  #size = 0
  #hasMore = false

  /** `toCome` are events that will follow: with room for them, the books need not grow at once. */
  constructor(policy: LedgerPolicy, options: { readonly wideClients: boolean; readonly toCome?: number }) {
    this.#steps = restoring(policy, options)
    this.#wanted = this.#steps.next()
  }

  take(bytes: Uint8Array): void {
    let at = 0
    while (this.#wanted.done !== true && at < bytes.length) {
      const wanted = this.#wanted.value
      if (wanted > this.#gathered.length) this.#gathered = grown(this.#gathered, wanted)
      const part = bytes.subarray(at, at + wanted - this.#size)
      this.#gathered.set(part, this.#size)
      this.#size += part.length
      at += part.length
      if (this.#size < wanted) return
      this.#size = 0
      this.#wanted = this.#steps.next(this.#gathered.subarray(0, wanted))
    }
    this.#hasMore ||= at < bytes.length
  }

  end(): ColumnarBooks {
    if (this.#wanted.done !== true) throw new SnapshotUnreadable({ detail: "it is cut short" })
    if (this.#hasMore) throw new SnapshotUnreadable({ detail: "more follows than belongs to it" })
    return this.#wanted.value
  }
}

const grown = (buffer: Uint8Array, size: number) => {
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(buffer)
  return larger
}

/** Asks for so many bytes, and is given them. */
function* restoring(
  policy: LedgerPolicy,
  { toCome = 0, wideClients }: { readonly wideClients: boolean; readonly toCome?: number }
): Generator<number, ColumnarBooks, Buffer> {
  let checksum = 0
  const record = function* (size: number): Generator<number, Buffer, Buffer> {
    const bytes = yield size + checksumBytes
    const found = bytes.subarray(0, size)
    checksum = crc32(found, checksum)
    if (bytes.readUInt32LE(size) !== checksum) throw new SnapshotUnreadable({ detail: "a checksum is wrong" })
    return found
  }

  const [found, foundVersion, seed, accounts] = toWords(yield* record(headerWords * 4))
  if (found !== magic) throw new SnapshotUnreadable({ detail: "it is something else" })
  if (foundVersion !== version) throw new SnapshotUnreadable({ detail: `it is of version ${foundVersion}` })
  const books = new ColumnarBooks({ policy, wideClients, seed: seed! })

  for (let left = accounts! >>> 0; left > 0; left -= Math.min(left, accountsAtATime)) {
    const bytes = yield* record(Math.min(left, accountsAtATime) * bytesPerAccount)
    for (let at = 0; at < bytes.length; at += bytesPerAccount) {
      const client = bytes.readUInt32LE(at)
      if (!wideClients && client > maxNarrowClient) {
        throw new SnapshotUnreadable({ detail: `client ${client} is wider than the books are` })
      }
      books.balances.set(client, {
        available: bytes.readBigInt64LE(at + 8),
        held: bytes.readBigInt64LE(at + 16),
        locked: bytes.readUInt32LE(at + 4) === Accounts.locked
      })
    }
  }
  for (let partition = 0; partition < partitionCount; partition++) {
    const [count = 0] = toWords(yield* record(4))
    // Keys come in equal shares: the first partition shows how many there are.
    if (partition === 0) books.entries.expect((count >>> 0) * partitionCount + toCome)
    books.entries.fill(partition, toWords(yield* record((count >>> 0) * Table.wordsPerEntry * 4)))
  }
  return books
}

const isBigEndian = endianness() === "BE"

const fromWords = (words: Int32Array): Uint8Array => {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength)
  return isBigEndian ? bytes.swap32() : bytes
}

/** Good until the next record. */
const toWords = (bytes: Buffer): Int32Array => {
  if (isBigEndian) bytes.swap32()
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}
