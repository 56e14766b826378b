/**
 * `PaymentRepository` on PostgreSQL: each of its writes is one statement, which
 * creations and appends of other payments share when many are under way.
 *
 * What guards an append is the update of its stream's head: under a race the
 * second waits for the first, finds another version or token, updates nothing,
 * and so writes nothing else.
 */
import { Effect, Layer, Option, Result, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Repository from "../../adapters/PaymentRepository.ts"
import { PaymentRepository, PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { Fingerprint } from "../../domain/Idempotency.ts"
import type { Instant } from "../../domain/Instant.ts"
import { RunId } from "../../domain/payment/Operation.ts"
import { Event, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { Status } from "../../domain/payment/PaymentView.ts"
import { PaymentView } from "../../domain/payment/PaymentView.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as SqlAppend from "./SqlAppend.ts"
import { outcome } from "./SqlAppendFunction.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

// --- Stored forms -----------------------------------------------------------

const ViewJson = Schema.toCodecJson(PaymentView)
const encodeViews = Schema.encodeSync(Schema.Array(ViewJson))
const decodeEvent = Schema.decodeUnknownResult(Schema.toCodecJson(Event))
/** The read model is derived: a row that cannot be read is a bug, and `florin rebuild` mends it. */
const decodeViewResult = Schema.decodeUnknownResult(ViewJson)
const decodeView = Schema.decodeUnknownSync(ViewJson)

interface EventRow {
  /** How many events the stream should have. */
  readonly head: number
  /** `null` when it has none. */
  readonly version: number | null
  readonly data: unknown
}

/** A stream from its rows, in order; what is missing or cannot be read stops this payment only. */
const streamOf = (
  payment: PaymentId,
  rows: ReadonlyArray<EventRow>
): Result.Result<Repository.Stream, PaymentRepositoryError> => {
  const refuse = (reason: PaymentRepositoryError["reason"]) =>
    Result.fail(new PaymentRepositoryError({ payment, reason }))
  const history: Array<Event> = []
  for (const { data, version } of rows) {
    if (version === null) break
    if (version !== history.length + 1) {
      return refuse(new Repository.EventContinuityError({ expected: history.length + 1, actual: version }))
    }
    const event = decodeEvent(data)
    if (Result.isFailure(event)) {
      return refuse(new Repository.UnreadableEvent({ version, detail: event.failure.message }))
    }
    history.push(event.success)
  }
  const head = rows[0]?.head ?? 0
  return head === history.length
    ? Result.succeed({ history, version: head })
    : refuse(new Repository.EventContinuityError({ expected: head, actual: history.length }))
}

const refuse = (payment: PaymentId, reason: PaymentRepositoryError["reason"]) =>
  Effect.fail(new PaymentRepositoryError({ payment, reason }))

const asRepositoryError = (payment: PaymentId) => (reason: StorageUnavailable) =>
  new PaymentRepositoryError({ payment, reason })

// --- The layer --------------------------------------------------------------

export const layer: Layer.Layer<PaymentRepository, never, SqlClient> = Layer.effect(
  PaymentRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    const grouping = SqlAppend.grouping(sql)
    const inGroup = yield* GroupCommit.make(grouping)
    /** Whoever has a transaction open wants the write to be part of it, so it is not for a group. */
    const submit = (item: SqlAppend.Item) =>
      Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) =>
        Option.isNone(transaction) ? inGroup(item) : Effect.map(grouping.commit([item]), ([written]) => written!)
      )

    // These two without a span of their own: it costs more than what they do, four times a payment. The statement has one.
    const create = Effect.fnUntraced(function* (creation: Repository.Creation) {
      const { key, merchant, payment } = creation
      const written = yield* submit(SqlAppend.ofCreation(creation)).pipe(
        unavailable("create"),
        Effect.mapError(asRepositoryError(payment))
      )
      if (written === outcome.done) return { _tag: "Created", token: SqlAppend.firstToken } satisfies Repository.Created
      const [taken] = yield* sql<{
        readonly payment: string | null
        readonly fingerprint: string
        readonly answer: unknown
      }>`
        select payment, fingerprint, case when payment is not null then answer end as answer
        from florin.idempotency where merchant = ${merchant} and key = ${key}`.pipe(
        unavailable("create"),
        Effect.mapError(asRepositoryError(payment))
      )
      // The key was released between the two statements: the caller may well try again.
      if (taken === undefined) return yield* refuse(payment, new Repository.VersionConflict({ expected: 0 }))
      return {
        _tag: "KeyTaken",
        payment: taken.payment === null ? undefined : PaymentId.make(taken.payment),
        fingerprint: Fingerprint.make(taken.fingerprint),
        answer: taken.answer === null ? undefined : decodeView(taken.answer)
      } satisfies Repository.Created
    })

    const append = Effect.fnUntraced(function* (request: Repository.Append) {
      const { claim, expected, payment } = request
      const written = yield* submit(SqlAppend.ofAppend(request)).pipe(
        unavailable("append"),
        Effect.mapError(asRepositoryError(payment))
      )
      if (written === outcome.done) return
      return yield* refuse(
        payment,
        written === outcome.fenced && claim !== undefined
          ? new Repository.Fenced({ token: claim.token })
          : new Repository.VersionConflict({ expected })
      )
    })

    const load = Effect.fn("SqlPaymentRepository.load")(function* (payment: PaymentId) {
      const rows = yield* sql<EventRow>`
        select stream.version as head, event.version, event.data
        from florin.streams stream left join florin.events event on event.payment = stream.payment
        where stream.payment = ${payment} order by event.version`.pipe(
        unavailable("load"),
        Effect.mapError(asRepositoryError(payment))
      )
      return yield* Effect.fromResult(streamOf(payment, rows))
    })

    const claim = Effect.fn("SqlPaymentRepository.claim")(function* (
      payment: PaymentId,
      lease: Repository.Lease,
      now: Instant
    ) {
      const rows = yield* sql<EventRow & { readonly token: bigint }>`
        with claimed as (
          update florin.streams set owner = ${lease.owner}, lease_until = ${toTimestamp(lease.until)}, token = token + 1
          where payment = ${payment}
            and (owner is null or owner = ${lease.owner} or lease_until is null or lease_until <= ${toTimestamp(now)})
          returning payment, version, token
        )
        select claimed.version as head, claimed.token, event.version, event.data
        from claimed left join florin.events event on event.payment = claimed.payment order by event.version`.pipe(
        unavailable("claim"),
        Effect.mapError(asRepositoryError(payment))
      )
      const [first] = rows
      if (first !== undefined) {
        // An append that committed while this statement waited for it is not in what it sees of the events.
        const stream =
          rows.length < first.head ? yield* load(payment) : yield* Effect.fromResult(streamOf(payment, rows))
        return { ...stream, token: Number(first.token) }
      }
      const [holder] = yield* sql<{ readonly owner: string; readonly until: Date }>`
        select owner, lease_until as until from florin.streams
        where payment = ${payment} and owner is not null and lease_until is not null`.pipe(
        unavailable("claim"),
        Effect.mapError(asRepositoryError(payment))
      )
      if (holder === undefined) return { ...(yield* load(payment)), token: 0 }
      const held = { owner: RunId.make(holder.owner), until: fromTimestamp(holder.until) }
      return yield* refuse(payment, new Repository.Claimed(held))
    })

    const renew = Effect.fn("SqlPaymentRepository.renew")(function* (
      payment: PaymentId,
      token: number,
      until: Instant
    ) {
      const rows = yield* sql`
        update florin.streams set lease_until = ${toTimestamp(until)}
        where payment = ${payment} and token = ${BigInt(token)} returning payment`.pipe(
        unavailable("renew"),
        Effect.mapError(asRepositoryError(payment))
      )
      if (rows.length === 0) return yield* refuse(payment, new Repository.Fenced({ token }))
    })

    const release = Effect.fn("SqlPaymentRepository.release")(function* (payment: PaymentId, token: number) {
      yield* sql`
        update florin.streams set owner = null, lease_until = null
        where payment = ${payment} and token = ${BigInt(token)}`.pipe(
        unavailable("release"),
        Effect.mapError(asRepositoryError(payment))
      )
    })

    const find = Effect.fn("SqlPaymentRepository.find")(function* (payment: PaymentId) {
      const [row] = yield* sql<{ readonly view: unknown }>`
        select view from florin.payments where id = ${payment}`.pipe(unavailable("find"))
      return row === undefined ? Option.none() : Option.some(decodeView(row.view))
    })

    const list = Effect.fn("SqlPaymentRepository.list")(function* (
      { customer, from, merchant, status, until }: Repository.Filter,
      { cursor, limit }: { readonly limit: number; readonly cursor?: PaymentId | undefined }
    ) {
      const conditions = [
        ...(cursor === undefined
          ? []
          : [
              sql`(created_millis, id) < ((select created_millis from florin.payments where id = ${cursor}), ${cursor})`
            ]),
        ...(merchant === undefined ? [] : [sql`merchant = ${merchant}`]),
        ...(status === undefined ? [] : [sql`status = ${status}`]),
        // What the index of unusual statuses knows; the usual ones are found among the newest.
        ...(status === undefined || isUsual(status) ? [] : [sql`unusual = ${status}`]),
        ...(customer === undefined ? [] : [sql`customer = ${customer}`]),
        ...(from === undefined ? [] : [sql`created_millis >= ${BigInt(from)}`]),
        ...(until === undefined ? [] : [sql`created_millis < ${BigInt(until)}`])
      ]
      const rows = yield* sql<{ readonly view: unknown }>`
        select view from florin.payments ${conditions.length === 0 ? sql`` : sql`where ${sql.and(conditions)}`}
        order by created_millis desc, id desc limit ${limit + 1}`.pipe(unavailable("list"))
      const views = rows.slice(0, limit).map(({ view }) => decodeView(view))
      return { payments: views, cursor: rows.length > limit ? views.at(-1)?.id : undefined }
    })

    const overdue: PaymentRepository["Service"]["overdue"] = Effect.fn("SqlPaymentRepository.overdue")(function* ({
      after,
      before,
      limit,
      now
    }) {
      const rows = yield* sql<{ readonly payment: string; readonly due: Date }>`
        select payment, due from florin.streams
        where due <= ${toTimestamp(before)} and (lease_until is null or lease_until <= ${toTimestamp(now)})
        ${after === undefined ? sql`` : sql`and (due, payment) > (${toTimestamp(after.due)}, ${after.payment})`}
        order by due, payment limit ${limit}`.pipe(unavailable("overdue"))
      return rows.map(({ due, payment }) => ({ payment: PaymentId.make(payment), due: fromTimestamp(due) }))
    })

    const histories: PaymentRepository["Service"]["histories"] = Effect.fn("SqlPaymentRepository.histories")(
      function* ({ after, limit }) {
        const rows = yield* sql<EventRow & { readonly payment: string }>`
          with page as (
            select payment, version from florin.streams
            ${after === undefined ? sql`` : sql`where payment > ${after}`}
            order by payment limit ${limit}
          )
          select page.payment, page.version as head, event.version, event.data
          from page left join florin.events event on event.payment = page.payment
          order by page.payment, event.version`.pipe(unavailable("histories"))
        return [...Map.groupBy(rows, (row) => PaymentId.make(row.payment))].map(([payment, ofPayment]) => ({
          payment,
          stream: streamOf(payment, ofPayment)
        }))
      }
    )

    return PaymentRepository.of({
      create,
      append,
      load,
      claim,
      renew,
      release,
      find,
      list,
      overdue,
      histories,
      views: Effect.fn("SqlPaymentRepository.views")(function* ({ after, limit, upTo }) {
        const conditions = [
          ...(after === undefined ? [] : [sql`id > ${after}`]),
          ...(upTo === undefined ? [] : [sql`id <= ${upTo}`])
        ]
        const rows = yield* sql<{ readonly id: string; readonly view: unknown }>`
          select id, view from florin.payments ${conditions.length === 0 ? sql`` : sql`where ${sql.and(conditions)}`}
          order by id limit ${limit}`.pipe(unavailable("views"))
        return rows.map(({ id, view }) => {
          const payment = PaymentId.make(id)
          const unreadable = ({ message: detail }: Schema.SchemaError) =>
            new Repository.UnreadableView({ payment, detail })
          return { payment, view: Result.mapError(decodeViewResult(view), unreadable) }
        })
      }),
      count: Effect.map(
        sql<{ readonly count: bigint }>`select count(*) as count from florin.streams`.pipe(unavailable("count")),
        ([row]) => Number(row?.count ?? 0)
      ),
      dropViews: Effect.asVoid(sql`truncate florin.payments`).pipe(unavailable("dropViews")),
      putViews: Effect.fn("SqlPaymentRepository.putViews")(function* (views) {
        yield* sql`
          insert into florin.payments as old (id, version, view)
          select value ->> 'id', (value ->> 'version')::integer, value
          from jsonb_array_elements(${JSON.stringify(encodeViews(views))}::jsonb)
          on conflict (id) do update set version = excluded.version, view = excluded.view
          where old.version < excluded.version`.pipe(unavailable("putViews"))
      })
    })
  })
)

/** Statuses that most payments pass through; migration 0005 keeps no index of them, because every append would write it. */
const isUsual = (status: Status): boolean =>
  status === "initiated" || status === "authenticated" || status === "processing" || status === "succeeded"
