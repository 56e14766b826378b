/** `Turnstile` on PostgreSQL: a row each, locked while it is decided. */
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Turnstile } from "../../adapters/Turnstile.ts"
import * as Turns from "../../domain/saga/Turns.ts"
import { unavailable } from "./SqlStorage.ts"

export const layer: Layer.Layer<Turnstile, never, SqlClient> = Layer.effect(
  Turnstile,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    /** Decides about an order while nobody else can. */
    const ordering = <A>(
      name: string,
      decide: (order: Turns.Order) => { readonly order: Turns.Order; readonly answer: A }
    ) =>
      sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`
            insert into florin.saga_orders (name, next, issued, has_failed) values (${name}, 1, 0, false)
            on conflict (name) do nothing`
          const [row] = yield* sql<{ readonly next: bigint; readonly issued: bigint; readonly has_failed: boolean }>`
            select next, issued, has_failed from florin.saga_orders where name = ${name} for update`
          const before = { next: Number(row!.next), issued: Number(row!.issued), hasFailed: row!.has_failed }
          const { answer, order } = decide(before)
          yield* sql`
            update florin.saga_orders set next = ${BigInt(order.next)}, issued = ${BigInt(order.issued)},
              has_failed = ${order.hasFailed}
            where name = ${name}`
          return answer
        })
      )

    return Turnstile.of({
      charge: Effect.fn("SqlTurnstile.charge")(function* (name, windows) {
        const now = yield* Clock.currentTimeMillis
        return yield* sql
          .withTransaction(
            Effect.gen(function* () {
              // Rows that are there can be locked; in the windows' order, so that nobody waits in a circle.
              for (const { millis } of windows) {
                yield* sql`
                  insert into florin.saga_rates (name, window_millis, started_millis, count)
                  values (${name}, ${BigInt(millis)}, ${BigInt(now)}, 0)
                  on conflict (name, window_millis) do nothing`
              }
              const rows = yield* sql<RateRow>`
                select window_millis, started_millis, count from florin.saga_rates where name = ${name}
                order by window_millis for update`
              const counted = windows.map(({ millis }) => {
                const row = rows.find((each) => Number(each.window_millis) === millis)!
                return { startedMillis: Number(row.started_millis), count: row.count }
              })
              const charged = Turns.charge(windows, counted, now)
              if ("retryAfterMillis" in charged) return charged
              for (const [index, { count, startedMillis }] of charged.entries()) {
                yield* sql`
                  update florin.saga_rates set started_millis = ${BigInt(startedMillis)}, count = ${count}
                  where name = ${name} and window_millis = ${BigInt(windows[index]!.millis)}`
              }
              return undefined
            })
          )
          .pipe(unavailable("charge"))
      }),
      claim: Effect.fn("SqlTurnstile.claim")(function* (name, bucket, visitor) {
        const rows = yield* sql`
          insert into florin.saga_periods as period (name, bucket, execution) values (${name}, ${bucket}, ${visitor})
          on conflict (name, bucket) do update set execution = period.execution
          where period.execution = excluded.execution returning name`.pipe(unavailable("claim"))
        return rows.length > 0
      }),
      unclaim: Effect.fn("SqlTurnstile.unclaim")(function* (name, bucket, visitor) {
        yield* sql`
          delete from florin.saga_periods where name = ${name} and bucket = ${bucket} and execution = ${visitor}`.pipe(
          unavailable("unclaim")
        )
      }),
      turn: Effect.fn("SqlTurnstile.turn")(function* (name, nonce) {
        return yield* ordering(name, (before) => {
          const { order, turn } = Turns.turn(before, nonce)
          return { order, answer: turn }
        }).pipe(unavailable("turn"))
      }),
      passed: Effect.fn("SqlTurnstile.passed")(function* (name, nonce, succeeded) {
        yield* ordering(name, (before) => ({
          order: Turns.passed(before, nonce, succeeded),
          answer: undefined
        })).pipe(unavailable("passed"))
      })
    })
  })
)

interface RateRow {
  readonly window_millis: bigint
  readonly started_millis: bigint
  readonly count: number
}
