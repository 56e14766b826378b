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
 */
import { PgClient } from "@effect/sql-pg/PgClient"
import { Duration, Effect, Layer, Option, PubSub, Queue, Schedule, Stream } from "effect"
import { EventBus } from "../../adapters/EventBus.ts"
import * as EventHandlers from "../memory/EventHandlers.ts"
import { envelopeOf } from "./SqlOutbox.ts"
import { unavailable } from "./SqlStorage.ts"

const channel = "florin_events"

/** How often a reader looks when nobody has told it to. */
const lookAgainMillis = 1000

const pageSize = 200

/** Where a reader stands: all of an older transaction's events are behind it. */
interface Cursor {
  readonly xid: string
  readonly position: bigint
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

    const now = sql<{ readonly xid: string }>`select pg_snapshot_xmin(pg_current_snapshot())::text as xid`.pipe(
      unavailable("events"),
      Effect.map(([row]): Cursor => ({ xid: row!.xid, position: -1n }))
    )

    const after = ({ position, xid }: Cursor) =>
      sql<{
        readonly xid: string
        readonly position: bigint
        readonly payment: string
        readonly version: number
        readonly merchant: string
        readonly data: unknown
      }>`
        select xid::text as xid, position, payment, version, merchant, data from florin.events
        where (xid, position) > (${xid}::text::xid8, ${position})
          and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, position limit ${pageSize}`.pipe(unavailable("events"))

    const events = Stream.unwrap(
      Effect.gen(function* () {
        const told = yield* PubSub.subscribe(wake)
        const pause = Effect.timeoutOption(PubSub.take(told), Duration.millis(lookAgainMillis))
        return Stream.paginate(yield* now, (cursor) =>
          Effect.gen(function* () {
            const rows = yield* after(cursor)
            if (rows.length === 0) yield* pause
            const last = rows.at(-1)
            const next = last === undefined ? cursor : { xid: last.xid, position: last.position }
            return [rows.map(envelopeOf), Option.some(next)] as const
          })
        )
      })
    )

    return EventBus.of({
      publish: (envelope) =>
        // Without the notice readers are a second late, which is no reason to hand the event out again.
        Effect.andThen(handlers.call(envelope), Effect.ignore(sql`select pg_notify(${channel}, '')`)),
      handle: handlers.add,
      events
    })
  })
)
