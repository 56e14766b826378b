/**
 * What is left when all is over, as the auditor reads it: florin's tables from
 * the database itself, the charges from the gateway's own books.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Event, PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import { PaymentView } from "../../src/domain/payment/PaymentView.ts"
import { fromTimestamp } from "../../src/infra/sql/SqlStorage.ts"
import { Charge } from "../../src/infra/simulated/SandboxCharge.ts"
import type { Books, Delivery, StoredStream } from "../../src/testing/Auditor.ts"

const decodeEvent = Schema.decodeUnknownSync(Schema.toCodecJson(Event))
const decodeView = Schema.decodeUnknownSync(Schema.toCodecJson(PaymentView))

/**
 * Deliveries: a service's subscribers live and die with it, so nobody is there
 * who heard all. What can be known is that the relays removed every event from
 * the outbox; so each event that is in neither the outbox nor the dead letters
 * counts as delivered once, in order.
 */
export const read = Effect.fnUntraced(function* (sandboxUrl: string) {
  const sql = yield* SqlClient
  const heads = yield* sql<{ readonly payment: string; readonly version: number; readonly due: Date | null }>`
    select payment, version, due from florin.streams order by payment`
  const events = yield* sql<{ readonly payment: string; readonly version: number; readonly data: unknown }>`
    select payment, version, data from florin.events order by payment, version`
  const views = yield* sql<{ readonly view: unknown }>`select view from florin.payments`
  const outbox = yield* sql<Row>`select payment, version from florin.outbox`
  const letters = yield* sql<Row>`select payment, version from florin.dead_letters`

  const eventsOf = Map.groupBy(events, ({ payment }) => payment)
  const streams = heads.map(({ due, payment, version }): StoredStream => ({
    payment: PaymentId.make(payment),
    head: version,
    events: (eventsOf.get(payment) ?? []).map((row) => ({ version: row.version, event: decodeEvent(row.data) })),
    due: due === null ? undefined : fromTimestamp(due)
  }))
  const undelivered = new Set([...outbox, ...letters].map(idOf))
  const charges = yield* Effect.promise(() => chargesOf(sandboxUrl))
  const gateways = gatewaysOf(streams)
  return {
    charges: charges.map((charge) => ({ charge, gateway: gateways.get(charge.operation) ?? "unknown" })),
    streams,
    views: views.map(({ view }) => decodeView(view)),
    deliveries: events.filter((row) => !undelivered.has(idOf(row))).map(deliveryOf),
    deadLetters: letters.map(deliveryOf)
  } satisfies Books
})

export interface Owed {
  /** Payments that have something due, now or later. */
  readonly due: number
  /** Those among them that wait for their merchant or customer: they would for days. */
  readonly held: number
  /** Events that are not published. */
  readonly outbox: number
}

export const owed = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ readonly due: bigint; readonly outbox: bigint }>`
    select (select count(*) from florin.streams where due is not null) as due,
      (select count(*) from florin.outbox) as outbox`
  return { due: Number(row!.due), held: (yield* held).length, outbox: Number(row!.outbox) } satisfies Owed
})

export const held = Effect.flatMap(
  SqlClient,
  (sql) => sql<{ readonly id: string }>`
    select id from florin.payments where status in ('authorized', 'requires_action') order by id`
)

interface Row {
  readonly payment: string
  readonly version: number
}

const idOf = ({ payment, version }: Row) => `${payment}/${version}`
const deliveryOf = ({ payment, version }: Row): Delivery => ({ payment: PaymentId.make(payment), version })

// --- The gateway's books --------------------------------------------------------

/**
 * Where each attempt was begun. One sandbox answers under two names and keeps
 * one set of books, which do not say by which name it was asked, so that is
 * taken from the intent. A charge without an intent is at no gateway that
 * florin knows, and the auditor says so.
 */
const gatewaysOf = (streams: ReadonlyArray<StoredStream>): ReadonlyMap<string, string> =>
  new Map(
    streams.flatMap(({ events }) =>
      events.flatMap(({ event }) =>
        event._tag === "AuthorizationBegun" ? [[event.operation, event.gateway] as const] : []
      )
    )
  )

const Charges = Schema.Struct({ charges: Schema.Array(Schema.toCodecJson(Charge)) })
const decodeCharges = Schema.decodeUnknownSync(Charges)

const pageSize = 100

const chargesOf = async (url: string): Promise<ReadonlyArray<Charge>> => {
  const all: Array<Charge> = []
  while (true) {
    const after = all.length === 0 ? "" : `&after=${all.at(-1)!.reference}`
    const response = await fetch(`${url}/v1/charges?limit=${pageSize}${after}`)
    const { charges } = decodeCharges(await response.json())
    all.push(...charges)
    if (charges.length < pageSize) return all
  }
}
