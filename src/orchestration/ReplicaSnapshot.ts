/**
 * All that a replica knows, as bytes and back: its books, under which keys
 * events were recorded, and each client's first and last event.
 *
 *     frames, each: what it is (32 bits), how long (32 bits), and its bytes
 *     1 start    JSON: format, version, the last event's sequence, and its mark
 *     2 books    as `LedgerBooks` writes them, in as many frames as they come in
 *     3 clients  20 bytes each: client, first and last sequence as doubles
 *     4 keys     each: the event as in `PackedEvents`, the key's length, the key in UTF-8
 *     5 end      JSON: how many clients and keys there were
 *
 * Little-endian. The bytes are checked by the store that keeps them
 * (`LedgerSnapshots`); what is checked here is that they are a replica's, whole,
 * and of this version. The mark is the last event as the journal has it, by
 * which a snapshot of another journal is known.
 */
import { Option, Schema } from "effect"
import type { BooksRestoration, KeptBooks } from "../adapters/LedgerBooks.ts"
import { SnapshotUnreadable } from "../adapters/LedgerBooks.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../domain/ledger/PackedEvents.ts"

/** The sequences of a client's first and last events. */
export interface Span {
  readonly first: number
  readonly last: number
}

export interface Contents {
  readonly books: KeptBooks
  /** In the order in which they were recorded. */
  readonly keys: Map<string, LedgerEvent>
  readonly spans: Map<number, Span>
  /** The last event in all of these. */
  readonly sequence: number
  readonly mark: string
}

const kinds = { start: 1, books: 2, clients: 3, keys: 4, end: 5 } as const
const headerBytes = 8
const bytesPerClient = 20
/** A frame of this size or a little more: some thousand keys, which are written in less than a millisecond. */
const frameBytes = 65_536
/** Longer than any frame that is written: what says otherwise is none. */
const maxFrameBytes = 64 * 1024 * 1024

const Start = Schema.fromJsonString(
  Schema.Struct({
    format: Schema.Literal("florin accounts"),
    version: Schema.Literal(1),
    sequence: Schema.Int,
    mark: Schema.String
  })
)
const End = Schema.fromJsonString(Schema.Struct({ clients: Schema.Int, keys: Schema.Int }))

// --- To bytes ---------------------------------------------------------------

/**
 * Of the contents as they are now. Books and clients are copied at once, which takes some milliseconds for a million
 * transactions. Keys are only ever added, so those that are there now are written when they are asked for.
 */
export const take = ({ books, keys, mark, sequence, spans }: Contents): Iterable<Uint8Array> => {
  const parts = books.bytes()
  const clients = clientsOf(spans)
  const count = keys.size
  const start = Schema.encodeSync(Start)({ format: "florin accounts", version: 1, sequence, mark })
  const end = Schema.encodeSync(End)({ clients: spans.size, keys: count })
  return (function* () {
    yield* frame(kinds.start, encoder.encode(start))
    for (const part of parts) yield* frame(kinds.books, part)
    for (let at = 0; at < clients.length; at += clientsAtATime) {
      yield* frame(kinds.clients, clients.subarray(at, at + clientsAtATime))
    }
    for (const some of keysOf(keys, count)) yield* frame(kinds.keys, some)
    yield* frame(kinds.end, encoder.encode(end))
  })()
}

const encoder = new TextEncoder()
const clientsAtATime = Math.floor(frameBytes / bytesPerClient) * bytesPerClient

function* frame(kind: number, bytes: Uint8Array): Iterable<Uint8Array> {
  const header = new Uint8Array(headerBytes)
  const view = new DataView(header.buffer)
  view.setUint32(0, kind, true)
  view.setUint32(4, bytes.byteLength, true)
  yield header
  yield bytes
}

const clientsOf = (spans: ReadonlyMap<number, Span>): Uint8Array => {
  const bytes = new Uint8Array(spans.size * bytesPerClient)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [client, { first, last }] of spans) {
    view.setUint32(at, client, true)
    view.setFloat64(at + 4, first, true)
    view.setFloat64(at + 12, last, true)
    at += bytesPerClient
  }
  return bytes
}

/** The first so many, in pieces. */
function* keysOf(keys: ReadonlyMap<string, LedgerEvent>, count: number): Iterable<Uint8Array> {
  let pending: Array<Uint8Array> = []
  let size = 0
  let left = count
  for (const [key, event] of keys) {
    if (left-- === 0) break
    const name = encoder.encode(key)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, name.byteLength, true)
    pending.push(PackedEvents.pack([{ event, line: 0 }], 0), length, name)
    size += PackedEvents.bytesPerEvent + length.byteLength + name.byteLength
    if (size < frameBytes) continue
    yield joined(pending, size)
    pending = []
    size = 0
  }
  if (size > 0) yield joined(pending, size)
}

const joined = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

// --- And back ---------------------------------------------------------------

/** Takes a snapshot's bytes, however they are cut, and has the contents at their end. Both throw `SnapshotUnreadable`. */
export class Restoration {
  readonly #books: BooksRestoration
  readonly #keys = new Map<string, LedgerEvent>()
  readonly #spans = new Map<number, Span>()
  #start: typeof Start.Type | undefined
  #isEnded = false
  #gathered: Uint8Array = new Uint8Array(0)

  constructor(books: BooksRestoration) {
    this.#books = books
  }

  take(bytes: Uint8Array): void {
    this.#gathered = joined([this.#gathered, bytes], this.#gathered.byteLength + bytes.byteLength)
    let at = 0
    while (this.#gathered.byteLength - at >= headerBytes) {
      const view = new DataView(this.#gathered.buffer, at)
      const [kind, length] = [view.getUint32(0, true), view.getUint32(4, true)]
      if (length > maxFrameBytes) throw foreign()
      const end = at + headerBytes + length
      if (end > this.#gathered.byteLength) break
      this.#frame(kind, this.#gathered.subarray(at + headerBytes, end))
      at = end
    }
    this.#gathered = this.#gathered.slice(at)
  }

  end(): Contents {
    if (!this.#isEnded || this.#start === undefined) throw new SnapshotUnreadable({ detail: "it is cut short" })
    if (this.#gathered.byteLength > 0) throw tooMuch()
    const { mark, sequence } = this.#start
    return { books: this.#books.end(), keys: this.#keys, spans: this.#spans, sequence, mark }
  }

  #frame(kind: number, bytes: Uint8Array): void {
    if (this.#isEnded) throw tooMuch()
    if ((this.#start === undefined) !== (kind === kinds.start)) throw foreign()
    switch (kind) {
      case kinds.start:
        this.#start = decoded(Start, bytes)
        return
      case kinds.books:
        return this.#books.take(bytes)
      case kinds.clients:
        return this.#clients(bytes)
      case kinds.keys:
        return this.#taken(bytes)
      case kinds.end: {
        const { clients, keys } = decoded(End, bytes)
        const isAll = clients === this.#spans.size && keys === this.#keys.size
        if (!isAll) throw new SnapshotUnreadable({ detail: "clients or keys are missing" })
        this.#isEnded = true
        return
      }
      default:
        throw foreign()
    }
  }

  #clients(bytes: Uint8Array): void {
    if (bytes.byteLength % bytesPerClient !== 0) throw foreign()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.byteLength; at += bytesPerClient) {
      const span = { first: view.getFloat64(at + 4, true), last: view.getFloat64(at + 12, true) }
      this.#spans.set(view.getUint32(at, true), span)
    }
  }

  #taken(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.byteLength;) {
      const from = at + PackedEvents.bytesPerEvent
      if (from + 4 > bytes.byteLength) throw foreign()
      const end = from + 4 + view.getUint32(from, true)
      if (end > bytes.byteLength) throw foreign()
      this.#keys.set(decoder.decode(bytes.subarray(from + 4, end)), eventOf(bytes.subarray(at, from)))
      at = end
    }
  }
}

const decoder = new TextDecoder()

const decoded = <A>(schema: Schema.ConstraintCodec<A, string>, bytes: Uint8Array): A =>
  Option.getOrThrowWith(Schema.decodeOption(schema)(decoder.decode(bytes)), foreign)

const eventOf = (bytes: Uint8Array): LedgerEvent => {
  try {
    return PackedEvents.unpack(bytes, 0)[0]!.event
  } catch (error) {
    if (error instanceof RangeError) throw foreign()
    throw error
  }
}

const foreign = () => new SnapshotUnreadable({ detail: "it is not one of this version of the accounts" })
const tooMuch = () => new SnapshotUnreadable({ detail: "more follows than belongs to it" })
