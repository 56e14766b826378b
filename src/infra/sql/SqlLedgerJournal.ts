/**
 * `LedgerJournal` on PostgreSQL: a row a block, and a row for where each ledger
 * ends. Several ledgers live side by side, by their names.
 *
 * An append is one statement for as many blocks as have gathered while the one
 * before was under way. It moves the ledger's head on the condition that it is
 * where the first block continues it, and only then stores the blocks and moves
 * the positions: the head's row is locked until the commit, so that processes
 * append one after the other, and one that was overtaken moves nothing.
 *
 * Events are kept as they are packed and uncompressed (`storage external`): to
 * compress them costs more than everything else. Each row has a checksum of all
 * that it says.
 */
import { Effect, Layer, Option, Result, Stream } from "effect"
import type { Scope } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Block, Head } from "../../adapters/LedgerJournal.ts"
import { JournalConflict, JournalDamaged, LedgerJournal, LedgerJournalError } from "../../adapters/LedgerJournal.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { bytesPerEvent } from "../../domain/ledger/PackedEvents.ts"
import * as BlockQueue from "../ledger/BlockQueue.ts"
import * as JournalFrame from "../ledger/JournalFrame.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

export interface Options {
  /** Which ledger of the database. */
  readonly ledger: string
}

/** A page of a read: 2.6 MB of events, and no more rows than that where blocks are small. */
const pageEvents = 131_072
const pageRows = 4096

const asJournalError = <A, R>(effect: Effect.Effect<A, StorageUnavailable, R>) =>
  Effect.mapError(effect, (reason) => new LedgerJournalError({ reason }))

const storing =
  (operation: string) =>
  <A, R>(effect: Effect.Effect<A, SqlError, R>) =>
    asJournalError(unavailable(operation)(effect))

// --- The layer --------------------------------------------------------------

export const make = Effect.fnUntraced(function* ({
  ledger
}: Options): Effect.fn.Return<LedgerJournal["Service"], LedgerJournalError, Scope.Scope | SqlClient> {
  const sql = yield* SqlClient
  yield* sql`insert into florin.ledger_heads (ledger, sequence) values (${ledger}, 0) on conflict do nothing`.pipe(
    storing("open the journal")
  )

  const sequence = Effect.map(
    sql<{ readonly sequence: bigint }>`select sequence from florin.ledger_heads where ledger = ${ledger}`,
    ([row]) => Number(row?.sequence ?? 0)
  )

  const commit = Effect.fn("SqlLedgerJournal.append")(function* (group: readonly [Block, ...ReadonlyArray<Block>]) {
    const expected = group[0].first - 1
    const moved = yield* write(sql, ledger, group).pipe(storing("append to the journal"))
    if (moved) return
    const actual = yield* sequence.pipe(storing("append to the journal"))
    return yield* new LedgerJournalError({ reason: new JournalConflict({ expected, actual }) })
  })

  return LedgerJournal.of({
    head: Effect.map(
      sql<PositionRow & { readonly sequence: bigint }>`
        select head.sequence, source.source, source.line, source.byte, source.checksum
        from florin.ledger_heads head left join florin.ledger_sources source on source.ledger = head.ledger
        where head.ledger = ${ledger}`.pipe(storing("read the journal's head")),
      (rows): Head => ({
        sequence: Number(rows[0]?.sequence ?? 0),
        sources: new Map(rows.flatMap((row) => (row.source === null ? [] : [[row.source, positionOf(row)]])))
      })
    ),
    append: yield* BlockQueue.make(commit),
    read: ({ after, upTo }) =>
      Stream.unwrap(
        Effect.map(sequence.pipe(storing("read the journal")), (last) =>
          read(sql, ledger, after, Math.min(upTo ?? Infinity, last))
        )
      )
  })
})

export const layer = (options: Options): Layer.Layer<LedgerJournal, LedgerJournalError, SqlClient> =>
  Layer.effect(LedgerJournal, make(options))

// --- Append -----------------------------------------------------------------

/** `false` when the ledger does not end where the first block begins: then nothing was written. */
const write = (
  sql: SqlClient,
  ledger: string,
  group: readonly [Block, ...ReadonlyArray<Block>]
): Effect.Effect<boolean, SqlError> => {
  const full = group.filter(({ count }) => count > 0)
  const longs = (of: (block: Block) => number) => full.map((block) => BigInt(of(block)))
  // Of each source only where it ends: a row cannot be moved twice in a statement.
  const ends = [...new Map(group.map(({ source, to }) => [source, to]))]
  const last = BlockQueue.lastOf(group.at(-1)!)
  return Effect.map(
    sql`
      with moved as (
        update florin.ledger_heads set sequence = ${BigInt(last)}
        where ledger = ${ledger} and sequence = ${BigInt(group[0].first - 1)}
        returning sequence
      ), stored as (
        insert into florin.ledger_blocks
          (ledger, first, count, at, line, to_line, to_byte, to_checksum, words, events, checksum)
        select ${ledger}, block.*
        from moved, unnest(
          ${longs(({ first }) => first)}::bigint[], ${longs(({ count }) => count)}::bigint[],
          ${full.map(({ at }) => toTimestamp(at))}::timestamptz[], ${longs(({ line }) => line)}::bigint[],
          ${longs(({ to }) => to.line)}::bigint[], ${longs(({ to }) => to.byte)}::bigint[],
          ${longs(({ to }) => to.checksum)}::bigint[], ${full.map(JournalFrame.wordsOf)}::text[],
          ${full.map(({ events }) => events)}::bytea[], ${longs(JournalFrame.checksum)}::bigint[]
        ) as block
      ), positions as (
        insert into florin.ledger_sources (ledger, source, line, byte, checksum)
        select ${ledger}, source.*
        from moved, unnest(
          ${ends.map(([source]) => source)}::text[], ${ends.map(([, { line }]) => BigInt(line))}::bigint[],
          ${ends.map(([, { byte }]) => BigInt(byte))}::bigint[],
          ${ends.map(([, { checksum }]) => BigInt(checksum))}::bigint[]
        ) as source
        on conflict (ledger, source) do update set
          line = excluded.line, byte = excluded.byte, checksum = excluded.checksum
      )
      select sequence from moved`,
    (rows) => rows.length > 0
  )
}

interface PositionRow {
  readonly source: string | null
  readonly line: bigint
  readonly byte: bigint
  readonly checksum: bigint
}

const positionOf = ({ byte, checksum, line }: PositionRow) => ({
  line: Number(line),
  byte: Number(byte),
  checksum: Number(checksum)
})

// --- Read -------------------------------------------------------------------

interface Row {
  readonly first: bigint
  readonly count: bigint
  readonly at: Date
  readonly line: bigint
  readonly to_line: bigint
  readonly to_byte: bigint
  readonly to_checksum: bigint
  readonly words: string
  readonly events: Uint8Array
  readonly checksum: bigint
}

const read = (
  sql: SqlClient,
  ledger: string,
  after: number,
  upTo: number
): Stream.Stream<Block, LedgerJournalError> => {
  // The first page begins with the block that `after` lies in, the others with one that follows.
  const page = (last: number, isFirst: boolean) =>
    sql<Row>`
      select first, count, at, line, to_line, to_byte, to_checksum, words, events, checksum from florin.ledger_blocks
      where ledger = ${ledger} and first <= ${BigInt(Math.min(upTo, last + pageEvents))} and first >= ${
        isFirst
          ? sql`coalesce((
              select max(first) from florin.ledger_blocks where ledger = ${ledger} and first <= ${BigInt(last + 1)}
            ), 0)`
          : sql`${BigInt(last + 1)}::bigint`
      }
      order by first limit ${pageRows}`.pipe(storing("read the journal"))

  return Stream.paginate(
    { last: after, isFirst: true },
    Effect.fnUntraced(function* ({ isFirst, last }: { readonly last: number; readonly isFirst: boolean }) {
      if (last >= upTo) return [[], Option.none()] as const
      const blocks: Array<Block> = []
      let end = last
      for (const row of yield* page(last, isFirst)) {
        const block = blockOf(row)
        if (Result.isFailure(block)) return yield* damaged(Number(row.first) - 1, block.failure)
        const { first } = block.success
        const isNext = first === end + 1 || (isFirst && blocks.length === 0 && first <= end + 1)
        if (!isNext) return yield* damaged(end, `event ${end + 1} is missing, the next block begins with ${first}`)
        if (BlockQueue.lastOf(block.success) < end + 1) return yield* damaged(end, `event ${end + 1} is missing`)
        blocks.push(block.success)
        end = BlockQueue.lastOf(block.success)
      }
      if (end === last) return yield* damaged(end, `event ${end + 1} is missing`)
      return [blocks, Option.some({ last: end, isFirst: false })] as const
    })
  )
}

const damaged = (after: number, detail: string) =>
  new LedgerJournalError({ reason: new JournalDamaged({ after, detail }) })

const blockOf = (row: Row): Result.Result<Block, string> => {
  const words = JournalFrame.readWords(row.words)
  if (Result.isFailure(words)) return Result.fail(words.failure)
  const block: Block = {
    first: Number(row.first),
    count: Number(row.count),
    at: fromTimestamp(row.at),
    line: Number(row.line),
    to: { line: Number(row.to_line), byte: Number(row.to_byte), checksum: Number(row.to_checksum) },
    // The driver's bytes may begin anywhere; events are read as words.
    events: row.events.byteOffset % 4 === 0 ? row.events : row.events.slice(),
    ...words.success
  }
  return JournalFrame.checksum(block) === Number(row.checksum) &&
    block.events.byteLength === block.count * bytesPerEvent
    ? Result.succeed(block)
    : Result.fail("the checksum of a block is wrong")
}
