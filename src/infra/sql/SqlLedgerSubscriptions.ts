/** `LedgerSubscriptions` on PostgreSQL: a row a handler, and a row a dead letter, for all ledgers of the database. */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { DeadLetter } from "../../adapters/LedgerSubscriptions.ts"
import { LedgerSubscriptions } from "../../adapters/LedgerSubscriptions.ts"
import { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

/** Amounts in it are text: a number inside `jsonb` is not exact beyond 2^53. */
const EventJson = Schema.toCodecJson(LedgerEvent)
const encodeEvent = Schema.encodeSync(EventJson)
const decodeEvent = Schema.decodeUnknownSync(EventJson)

interface Row {
  readonly ledger: string
  readonly handler: string
  readonly sequence: bigint
  readonly event: unknown
  readonly recorded_at: Date
  readonly failures: number
  readonly error: string
  readonly at: Date
}

const letterOf = ({ at, error, event, failures, handler, ledger, recorded_at, sequence }: Row): DeadLetter => ({
  ledger,
  handler,
  sequence: Number(sequence),
  event: decodeEvent(event),
  recordedAt: fromTimestamp(recorded_at),
  failures,
  error,
  at: fromTimestamp(at)
})

export const layer: Layer.Layer<LedgerSubscriptions, never, SqlClient> = Layer.effect(
  LedgerSubscriptions,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return LedgerSubscriptions.of({
      position: Effect.fn("SqlLedgerSubscriptions.position")(function* ({ handler, ledger }) {
        const [row] = yield* sql<{ readonly sequence: bigint }>`
          select sequence from florin.ledger_handlers
          where ledger = ${ledger} and handler = ${handler}`.pipe(unavailable("position"))
        return Number(row?.sequence ?? 0)
      }),

      advance: Effect.fn("SqlLedgerSubscriptions.advance")(function* ({ handler, ledger }, sequence) {
        yield* sql`
          insert into florin.ledger_handlers as old (ledger, handler, sequence)
          values (${ledger}, ${handler}, ${BigInt(sequence)})
          on conflict (ledger, handler) do update
            set sequence = greatest(old.sequence, excluded.sequence)`.pipe(unavailable("advance"))
      }),

      bury: Effect.fn("SqlLedgerSubscriptions.bury")(function* (letter) {
        const { at, error, event, failures, handler, ledger, recordedAt, sequence } = letter
        yield* sql`
          with moved as (
            insert into florin.ledger_handlers as old (ledger, handler, sequence)
            values (${ledger}, ${handler}, ${BigInt(sequence)})
            on conflict (ledger, handler) do update set sequence = greatest(old.sequence, excluded.sequence)
          )
          insert into florin.ledger_dead_letters (ledger, handler, sequence, event, recorded_at, failures, error, at)
          values (${ledger}, ${handler}, ${BigInt(sequence)}, ${JSON.stringify(encodeEvent(event))}::text::jsonb,
            ${toTimestamp(recordedAt)}, ${failures}, ${error}, ${toTimestamp(at)})
          on conflict (ledger, handler, sequence) do update set is_returned = false,
            failures = excluded.failures, error = excluded.error, at = excluded.at`.pipe(unavailable("bury"))
      }),

      deadLetters: Effect.fn("SqlLedgerSubscriptions.deadLetters")(function* (limit) {
        const rows = yield* sql<Row>`
          select * from florin.ledger_dead_letters where not is_returned
          order by at, sequence, ledger, handler limit ${limit}`.pipe(unavailable("deadLetters"))
        return rows.map(letterOf)
      }),

      deadLetter: Effect.fn("SqlLedgerSubscriptions.deadLetter")(function* ({ handler, ledger, sequence }) {
        const [row] = yield* sql<Row>`
          select * from florin.ledger_dead_letters
          where ledger = ${ledger} and handler = ${handler} and sequence = ${BigInt(sequence)}
            and not is_returned`.pipe(unavailable("deadLetter"))
        return Option.map(Option.fromUndefinedOr(row), letterOf)
      }),

      replay: Effect.fn("SqlLedgerSubscriptions.replay")(function* ({ handler, ledger, sequence }) {
        const rows = yield* sql`
          update florin.ledger_dead_letters set is_returned = true
          where ledger = ${ledger} and handler = ${handler} and sequence = ${BigInt(sequence)}
            and not is_returned returning sequence`.pipe(unavailable("replay"))
        return rows.length > 0
      }),

      returned: Effect.fn("SqlLedgerSubscriptions.returned")(function* ({ handler, ledger }, limit) {
        const rows = yield* sql<Row>`
          select * from florin.ledger_dead_letters
          where ledger = ${ledger} and handler = ${handler} and is_returned
          order by sequence limit ${limit}`.pipe(unavailable("returned"))
        return rows.map(letterOf)
      }),

      settle: Effect.fn("SqlLedgerSubscriptions.settle")(function* ({ handler, ledger, sequence }) {
        yield* sql`
          delete from florin.ledger_dead_letters
          where ledger = ${ledger} and handler = ${handler} and sequence = ${BigInt(sequence)}
            and is_returned`.pipe(unavailable("settle"))
      })
    })
  })
)
