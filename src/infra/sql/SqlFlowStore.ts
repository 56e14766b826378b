/**
 * `FlowStore` on PostgreSQL. Each call is one statement, so what belongs
 * together is there together or not at all.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Summary } from "../../adapters/FlowStore.ts"
import { FlowMoved, FlowStore } from "../../adapters/FlowStore.ts"
import type { Entries } from "../../domain/flow/FlowContext.ts"
import { Event } from "../../domain/flow/FlowEvent.ts"
import { ContextId, FlowId, FlowName, WorkerName } from "../../domain/flow/FlowName.ts"
import type { Status } from "../../domain/flow/FlowState.ts"
import { Fingerprint } from "../../domain/Idempotency.ts"
import type { Instant } from "../../domain/Instant.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))
const decodeEvent = Schema.decodeUnknownSync(Schema.toCodecJson(Event))

interface Row {
  readonly id: string
  readonly name: string
  readonly worker: string
  readonly context: string
  readonly status: Status
  readonly due: Date | null
  readonly dispatched_at: Date
}

const summaryOf = (row: Row): Summary => ({
  id: FlowId.make(row.id),
  name: FlowName.make(row.name),
  worker: WorkerName.make(row.worker),
  context: ContextId.make(row.context),
  status: row.status,
  due: row.due === null ? undefined : fromTimestamp(row.due),
  dispatchedAt: fromTimestamp(row.dispatched_at)
})

const timestampOf = (at: Instant | undefined): Date | null => (at === undefined ? null : toTimestamp(at))

export const layer: Layer.Layer<FlowStore, never, SqlClient> = Layer.effect(
  FlowStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const columns = sql.literal("id, name, worker, context, status, due, dispatched_at")

    return FlowStore.of({
      create: Effect.fn("SqlFlowStore.create")(function* ({ at, fingerprint, order }) {
        const { context, id, key, name, worker } = order
        const data = JSON.stringify(encodeEvent({ _tag: "Dispatched", order, at }))
        const created = yield* sql`
          with claimed as (
            insert into florin.flows
              (id, name, key, worker, context, fingerprint, version, status, due, dispatched_at)
            values (${id}, ${name}, ${key}, ${worker}, ${context}, ${fingerprint}, 1, 'dispatched',
              ${toTimestamp(at)}, ${toTimestamp(at)})
            on conflict do nothing
            returning id
          )
          insert into florin.flow_events (flow, version, data) select id, 1, ${data}::jsonb from claimed
          returning flow`.pipe(unavailable("dispatch a flow"))
        if (created.length > 0) return { existing: undefined }
        const [row] = yield* sql<{ readonly fingerprint: string }>`
          select fingerprint from florin.flows where name = ${name} and key = ${key}`.pipe(
          unavailable("dispatch a flow")
        )
        return { existing: row === undefined ? undefined : Fingerprint.make(row.fingerprint) }
      }),

      append: Effect.fn("SqlFlowStore.append")(function* ({ due, events, expected, id, status }) {
        const data = JSON.stringify(events.map((event) => encodeEvent(event)))
        const appended = yield* sql`
          with moved as (
            update florin.flows
            set version = version + ${events.length}, status = ${status}, due = ${timestampOf(due)}
            where id = ${id} and version = ${expected}
            returning id
          )
          insert into florin.flow_events (flow, version, data)
          select moved.id, ${expected} + event.ordinal, event.data
          from moved, jsonb_array_elements(${data}::jsonb) with ordinality as event (data, ordinal)
          returning flow`.pipe(unavailable("append to a flow"))
        if (appended.length === 0) return yield* new FlowMoved({ expected })
      }),

      load: Effect.fn("SqlFlowStore.load")(function* (id) {
        const rows = yield* sql<{ readonly data: unknown }>`
          select data from florin.flow_events where flow = ${id} order by version`.pipe(unavailable("load a flow"))
        return rows.map(({ data }) => decodeEvent(data))
      }),

      due: Effect.fn("SqlFlowStore.due")(function* ({ limit, now, worker }) {
        const rows = yield* sql<{ readonly id: string; readonly version: number }>`
          select id, version from florin.flows
          where worker = ${worker} and due <= ${toTimestamp(now)} order by due, id limit ${limit}`.pipe(
          unavailable("look for due flows")
        )
        return rows.map(({ id, version }) => ({ id: FlowId.make(id), version }))
      }),

      list: Effect.fn("SqlFlowStore.list")(function* ({ name, status, worker }, limit) {
        const rows = yield* sql<Row>`
          select ${columns} from florin.flows
          where ${sql.and([
            ...(status === undefined ? [] : [sql`status = ${status}`]),
            ...(name === undefined ? [] : [sql`name = ${name}`]),
            ...(worker === undefined ? [] : [sql`worker = ${worker}`])
          ])}
          order by dispatched_at desc, id desc limit ${limit}`.pipe(unavailable("list flows"))
        return rows.map(summaryOf)
      }),

      find: Effect.fn("SqlFlowStore.find")(function* (id) {
        const [row] = yield* sql<Row>`select ${columns} from florin.flows where id = ${id}`.pipe(
          unavailable("find a flow")
        )
        return Option.map(Option.fromUndefinedOr(row), summaryOf)
      }),

      readContext: Effect.fn("SqlFlowStore.readContext")(function* (id) {
        const [row] = yield* sql<{ readonly entries: Entries; readonly version: number }>`
          select entries, version from florin.flow_contexts where id = ${id}`.pipe(unavailable("read a context"))
        return row ?? { entries: {}, version: 0 }
      }),

      writeContext: Effect.fn("SqlFlowStore.writeContext")(function* (id, expected, entries) {
        const data = JSON.stringify(entries)
        const rows = yield* (
          expected === 0
            ? sql`
              insert into florin.flow_contexts (id, version, entries) values (${id}, 1, ${data}::jsonb)
              on conflict do nothing returning id`
            : sql`
              update florin.flow_contexts set version = version + 1, entries = ${data}::jsonb
              where id = ${id} and version = ${expected} returning id`
        ).pipe(unavailable("write a context"))
        return rows.length > 0
      })
    })
  })
)
