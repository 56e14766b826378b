/**
 * What a creation and an append have in common once they are on their way to
 * the database: a row of `florin.append`'s arguments, and an outcome.
 *
 * Everything is encoded by whoever asks, so that what cannot be encoded is
 * nobody else's failure, and sorted here, in the order in which the function
 * has to lock.
 */
import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Effect, Result, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Append, Creation } from "../../adapters/PaymentRepository.ts"
import { Event } from "../../domain/payment/PaymentEvent.ts"
import { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { Options } from "./GroupCommit.ts"
import type { Outcome } from "./SqlAppendFunction.ts"

/** One payment's part of a statement. Moments are milliseconds, everything else is as the columns have it. */
export interface Item {
  readonly payment: string
  readonly expected: number
  readonly due: number | null
  /** Without a token the claim stays as it is. */
  readonly token: bigint | null
  /** Until when the claim goes on; `null` with a token gives it up. */
  readonly until: number | null
  readonly view: string
  readonly answer: string | null
  readonly events: ReadonlyArray<StoredEvent>
  /** Only a creation has a key to claim. */
  readonly creation:
    | { readonly merchant: string; readonly key: string; readonly fingerprint: string; readonly owner: string }
    | undefined
}

interface StoredEvent {
  readonly type: string
  readonly at: number
  readonly data: string
}

// `Schema.fromJsonString` around them would take twice as long, and this is the hot path.
const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))
const encodeView = Schema.encodeSync(Schema.toCodecJson(PaymentView))

const eventOf = (event: Event): StoredEvent => ({
  type: event._tag,
  at: event.at,
  data: JSON.stringify(encodeEvent(event))
})
const viewOf = (view: PaymentView): string => JSON.stringify(encodeView(view))

/** The first token of a payment: its creator's. */
export const firstToken = 1

export const ofCreation = ({ due, events, fingerprint, key, lease, merchant, payment, view }: Creation): Item => ({
  payment,
  expected: 0,
  due: due ?? null,
  token: BigInt(firstToken),
  until: lease.until,
  view: viewOf(view),
  answer: null,
  events: events.map(eventOf),
  creation: { merchant, key, fingerprint, owner: lease.owner }
})

export const ofAppend = ({ answer, claim, due, events, expected, payment, view }: Append): Item => {
  const encoded = viewOf(view)
  return {
    payment,
    expected,
    due: due ?? null,
    token: claim === undefined ? null : BigInt(claim.token),
    until: claim === undefined || claim.until === "released" ? null : claim.until,
    view: encoded,
    // A payment that comes to rest answers with the view that it rests in.
    answer: answer === undefined ? null : answer === view ? encoded : viewOf(answer),
    events: events.map(eventOf),
    creation: undefined
  }
}

// --- The statement ----------------------------------------------------------

const parameters = Array.from({ length: 17 }, (_, index) => `$${index + 1}`).join(", ")
const statement = `select florin.append(${parameters}) as outcomes`

/** Writes all items, or none when it fails; outcomes are in the order of `items`. */
const commit =
  (sql: SqlClient) =>
  (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Outcome>, SqlError> => {
    const sorted = items.toSorted(inOrderOfLocks)
    return Effect.map(
      sql.unsafe<{ readonly outcomes: ReadonlyArray<Outcome> }>(statement, argumentsOf(sorted)),
      ([row]) => {
        const outcomes = new Map(sorted.map((item, index) => [item, row!.outcomes[index]!]))
        return items.map((item) => outcomes.get(item)!)
      }
    )
  }

/** Keys before streams, because a creation may wait for a key and an append never does. */
const inOrderOfLocks = (one: Item, other: Item): number => {
  if (one.creation === undefined || other.creation === undefined) {
    if (one.creation !== other.creation) return one.creation === undefined ? 1 : -1
    return compare(one.payment, other.payment)
  }
  return compare(one.creation.merchant, other.creation.merchant) || compare(one.creation.key, other.creation.key)
}

/** By code units, whatever a language would say: every process has to have the same order. */
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const { int4, int8, text, timestamptz } = PgTypes.OID

const argumentsOf = (items: ReadonlyArray<Item>): ReadonlyArray<PgTypes.Parameter> => {
  const column = (type: number, of: (item: Item) => unknown) => array(items.map(of), type)
  const events = items.flatMap((item, index) =>
    item.events.map((event, later) => ({ event, item: index + 1, version: item.expected + later + 1 }))
  )
  const eventColumn = (type: number, of: (event: (typeof events)[number]) => unknown) => array(events.map(of), type)
  return [
    column(text, ({ payment }) => payment),
    column(int4, ({ expected }) => expected),
    column(int4, (item) => item.events.length),
    column(timestamptz, ({ due }) => due),
    column(int8, ({ token }) => token),
    column(timestamptz, ({ until }) => until),
    column(text, ({ view }) => view),
    column(text, ({ answer }) => answer),
    column(text, ({ creation }) => creation?.merchant ?? null),
    column(text, ({ creation }) => creation?.key ?? null),
    column(text, ({ creation }) => creation?.fingerprint ?? null),
    column(text, ({ creation }) => creation?.owner ?? null),
    eventColumn(int4, ({ item }) => item),
    eventColumn(int4, ({ version }) => version),
    eventColumn(text, ({ event }) => event.type),
    eventColumn(timestamptz, ({ event }) => event.at),
    eventColumn(text, ({ event }) => event.data)
  ]
}

const array = (values: ReadonlyArray<unknown>, elementType: number): PgTypes.Parameter =>
  Result.getOrThrow(PgTypes.array(values, elementType))

// --- Grouping ---------------------------------------------------------------

/**
 * Classes of SQLSTATE that one item may be at fault for: data that its column
 * refuses (22), a constraint (23), a deadlock or a race (40), a limit (54). The
 * server has rolled back what it answers so. Whatever has no such code, as a
 * connection that broke, may have been committed.
 */
const isDivisible = ({ reason }: SqlError): boolean => {
  const { cause } = reason
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
  return /^(22|23|40|54)[0-9A-Z]{3}$/.test(code)
}

/**
 * Two groups: while the server writes one, this process makes the next. More
 * would be smaller, and the server does not write more of them at a time than
 * it has cores. 128 payments are some ten milliseconds of the server's time,
 * for which the first of them waits for the last.
 */
export const grouping = (sql: SqlClient) =>
  ({
    keyOf: ({ payment }) => payment,
    commit: commit(sql),
    isDivisible,
    maxGroups: 2,
    maxItems: 128
  }) satisfies Options<Item, Outcome, SqlError>
