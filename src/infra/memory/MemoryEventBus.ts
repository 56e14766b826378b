/** `EventBus` over `MemoryDatabase`. A cursor is how many events of its log a reader has behind it. */
import { Effect, Layer, Option, Queue, Stream } from "effect"
import type { Delivery } from "../../adapters/EventBus.ts"
import { beginning, Cursor, CursorRefused, EventBus, isWanted } from "../../adapters/EventBus.ts"
import * as EventHandlers from "./EventHandlers.ts"
import type { Tables } from "./MemoryDatabase.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<EventBus, never, MemoryDatabase> = Layer.effect(
  EventBus,
  Effect.gen(function* () {
    const tables = yield* MemoryDatabase
    const handlers = EventHandlers.make()

    const follow: EventBus["Service"]["follow"] = ({ after, ...wanted }) =>
      Effect.suspend(() => {
        const start = after === undefined ? tables.log.length : countOf(after)
        if (start === undefined || start > tables.log.length) {
          return Effect.fail(new CursorRefused({ cursor: String(after) }))
        }
        const deliveries = Stream.unwrap(
          Effect.map(watch(tables), (changed) =>
            Stream.paginate(start, (count) =>
              Effect.gen(function* () {
                if (count === tables.log.length) yield* changed
                const page = tables.log.slice(count).map((envelope, index): Delivery => ({
                  cursor: cursorOf(count + index + 1),
                  envelope
                }))
                return [page.filter(({ envelope }) => isWanted(envelope, wanted)), Option.some(count + page.length)]
              })
            )
          )
        )
        return Effect.succeed({ from: cursorOf(start), deliveries })
      })

    return EventBus.of({
      publish: handlers.call,
      handle: handlers.add,
      follow,
      // Without a cursor there is none to refuse.
      events: Stream.unwrap(Effect.map(Effect.orDie(follow({})), ({ deliveries }) => deliveries)).pipe(
        Stream.map(({ envelope }) => envelope)
      )
    })
  })
)

const cursorOf = (count: number): Cursor => Cursor.make(String(count))

const countOf = (cursor: Cursor): number | undefined => {
  if (cursor === beginning) return 0
  return /^\d{1,15}$/.test(cursor) ? Number(cursor) : undefined
}

/** Waits for the next record; one that came since the last wait counts. */
const watch = ({ watchers }: Tables) =>
  Effect.gen(function* () {
    const changes = yield* Queue.sliding<void>(1)
    const tell = () => void Queue.offerUnsafe(changes, undefined)
    yield* Effect.acquireRelease(
      Effect.sync(() => watchers.add(tell)),
      () => Effect.sync(() => watchers.delete(tell))
    )
    return Queue.take(changes)
  })
