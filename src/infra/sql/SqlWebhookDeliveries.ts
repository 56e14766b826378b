/**
 * `WebhookDeliveries` on PostgreSQL.
 *
 * A claim goes endpoint by endpoint, each of which it locks, with `skip
 * locked`: so an endpoint is with one claimer at a time, and one with thousands
 * of deliveries takes no more of a claim than one with a few. Of each payment
 * it takes the first event that is not delivered; those behind it wait.
 *
 * A claimer whose snapshot is from before another's claim finds that out when
 * it updates: the row is then looked at anew, and is held.
 */
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import type { Address, Attempt, Logged, State } from "../../adapters/WebhookDeliveries.ts"
import { WebhookDeliveries } from "../../adapters/WebhookDeliveries.ts"
import { Instant } from "../../domain/Instant.ts"
import type { Event } from "../../domain/payment/PaymentEvent.ts"
import { envelopeOf, placeOf } from "./SqlOutbox.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"
import { endpointOf } from "./SqlWebhookEndpoints.ts"

interface ClaimedRow {
  readonly endpoint_data: unknown
  readonly payment: string
  readonly version: number
  readonly merchant: string
  readonly data: unknown
  readonly attempts: number
  readonly first_at: Date | null
}

interface LoggedRow {
  readonly payment: string
  readonly version: number
  readonly type: Event["_tag"]
  readonly state: State
  readonly queued_at: Date
  readonly next_at: Date
  readonly tries: unknown
}

const decodeTries = Schema.decodeUnknownSync(
  Schema.Array(
    Schema.Struct({
      at: Instant,
      status: Schema.NullOr(Schema.Int),
      error: Schema.NullOr(Schema.String),
      latency: Schema.Int
    })
  )
)

const loggedOf = ({ next_at, payment, queued_at, state, tries, type, version }: LoggedRow): Logged => ({
  event: `${payment}/${version}`,
  type,
  state,
  queuedAt: fromTimestamp(queued_at),
  nextAt: state === "pending" ? fromTimestamp(next_at) : undefined,
  attempts: decodeTries(tries).map(({ at, error, latency, status }) => ({
    at,
    status: status ?? undefined,
    error: error ?? undefined,
    latencyMillis: latency
  }))
})

export const layer: Layer.Layer<WebhookDeliveries, never, SqlClient> = Layer.effect(
  WebhookDeliveries,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    /** The row of an address, if `owner` holds it. */
    const held = (owner: string, { endpoint, event }: Address) => {
      const [payment, version] = placeOf(event)
      return sql`endpoint = ${endpoint} and payment = ${payment} and version = ${version}
        and owner = ${owner} and state = 'pending'`
    }

    const tried = ({ at, error, latencyMillis, status }: Attempt) => sql`
      insert into florin.webhook_attempts (endpoint, payment, version, at, status, error, latency_millis)
      select endpoint, payment, version, ${toTimestamp(at)}, ${status ?? null}::integer, ${error ?? null}::text,
        ${latencyMillis}::integer from marked`

    /** Queues what is not queued, and has what was delivered or given up begin anew. */
    const again = (events: Fragment, now: Instant) => sql<{ readonly count: bigint }>`
      with wanted as (
        select endpoint.id as endpoint, event.payment, event.version, event.position
        from florin.webhook_endpoints endpoint join florin.events event on event.merchant = endpoint.merchant
        where ${events}
      ), queued as (
        insert into florin.webhook_deliveries as delivery (endpoint, payment, version, position, queued_at, next_at)
        select endpoint, payment, version, position, ${toTimestamp(now)}, ${toTimestamp(now)} from wanted
        on conflict (endpoint, payment, version) do update
          set state = 'pending', attempts = 0, first_at = null, next_at = excluded.next_at
          where delivery.state <> 'pending'
      )
      select count(*) as count from wanted`

    return WebhookDeliveries.of({
      enqueue: Effect.fn("SqlWebhookDeliveries.enqueue")(function* ({ event, id, merchant }, at) {
        const [payment, version] = placeOf(id)
        yield* sql`
          insert into florin.webhook_deliveries (endpoint, payment, version, position, queued_at, next_at)
          select endpoint.id, event.payment, event.version, event.position, ${toTimestamp(at)}, ${toTimestamp(at)}
          from florin.webhook_endpoints endpoint, florin.events event
          where endpoint.merchant = ${merchant} and endpoint.enabled
            and (endpoint.data -> 'types' is null or jsonb_exists(endpoint.data -> 'types', ${event._tag}))
            and event.payment = ${payment} and event.version = ${version}
          on conflict do nothing`.pipe(unavailable("queue a webhook"))
      }),

      claim: Effect.fn("SqlWebhookDeliveries.claim")(function* ({ limit, now, owner, perEndpoint, until }) {
        const at = toTimestamp(now)
        const rows = yield* sql<ClaimedRow>`
          with ready as (
            select id, data from florin.webhook_endpoints endpoint
            where enabled and exists (
              select from florin.webhook_deliveries due
              where due.endpoint = endpoint.id and due.state = 'pending' and due.next_at <= ${at}
                and (due.lease_until is null or due.lease_until <= ${at})
            )
            for update skip locked
          ), heads as (
            select ready.data as endpoint_data, head.*
            from ready cross join lateral (
              select endpoint, payment, version from florin.webhook_deliveries due
              where due.endpoint = ready.id and due.state = 'pending' and due.next_at <= ${at}
                and (due.lease_until is null or due.lease_until <= ${at})
                and not exists (
                  select from florin.webhook_deliveries older
                  where older.endpoint = due.endpoint and older.payment = due.payment
                    and older.version < due.version and older.state <> 'delivered'
                )
              order by due.next_at, due.position
              limit greatest(0, ${perEndpoint}::bigint - (
                select count(*) from florin.webhook_deliveries held
                where held.endpoint = ready.id and held.state = 'pending' and held.lease_until > ${at}
              ))
            ) head
            limit ${limit}
          ), claimed as (
            update florin.webhook_deliveries entry set owner = ${owner}, lease_until = ${toTimestamp(until)}
            from heads
            where entry.endpoint = heads.endpoint and entry.payment = heads.payment and entry.version = heads.version
              and entry.state = 'pending' and entry.next_at <= ${at}
              and (entry.lease_until is null or entry.lease_until <= ${at})
            returning heads.endpoint_data, entry.payment, entry.version, entry.attempts, entry.first_at
          )
          select claimed.*, event.merchant, event.data
          from claimed join florin.events event using (payment, version)`.pipe(unavailable("claim webhooks"))
        return rows.map((row) => ({
          endpoint: endpointOf(row.endpoint_data),
          envelope: envelopeOf(row),
          attempts: row.attempts,
          firstAt: row.first_at === null ? undefined : fromTimestamp(row.first_at)
        }))
      }),

      delivered: Effect.fn("SqlWebhookDeliveries.delivered")(function* (owner, address, attempt) {
        yield* sql`
          with marked as (
            update florin.webhook_deliveries
            set state = 'delivered', attempts = attempts + 1, owner = null, lease_until = null
            where ${held(owner, address)} returning endpoint, payment, version
          ) ${tried(attempt)}`.pipe(unavailable("mark a webhook"))
      }),

      failed: Effect.fn("SqlWebhookDeliveries.failed")(function* (owner, address, attempt, nextAt) {
        const next = nextAt === undefined ? null : toTimestamp(nextAt)
        yield* sql`
          with marked as (
            update florin.webhook_deliveries
            set state = case when ${next}::timestamptz is null then 'exhausted' else 'pending' end,
              attempts = attempts + 1, first_at = coalesce(first_at, ${toTimestamp(attempt.at)}),
              next_at = coalesce(${next}::timestamptz, next_at), owner = null, lease_until = null
            where ${held(owner, address)} returning endpoint, payment, version
          ) ${tried(attempt)}`.pipe(unavailable("mark a webhook"))
      }),

      postpone: Effect.fn("SqlWebhookDeliveries.postpone")(function* (owner, address, until) {
        yield* sql`
          update florin.webhook_deliveries set next_at = ${toTimestamp(until)}, owner = null, lease_until = null
          where ${held(owner, address)}`.pipe(unavailable("mark a webhook"))
      }),

      resume: Effect.fn("SqlWebhookDeliveries.resume")(function* (endpoint, now) {
        yield* sql`
          update florin.webhook_deliveries
          set state = 'pending', attempts = 0, first_at = null, next_at = ${toTimestamp(now)}
          where endpoint = ${endpoint} and state <> 'delivered'`.pipe(unavailable("resume webhooks"))
      }),

      replay: Effect.fn("SqlWebhookDeliveries.replay")(function* ({ endpoint, event }, now) {
        const [payment, version] = placeOf(event)
        const one = sql`endpoint.id = ${endpoint} and event.payment = ${payment} and event.version = ${version}`
        const [row] = yield* again(one, now).pipe(unavailable("replay a webhook"))
        return row!.count > 0n
      }),

      replaySince: Effect.fn("SqlWebhookDeliveries.replaySince")(function* (endpoint, since, now) {
        const all = sql`endpoint.id = ${endpoint} and event.at >= ${toTimestamp(since)}
          and (endpoint.data -> 'types' is null or jsonb_exists(endpoint.data -> 'types', event.type))`
        const [row] = yield* again(all, now).pipe(unavailable("replay webhooks"))
        return Number(row!.count)
      }),

      list: Effect.fn("SqlWebhookDeliveries.list")(function* (endpoint, { before, limit }) {
        const [payment, version] = before === undefined ? ["", 0] : placeOf(before)
        const older =
          before === undefined
            ? sql`true`
            : sql`delivery.position < (
                select position from florin.webhook_deliveries
                where endpoint = ${endpoint} and payment = ${payment} and version = ${version}
              )`
        const rows = yield* sql<LoggedRow>`
          select delivery.payment, delivery.version, event.type, delivery.state, delivery.queued_at, delivery.next_at,
            coalesce((
              select jsonb_agg(jsonb_build_object(
                'at', floor(extract(epoch from try.at) * 1000)::bigint, 'status', try.status, 'error', try.error,
                'latency', try.latency_millis
              ) order by try.sequence)
              from florin.webhook_attempts try
              where (try.endpoint, try.payment, try.version) = (delivery.endpoint, delivery.payment, delivery.version)
            ), '[]'::jsonb) as tries
          from florin.webhook_deliveries delivery join florin.events event using (payment, version)
          where delivery.endpoint = ${endpoint} and ${older}
          order by delivery.position desc limit ${limit}`.pipe(unavailable("list webhooks"))
        return rows.map(loggedOf)
      }),

      forget: (before) =>
        sql`delete from florin.webhook_deliveries where state = 'delivered' and queued_at < ${toTimestamp(before)}`.pipe(
          unavailable("forget webhooks"),
          Effect.asVoid
        )
    })
  })
)
