/** `WebhookEndpoints` on PostgreSQL. An endpoint is one JSON document; its secrets sign, so they are kept as they are. */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { WebhookEndpoints } from "../../adapters/WebhookEndpoints.ts"
import { Endpoint } from "../../domain/webhook/WebhookEndpoint.ts"
import { unavailable } from "./SqlStorage.ts"

const Json = Schema.toCodecJson(Endpoint)
const encode = Schema.encodeSync(Schema.fromJsonString(Json))
export const endpointOf = Schema.decodeUnknownSync(Json)

interface Row {
  readonly data: unknown
}

export const layer: Layer.Layer<WebhookEndpoints, never, SqlClient> = Layer.effect(
  WebhookEndpoints,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return WebhookEndpoints.of({
      create: Effect.fn("SqlWebhookEndpoints.create")(function* (endpoint) {
        yield* sql`
          insert into florin.webhook_endpoints (id, data) values (${endpoint.id}, ${encode(endpoint)}::jsonb)`.pipe(
          unavailable("create a webhook endpoint")
        )
      }),

      list: Effect.fn("SqlWebhookEndpoints.list")(function* (merchant) {
        const rows = yield* (
          merchant === undefined
            ? sql<Row>`select data from florin.webhook_endpoints order by id`
            : sql<Row>`select data from florin.webhook_endpoints where merchant = ${merchant} order by id`
        ).pipe(unavailable("list webhook endpoints"))
        return rows.map(({ data }) => endpointOf(data))
      }),

      find: Effect.fn("SqlWebhookEndpoints.find")(function* (id) {
        const [row] = yield* sql<Row>`select data from florin.webhook_endpoints where id = ${id}`.pipe(
          unavailable("find a webhook endpoint")
        )
        return row === undefined ? Option.none() : Option.some(endpointOf(row.data))
      }),

      change: Effect.fn("SqlWebhookEndpoints.change")((id, to) =>
        sql
          .withTransaction(
            Effect.gen(function* () {
              const [row] = yield* sql<Row>`select data from florin.webhook_endpoints where id = ${id} for update`
              if (row === undefined) return Option.none()
              const changed = to(endpointOf(row.data))
              yield* sql`update florin.webhook_endpoints set data = ${encode(changed)}::jsonb where id = ${id}`
              return Option.some(changed)
            })
          )
          .pipe(unavailable("change a webhook endpoint"))
      ),

      remove: Effect.fn("SqlWebhookEndpoints.remove")(function* (id) {
        const rows = yield* sql`delete from florin.webhook_endpoints where id = ${id} returning id`.pipe(
          unavailable("remove a webhook endpoint")
        )
        return rows.length > 0
      })
    })
  })
)
