/**
 * `SubscriptionRepository` on PostgreSQL: each append is one statement.
 *
 * What guards it is the row of the stream's head: under a race the second
 * waits for the first, finds another version, updates nothing, and so writes
 * nothing else. Numbers come from the merchant's row of `invoice_numbers`,
 * which appends with invoices take one after the other.
 */
import { Effect, Layer, Option, Result, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Repository from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository, SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { Invoice, SubscriptionId } from "../../domain/subscription/Invoice.ts"
import { Event } from "../../domain/subscription/SubscriptionEvent.ts"
import { SubscriptionView } from "../../domain/subscription/SubscriptionView.ts"
import { fromTimestamp, toTimestamp, unavailable } from "./SqlStorage.ts"

// --- Stored forms -----------------------------------------------------------

const ViewJson = Schema.toCodecJson(SubscriptionView)
const EventJson = Schema.toCodecJson(Event)
const InvoiceJson = Schema.toCodecJson(Invoice)
const encodeView = Schema.encodeSync(ViewJson)
const encodeEvent = Schema.encodeSync(EventJson)
const encodeInvoice = Schema.encodeSync(InvoiceJson)
const decodeEvent = Schema.decodeUnknownResult(EventJson)
/** Derived rows: one that cannot be read is a bug. */
const decodeView = Schema.decodeUnknownSync(ViewJson)
const decodeInvoice = Schema.decodeUnknownSync(InvoiceJson)
const decodeSettlement = Schema.decodeUnknownSync(Schema.toCodecJson(Repository.Settlement))

interface EventRow {
  /** How many events the stream should have. */
  readonly head: number
  /** `null` when it has none. */
  readonly version: number | null
  readonly data: unknown
}

/** A stream from its rows, in order; what is missing or cannot be read stops this subscription only. */
const streamOf = (
  subscription: SubscriptionId,
  rows: ReadonlyArray<EventRow>
): Result.Result<Repository.Stream, SubscriptionRepositoryError> => {
  const refuse = (reason: SubscriptionRepositoryError["reason"]) =>
    Result.fail(new SubscriptionRepositoryError({ subscription, reason }))
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

const asRepositoryError = (subscription: SubscriptionId) => (reason: StorageUnavailable) =>
  new SubscriptionRepositoryError({ subscription, reason })

// --- The layer --------------------------------------------------------------

export const layer: Layer.Layer<SubscriptionRepository, never, SqlClient> = Layer.effect(
  SubscriptionRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    const append = Effect.fn("SqlSubscriptionRepository.append")(function* (append: Repository.Append) {
      const { due, events, expected, merchant, subscription, view } = append
      const invoices = Repository.finalizedIn(append)
      const dueAt = due === undefined ? null : toTimestamp(due)
      const viewJson = JSON.stringify(encodeView(view))
      const version = expected + events.length
      const head =
        expected === 0
          ? sql`
            insert into florin.subscriptions (id, merchant, version, due, view)
            select ${subscription}, ${merchant}, ${version}, ${dueAt}::timestamptz, ${viewJson}::jsonb
            where ${events.length} > 0
            on conflict (id) do nothing returning id`
          : sql`
            update florin.subscriptions
            set version = ${version}, due = ${dueAt}::timestamptz, view = ${viewJson}::jsonb
            where id = ${subscription} and version = ${expected} returning id`
      const eventRows = events.map((event, index) => ({
        version: expected + index + 1,
        type: event._tag,
        data: encodeEvent(event),
        at: toTimestamp(event.at)
      }))
      const invoiceRows = invoices.map((invoice, index) => ({ index, id: invoice.id, invoice: encodeInvoice(invoice) }))
      const rows = yield* sql`
        with head as (${head}),
        appended as (
          insert into florin.subscription_events (subscription, version, type, data, at)
          select head.id, event.version, event.type, event.data, event.at
          from head, jsonb_to_recordset(${JSON.stringify(eventRows)}::jsonb)
            as event (version integer, type text, data jsonb, at timestamptz)
        ),
        numbers as (
          insert into florin.invoice_numbers as numbers (merchant, last)
          select ${merchant}, ${invoices.length} from head where ${invoices.length} > 0
          on conflict (merchant) do update set last = numbers.last + excluded.last
          returning last
        ),
        registered as (
          insert into florin.invoices (merchant, number, id, subscription, invoice)
          select ${merchant}, numbers.last - ${invoices.length - 1} + row.index, row.id, ${subscription}, row.invoice
          from numbers, jsonb_to_recordset(${JSON.stringify(invoiceRows)}::jsonb)
            as row (index integer, id text, invoice jsonb)
        )
        select id from head`.pipe(unavailable("append"), Effect.mapError(asRepositoryError(subscription)))
      if (rows.length > 0) return
      return yield* new SubscriptionRepositoryError({
        subscription,
        reason: new Repository.VersionConflict({ expected })
      })
    })

    const load = Effect.fn("SqlSubscriptionRepository.load")(function* (subscription: SubscriptionId) {
      const rows = yield* sql<EventRow>`
        select head.version as head, event.version, event.data
        from florin.subscriptions head left join florin.subscription_events event on event.subscription = head.id
        where head.id = ${subscription} order by event.version`.pipe(
        unavailable("load"),
        Effect.mapError(asRepositoryError(subscription))
      )
      return yield* Effect.fromResult(streamOf(subscription, rows))
    })

    return SubscriptionRepository.of({
      append,
      load,
      find: Effect.fn("SqlSubscriptionRepository.find")(function* (subscription) {
        const [row] = yield* sql<{ readonly view: unknown }>`
          select view from florin.subscriptions where id = ${subscription}`.pipe(unavailable("find"))
        return row === undefined ? Option.none() : Option.some(decodeView(row.view))
      }),
      list: Effect.fn("SqlSubscriptionRepository.list")(function* ({ after = "", limit, merchant }) {
        const rows = yield* sql<{ readonly view: unknown }>`
          select view from florin.subscriptions where merchant = ${merchant} and id > ${after}
          order by id limit ${limit}`.pipe(unavailable("list"))
        return rows.map(({ view }) => decodeView(view))
      }),
      due: Effect.fn("SqlSubscriptionRepository.due")(function* ({ after, before, limit }) {
        const rows = yield* sql<{ readonly id: string; readonly due: Date }>`
          select id, due from florin.subscriptions where due <= ${toTimestamp(before)}
          ${after === undefined ? sql`` : sql`and (due, id) > (${toTimestamp(after.due)}, ${after.subscription})`}
          order by due, id limit ${limit}`.pipe(unavailable("due"))
        return rows.map(({ due, id }) => ({ subscription: SubscriptionId.make(id), due: fromTimestamp(due) }))
      }),
      invoices: Effect.fn("SqlSubscriptionRepository.invoices")(function* ({
        after = 0,
        limit,
        merchant,
        subscription
      }) {
        const rows = yield* sql<{
          readonly number: bigint
          readonly subscription: string
          readonly invoice: unknown
          readonly settled: unknown
        }>`
          select number, subscription, invoice,
            (select event.data from florin.subscription_events event
              where event.subscription = invoices.subscription and event.type in ('InvoicePaid', 'InvoiceVoided')
                and event.data ->> 'invoice' = invoices.id) as settled
          from florin.invoices invoices
          where merchant = ${merchant} and number > ${BigInt(after)}
          ${subscription === undefined ? sql`` : sql`and subscription = ${subscription}`}
          order by number limit ${limit}`.pipe(unavailable("invoices"))
        return rows.map(({ invoice, number, settled, subscription }) => ({
          number: Number(number),
          subscription: SubscriptionId.make(subscription),
          invoice: decodeInvoice(invoice),
          ...Repository.standingOf(settled === null ? undefined : decodeSettlement(settled))
        }))
      })
    })
  })
)
