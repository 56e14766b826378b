/**
 * `WebhookInbox` on PostgreSQL.
 *
 * A delivery and the keys of its events are stored in one statement: of two
 * processes that are handed the same event at once, the second waits for the
 * first's keys, and finds them known.
 */
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { DeadWebhook, Received } from "../../adapters/WebhookInbox.ts"
import { keysOf, WebhookInbox } from "../../adapters/WebhookInbox.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

interface Row {
  readonly id: string
  readonly gateway: string
  readonly body: Uint8Array
  readonly received_at: Date
  readonly failures: number
}

interface DeadRow extends Row {
  readonly error: string
  readonly died_at: Date
}

const receivedOf = ({ body, failures, gateway, id, received_at }: Row): Received => ({
  id,
  gateway: GatewayName.make(gateway),
  body: Uint8Array.from(body),
  at: fromTimestamp(received_at),
  failures
})

const deadOf = (row: DeadRow): DeadWebhook => ({
  ...receivedOf(row),
  error: row.error,
  diedAt: fromTimestamp(row.died_at)
})

export const layer: Layer.Layer<WebhookInbox, never, SqlClient> = Layer.effect(
  WebhookInbox,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return WebhookInbox.of({
      store: Effect.fn("SqlWebhookInbox.store")(function* ({ at, body, events, gateway, id }) {
        // In one order everywhere, so that two deliveries never wait for each other's keys.
        const keys = events
          .flatMap((event, index) => keysOf(event).map((key) => ({ index, key })))
          .toSorted((one, other) => (one.key < other.key ? -1 : 1))
        const rows = yield* sql`
          with told as (
            select index, key from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb) as told (index integer, key text)
          ), fresh as (
            insert into florin.webhook_seen (gateway, key, at)
            select ${gateway}, key, ${toTimestamp(at)} from told
            on conflict do nothing returning key
          )
          insert into florin.webhook_inbox (id, gateway, body, received_at, retry_at)
          select ${id}, ${gateway}, ${body}::bytea, ${toTimestamp(at)}, ${toTimestamp(at)}
          where exists (
            select from told left join fresh using (key) group by told.index having count(*) = count(fresh.key)
          )
          returning id`.pipe(unavailable("store a webhook"))
        return rows.length > 0
      }),

      claim: Effect.fn("SqlWebhookInbox.claim")(function* ({ gateway, limit, now, owner, until }) {
        const rows = yield* sql<Row>`
          with due as (
            select id from florin.webhook_inbox
            where gateway = ${gateway} and retry_at <= ${toTimestamp(now)}
              and (lease_until is null or lease_until <= ${toTimestamp(now)})
            order by retry_at limit ${limit}
            for update skip locked
          )
          update florin.webhook_inbox entry set owner = ${owner}, lease_until = ${toTimestamp(until)}
          from due where entry.id = due.id
          returning entry.id, entry.gateway, entry.body, entry.received_at, entry.failures`.pipe(
          unavailable("claim webhooks")
        )
        return rows.map(receivedOf)
      }),

      applied: Effect.fn("SqlWebhookInbox.applied")(function* (owner, id) {
        yield* sql`delete from florin.webhook_inbox where id = ${id} and owner = ${owner}`.pipe(
          unavailable("mark a webhook")
        )
      }),

      failed: Effect.fn("SqlWebhookInbox.failed")(function* (owner, id, retryAt) {
        yield* sql`
          update florin.webhook_inbox
          set owner = null, lease_until = null, failures = failures + 1, retry_at = ${toTimestamp(retryAt)}
          where id = ${id} and owner = ${owner}`.pipe(unavailable("mark a webhook"))
      }),

      bury: Effect.fn("SqlWebhookInbox.bury")(function* (owner, id, error, at) {
        yield* sql`
          with buried as (
            delete from florin.webhook_inbox where id = ${id} and owner = ${owner}
            returning id, gateway, body, received_at, failures
          )
          insert into florin.webhook_dead_letters (id, gateway, body, received_at, failures, error, died_at)
          select id, gateway, body, received_at, failures + 1, ${error}, ${toTimestamp(at)} from buried`.pipe(
          unavailable("bury a webhook")
        )
      }),

      deadLetters: Effect.fn("SqlWebhookInbox.deadLetters")(function* (limit) {
        const rows = yield* sql<DeadRow>`
          select id, gateway, body, received_at, failures, error, died_at from florin.webhook_dead_letters
          order by died_at, id limit ${limit}`.pipe(unavailable("read dead webhooks"))
        return rows.map(deadOf)
      }),

      deadLetter: Effect.fn("SqlWebhookInbox.deadLetter")(function* (id) {
        const [row] = yield* sql<DeadRow>`
          select id, gateway, body, received_at, failures, error, died_at from florin.webhook_dead_letters
          where id = ${id}`.pipe(unavailable("read a dead webhook"))
        return row === undefined ? Option.none() : Option.some(deadOf(row))
      }),

      replay: Effect.fn("SqlWebhookInbox.replay")(function* (id, now) {
        const rows = yield* sql`
          with raised as (
            delete from florin.webhook_dead_letters where id = ${id} returning id, gateway, body, received_at
          )
          insert into florin.webhook_inbox (id, gateway, body, received_at, retry_at)
          select id, gateway, body, received_at, ${toTimestamp(now)} from raised returning id`.pipe(
          unavailable("replay a webhook")
        )
        return rows.length > 0
      }),

      forget: (before) =>
        sql`delete from florin.webhook_seen where at < ${toTimestamp(before)}`.pipe(
          unavailable("forget webhooks"),
          Effect.asVoid
        ),

      pending: Effect.map(
        sql<{ readonly count: bigint }>`select count(*) as count from florin.webhook_inbox`.pipe(
          unavailable("count webhooks")
        ),
        ([row]) => Number(row?.count ?? 0)
      )
    })
  })
)
