/**
 * Listing, verifying and rebuilding when there are many payments: how fast, and whether
 * memory stays the same however many there are.
 *
 * Payments are copied by the server from one that was taken in five events. A
 * turn is a process of its own (`ManyPaymentsProcess`), which lists all of them
 * page by page, holds each against its events, or drops the read model and
 * rebuilds it. The peer reads the
 * same pages of the same rows and makes nothing of them. For memory the peer is
 * florin itself over a tenth of the payments: a ratio near one means that it
 * does not grow with their number.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Pace, Subject } from "./Contest.ts"
import * as MeasuringProcess from "./MeasuringProcess.ts"
import * as StoredSteps from "./StoredSteps.ts"

/** What `ManyPaymentsProcess` does, and prints. */
export const works = ["list", "read-views", "verify", "rebuild", "read-events"] as const
export type Work = (typeof works)[number]

const program = new URL("ManyPaymentsProcess.ts", import.meta.url)

/** So many a statement, which is then done within the second. */
const copiedAtOnce = 5000

const empty = Effect.flatMap(
  SqlClient,
  (sql) => sql`truncate florin.streams, florin.events, florin.payments, florin.outbox, florin.idempotency`
)

/** Copies number `from` to `to`, each with an id of its own in all that it says of itself. */
const copy = (from: number, to: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const steps = StoredSteps.make()
    const events = JSON.stringify(steps.flatMap((step) => step.events))
    const view = JSON.stringify(steps.at(-1)!.view)
    yield* sql`
      with copy as (
        select 'pay_' || lpad(number::text, 26, '0') as id from generate_series(${from}::integer, ${to}::integer) as number
      ), streams as (
        insert into florin.streams (payment, merchant, version, token) select id, 'bench', 5, 1 from copy
      ), events as (
        insert into florin.events (payment, version, merchant, type, data, at)
        select id, ordinality, 'bench', value ->> '_tag', replace(value::text, ${StoredSteps.payment}, id)::jsonb, now()
        from copy, jsonb_array_elements(${events}::jsonb) with ordinality
      )
      insert into florin.payments (id, version, view)
      select id, 5, replace(${view}, ${StoredSteps.payment}, id)::jsonb from copy`
  })

const fill = (payments: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* empty
    for (let from = 1; from <= payments; from += copiedAtOnce) {
      yield* copy(from, Math.min(payments, from + copiedAtOnce - 1))
    }
    yield* sql`vacuum analyze florin.streams, florin.events, florin.payments`
  })

export const subject = Effect.fnUntraced(function* ({ many: { payments, rounds } }: Pace) {
  const dataDir = yield* BenchDatabase.DataDir
  /** The tables are filled anew only when another number is asked for. */
  let filled = 0
  const measure = (work: Work, quantity: "speed" | "growth", count: number) =>
    Effect.gen(function* () {
      if (filled !== count) yield* fill(count)
      filled = count
      return yield* Effect.map(MeasuringProcess.run(program, [work, quantity, dataDir]), Number)
    })
  const timed = (name: string, florin: Work, peer: Work) => ({
    name: `${name} ${payments}`,
    unit: "perSecond" as const,
    rounds,
    warmUp: false,
    florin: measure(florin, "speed", payments),
    peer: measure(peer, "speed", payments)
  })
  const weighed = (name: string, work: Work) => ({
    name: `${name} ${payments}`,
    unit: "bytes" as const,
    rounds: 1,
    warmUp: false,
    florin: measure(work, "growth", payments),
    peer: measure(work, "growth", payments / 10)
  })
  return {
    contests: [
      timed("list", "list", "read-views"),
      timed("verify", "verify", "read-events"),
      timed("rebuild", "rebuild", "read-events"),
      weighed("list", "list"),
      weighed("verify", "verify"),
      weighed("rebuild", "rebuild")
    ],
    notes: [
      `list: payments a second over all ${payments}, page by page; peer reads the same rows and makes nothing of them`,
      `verify, rebuild: events a second over ${payments} payments of five; peer reads the same rows and makes nothing of them`,
      "verify: every stream against the read model; no gateway is asked",
      "list, verify, rebuild: bytes are what is held meanwhile, garbage collected; there the peer is florin over a tenth of the payments"
    ]
  } satisfies Subject<SqlClient>
})
