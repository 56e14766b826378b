/**
 * `Outbox` on PostgreSQL.
 *
 * A relay claims the oldest entry of a payment with `for update skip locked`,
 * and with it all entries of that payment that are there by then. Entries that
 * come later find an older one that is held, and wait: so one payment's events
 * stay in order, whatever the number of relays.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Envelope } from "../../adapters/EventBus.ts"
import type { DeadLetter } from "../../adapters/Outbox.ts"
import { Outbox } from "../../adapters/Outbox.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

const decodeEnvelope = Schema.decodeUnknownSync(Schema.toCodecJson(Envelope))

interface Row {
  readonly payment: string
  readonly version: number
  readonly merchant: string
  readonly data: unknown
}

export const envelopeOf = ({ data, merchant, payment, version }: Row): Envelope =>
  decodeEnvelope({ id: `${payment}/${version}`, payment, merchant, version, event: data })

interface LetterRow extends Row {
  readonly failures: number
  readonly error: string
  readonly at: Date
}

const letterOf = (row: LetterRow): DeadLetter => ({
  envelope: envelopeOf(row),
  failures: row.failures,
  error: row.error,
  at: fromTimestamp(row.at)
})

/** `<payment>/<version>`, as `EventBus.idOf` writes it. */
export const placeOf = (id: string): readonly [payment: string, version: number] => {
  const slash = id.lastIndexOf("/")
  return [id.slice(0, slash), Number(id.slice(slash + 1))]
}

export const layer: Layer.Layer<Outbox, never, SqlClient> = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return Outbox.of({
      claim: Effect.fn("SqlOutbox.claim")(function* ({ limit, now, owner, until }) {
        const rows = yield* sql<Row & { readonly failures: number }>`
          with heads as (
            select payment from florin.outbox head
            where version = (select min(version) from florin.outbox older where older.payment = head.payment)
              and (lease_until is null or lease_until <= ${toTimestamp(now)})
              and (retry_at is null or retry_at <= ${toTimestamp(now)})
            order by position limit ${limit}
            for update skip locked
          ), claimed as (
            update florin.outbox entry set owner = ${owner}, lease_until = ${toTimestamp(until)}
            from heads where entry.payment = heads.payment
            returning entry.payment, entry.version, entry.position, entry.failures
          )
          select claimed.payment, claimed.version, claimed.failures, event.merchant, event.data
          from claimed join florin.events event using (payment, version)
          order by claimed.position, claimed.version`.pipe(unavailable("claim"))
        return rows.map((row) => ({ envelope: envelopeOf(row), failures: row.failures }))
      }),

      published: Effect.fn("SqlOutbox.published")(function* (owner, ids) {
        yield* sql`
          delete from florin.outbox
          where owner = ${owner} and payment || '/' || version in ${sql.in(ids)}`.pipe(unavailable("published"))
      }),

      failed: Effect.fn("SqlOutbox.failed")(function* (owner, id, retryAt) {
        const [payment, version] = placeOf(id)
        yield* sql`
          update florin.outbox
          set owner = null, lease_until = null, failures = failures + 1, retry_at = ${toTimestamp(retryAt)}
          where payment = ${payment} and version = ${version} and owner = ${owner}`.pipe(unavailable("failed"))
      }),

      bury: Effect.fn("SqlOutbox.bury")(function* (owner, id, error, at) {
        const [payment, version] = placeOf(id)
        yield* sql`
          with buried as (
            delete from florin.outbox where payment = ${payment} and version = ${version} and owner = ${owner}
            returning payment, version, failures
          )
          insert into florin.dead_letters (payment, version, failures, error, at)
          select payment, version, failures + 1, ${error}, ${toTimestamp(at)} from buried
          on conflict (payment, version) do update
            set failures = excluded.failures, error = excluded.error, at = excluded.at`.pipe(unavailable("bury"))
      }),

      deadLetters: Effect.fn("SqlOutbox.deadLetters")(function* (limit) {
        const rows = yield* sql<LetterRow>`
          select letter.payment, letter.version, letter.failures, letter.error, letter.at, event.merchant, event.data
          from florin.dead_letters letter join florin.events event using (payment, version)
          order by letter.at, letter.payment, letter.version limit ${limit}`.pipe(unavailable("deadLetters"))
        return rows.map(letterOf)
      }),

      deadLetter: Effect.fn("SqlOutbox.deadLetter")(function* (id) {
        const [payment, version] = placeOf(id)
        const [row] = yield* sql<LetterRow>`
          select letter.payment, letter.version, letter.failures, letter.error, letter.at, event.merchant, event.data
          from florin.dead_letters letter join florin.events event using (payment, version)
          where payment = ${payment} and version = ${version}`.pipe(unavailable("deadLetter"))
        return row === undefined ? Option.none() : Option.some(letterOf(row))
      }),

      replay: Effect.fn("SqlOutbox.replay")(function* (id) {
        const [payment, version] = placeOf(id)
        const rows = yield* sql`
          with raised as (
            delete from florin.dead_letters where payment = ${payment} and version = ${version}
            returning payment, version
          )
          insert into florin.outbox (payment, version, position)
          select payment, version, event.position from raised join florin.events event using (payment, version)
          returning version`.pipe(unavailable("replay"))
        return rows.length > 0
      }),

      pending: Effect.map(
        sql<{ readonly count: bigint }>`select count(*) as count from florin.outbox`.pipe(unavailable("pending")),
        ([row]) => Number(row?.count ?? 0)
      )
    })
  })
)
