/**
 * A block of the ledger's journal as bytes: a header of 72, then its body.
 *
 *     0   magic "FLJ1"             24  first     64 bits
 *     4   CRC-32 of 8 to 71        32  at        64 bits, milliseconds
 *     8   length of the words      40  line      64 bits
 *     12  events                   48  to.line   64 bits
 *     16  CRC-32 of the body       56  to.byte   64 bits
 *     20  to.checksum              64  durable   64 bits
 *
 * Little-endian. The body is the words, JSON of the source and the keys, filled
 * up with spaces to a multiple of 4, and then the events as they are packed: so
 * every frame begins at a multiple of 4, and events can be read as words.
 *
 * The header has a checksum of its own, because whoever reads on must be able
 * to trust its lengths. `durable` says how much of the file had reached the
 * disk before this frame was written: a frame before that mark is damaged when
 * it cannot be read, one behind it may as well be torn.
 *
 * This is a stored form: it changes only by another magic.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"
import type { Block } from "../../adapters/LedgerJournal.ts"
import { Instant } from "../../domain/Instant.ts"
import { bytesPerEvent } from "../../domain/ledger/PackedEvents.ts"

export const headerBytes = 72

const magic = 0x31_4a_4c_46 // "FLJ1", read as a little-endian word

export interface Header {
  readonly first: number
  readonly count: number
  /** Of the whole frame. */
  readonly bytes: number
  /** How much of the file was durable before it. */
  readonly durable: number
}

const Words = Schema.fromJsonString(
  Schema.Struct({
    source: Schema.String,
    keys: Schema.optionalKey(Schema.Array(Schema.Tuple([Schema.Int, Schema.String])))
  })
)
const encodeWords = Schema.encodeSync(Words)
const decodeWords = Schema.decodeUnknownResult(Words)

/** What is kept beside the events, as text. */
export const wordsOf = ({ keys, source }: Pick<Block, "keys" | "source">): string =>
  encodeWords({ source, ...(keys.length > 0 && { keys }) })

/** What `wordsOf` made. */
export const readWords = (text: string): Result.Result<Pick<Block, "keys" | "source">, string> =>
  Result.mapBoth(decodeWords(text), {
    onFailure: () => "a block cannot be read",
    onSuccess: ({ keys = [], source }) => ({ source, keys })
  })

const encoder = new TextEncoder()

/** In two parts, so that the events need not be copied. */
export const encode = (block: Block, durable: number): readonly [head: Uint8Array, events: Uint8Array] => {
  const text = wordsOf(block)
  const words = encoder.encode(text)
  const wordBytes = words.byteLength + ((4 - (words.byteLength % 4)) % 4)
  const head = new Uint8Array(headerBytes + wordBytes).fill(0x20, headerBytes + words.byteLength)
  head.set(words, headerBytes)
  const view = new DataView(head.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(8, wordBytes, true)
  view.setUint32(12, block.count, true)
  view.setUint32(16, crc32(block.events, crc32(head.subarray(headerBytes))), true)
  view.setUint32(20, block.to.checksum, true)
  const longs = [block.first, block.at, block.line, block.to.line, block.to.byte, durable]
  longs.forEach((value, index) => view.setBigUint64(24 + 8 * index, BigInt(value), true))
  view.setUint32(4, crc32(head.subarray(8, headerBytes)), true)
  return [head, block.events]
}

/** CRC-32 of all that the block says, for a store that keeps its parts apart. */
export const checksum = (block: Block): number => {
  const [head, events] = encode(block, 0)
  return crc32(events, crc32(head))
}

/** Whether a frame's magic stands there, which says nothing yet of its being whole. */
export const isMagic = (view: DataView, at: number): boolean => view.getUint32(at, true) === magic

/** The header at `at`; `undefined` where there is none that can be trusted. */
export const header = (bytes: Uint8Array, at: number): Header | undefined => {
  if (bytes.byteLength - at < headerBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isMagic(view, at) || view.getUint32(at + 4, true) !== crc32(bytes.subarray(at + 8, at + headerBytes))) {
    return undefined
  }
  const count = view.getUint32(at + 12, true)
  return {
    first: Number(view.getBigUint64(at + 24, true)),
    count,
    bytes: headerBytes + view.getUint32(at + 8, true) + count * bytesPerEvent,
    durable: Number(view.getBigUint64(at + 64, true))
  }
}

/** The block of a whole frame, whose events are a view of its bytes; or what is wrong with it. */
export const decode = (frame: Uint8Array): Result.Result<Block, string> => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const wordBytes = view.getUint32(8, true)
  const body = frame.subarray(headerBytes)
  if (crc32(body) !== view.getUint32(16, true)) return Result.fail("the checksum of a block is wrong")
  const words = readWords(new TextDecoder().decode(body.subarray(0, wordBytes)))
  const at = Number(view.getBigUint64(32, true))
  if (Result.isFailure(words) || !Schema.is(Instant)(at)) return Result.fail("a block cannot be read")
  const long = (offset: number) => Number(view.getBigUint64(offset, true))
  return Result.succeed({
    first: long(24),
    count: view.getUint32(12, true),
    at,
    line: long(40),
    to: { line: long(48), byte: long(56), checksum: view.getUint32(20, true) },
    events: body.subarray(wordBytes),
    ...words.success
  })
}
