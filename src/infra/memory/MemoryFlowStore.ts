/** `FlowStore` over `MemoryDatabase`. */
import { Effect, Layer, Option } from "effect"
import type { Summary } from "../../adapters/FlowStore.ts"
import { FlowMoved, FlowStore } from "../../adapters/FlowStore.ts"
import type { FlowRow } from "./MemoryDatabase.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<FlowStore, never, MemoryDatabase> = Layer.effect(
  FlowStore,
  Effect.gen(function* () {
    const { flowContexts, flows } = yield* MemoryDatabase

    return FlowStore.of({
      create: ({ at, fingerprint, order }) =>
        Effect.sync(() => {
          // The id is derived from name and key, so it stands for both.
          const existing = flows.get(order.id)
          if (existing !== undefined) return { existing: existing.fingerprint }
          flows.set(order.id, {
            order,
            fingerprint,
            dispatchedAt: at,
            events: [{ _tag: "Dispatched", order, at }],
            status: "dispatched",
            due: at
          })
          return { existing: undefined }
        }),
      append: ({ due, events, expected, id, status }) =>
        Effect.suspend(() => {
          const row = flows.get(id)
          if (row === undefined || row.events.length !== expected) return Effect.fail(new FlowMoved({ expected }))
          row.events = [...row.events, ...events]
          row.status = status
          row.due = due
          return Effect.void
        }),
      load: (id) => Effect.sync(() => flows.get(id)?.events ?? []),
      due: ({ limit, now, worker }) =>
        Effect.sync(() =>
          [...flows.values()]
            .filter((row) => row.order.worker === worker && row.due !== undefined && row.due <= now)
            .toSorted((left, right) => left.due! - right.due!)
            .slice(0, limit)
            .map(({ events, order }) => ({ id: order.id, version: events.length }))
        ),
      list: ({ name, status, worker }, limit) =>
        Effect.sync(() =>
          [...flows.values()]
            .map(summaryOf)
            .filter(
              (row) =>
                (status === undefined || row.status === status) &&
                (name === undefined || row.name === name) &&
                (worker === undefined || row.worker === worker)
            )
            .toSorted((left, right) => right.dispatchedAt - left.dispatchedAt || (left.id < right.id ? 1 : -1))
            .slice(0, limit)
        ),
      find: (id) => Effect.sync(() => Option.map(Option.fromUndefinedOr(flows.get(id)), summaryOf)),
      readContext: (id) => Effect.sync(() => flowContexts.get(id) ?? { entries: {}, version: 0 }),
      writeContext: (id, expected, entries) =>
        Effect.sync(() => {
          if ((flowContexts.get(id)?.version ?? 0) !== expected) return false
          flowContexts.set(id, { entries, version: expected + 1 })
          return true
        })
    })
  })
)

const summaryOf = ({ dispatchedAt, due, order, status }: FlowRow): Summary => ({
  id: order.id,
  name: order.name,
  worker: order.worker,
  context: order.context,
  dispatchedAt,
  status,
  due
})
