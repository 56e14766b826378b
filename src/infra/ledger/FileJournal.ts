/**
 * `LedgerJournal` in a directory of append-only files (`JournalSegment`), each
 * a row of blocks (`JournalFrame`).
 *
 * 1. An append is answered when its group is on the disk: one write and one
 *    `fdatasync` a group, and blocks that come meanwhile share the next
 *    (`BlockQueue`).
 * 2. Opening for writing reads the last segment. An end that was torn when a
 *    process or a machine died, and that was never answered, is cut; what
 *    cannot be read and had been on the disk is `JournalDamaged`.
 * 3. One process writes at a time (`WriterLock`); others may read meanwhile,
 *    and see what is there so far.
 * 4. After a write that failed, nobody knows what the disk holds: the next
 *    append or look at the head opens the segment anew.
 *
 * Leaving writes a mark that all of it was durable, so that damage to the last
 * blocks is not taken for a torn end.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { FileHandle } from "node:fs/promises"
import { mkdir, open } from "node:fs/promises"
import type { Block, Head, SourcePosition } from "../../adapters/LedgerJournal.ts"
import * as Journal from "../../adapters/LedgerJournal.ts"
import { LedgerJournal, LedgerJournalError } from "../../adapters/LedgerJournal.ts"
import { Instant } from "../../domain/Instant.ts"
import * as BlockQueue from "./BlockQueue.ts"
import * as JournalFrame from "./JournalFrame.ts"
import * as JournalSegment from "./JournalSegment.ts"
import { attempt, damaged } from "./JournalSegment.ts"
import type { JournalInUse } from "./WriterLock.ts"
import * as WriterLock from "./WriterLock.ts"

export interface Options {
  /** Made if it is not there. */
  readonly directory: string
  /** When a segment is full. */
  readonly segmentBytes?: number | undefined
}

/** What was torn off the end: bytes that no append had been answered for. */
export interface Cut {
  readonly after: number
  readonly bytes: number
}

/** 3.3 million events: opening reads one of them in some tens of milliseconds. */
const fullSegmentBytes = 64 * 1024 * 1024

/** The source of the mark that a writer leaves behind. No source has an empty name. */
const leaving: Block = {
  first: 1,
  count: 0,
  at: Instant.make(1),
  source: "",
  line: 0,
  to: Journal.start,
  events: new Uint8Array(0),
  keys: []
}

// --- Writing ----------------------------------------------------------------

/** The segment that is written to, and where everything stands. */
interface Tail {
  readonly handle: FileHandle
  readonly first: number
  readonly sources: Map<string, SourcePosition>
  sequence: number
  /** What of the file is on the disk, and nothing is behind it. */
  durable: number
  /** Nothing was appended since it was opened. */
  isMarked: boolean
}

/** A journal to append to, and what was cut off its end. */
export const make = Effect.fnUntraced(function* ({
  directory,
  segmentBytes = fullSegmentBytes
}: Options): Effect.fn.Return<
  { readonly journal: LedgerJournal["Service"]; readonly cut: Cut | undefined },
  LedgerJournalError | JournalInUse,
  Scope.Scope
> {
  yield* attempt("make the journal's directory", () => mkdir(directory, { recursive: true }))
  yield* WriterLock.hold(directory).pipe(
    Effect.catchTag("StorageUnavailable", (reason) => Effect.fail(new LedgerJournalError({ reason })))
  )
  const found = yield* openTail(directory)
  let tail = found.tail
  let isBroken = false
  const mending = Semaphore.makeUnsafe(1)
  yield* Effect.addFinalizer(() => Effect.ignore(attempt("close", () => leave(tail, isBroken))))

  const mend = mending.withPermits(1)(
    Effect.gen(function* () {
      if (!isBroken) return
      yield* Effect.ignore(attempt("close", () => tail.handle.close()))
      tail = (yield* openTail(directory)).tail
      isBroken = false
    })
  )

  const commit = Effect.fnUntraced(function* (group: readonly [Block, ...ReadonlyArray<Block>]) {
    yield* mend
    const expected = group[0].first - 1
    if (expected !== tail.sequence) {
      return yield* new LedgerJournalError({
        reason: new Journal.JournalConflict({ expected, actual: tail.sequence })
      })
    }
    yield* attempt("append to the journal", async () => {
      isBroken = true
      if (tail.durable >= segmentBytes && tail.sequence >= tail.first) tail = await nextSegment(directory, tail)
      const end = await write(tail.handle, group, tail.durable)
      await tail.handle.datasync()
      tail.durable = end
      tail.isMarked = false
      for (const block of group) tail.sources.set(block.source, block.to)
      tail.sequence = BlockQueue.lastOf(group.at(-1)!)
      isBroken = false
    })
  })

  const journal = LedgerJournal.of({
    head: Effect.map(mend, (): Head => ({ sequence: tail.sequence, sources: new Map(tail.sources) })),
    append: yield* BlockQueue.make(commit),
    // What was written and not yet answered may still be lost.
    read: ({ after, upTo = Infinity }) => Stream.suspend(() => blocks(directory, after, Math.min(upTo, tail.sequence)))
  })
  return { journal, cut: found.cut }
})

export const layer = (options: Options): Layer.Layer<LedgerJournal, LedgerJournalError | JournalInUse> =>
  Layer.effect(
    LedgerJournal,
    Effect.map(make(options), ({ journal }) => journal)
  )

const openTail = Effect.fnUntraced(function* (directory: string) {
  const segments = yield* attempt("read the journal", () => JournalSegment.list(directory))
  const first = segments.at(-1) ?? 1
  if (segments.length === 0) {
    yield* attempt("make the journal", () => JournalSegment.create(directory, first, new Map()))
  }
  const handle = yield* attempt("open the journal", () => open(JournalSegment.pathOf(directory, first), "r+"))
  return yield* readTail(handle, first).pipe(
    Effect.onExit((exit) =>
      Exit.isFailure(exit) ? Effect.ignore(attempt("close", () => handle.close())) : Effect.void
    )
  )
})

const readTail = Effect.fnUntraced(function* (handle: FileHandle, first: number) {
  const { offset, sources } = yield* JournalSegment.opening(handle, first)
  const { size } = yield* attempt("read the journal", () => handle.stat())
  const tail: Tail = { handle, first, sources: new Map(sources), sequence: first - 1, durable: offset, isMarked: true }
  const whole = readFrames(handle, tail, size)
  yield* Stream.runForEach(whole, ({ block, end }) =>
    Effect.sync(() => {
      if (block.source !== leaving.source) tail.sources.set(block.source, block.to)
      tail.sequence = BlockQueue.lastOf(block)
      tail.durable = end
    })
  )
  const cut = size === tail.durable ? undefined : { after: tail.sequence, bytes: size - tail.durable }
  yield* attempt("open the journal", async () => {
    if (cut !== undefined) await handle.truncate(tail.durable)
    // A process that was killed may have left whole blocks that it never synced.
    await handle.datasync()
  })
  if (cut !== undefined) {
    yield* Effect.logWarning(
      `the journal's end was torn: ${cut.bytes} bytes after event ${cut.after} that nobody was told of were cut off`
    )
  }
  return { tail, cut }
})

const nextSegment = async (directory: string, { handle, sequence, sources }: Tail): Promise<Tail> => {
  const first = sequence + 1
  await JournalSegment.create(directory, first, sources)
  const next = await open(JournalSegment.pathOf(directory, first), "r+")
  await handle.close()
  const { size } = await next.stat()
  return { handle: next, first, sources, sequence, durable: size, isMarked: true }
}

/** Where the file ends then. */
const write = (handle: FileHandle, group: ReadonlyArray<Block>, offset: number): Promise<number> => {
  const writeAll = async (parts: ReadonlyArray<Uint8Array>, position: number): Promise<number> => {
    if (parts.length === 0) return position
    const { bytesWritten } = await handle.writev(parts, position)
    return writeAll(rest(parts, bytesWritten), position + bytesWritten)
  }
  return writeAll(
    rest(
      group.flatMap((block) => JournalFrame.encode(block, offset)),
      0
    ),
    offset
  )
}

/** What is left of the parts behind so many bytes. */
const rest = (parts: ReadonlyArray<Uint8Array>, written: number): ReadonlyArray<Uint8Array> => {
  let skip = written
  return parts.flatMap((part) => {
    const skipped = Math.min(skip, part.byteLength)
    skip -= skipped
    return skipped === part.byteLength ? [] : [part.subarray(skipped)]
  })
}

const leave = async ({ durable, handle, isMarked, sequence }: Tail, isBroken: boolean): Promise<void> => {
  if (!isBroken && !isMarked) await write(handle, [{ ...leaving, first: sequence + 1 }], durable)
  await handle.close()
}

// --- Reading ----------------------------------------------------------------

/** Nobody has written a journal there. */
export class JournalMissing extends Schema.TaggedError<JournalMissing>()("JournalMissing", { path: Schema.String }) {
  override get message() {
    return `there is no journal in ${this.path}`
  }
}

/** A journal that is only read, also while another process writes to it. Nothing is cut. */
export const reader = (directory: string): Layer.Layer<LedgerJournal, LedgerJournalError | JournalMissing> =>
  Layer.effect(
    LedgerJournal,
    Effect.gen(function* () {
      const segments = yield* attempt("read the journal", () => JournalSegment.list(directory))
      if (segments.length === 0) return yield* new JournalMissing({ path: directory })
      return LedgerJournal.of({
        head: headOf(directory),
        append: () => Effect.die(new Error("a journal that was opened for reading is appended to")),
        read: ({ after, upTo = Infinity }) => Stream.suspend(() => blocks(directory, after, upTo))
      })
    })
  )

const headOf = (directory: string): Effect.Effect<Head, LedgerJournalError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const first = (yield* attempt("read the journal", () => JournalSegment.list(directory))).at(-1) ?? 1
      const { handle, offset, size, sources } = yield* openSegment(directory, first)
      const head = { sequence: first - 1, sources: new Map(sources) }
      yield* Stream.runForEach(readFrames(handle, { sequence: first - 1, durable: offset }, size), ({ block }) =>
        Effect.sync(() => {
          if (block.source !== leaving.source) head.sources.set(block.source, block.to)
          head.sequence = BlockQueue.lastOf(block)
        })
      )
      return head
    })
  )

const openSegment = Effect.fnUntraced(function* (directory: string, first: number) {
  const handle = yield* Effect.acquireRelease(
    attempt("read the journal", () => open(JournalSegment.pathOf(directory, first), "r")),
    (handle) => Effect.ignore(attempt("close", () => handle.close()))
  )
  const opened = yield* JournalSegment.opening(handle, first)
  const { size } = yield* attempt("read the journal", () => handle.stat())
  return { handle, size, ...opened }
})

/** Blocks with events in `(after, upTo]`, through all segments that have some. */
const blocks = (directory: string, after: number, upTo: number): Stream.Stream<Block, LedgerJournalError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const all = yield* attempt("read the journal", () => JournalSegment.list(directory))
      const begin = all.findLastIndex((first) => first <= after + 1)
      if (begin === -1 && after < upTo) return Stream.fail(damaged(after, `there are no events before ${all[0]}`))
      const segments = all.slice(begin).filter((first) => first <= upTo)
      return Stream.fromIterable(segments.entries()).pipe(
        Stream.flatMap(([index, first]) => blocksOf(directory, first, segments[index + 1], { after, upTo }))
      )
    })
  )

interface Range {
  readonly after: number
  readonly upTo: number
}

/** The blocks of one segment, which has to reach up to the next where there is one. */
const blocksOf = (directory: string, first: number, next: number | undefined, { after, upTo }: Range) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { handle, offset, size } = yield* openSegment(directory, first)
      let last = first - 1
      const found = readFrames(handle, { sequence: last, durable: offset }, size, after).pipe(
        Stream.tap(({ block }) => Effect.sync(() => (last = BlockQueue.lastOf(block)))),
        Stream.takeWhile(({ block }) => block.first <= upTo),
        Stream.map(({ block }) => block),
        Stream.filter((block) => block.count > 0 && BlockQueue.lastOf(block) > after)
      )
      if (next === undefined) return found
      return Stream.concat(
        found,
        Stream.suspend(() =>
          last === next - 1 || last >= upTo
            ? Stream.empty
            : Stream.fail(damaged(last, `the next segment begins with ${next}`))
        )
      )
    })
  ).pipe(Stream.scoped)

interface Framed {
  readonly block: Block
  /** Where the file goes on. */
  readonly end: number
}

/**
 * The blocks behind a place in a segment, up to its end or to where it is torn.
 * Those that end before `after` are passed over by their headers.
 */
const readFrames = (
  handle: FileHandle,
  from: { readonly sequence: number; readonly durable: number },
  size: number,
  after = 0
): Stream.Stream<Framed, LedgerJournalError> => {
  /** The end of what can be read; a failure when it had been durable. */
  const stop = (sequence: number, offset: number, framed: ReadonlyArray<Framed>, detail: string) =>
    Effect.flatMap(
      attempt("read the journal", () => JournalSegment.wasDurable(handle, offset, size)),
      (wasDurable) =>
        wasDurable ? Effect.fail(damaged(sequence, detail)) : Effect.succeed([framed, Option.none<State>()] as const)
    )

  type State = { readonly sequence: number; readonly offset: number }
  const initial: State = { sequence: from.sequence, offset: from.durable }
  return Stream.paginate(
    initial,
    Effect.fnUntraced(function* ({ offset, sequence }: State) {
      if (offset >= size) return [[], Option.none<State>()] as const
      const piece = yield* attempt("read the journal", () => JournalSegment.frames(handle, offset, size))
      if (piece.frames.length === 0) return yield* stop(sequence, offset, [], "a block cannot be read")
      const framed: Array<Framed> = []
      let last = sequence
      for (const { bytes, header, offset: at } of piece.frames) {
        if (header.first !== last + 1) {
          return yield* damaged(last, `event ${last + 1} is missing, the next block begins with ${header.first}`)
        }
        if (BlockQueue.lastOf(header) > after || header.count === 0) {
          const block = JournalFrame.decode(bytes)
          if (Result.isFailure(block)) return yield* stop(last, at, framed, block.failure)
          framed.push({ block: block.success, end: at + header.bytes })
        }
        last = BlockQueue.lastOf(header)
      }
      return [framed, Option.some({ sequence: last, offset: piece.next })] as const
    })
  )
}
