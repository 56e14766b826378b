/** What every `LedgerJournal` must do. */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Result, Stream } from "effect"
import type { Block, SourcePosition } from "../../adapters/LedgerJournal.ts"
import { LedgerJournal } from "../../adapters/LedgerJournal.ts"
import * as PackedEvents from "../../domain/ledger/PackedEvents.ts"
import { ClientId, TxId } from "../../domain/ledger/Transaction.ts"
import { at, later } from "./Samples.ts"

/** A deposit on each of `count` lines, with ids from `first` on, out of "file.csv". */
export const block = (first: number, count: number, changes: Partial<Block> = {}): Block => ({
  first,
  count,
  at,
  source: "file.csv",
  line: first,
  to: position(first + count),
  events: PackedEvents.pack(
    Array.from({ length: count }, (_, index) => ({
      event: { _tag: "Deposited", client: ClientId.make(7), tx: TxId.make(first + index), amount: 10_000n },
      line: first + index + 1
    })),
    first
  ),
  keys: [],
  ...changes
})

export const position = (line: number): SourcePosition => ({ line, byte: 20 * line, checksum: 4_000_000_000 + line })

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: `open`, which names an empty journal with each call. The layer that it
 * answers may be built again and again, each time after the last was released,
 * and finds the journal as it was. What it needs itself comes from `given`.
 *
 * Checks: sequences count from 1; an append that does not follow the last event
 * is a `JournalConflict` that says where the journal ends, and leaves no trace;
 * of many that append the same place one does; blocks that are appended without
 * waiting are stored in their order; a block is kept to the byte, with its keys,
 * and reads as it was also when the caller uses its buffer again; a range is
 * answered by whole blocks in order; positions are those of the last block of
 * each source, and a block without events only moves one; all of it is there
 * when the journal is opened again, and goes on.
 *
 *     LedgerJournalContract.suite("acme", AcmeDatabase.layer, () => AcmeJournal.layer({ name: randomUUID() }))
 */
export const suite = <R, E, E2>(
  name: string,
  given: Layer.Layer<R, E>,
  open: () => Layer.Layer<LedgerJournal, E2, R>
) => {
  const using = <A, E3>(
    journal: Layer.Layer<LedgerJournal, E2, R>,
    run: (journal: LedgerJournal["Service"]) => Effect.Effect<A, E3, R>
  ): Effect.Effect<A, E2 | E3, R> =>
    Effect.scoped(
      Effect.flatMap(Layer.build(Layer.fresh(journal)), (context) => run(Context.get(context, LedgerJournal)))
    )
  const read = (journal: LedgerJournal["Service"], after: number, upTo?: number) =>
    Stream.runCollect(journal.read({ after, upTo }))
  const firsts = (journal: LedgerJournal["Service"], after: number, upTo?: number) =>
    Effect.map(read(journal, after, upTo), (blocks) => blocks.map(({ first }) => first))

  const cases: Record<string, (journal: Layer.Layer<LedgerJournal, E2, R>) => Effect.Effect<void, unknown, R>> = {
    "is empty at first": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* journal.head, { sequence: 0, sources: new Map() })
          assert.deepStrictEqual(yield* read(journal, 0), [])
        })
      ),

    "keeps a block to the byte, with its keys": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          const kept = block(1, 3, {
            source: `"Größe"\\ 金額 😀.csv`,
            keys: [
              [0, "first"],
              [2, `"quoted" \\ key 😀`]
            ]
          })
          const buffer = kept.events.slice()
          yield* journal.append({ ...kept, events: buffer })
          buffer.fill(0)
          const [found, ...others] = yield* read(journal, 0)
          assert.deepStrictEqual({ ...found!, events: new Uint8Array(found!.events) }, kept)
          assert.deepStrictEqual(others, [])
          assert.strictEqual(found!.events.byteOffset % 4, 0)
        })
      ),

    "refuses what does not follow the last event, and says where it ends": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          yield* journal.append(block(1, 3))
          for (const first of [1, 3, 5]) {
            const { reason } = yield* Effect.flip(journal.append(block(first, 2, { source: "other.csv" })))
            assert.strictEqual(reason._tag, "JournalConflict")
            if (reason._tag === "JournalConflict")
              assert.deepStrictEqual([reason.expected, reason.actual], [first - 1, 3])
          }
          assert.deepStrictEqual(yield* journal.head, { sequence: 3, sources: new Map([["file.csv", position(4)]]) })
          yield* journal.append(block(4, 1))
          assert.deepStrictEqual(yield* firsts(journal, 0), [1, 4])
        })
      ),

    "of many that append at one place, one does": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          const names = Array.from({ length: 8 }, (_, index) => `source ${index}`)
          const results = yield* Effect.forEach(
            names,
            (source) => Effect.result(journal.append(block(1, 2, { source }))),
            {
              concurrency: "unbounded"
            }
          )
          assert.strictEqual(results.filter(Result.isSuccess).length, 1)
          for (const result of results) {
            if (Result.isFailure(result)) assert.strictEqual(result.failure.reason._tag, "JournalConflict")
          }
          const winner = names[results.findIndex(Result.isSuccess)]!
          assert.deepStrictEqual(yield* journal.head, { sequence: 2, sources: new Map([[winner, position(3)]]) })
          assert.deepStrictEqual(
            (yield* read(journal, 0)).map(({ source }) => source),
            [winner]
          )
        })
      ),

    "stores blocks that nobody waits for in their order": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          const blocks = Array.from({ length: 40 }, (_, index) => block(1 + 5 * index, 5))
          yield* Effect.forEach(blocks, journal.append, { concurrency: "unbounded" })
          assert.strictEqual((yield* journal.head).sequence, 200)
          const found = yield* read(journal, 0)
          assert.deepStrictEqual(
            found.map(({ first }) => first),
            blocks.map(({ first }) => first)
          )
        })
      ),

    "answers a range by the blocks that have a part in it": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          for (const first of [1, 11, 21, 31]) yield* journal.append(block(first, 10))
          assert.deepStrictEqual(yield* firsts(journal, 0), [1, 11, 21, 31])
          assert.deepStrictEqual(yield* firsts(journal, 10), [11, 21, 31])
          assert.deepStrictEqual(yield* firsts(journal, 9), [1, 11, 21, 31])
          assert.deepStrictEqual(yield* firsts(journal, 15, 25), [11, 21])
          assert.deepStrictEqual(yield* firsts(journal, 10, 20), [11])
          assert.deepStrictEqual(yield* firsts(journal, 39), [31])
          assert.deepStrictEqual(yield* firsts(journal, 40), [])
          assert.deepStrictEqual(yield* firsts(journal, 0, 0), [])
          assert.deepStrictEqual(yield* firsts(journal, 0, 1), [1])
        })
      ),

    "a block without events only moves its source's position": (empty) =>
      using(empty, (journal) =>
        Effect.gen(function* () {
          yield* journal.append(block(1, 0, { to: position(50) }))
          assert.deepStrictEqual(yield* journal.head, { sequence: 0, sources: new Map([["file.csv", position(50)]]) })
          yield* journal.append(block(1, 2, { source: "b.csv" }))
          yield* journal.append(block(3, 0, { to: position(60) }))
          yield* journal.append(block(3, 0, { source: "c.csv", to: position(1) }))
          const { reason } = yield* Effect.flip(journal.append(block(2, 0, { to: position(70) })))
          assert.strictEqual(reason._tag, "JournalConflict")
          const sources = [
            ["file.csv", position(60)],
            ["b.csv", position(3)],
            ["c.csv", position(1)]
          ] as const
          assert.deepStrictEqual(yield* journal.head, { sequence: 2, sources: new Map(sources) })
          assert.deepStrictEqual(yield* firsts(journal, 0), [1])
        })
      ),

    "is there when it is opened again, and goes on": (store) =>
      Effect.gen(function* () {
        const moved = block(8, 0, { source: "b.csv", to: position(99) })
        yield* using(store, (journal) =>
          Effect.gen(function* () {
            yield* journal.append(block(1, 4, { keys: [[3, "key"]] }))
            yield* journal.append(block(5, 3, { at: later(5), source: "b.csv" }))
            yield* journal.append(moved)
          })
        )
        const sources = new Map([
          ["file.csv", position(5)],
          ["b.csv", moved.to]
        ])
        yield* using(store, (journal) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* journal.head, { sequence: 7, sources })
            const { reason } = yield* Effect.flip(journal.append(block(1, 1)))
            assert.strictEqual(reason._tag, "JournalConflict")
            yield* journal.append(block(8, 1))
          })
        )
        yield* using(store, (journal) =>
          Effect.gen(function* () {
            const found = yield* read(journal, 0)
            assert.deepStrictEqual(
              found.map(({ at, first, keys, source }) => [first, at, source, keys]),
              [
                [1, at, "file.csv", [[3, "key"]]],
                [5, later(5), "b.csv", []],
                [8, at, "file.csv", []]
              ]
            )
            assert.strictEqual((yield* journal.head).sequence, 8)
          })
        )
      }),

    "does not meet another": (store) =>
      using(store, (mine) =>
        using(open(), (other) =>
          Effect.gen(function* () {
            yield* mine.append(block(1, 2))
            yield* other.append(block(1, 5))
            assert.deepStrictEqual([(yield* mine.head).sequence, (yield* other.head).sequence], [2, 5])
            assert.strictEqual((yield* read(mine, 0)).length, 1)
          })
        )
      )
  }

  layer(given, { excludeTestServices: true })(`LedgerJournal (${name})`, (it) => {
    for (const [sentence, test] of Object.entries(cases)) it.effect(sentence, () => test(open()))
  })
}
