/**
 * `LedgerSnapshots` in a directory: a file a snapshot, named by its last event
 * and that event's moment, `0000000003750587-1767225600000.snapshot`.
 *
 *     0   magic "FLN1"
 *     4   parts, each its length, its CRC-32, and its bytes
 *     ..  the end: a length of 2^32-1, and how many parts there were
 *
 * Little-endian. A snapshot is written under another name, synced and renamed,
 * so that it is there whole or not at all. One that cannot be read is passed
 * over for the one before it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { FileHandle } from "node:fs/promises"
import { mkdir, open, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import type { Snapshot } from "../../adapters/LedgerSnapshots.ts"
import { LedgerSnapshots } from "../../adapters/LedgerSnapshots.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import { Instant } from "../../domain/Instant.ts"
import * as JournalSegment from "./JournalSegment.ts"
import * as SnapshotParts from "./SnapshotParts.ts"
import * as SnapshotRetention from "./SnapshotRetention.ts"

const magic = Buffer.from("FLN1")
const partHeaderBytes = 8
const endLength = 0xffff_ffff

const attempt = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, StorageUnavailable> =>
  Effect.tryPromise({ try: run, catch: (cause) => new StorageUnavailable({ operation, cause }) })

/** Made with the first snapshot, if the directory is not there. */
export const layer = (directory: string): Layer.Layer<LedgerSnapshots> =>
  Layer.succeed(
    LedgerSnapshots,
    LedgerSnapshots.of({
      save: Effect.fn("FileSnapshots.save")(function* (snapshot, parts) {
        yield* attempt("save a snapshot", async () => {
          await mkdir(directory, { recursive: true })
          await write(directory, snapshot, SnapshotParts.bounded(parts)[Symbol.iterator]())
          const there = await list(directory)
          const surplus = new Set(SnapshotRetention.surplus(there.map(({ sequence }) => sequence)))
          const old = there.filter(({ sequence }) => surplus.has(sequence))
          await Promise.all(old.map((one) => rm(join(directory, nameOf(one)), { force: true })))
        })
      }),
      latest: Effect.fn("FileSnapshots.latest")(function* ({ at = Infinity, sequence = Infinity }) {
        const there = yield* attempt("read a snapshot", () => list(directory))
        for (const snapshot of there.toReversed()) {
          if (snapshot.sequence > sequence || snapshot.at > at) continue
          const path = join(directory, nameOf(snapshot))
          // What cannot be read is worth no more than what is not there.
          if (yield* Effect.orElseSucceed(isWhole(path), () => false)) {
            return Option.some({ ...snapshot, parts: partsOf(path) })
          }
          yield* Effect.logWarning(`the snapshot after event ${snapshot.sequence} is damaged and is passed over`)
        }
        return Option.none()
      })
    })
  )

// --- Names ------------------------------------------------------------------

const pattern = /^(\d{16})-(\d{1,15})\.snapshot$/

const nameOf = ({ at, sequence }: Snapshot) => `${String(sequence).padStart(16, "0")}-${at}.snapshot`

/** By sequence, ascending. */
const list = async (directory: string): Promise<ReadonlyArray<Snapshot>> => {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return []
    throw error
  })
  return names
    .flatMap((name) => {
      const [, sequence, at] = pattern.exec(name) ?? []
      return sequence === undefined ? [] : { sequence: Number(sequence), at: Instant.make(Number(at)) }
    })
    .toSorted((a, b) => a.sequence - b.sequence)
}

// --- Writing ----------------------------------------------------------------

const write = async (directory: string, snapshot: Snapshot, parts: Iterator<Uint8Array>): Promise<void> => {
  // One name for all, so that what a killed process left is written over. A journal has one writer.
  const draft = join(directory, "snapshot.draft")
  const handle = await open(draft, "w")
  try {
    await handle.write(magic)
    await writeEnd(handle, await writeParts(handle, parts, 0))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, join(directory, nameOf(snapshot)))
  await JournalSegment.syncDirectory(directory)
}

/** How many there were. */
const writeParts = async (handle: FileHandle, parts: Iterator<Uint8Array>, count: number): Promise<number> => {
  const { done, value } = parts.next()
  if (done === true) return count
  await handle.writeFile(partHeader(value.byteLength, crc32(value)))
  await handle.writeFile(value)
  return writeParts(handle, parts, count + 1)
}

const writeEnd = (handle: FileHandle, count: number): Promise<void> => handle.writeFile(partHeader(endLength, count))

const partHeader = (length: number, checksum: number): Uint8Array => {
  const header = new Uint8Array(partHeaderBytes)
  const view = new DataView(header.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, checksum, true)
  return header
}

// --- Reading ----------------------------------------------------------------

/** From the first part to the end that says how many there were. */
const isWhole = (path: string): Effect.Effect<boolean, StorageUnavailable> =>
  Stream.runDrain(partsOf(path, oneBuffer())).pipe(
    Effect.as(true),
    Effect.catchDefect((defect) => (defect instanceof Damaged ? Effect.succeed(false) : Effect.die(defect)))
  )

/** Only seen by whoever restores a snapshot that was damaged after `latest` looked through it. */
class Damaged extends Error {}

/** Room for parts that are looked at one after the other: memory that is new has to be handed out page by page. */
const oneBuffer = () => {
  let room = new Uint8Array(0)
  return (length: number) => {
    if (room.length < length) room = new Uint8Array(length)
    return room.subarray(0, length)
  }
}

const partsOf = (
  path: string,
  roomFor: (length: number) => Uint8Array = (length) => new Uint8Array(length)
): Stream.Stream<Uint8Array, StorageUnavailable> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const handle = yield* Effect.acquireRelease(
        attempt("read a snapshot", () => open(path, "r")),
        (handle) => Effect.ignore(attempt("close", () => handle.close()))
      )
      const start = yield* attempt("read a snapshot", () => readExactly(handle, magic.byteLength))
      if (!magic.equals(start)) return yield* damaged(path)
      return Stream.paginate(
        0,
        Effect.fnUntraced(function* (count: number) {
          const header = yield* attempt("read a snapshot", () => readExactly(handle, partHeaderBytes))
          if (header.byteLength < partHeaderBytes) return yield* damaged(path)
          const view = new DataView(header.buffer)
          const [length, checksum] = [view.getUint32(0, true), view.getUint32(4, true)]
          if (length === endLength) {
            return checksum === count ? ([[], Option.none<number>()] as const) : yield* damaged(path)
          }
          const { size } = yield* attempt("read a snapshot", () => handle.stat())
          if (length > size) return yield* damaged(path)
          const part = yield* attempt("read a snapshot", () => readExactly(handle, length, roomFor(length)))
          if (part.byteLength < length || crc32(part) !== checksum) return yield* damaged(path)
          return [[part], Option.some(count + 1)] as const
        })
      )
    })
  ).pipe(Stream.scoped)

const damaged = (path: string) => Effect.die(new Damaged(`the snapshot ${path} is damaged`))

/** From where the last read ended, or less at the end of the file. */
const readExactly = (
  handle: FileHandle,
  length: number,
  bytes: Uint8Array = new Uint8Array(length)
): Promise<Uint8Array> => {
  const fill = async (filled: number): Promise<Uint8Array> => {
    if (filled === length) return bytes
    const { bytesRead } = await handle.read(bytes, filled, length - filled)
    return bytesRead === 0 ? bytes.subarray(0, filled) : fill(filled + bytesRead)
  }
  return fill(0)
}
