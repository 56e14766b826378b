/**
 * A file that a command writes: there whole or not at all.
 *
 * It is written beside its place under another name, flushed to the disk and
 * renamed when all of it is there; whatever goes wrong before, and Ctrl-C too,
 * removes it again. `-` is standard output, a name that ends with `.gz` is
 * compressed, and what is no regular file (`/dev/null`, a pipe) is written to
 * as it stands. Whose reader left has all that was wanted: no error.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { createWriteStream } from "node:fs"
import { open, realpath, rename, rm, stat } from "node:fs/promises"
import type { Writable } from "node:stream"
import { finished } from "node:stream/promises"
import { createGzip } from "node:zlib"

export class OutputFileError extends Schema.TaggedError<OutputFileError>()("OutputFileError", {
  path: Schema.String,
  code: Schema.String,
  what: Schema.String
}) {
  override get message() {
    return `cannot write ${this.path === "-" ? "to standard output" : this.path}: ${this.what}`
  }
}

/** What systems say by a code, in words. */
const wordsOf: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "it is larger than the file system allows",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such directory",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "it is a directory"
}

/** Writes after what was written before; done when there is room for more. */
export type Put = (bytes: Uint8Array) => Effect.Effect<void, OutputFileError>

/** Runs `body` with a file to write to, and keeps the file when it succeeds. */
export const write = <A, E, R>(
  path: string,
  body: (put: Put) => Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E | OutputFileError, R> => {
  const attempt = <B>(run: () => Promise<B>) => Effect.tryPromise({ try: run, catch: (cause) => errorOf(path, cause) })
  return Effect.acquireUseRelease(
    attempt(() => (path === "-" ? Promise.resolve(standardOutput) : opened(path))),
    (file) => {
      const put: Put = (bytes) => attempt(() => written(file.stream, bytes))
      return body(put).pipe(Effect.tap(() => attempt(file.commit)))
    },
    (file, exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.promise(file.discard))
  ).pipe(
    Effect.catchIf(
      (error) => error instanceof OutputFileError && error.code === "EPIPE",
      () => Effect.succeed(undefined)
    )
  )
}

/** What of a file's mode a new one takes over. */
const permissions = 0o777

interface Target {
  readonly stream: Writable
  readonly commit: () => Promise<void>
  readonly discard: () => Promise<void>
}

const standardOutput: Target = {
  stream: process.stdout,
  commit: () => Promise.resolve(),
  discard: () => Promise.resolve()
}

const opened = async (path: string): Promise<Target> => {
  // A link stays one: what it points to is replaced.
  const place = await realpath(path).catch(() => path)
  const known = await stat(place).catch(() => undefined)
  const isReplaced = known === undefined || known.isFile()
  const unfinished = isReplaced ? `${place}.${randomUUID()}.unfinished` : place
  const handle = await open(unfinished, "w", known === undefined ? undefined : known.mode & permissions)
  // By its number: a stream that held the handle would not let it be closed, which is done here, after the flush.
  const file = createWriteStream(unfinished, { fd: handle.fd, autoClose: false })
  const stream = path.endsWith(".gz") ? createGzip() : file
  if (stream !== file) stream.pipe(file)
  // What goes wrong is told to whoever writes or waits; without a listener it would end the process.
  const ended = finished(file)
  ended.catch((cause: Error) => stream.destroy(cause))
  stream.on("error", () => {})
  return {
    stream,
    commit: async () => {
      stream.end()
      await ended
      if (isReplaced) await handle.sync()
      await handle.close()
      if (isReplaced) await rename(unfinished, place)
    },
    discard: async () => {
      stream.destroy()
      file.destroy()
      await handle.close().catch(() => {})
      if (isReplaced) await rm(unfinished, { force: true })
    }
  }
}

const written = (stream: Writable, bytes: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })

const errorOf = (path: string, cause: unknown): OutputFileError => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  const message = cause instanceof Error ? cause.message : String(cause)
  return new OutputFileError({ path, code, what: wordsOf[code] ?? message })
}
