/**
 * `StockRepository` on PostgreSQL: each append is one statement.
 *
 * What guards it is the write of the stock's row: under a race the second waits
 * for the first, finds another version, writes no row, and so no events. The
 * table's own check refuses a state in which more is reserved than on hand.
 */
import { Effect, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Repository from "../../adapters/StockRepository.ts"
import { StockRepository, StockRepositoryError } from "../../adapters/StockRepository.ts"
import { empty, reorderAt, Stock } from "../../domain/reservation/Stock.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { endingOf, Event, LocationId, ProductId, reservationOf } from "../../domain/reservation/StockEvent.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

const encodeStock = Schema.encodeSync(Schema.toCodecJson(Stock))
const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))
const decodeStock = Schema.decodeUnknownResult(Schema.toCodecJson(Stock))
const decodeEvent = Schema.decodeUnknownResult(Schema.toCodecJson(Event))

export const layer: Layer.Layer<StockRepository, never, SqlClient> = Layer.effect(
  StockRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    /** In order of that moment, those for which it has come; its index has the same columns. */
    const those = (name: string, moment: "due" | "reorder_at") =>
      Effect.fn(`SqlStockRepository.${name}`)(function* (now: Instant, limit: number, after?: Repository.Due) {
        const column = sql(moment)
        const rest =
          after === undefined
            ? sql``
            : sql`and (${column}, product, location)
                > (${toTimestamp(after.due)}, ${after.id.product}, ${after.id.location})`
        const rows = yield* sql<{ readonly product: string; readonly location: string; readonly moment: Date }>`
          select product, location, ${column} as moment from florin.stock where ${column} <= ${toTimestamp(now)} ${rest}
          order by ${column}, product, location limit ${limit}`.pipe(unavailable(name))
        return rows.map(({ location, moment, product }) => ({
          id: { product: ProductId.make(product), location: LocationId.make(location) },
          due: fromTimestamp(moment)
        }))
      })

    return StockRepository.of({
      load: Effect.fn("SqlStockRepository.load")(function* (id, { key, reservation }) {
        const [row] = yield* sql<{
          readonly version: number | null
          readonly state: unknown
          readonly operation: unknown
          readonly ended: unknown
        }>`
          select s.version, s.state,
            (select e.data from florin.stock_events e
              where e.product = ${id.product} and e.location = ${id.location} and e.key = ${key ?? null}) as operation,
            (select e.data from florin.stock_events e
              where e.product = ${id.product} and e.location = ${id.location} and e.ended = ${reservation ?? null}) as ended
          from (values (1)) as one (row)
          left join florin.stock s on s.product = ${id.product} and s.location = ${id.location}`.pipe(
          failing("load", id)
        )
        if (row === undefined) return yield* Effect.die("a query without a condition gave no row")
        const optional = (data: unknown) => (data === null ? Effect.undefined : read(id, decodeEvent(data)))
        return {
          stock: row.version === null ? empty : yield* read(id, decodeStock(row.state)),
          version: row.version ?? 0,
          past: { operation: yield* optional(row.operation), ended: yield* optional(row.ended) }
        }
      }),

      append: Effect.fn("SqlStockRepository.append")(function* ({ due, events, expected, id, stock }) {
        const { location, product } = id
        const state = JSON.stringify(encodeStock(stock))
        const [dueAt, wantedAt] = [momentOf(due), momentOf(reorderAt(stock))]
        const version = expected + events.length
        const rows = events.map((event, index) => ({
          version: expected + index + 1,
          type: event._tag,
          key: event.key,
          ended: endingOf(event) === undefined ? null : reservationOf(event),
          data: encodeEvent(event)
        }))
        const head =
          expected === 0
            ? sql`insert into florin.stock (product, location, version, state, due, reorder_at)
                values (${product}, ${location}, ${version}, ${state}::text::jsonb, ${dueAt}, ${wantedAt})
                on conflict (product, location) do nothing returning product, location`
            : sql`update florin.stock set version = ${version}, state = ${state}::text::jsonb,
                  due = ${dueAt}, reorder_at = ${wantedAt}
                where product = ${product} and location = ${location} and version = ${expected}
                returning product, location`
        const written = yield* sql`
          with head as (${head})
          insert into florin.stock_events (product, location, version, type, key, ended, data)
          select head.product, head.location, e.version, e.type, e.key, e.ended, e.data
          from head, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
            as e (version integer, type text, key text, ended text, data jsonb)
          returning version`.pipe(failing("append", id))
        if (written.length === 0) {
          const reason = new Repository.StockVersionConflict({ expected })
          return yield* new StockRepositoryError({ stock: id, reason })
        }
      }),

      history: Effect.fn("SqlStockRepository.history")(function* (id) {
        const rows = yield* sql<{ readonly data: unknown }>`
          select data from florin.stock_events
          where product = ${id.product} and location = ${id.location} order by version`.pipe(failing("history", id))
        return yield* Effect.forEach(rows, ({ data }) => read(id, decodeEvent(data)))
      }),

      levels: Effect.fn("SqlStockRepository.levels")(function* (product) {
        const rows = yield* sql<{ readonly location: string; readonly state: unknown; readonly version: number }>`
          select location, state, version from florin.stock where product = ${product} order by location`.pipe(
          unavailable("levels")
        )
        return yield* Effect.forEach(rows, ({ location: name, state, version }) => {
          const location = LocationId.make(name)
          return Effect.map(read({ product, location }, decodeStock(state)), (stock) => ({ location, stock, version }))
        })
      }),

      list: Effect.fn("SqlStockRepository.list")(function* ({ after, limit }) {
        const rows = yield* sql<{ readonly product: string; readonly location: string; readonly state: unknown }>`
          select product, location, state from florin.stock
          where (product, location) > (${after?.product ?? ""}, ${after?.location ?? ""})
          order by product, location limit ${limit}`.pipe(unavailable("list"))
        return yield* Effect.forEach(rows, ({ location, product, state }) => {
          const id = { product: ProductId.make(product), location: LocationId.make(location) }
          return Effect.map(read(id, decodeStock(state)), (stock) => ({ id, stock }))
        })
      }),

      due: those("due", "due"),
      wanting: those("wanting", "reorder_at")
    })
  })
)

const momentOf = (moment: Instant | undefined) => (moment === undefined ? null : toTimestamp(moment))

const failing =
  (operation: string, stock: StockId) =>
  <A, R>(effect: Effect.Effect<A, SqlError, R>): Effect.Effect<A, StockRepositoryError, R> =>
    Effect.mapError(unavailable(`stock ${operation}`)(effect), (reason) => new StockRepositoryError({ stock, reason }))

const read = <A>(
  stock: StockId,
  decoded: Result.Result<A, Schema.SchemaError>
): Effect.Effect<A, StockRepositoryError> =>
  Result.isSuccess(decoded)
    ? Effect.succeed(decoded.success)
    : Effect.fail(
        new StockRepositoryError({
          stock,
          reason: new Repository.UnreadableStock({ detail: decoded.failure.message })
        })
      )
