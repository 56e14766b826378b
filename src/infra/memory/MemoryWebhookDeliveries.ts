/** `WebhookDeliveries` over `MemoryDatabase`. */
import { Effect, Layer } from "effect"
import type { Envelope } from "../../adapters/EventBus.ts"
import type { Address, Claimed } from "../../adapters/WebhookDeliveries.ts"
import { WebhookDeliveries } from "../../adapters/WebhookDeliveries.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import type { Endpoint, EndpointId } from "../../domain/webhook/WebhookEndpoint.ts"
import { wants } from "../../domain/webhook/WebhookEndpoint.ts"
import type { DeliveryRow, Tables } from "./MemoryDatabase.ts"
import { compound, MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<WebhookDeliveries, never, MemoryDatabase> = Layer.effect(
  WebhookDeliveries,
  Effect.gen(function* () {
    const tables = yield* MemoryDatabase
    const { log, webhookDeliveries: rows, webhookEndpoints: endpoints } = tables

    const ofOwner = (owner: RunId, { endpoint, event }: Address) => {
      const row = rows.get(compound(endpoint, event))
      return row?.owner === owner && row.state === "pending" ? row : undefined
    }

    const queue = (endpoint: EndpointId, envelope: Envelope, at: Instant) =>
      void rows.set(compound(endpoint, envelope.id), rowOf(endpoint, envelope, at))

    /** Pending once more, whatever it was; one that is pending stays as it is. */
    const again = (endpoint: EndpointId, envelope: Envelope, at: Instant) => {
      const row = rows.get(compound(endpoint, envelope.id))
      if (row === undefined) return queue(endpoint, envelope, at)
      if (row.state !== "pending") restart(row, at)
    }

    return WebhookDeliveries.of({
      enqueue: (envelope, at) =>
        Effect.sync(() => {
          for (const endpoint of endpoints.values()) {
            if (endpoint.merchant !== envelope.merchant || !wants(endpoint, envelope.event._tag)) continue
            if (!rows.has(compound(endpoint.id, envelope.id))) queue(endpoint.id, envelope, at)
          }
        }),
      claim: ({ limit, now, owner, perEndpoint, until }) =>
        Effect.sync(() =>
          [...endpoints.values()]
            .filter(({ enabled }) => enabled)
            .flatMap((endpoint) => due(tables, endpoint, now, perEndpoint))
            .slice(0, limit)
            .map(({ endpoint, row }): Claimed => {
              row.owner = owner
              row.until = until
              return { endpoint, envelope: row.envelope, attempts: row.attempts, firstAt: row.firstAt }
            })
        ),
      delivered: (owner, address, attempt) =>
        Effect.sync(() => {
          const row = ofOwner(owner, address)
          if (row === undefined) return
          row.tries.push(attempt)
          row.attempts += 1
          row.state = "delivered"
          giveBack(row)
        }),
      failed: (owner, address, attempt, nextAt) =>
        Effect.sync(() => {
          const row = ofOwner(owner, address)
          if (row === undefined) return
          row.tries.push(attempt)
          row.attempts += 1
          row.firstAt ??= attempt.at
          if (nextAt === undefined) row.state = "exhausted"
          else row.nextAt = nextAt
          giveBack(row)
        }),
      postpone: (owner, address, until) =>
        Effect.sync(() => {
          const row = ofOwner(owner, address)
          if (row === undefined) return
          row.nextAt = until
          giveBack(row)
        }),
      resume: (endpoint, now) =>
        Effect.sync(() => {
          for (const row of rows.values()) {
            if (row.endpoint === endpoint && row.state !== "delivered") restart(row, now)
          }
        }),
      replay: ({ endpoint, event }, now) =>
        Effect.sync(() => {
          const merchant = endpoints.get(endpoint)?.merchant
          const envelope = log.find(({ id }) => id === event)
          if (envelope === undefined || envelope.merchant !== merchant) return false
          again(endpoint, envelope, now)
          return true
        }),
      replaySince: (id, since, now) =>
        Effect.sync(() => {
          const endpoint = endpoints.get(id)
          if (endpoint === undefined) return 0
          const wanted = log.filter(
            ({ event, merchant }) =>
              merchant === endpoint.merchant &&
              event.at >= since &&
              (endpoint.types === undefined || endpoint.types.includes(event._tag))
          )
          for (const envelope of wanted) again(id, envelope, now)
          return wanted.length
        }),
      list: (endpoint, { before, limit }) =>
        Effect.sync(() => {
          const all = log.flatMap(({ id }) => rows.get(compound(endpoint, id)) ?? []).toReversed()
          const from = before === undefined ? 0 : all.findIndex(({ envelope }) => envelope.id === before) + 1
          if (before !== undefined && from === 0) return []
          return all.slice(from, from + limit).map(({ envelope, nextAt, queuedAt, state, tries }) => ({
            event: envelope.id,
            type: envelope.event._tag,
            state,
            queuedAt,
            nextAt: state === "pending" ? nextAt : undefined,
            attempts: [...tries]
          }))
        }),
      forget: (before) =>
        Effect.sync(() => {
          for (const [key, row] of rows) if (row.state === "delivered" && row.queuedAt < before) rows.delete(key)
        })
    })
  })
)

/** What an endpoint can be given now: of each payment the first that is not delivered, if it is due and free. */
const due = ({ log, webhookDeliveries }: Tables, endpoint: Endpoint, now: Instant, perEndpoint: number) => {
  const open = [...webhookDeliveries.values()].filter(
    (row) => row.endpoint === endpoint.id && row.state !== "delivered"
  )
  const room = perEndpoint - open.filter((row) => row.state === "pending" && (row.until ?? 0) > now).length
  const firsts = new Map<string, DeliveryRow>()
  for (const row of open) {
    const first = firsts.get(row.envelope.payment)
    if (first === undefined || row.envelope.version < first.envelope.version) firsts.set(row.envelope.payment, row)
  }
  const places = new Map(log.map(({ id }, index) => [id, index]))
  const placeOf = ({ envelope }: DeliveryRow) => places.get(envelope.id) ?? 0
  return [...firsts.values()]
    .filter((row) => row.state === "pending" && row.nextAt <= now && (row.until ?? 0) <= now)
    .toSorted((one, other) => one.nextAt - other.nextAt || placeOf(one) - placeOf(other))
    .slice(0, Math.max(0, room))
    .map((row) => ({ endpoint, row }))
}

const rowOf = (endpoint: EndpointId, envelope: Envelope, at: Instant): DeliveryRow => ({
  endpoint,
  envelope,
  queuedAt: at,
  state: "pending",
  attempts: 0,
  firstAt: undefined,
  nextAt: at,
  owner: undefined,
  until: undefined,
  tries: []
})

const restart = (row: DeliveryRow, at: Instant) => {
  row.state = "pending"
  row.attempts = 0
  row.firstAt = undefined
  row.nextAt = at
}

const giveBack = (row: DeliveryRow) => {
  row.owner = undefined
  row.until = undefined
}
