/**
 * A file of the journal: `0000000000000001.journal`, named by the sequence that
 * its first event has.
 *
 *     0   magic "FLS1"
 *     4   CRC-32 of all that follows in the opening
 *     8   length of the JSON
 *     12  the JSON, filled up with spaces to a multiple of 4: the first sequence,
 *         and how far each source had come
 *     ..  frames (`JournalFrame`)
 *
 * The opening is written before the file has its name, so it is never torn.
 * With it, a journal is opened by reading its last segment only.
 *
 * A frame that cannot be read is torn when the disk never promised to hold it,
 * and damaged when a frame behind it says that the disk had (its `durable`
 * mark). Only the last segment can have a torn end.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import { open, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import type { SourcePosition } from "../../adapters/LedgerJournal.ts"
import { JournalDamaged, LedgerJournalError } from "../../adapters/LedgerJournal.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import * as JournalFrame from "./JournalFrame.ts"

// --- Names ------------------------------------------------------------------

const pattern = /^(\d{16})\.journal$/

export const pathOf = (directory: string, first: number): string =>
  join(directory, `${String(first).padStart(16, "0")}.journal`)

/** The first sequences of the segments, ascending; nothing of a directory that is not there. */
export const list = async (directory: string): Promise<ReadonlyArray<number>> => {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return []
    throw error
  })
  return names
    .flatMap((name) => Number(pattern.exec(name)?.[1] ?? []))
    .filter((first) => first > 0)
    .toSorted((a, b) => a - b)
}

export const attempt = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, LedgerJournalError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new LedgerJournalError({ reason: new StorageUnavailable({ operation, cause }) })
  })

export const damaged = (after: number, detail: string) =>
  new LedgerJournalError({ reason: new JournalDamaged({ after, detail }) })

// --- The opening ------------------------------------------------------------

const magic = 0x31_53_4c_46 // "FLS1", read as a little-endian word
const openingBytes = 12

const Opening = Schema.fromJsonString(
  Schema.Struct({
    first: Schema.Int,
    sources: Schema.Array(
      Schema.Struct({ source: Schema.String, line: Schema.Int, byte: Schema.Int, checksum: Schema.Int })
    )
  })
)
const encodeOpening = Schema.encodeSync(Opening)
const decodeOpening = Schema.decodeUnknownEffect(Opening)

export interface Opened {
  readonly sources: ReadonlyMap<string, SourcePosition>
  /** Where its frames begin. */
  readonly offset: number
}

/** Makes the file, durable with its name. */
export const create = async (
  directory: string,
  first: number,
  sources: ReadonlyMap<string, SourcePosition>
): Promise<void> => {
  const text = encodeOpening({ first, sources: Array.from(sources, ([source, position]) => ({ source, ...position })) })
  const json = Buffer.from(text)
  const length = json.byteLength + ((4 - (json.byteLength % 4)) % 4)
  const bytes = Buffer.alloc(openingBytes + length, 0x20)
  json.copy(bytes, openingBytes)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(length, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  const draft = join(directory, `${randomUUID()}.draft`)
  try {
    const handle = await open(draft, "wx")
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, pathOf(directory, first))
  } finally {
    await rm(draft, { force: true })
  }
  await syncDirectory(directory)
}

/** A name is durable once its directory is. */
export const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const opening = Effect.fnUntraced(function* (handle: FileHandle, first: number) {
  const wrong = damaged(first - 1, "the opening of a segment cannot be read")
  const start = yield* attempt("read the journal", () => readFully(handle, 0, openingBytes))
  if (start.byteLength < openingBytes) return yield* wrong
  const view = new DataView(start.buffer, start.byteOffset)
  const length = view.getUint32(8, true)
  const { size } = yield* attempt("read the journal", () => handle.stat())
  if (view.getUint32(0, true) !== magic || openingBytes + length > size) return yield* wrong
  const json = yield* attempt("read the journal", () => readFully(handle, openingBytes, length))
  if (crc32(json, crc32(start.subarray(8))) !== view.getUint32(4, true)) return yield* wrong
  const said = yield* Effect.mapError(decodeOpening(new TextDecoder().decode(json)), () => wrong)
  if (said.first !== first) return yield* damaged(first - 1, "a segment has another's name")
  const sources = new Map(said.sources.map(({ source, ...position }) => [source, position]))
  return { sources, offset: openingBytes + length } satisfies Opened
})

// --- Frames -----------------------------------------------------------------

/** Of some blocks of 8,192 events, so that a read costs little beside what is read. */
const pieceBytes = 1024 * 1024

export interface Frame {
  readonly header: JournalFrame.Header
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Whole frames from `offset`, and where to go on. Where no frame stands, `next` is `offset` and there are none. */
export interface Piece {
  readonly frames: ReadonlyArray<Frame>
  readonly next: number
}

/** Frames whose headers hold; whether their bodies do is for `JournalFrame.decode` to say. */
export const frames = async (handle: FileHandle, offset: number, size: number): Promise<Piece> => {
  let bytes = await readFully(handle, offset, Math.min(pieceBytes, size - offset))
  const first = JournalFrame.header(bytes, 0)
  if (first === undefined || offset + first.bytes > size) return { frames: [], next: offset }
  if (first.bytes > bytes.byteLength) bytes = await readFully(handle, offset, first.bytes)
  const found: Array<Frame> = []
  let at = 0
  while (true) {
    const header = JournalFrame.header(bytes, at)
    if (header === undefined || at + header.bytes > bytes.byteLength) break
    found.push({ header, offset: offset + at, bytes: bytes.subarray(at, at + header.bytes) })
    at += header.bytes
  }
  return { frames: found, next: offset + at }
}

/** Whether a frame behind `offset` says that the disk held what stands there. */
export const wasDurable = async (
  handle: FileHandle,
  offset: number,
  size: number,
  from: number = offset
): Promise<boolean> => {
  if (from >= size) return false
  // A header may lie across two pieces.
  const bytes = await readFully(handle, from, Math.min(pieceBytes + JournalFrame.headerBytes, size - from))
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + JournalFrame.headerBytes <= bytes.byteLength; at += 4) {
    if (!JournalFrame.isMagic(view, at)) continue
    const header = JournalFrame.header(bytes, at)
    if (header !== undefined && header.durable > offset) return true
  }
  return wasDurable(handle, offset, size, from + pieceBytes)
}

/** As many bytes as there are, up to `length`, in memory of their own. */
const readFully = (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  const fill = async (filled: number): Promise<Uint8Array> => {
    if (filled === length) return bytes
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    return bytesRead === 0 ? bytes.subarray(0, filled) : fill(filled + bytesRead)
  }
  return fill(0)
}
