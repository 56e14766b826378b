import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Scope, Stream } from "effect"
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import type { Block } from "../../../src/adapters/LedgerJournal.ts"
import { LedgerJournal } from "../../../src/adapters/LedgerJournal.ts"
import * as FileJournal from "../../../src/infra/ledger/FileJournal.ts"
import * as LedgerJournalContract from "../../../src/testing/contract/LedgerJournalContract.ts"
import { block } from "../../../src/testing/contract/LedgerJournalContract.ts"
import { directories } from "./Directory.ts"

const directory = directories()

LedgerJournalContract.suite("files", Layer.empty, () => FileJournal.layer({ directory: directory() }))
// Each block is more than a segment holds, so that every read goes through many of them.
LedgerJournalContract.suite("files of one block", Layer.empty, () =>
  FileJournal.layer({ directory: directory(), segmentBytes: 64 })
)

const segmentsOf = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith(".journal"))
    .toSorted()

const copyOf = (path: string): string => {
  const copy = join(directory(), "copy")
  mkdirSync(copy)
  for (const name of segmentsOf(path)) copyFileSync(join(path, name), join(copy, name))
  return copy
}

/** Opens, uses and leaves the journal there. */
const within = <A, E>(
  path: string,
  use: (opened: Effect.Success<ReturnType<typeof FileJournal.make>>) => Effect.Effect<A, E>,
  segmentBytes?: number
) => Effect.scoped(Effect.flatMap(FileJournal.make({ directory: path, segmentBytes }), use))

/** The files as a process leaves them that is killed: without its last word. */
const abandoned = Effect.fnUntraced(function* (blocks: ReadonlyArray<Block>) {
  const path = directory()
  return yield* within(path, ({ journal }) =>
    Effect.gen(function* () {
      for (const one of blocks) yield* journal.append(one)
      return copyOf(path)
    })
  )
})

const silent = Logger.layer([])
const tail = (path: string) => join(path, segmentsOf(path).at(-1)!)

const sequences = (journal: LedgerJournal["Service"]) =>
  Effect.map(Stream.runCollect(journal.read({ after: 0 })), (blocks) => blocks.map(({ first }) => first))

/** Three blocks, each of which was answered before the next was appended. */
const threeBlocks = abandoned([block(1, 2), block(3, 2), block(5, 2)])

describe("FileJournal", () => {
  it.live("cuts an end that was torn at any byte, says so, and goes on", () =>
    Effect.gen(function* () {
      const path = yield* threeBlocks
      const size = statSync(tail(path)).size
      const frame = 72 + 24 + 40
      for (let lost = 1; lost < frame; lost++) {
        const copy = copyOf(path)
        truncateSync(tail(copy), size - lost)
        yield* within(copy, ({ cut, journal }) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(cut, { after: 4, bytes: frame - lost })
            assert.strictEqual((yield* journal.head).sequence, 4)
            yield* journal.append(block(5, 1))
            assert.deepStrictEqual(yield* sequences(journal), [1, 3, 5])
          })
        )
        yield* within(copy, ({ cut, journal }) =>
          Effect.gen(function* () {
            assert.isUndefined(cut)
            assert.strictEqual((yield* journal.head).sequence, 5)
          })
        )
        rmSync(copy, { recursive: true })
      }
    }).pipe(Effect.provide(silent))
  )

  it.live("cuts an end that was torn once, whatever is done then", () =>
    Effect.gen(function* () {
      const path = yield* threeBlocks
      truncateSync(tail(path), statSync(tail(path)).size - 1)
      const cutOf = within(path, ({ cut }) => Effect.succeed(cut?.after))
      assert.deepStrictEqual([yield* cutOf, yield* cutOf], [4, undefined])
    }).pipe(Effect.provide(silent))
  )

  it.live("is damaged when any byte of what was durable is another, and never guesses", () =>
    Effect.gen(function* () {
      const path = yield* threeBlocks
      const whole = readFileSync(tail(path))
      const frame = 72 + 24 + 40
      // The last block may as well be torn; what follows it is what proves that it was durable.
      const end = whole.length - frame
      const copy = copyOf(path)
      const seen = new Set<string>()
      for (let at = 0; at < end; at++) {
        const bytes = Uint8Array.from(whole)
        bytes[at]! ^= 1 << (at % 8)
        writeFileSync(tail(copy), bytes)
        const exit = yield* Effect.exit(within(copy, ({ journal }) => journal.head))
        assert.isTrue(Exit.isFailure(exit), `byte ${at}`)
        assert.strictEqual(statSync(tail(copy)).size, whole.length)
        const error = yield* Effect.flip(exit)
        assert.strictEqual(error._tag, "LedgerJournalError")
        if (error._tag === "LedgerJournalError") {
          assert.strictEqual(error.reason._tag, "JournalDamaged")
          seen.add(error.message)
        }
      }
      assert.isAbove(seen.size, 2)
    })
  )

  it.live("finds damage to the last block of a journal that was left in order", () =>
    Effect.gen(function* () {
      const path = directory()
      yield* within(path, ({ journal }) => journal.append(block(1, 2)))
      const bytes = readFileSync(tail(path))
      bytes[bytes.length - 90]! ^= 1
      writeFileSync(tail(path), bytes)
      const error = yield* Effect.flip(within(path, ({ journal }) => journal.head))
      assert.strictEqual(error.message, "the journal is damaged after event 0: the checksum of a block is wrong")
    })
  )

  it.live("misses a segment, and a segment's end", () =>
    Effect.gen(function* () {
      const path = directory()
      yield* within(
        path,
        ({ journal }) => Effect.forEach([1, 3, 5, 7], (first) => journal.append(block(first, 2)), { discard: true }),
        64
      )
      const names = segmentsOf(path)
      assert.deepStrictEqual(
        names,
        [1, 3, 5, 7].map((first) => `${String(first).padStart(16, "0")}.journal`)
      )
      const failure = (copy: string) => Effect.flip(within(copy, ({ journal }) => sequences(journal)))
      const missing = copyOf(path)
      rmSync(join(missing, names[1]!))
      assert.strictEqual(
        (yield* failure(missing)).message,
        "the journal is damaged after event 2: the next segment begins with 5"
      )
      const first = copyOf(path)
      rmSync(join(first, names[0]!))
      assert.strictEqual(
        (yield* failure(first)).message,
        "the journal is damaged after event 0: there are no events before 3"
      )
      const short = copyOf(path)
      truncateSync(join(short, names[2]!), statSync(join(short, names[2]!)).size - 1)
      assert.strictEqual(
        (yield* failure(short)).message,
        "the journal is damaged after event 4: the next segment begins with 7"
      )
      // What is before the missing one can still be read by whoever asks for no more.
      const upToTwo = yield* within(missing, ({ journal }) => Stream.runCount(journal.read({ after: 0, upTo: 2 })))
      assert.strictEqual(upToTwo, 1)
    })
  )

  it.live("is written by one at a time, and read by others meanwhile", () =>
    Effect.gen(function* () {
      const path = directory()
      yield* within(path, ({ journal }) =>
        Effect.gen(function* () {
          yield* journal.append(block(1, 2))
          const error = yield* Effect.flip(within(path, () => Effect.void))
          assert.strictEqual(
            error.message,
            `the journal in ${path} is in use: process ${process.pid} writes to it, and only one may at a time`
          )
          const read = Effect.gen(function* () {
            const beside = yield* LedgerJournal
            return [(yield* beside.head).sequence, yield* sequences(beside)]
          }).pipe(Effect.provide(FileJournal.reader(path), { local: true }))
          assert.deepStrictEqual(yield* read, [2, [1]])
          yield* journal.append(block(3, 2))
          assert.deepStrictEqual(yield* read, [4, [1, 3]])
        })
      )
      yield* within(path, ({ journal }) => journal.append(block(5, 2)))
    })
  )

  it.live("takes over from a process that is gone, also when its id is used again", () =>
    Effect.gen(function* () {
      for (const holder of [
        { pid: 2 ** 22 + 1, started: "1@boot" },
        { pid: process.pid, started: "1@boot" }
      ]) {
        const path = directory()
        writeFileSync(join(path, "writer-0000000007.lock"), JSON.stringify(holder))
        yield* within(path, ({ journal }) => journal.append(block(1, 2)))
        assert.deepStrictEqual(
          readdirSync(path).filter((name) => name.startsWith("writer")),
          ["writer-0000000008.lock"]
        )
      }
    })
  )

  it.live("of many that find it abandoned, one has it", () =>
    Effect.gen(function* () {
      const path = directory()
      writeFileSync(join(path, "writer-0000000007.lock"), JSON.stringify({ pid: 2 ** 22 + 1, started: "1@boot" }))
      const scope = Scope.makeUnsafe()
      const exits = yield* Effect.forEach(
        Array.from({ length: 6 }),
        () => Effect.exit(Scope.provide(FileJournal.make({ directory: path }), scope)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("reads nothing where no journal is, and makes none", () =>
    Effect.gen(function* () {
      const path = join(directory(), "none")
      const error = yield* Effect.flip(Effect.provide(LedgerJournal, FileJournal.reader(path)))
      assert.strictEqual(error.message, `there is no journal in ${path}`)
      assert.throws(() => statSync(path))
    })
  )
})
