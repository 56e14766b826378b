/** `StockRepository` in memory: everything it does is one step, so that fibers cannot come between. */
import { Effect, Layer } from "effect"
import type { Due } from "../../adapters/StockRepository.ts"
import * as Repository from "../../adapters/StockRepository.ts"
import { StockRepository, StockRepositoryError } from "../../adapters/StockRepository.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { Stock } from "../../domain/reservation/Stock.ts"
import { empty, reorderAt } from "../../domain/reservation/Stock.ts"
import type { Event, StockId } from "../../domain/reservation/StockEvent.ts"
import { endingOf, nameOf, reservationOf } from "../../domain/reservation/StockEvent.ts"

interface Row {
  readonly id: StockId
  readonly events: ReadonlyArray<Event>
  readonly stock: Stock
  readonly due: Instant | undefined
}

export const layer: Layer.Layer<StockRepository> = Layer.sync(StockRepository, () => {
  const rows = new Map<string, Row>()
  /** In order of their moments, those that have come. */
  const those = (momentOf: (row: Row) => Instant | undefined) => (now: Instant, limit: number, after?: Due) =>
    Effect.sync(() =>
      [...rows.values()]
        .flatMap((row): ReadonlyArray<Due> => {
          const due = momentOf(row)
          return due !== undefined && due <= now ? [{ id: row.id, due }] : []
        })
        .filter((one) => after === undefined || isBefore(after, one))
        .toSorted((one, other) => (isBefore(one, other) ? -1 : 1))
        .slice(0, limit)
    )
  const eventsOf = (id: StockId) => rows.get(nameOf(id))?.events ?? []

  return StockRepository.of({
    load: (id, { key, reservation }) =>
      Effect.sync(() => {
        const events = eventsOf(id)
        const operation = key === undefined ? undefined : events.find((event) => event.key === key)
        const ended =
          reservation === undefined
            ? undefined
            : events.find((event) => reservationOf(event) === reservation && endingOf(event) !== undefined)
        const stock = rows.get(nameOf(id))?.stock ?? empty
        return { stock, version: events.length, past: { operation, ended } }
      }),
    append: ({ due, events, expected, id, stock }) =>
      Effect.suspend(() => {
        const before = eventsOf(id)
        if (before.length !== expected) {
          const reason = new Repository.StockVersionConflict({ expected })
          return Effect.fail(new StockRepositoryError({ stock: id, reason }))
        }
        rows.set(nameOf(id), { id, events: [...before, ...events], stock, due })
        return Effect.void
      }),
    history: (id) => Effect.sync(() => eventsOf(id)),
    levels: (product) =>
      Effect.sync(() =>
        [...rows.values()]
          .filter(({ id }) => id.product === product)
          .map(({ events, id, stock }) => ({ location: id.location, stock, version: events.length }))
          .toSorted((one, other) => (one.location < other.location ? -1 : 1))
      ),
    list: ({ after, limit }) =>
      Effect.sync(() =>
        [...rows.values()]
          .toSorted((one, other) => compare(one.id, other.id))
          .filter(({ id }) => after === undefined || compare(id, after) > 0)
          .slice(0, limit)
          .map(({ id, stock }) => ({ id, stock }))
      ),
    due: those(({ due }) => due),
    wanting: those(({ stock }) => reorderAt(stock))
  })
})

/** By moment, product and location. */
const isBefore = (one: Due, other: Due): boolean =>
  one.due === other.due ? compare(one.id, other.id) < 0 : one.due < other.due

const compare = (one: StockId, other: StockId): number => {
  if (one.product !== other.product) return one.product < other.product ? -1 : 1
  if (one.location === other.location) return 0
  return one.location < other.location ? -1 : 1
}
