/**
 * The bytes of a transaction file: of a path, of standard input (`-`), unpacked
 * where the name ends with `.gz`. In chunks of about a megabyte, of which the
 * next one is read while whoever takes them is at work.
 */
import * as Schema from "effect/Schema"
import { createReadStream } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { open } from "node:fs/promises"
import { createGunzip } from "node:zlib"

export const standardInput = "-"

/** Large enough that what each chunk costs is nothing, small enough to stay in the processor's cache. */
const chunkBytes = 1 << 20

/** It cannot be opened, read or unpacked. */
export class SourceUnreadable extends Schema.TaggedError<SourceUnreadable>()("SourceUnreadable", {
  path: Schema.String,
  what: Schema.String
}) {
  override get message() {
    return `cannot read ${this.path === standardInput ? "standard input" : this.path}: ${this.what}`
  }
}

export interface TransactionSource {
  readonly path: string
  /** Of the file as it is stored; 0 where nobody knows. */
  readonly size: number
  /** Of those bytes, how many were read. */
  readonly bytesRead: () => number
  /** A chunk is good until the next one is asked for; `undefined` at the end. Fails with `SourceUnreadable`. */
  readonly next: () => Promise<Buffer | undefined>
  readonly close: () => Promise<void>
}

export const openSource = async (path: string): Promise<TransactionSource> => {
  if (path === standardInput) return streamed(path, 0, process.stdin, () => 0)
  const file = await open(path).catch((cause) => Promise.reject(unreadable(path, cause)))
  const { size } = await file.stat()
  if (!path.endsWith(".gz")) return plain(path, size, file)
  const packed = createReadStream(path, { fd: file.fd, autoClose: false, highWaterMark: chunkBytes / 4 })
  const unpacked = createGunzip({ chunkSize: chunkBytes })
  packed.on("error", (cause) => unpacked.destroy(cause))
  return streamed(path, size, packed.pipe(unpacked), () => packed.bytesRead, file)
}

/** Two buffers: one is read into while the other is taken. */
const plain = (path: string, size: number, file: FileHandle): TransactionSource => {
  let [current, other] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)]
  let bytesRead = 0
  const read = (into: Buffer) =>
    file.read(into, 0, chunkBytes, null).then(
      ({ bytesRead }) => bytesRead,
      (cause: unknown) => unreadable(path, cause)
    )
  let reading = read(current)
  return {
    path,
    size,
    bytesRead: () => bytesRead,
    next: async () => {
      const length = await reading
      if (typeof length !== "number") throw length
      if (length === 0) return undefined
      const chunk = current.subarray(0, length)
      bytesRead += length
      ;[current, other] = [other, current]
      reading = read(current)
      return chunk
    },
    close: async () => {
      await reading
      await file.close()
    }
  }
}

const streamed = (
  path: string,
  size: number,
  stream: NodeJS.ReadableStream,
  bytesRead: () => number,
  file?: FileHandle
): TransactionSource => {
  const chunks = stream[Symbol.asyncIterator]()
  return {
    path,
    size,
    bytesRead,
    next: async () => {
      try {
        const { done, value } = await chunks.next()
        return done === true ? undefined : Buffer.isBuffer(value) ? value : Buffer.from(value)
      } catch (cause) {
        throw unreadable(path, cause)
      }
    },
    close: async () => {
      await chunks.return?.()
      await file?.close()
    }
  }
}

/** What systems say by a code, in words. */
const wordsOf: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "it is a directory",
  EACCES: "no permission",
  EPERM: "no permission",
  EIO: "the disk does not answer",
  Z_BUF_ERROR: "it ends before what was compressed does",
  Z_DATA_ERROR: "it is not compressed by gzip, or damaged"
}

const unreadable = (path: string, cause: unknown): SourceUnreadable => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  return new SourceUnreadable({
    path,
    what: wordsOf[code] ?? (cause instanceof Error ? cause.message : String(cause))
  })
}
