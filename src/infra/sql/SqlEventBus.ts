/**
 * `EventBus` on PostgreSQL.
 *
 * Handlers run here, in the relay's process. Streams read the events
 * themselves, so none is missed however long a reader was away: a `NOTIFY` says
 * only that there is something to read, and a reader that hears none looks
 * every second. The notice comes from the relay and not from the append,
 * because notices of transactions queue behind one lock of the whole server.
 *
 * Positions commit out of order. A reader goes by the transaction first and
 * stops before the oldest that is still open, so nothing can appear behind it.
 * A cursor is both, `<xid>p<position>`, apart so that it never
 * looks like a card number.
 */
import { PgClient } from "@effect/sql-pg/PgClient"
import { Duration, Effect, Layer, Option, PubSub, Queue, Schedule, Stream } from "effect"
import type { Delivery, Wanted } from "../../adapters/EventBus.ts"
import { beginning, Cursor, CursorRefused, EventBus } from "../../adapters/EventBus.ts"
import * as EventHandlers from "../memory/EventHandlers.ts"
import { envelopeOf } from "./SqlOutbox.ts"
import { unavailable } from "./SqlStorage.ts"

const channel = "florin_events"

/** How often a reader looks when nobody has told it to. */
const lookAgainMillis = 1000

const pageSize = 200

/** Where a reader stands: older transactions are behind it, and of this one all up to the position. */
interface Place {
  readonly xid: bigint
  readonly position: bigint
}

interface Row {
  readonly xid: string
  readonly position: bigint
  readonly payment: string
  readonly version: number
  readonly merchant: string
  readonly data: unknown
}

export const layer: Layer.Layer<EventBus, never, PgClient> = Layer.effect(
  EventBus,
  Effect.gen(function* () {
    const sql = yield* PgClient
    const handlers = EventHandlers.make()

    // One connection listens for all readers of this process, for as long as there is one to be had.
    const wake = yield* PubSub.sliding<void>(1)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const notices = yield* sql.listen(channel)
        yield* PubSub.publish(wake, undefined)
        return yield* Effect.forever(Effect.andThen(Queue.take(notices), PubSub.publish(wake, undefined)))
      })
    ).pipe(
      Effect.tapError((error) => Effect.logWarning("not listening for events; readers look by themselves", error)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.forkScoped
    )

    const horizons = sql<{ readonly open: string; readonly unborn: string }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as open, pg_snapshot_xmax(pg_current_snapshot())::text as unborn`.pipe(
      unavailable("follow"),
      Effect.map(([row]) => ({ open: BigInt(row!.open), unborn: BigInt(row!.unborn) }))
    )

    /** A page of what is wanted, and where to read on: past all that was seen, wanted or not. */
    const after = Effect.fnUntraced(function* ({ position, xid }: Place, { merchant, payment, types }: Wanted) {
      const conditions = [
        sql`(xid, position) > (${String(xid)}::text::xid8, ${position})`,
        sql`xid < pg_snapshot_xmin(pg_current_snapshot())`,
        ...(merchant === undefined ? [] : [sql`merchant = ${merchant}`]),
        ...(payment === undefined ? [] : [sql`payment = ${payment}`]),
        ...(types === undefined ? [] : [sql`type in ${sql.in(types)}`])
      ]
      const rows = yield* sql<(Row | { readonly xid: null }) & { readonly open: string }>`
        select pg_snapshot_xmin(pg_current_snapshot())::text as open, event.xid::text as xid, event.position,
          event.payment, event.version, event.merchant, event.data
        from (select) as always left join lateral (
          select xid, position, payment, version, merchant, data from florin.events
          where ${sql.and(conditions)} order by xid, position limit ${pageSize}
        ) as event on true
        order by event.xid, event.position`.pipe(unavailable("events"))
      const found = rows.filter((row) => row.xid !== null)
      const last = found.at(-1)
      const next = found.length === pageSize && last !== undefined ? placeOf(last) : endOf(BigInt(rows[0]!.open))
      return { found, next }
    })

    const follow = Effect.fn("SqlEventBus.follow")(function* ({
      after: cursor,
      ...wanted
    }: Parameters<EventBus["Service"]["follow"]>[0]) {
      const { open, unborn } = yield* horizons
      const start = cursor === undefined ? endOf(open) : parse(cursor)
      // Nobody can have read here beyond the next transaction to begin.
      if (start === undefined || start.xid > unborn) return yield* new CursorRefused({ cursor: String(cursor) })
      const deliveries = Stream.unwrap(
        Effect.gen(function* () {
          const told = yield* PubSub.subscribe(wake)
          const pause = Effect.timeoutOption(PubSub.take(told), Duration.millis(lookAgainMillis))
          return Stream.paginate(start, (place) =>
            Effect.gen(function* () {
              const { found, next } = yield* after(place, wanted)
              if (found.length === 0) yield* pause
              const page = found.map((row): Delivery => ({ cursor: cursorOf(placeOf(row)), envelope: envelopeOf(row) }))
              return [page, Option.some(next)] as const
            })
          )
        })
      )
      return { from: cursorOf(start), deliveries }
    })

    return EventBus.of({
      publish: (envelope) =>
        // Without the notice readers are a second late, which is no reason to hand the event out again.
        Effect.andThen(handlers.call(envelope), Effect.ignore(sql`select pg_notify(${channel}, '')`)),
      handle: handlers.add,
      follow,
      events: Stream.unwrap(
        Effect.map(
          // Without a cursor there is none to refuse.
          Effect.catchTag(follow({}), "CursorRefused", Effect.die),
          ({ deliveries }) => deliveries
        )
      ).pipe(Stream.map(({ envelope }) => envelope))
    })
  })
)

const placeOf = ({ position, xid }: Row): Place => ({ xid: BigInt(xid), position })

/** Behind every transaction older than `xid`; positions begin at 1. */
const endOf = (xid: bigint): Place => ({ xid, position: 0n })

const cursorOf = ({ position, xid }: Place): Cursor => Cursor.make(`${xid}p${position}`)

const maxPosition = 2n ** 63n - 1n

const parse = (cursor: Cursor): Place | undefined => {
  if (cursor === beginning) return endOf(0n)
  const parts = /^(\d{1,20})p(\d{1,19})$/.exec(cursor)
  if (parts === null) return undefined
  const place = { xid: BigInt(parts[1]!), position: BigInt(parts[2]!) }
  return place.position <= maxPosition ? place : undefined
}
