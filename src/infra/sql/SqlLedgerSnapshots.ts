/**
 * `LedgerSnapshots` on PostgreSQL: in parts, because a value has its bounds,
 * each with a checksum, and all of them in one transaction.
 */
import { Effect, Layer, Option, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { crc32 } from "node:zlib"
import type { Snapshot } from "../../adapters/LedgerSnapshots.ts"
import { LedgerSnapshots } from "../../adapters/LedgerSnapshots.ts"
import * as SnapshotParts from "../ledger/SnapshotParts.ts"
import * as SnapshotRetention from "../ledger/SnapshotRetention.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

export interface Options {
  /** Which ledger of the database. */
  readonly ledger: string
  /** Whose they are: snapshots of the bare books, or those of the service, which knows more. Neither drops the other's. */
  readonly kind?: "books" | "accounts" | undefined
}

export const layer = ({ kind = "books", ledger }: Options): Layer.Layer<LedgerSnapshots, never, SqlClient> =>
  Layer.effect(
    LedgerSnapshots,
    Effect.gen(function* () {
      const sql = yield* SqlClient

      const prune = Effect.gen(function* () {
        const rows = yield* sql<{ readonly sequence: bigint }>`
          select sequence from florin.ledger_snapshots where ledger = ${ledger} and kind = ${kind}`
        for (const old of SnapshotRetention.surplus(rows.map(({ sequence }) => Number(sequence)))) {
          yield* sql`delete from florin.ledger_snapshots where ledger = ${ledger} and kind = ${kind} and sequence = ${BigInt(old)}`
        }
      })

      /** Whether all of its parts are there and what they were. One at a time: a snapshot may be larger than memory. */
      const isWhole = Effect.fnUntraced(function* ({ parts, sequence }: Row) {
        for (let part = 0; part < Number(parts); part++) {
          if ((yield* read(sequence, part)) === undefined) return false
        }
        return true
      })

      const read = (sequence: bigint, part: number) =>
        Effect.map(
          sql<{ readonly bytes: Uint8Array; readonly checksum: bigint }>`
            select bytes, checksum from florin.ledger_snapshot_parts
            where ledger = ${ledger} and kind = ${kind} and sequence = ${sequence} and part = ${BigInt(part)}`,
          ([row]) => (row !== undefined && crc32(row.bytes) === Number(row.checksum) ? row.bytes : undefined)
        )

      const partsOf = ({ parts, sequence }: Row) =>
        Stream.range(0, Number(parts) - 1).pipe(
          Stream.mapEffect((part) => read(sequence, part).pipe(unavailable("read a snapshot"))),
          // Looked at a moment ago: it is gone only if it was pruned meanwhile, which whoever restores finds out.
          Stream.filter((bytes) => bytes !== undefined)
        )

      return LedgerSnapshots.of({
        save: ({ at, sequence }: Snapshot, parts) =>
          sql
            .withTransaction(
              Effect.gen(function* () {
                const key = BigInt(sequence)
                yield* sql`delete from florin.ledger_snapshots where ledger = ${ledger} and kind = ${kind} and sequence = ${key}`
                // Two services may save the same one at the same time: the second waits here, and finds it there.
                const inserted = yield* sql`
                  insert into florin.ledger_snapshots (ledger, kind, sequence, at, parts)
                  values (${ledger}, ${kind}, ${key}, ${toTimestamp(at)}, 0)
                  on conflict do nothing returning sequence`
                if (inserted.length === 0) return
                let count = 0
                for (const bytes of SnapshotParts.bounded(parts)) {
                  yield* sql`
                    insert into florin.ledger_snapshot_parts (ledger, kind, sequence, part, bytes, checksum)
                    values (${ledger}, ${kind}, ${key}, ${BigInt(count)}, ${bytes}, ${BigInt(crc32(bytes))})`
                  count += 1
                }
                yield* sql`
                  update florin.ledger_snapshots set parts = ${BigInt(count)}
                  where ledger = ${ledger} and kind = ${kind} and sequence = ${key}`
                yield* prune
              })
            )
            .pipe(unavailable("save a snapshot")),
        latest: Effect.fn("SqlLedgerSnapshots.latest")(function* ({ at, sequence }) {
          const conditions = sql.and([
            sql`ledger = ${ledger}`,
            sql`kind = ${kind}`,
            ...(sequence === undefined ? [] : [sql`sequence <= ${BigInt(sequence)}`]),
            ...(at === undefined ? [] : [sql`at <= ${toTimestamp(at)}`])
          ])
          const rows = yield* sql<Row>`
            select sequence, at, parts from florin.ledger_snapshots where ${conditions} order by sequence desc`.pipe(
            unavailable("read a snapshot")
          )
          for (const row of rows) {
            if (yield* isWhole(row).pipe(unavailable("read a snapshot"))) {
              return Option.some({ sequence: Number(row.sequence), at: fromTimestamp(row.at), parts: partsOf(row) })
            }
            yield* Effect.logWarning(`the snapshot after event ${row.sequence} is damaged and is passed over`)
          }
          return Option.none()
        })
      })
    })
  )

interface Row {
  readonly sequence: bigint
  readonly at: Date
  readonly parts: bigint
}
