/** `WebhookEndpoints` over `MemoryDatabase`. */
import { Effect, Layer, Option } from "effect"
import { WebhookEndpoints } from "../../adapters/WebhookEndpoints.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<WebhookEndpoints, never, MemoryDatabase> = Layer.effect(
  WebhookEndpoints,
  Effect.gen(function* () {
    const { webhookDeliveries, webhookEndpoints } = yield* MemoryDatabase

    return WebhookEndpoints.of({
      create: (endpoint) => Effect.sync(() => void webhookEndpoints.set(endpoint.id, endpoint)),
      list: (merchant) =>
        Effect.sync(() =>
          [...webhookEndpoints.values()]
            .filter((endpoint) => merchant === undefined || endpoint.merchant === merchant)
            .toSorted((one, other) => (one.id < other.id ? -1 : 1))
        ),
      find: (id) => Effect.sync(() => Option.fromUndefinedOr(webhookEndpoints.get(id))),
      change: (id, to) =>
        Effect.sync(() => {
          const endpoint = webhookEndpoints.get(id)
          if (endpoint === undefined) return Option.none()
          const changed = to(endpoint)
          webhookEndpoints.set(id, changed)
          return Option.some(changed)
        }),
      remove: (id) =>
        Effect.sync(() => {
          for (const [key, row] of webhookDeliveries) if (row.endpoint === id) webhookDeliveries.delete(key)
          return webhookEndpoints.delete(id)
        })
    })
  })
)
