/**
 * One payment, authorized and captured, from one to 256 at a time, beside
 * `pgbench` that makes the same rows on the same server (`PgbenchScript`).
 *
 * Each of pgbench's clients has a connection of its own and sends one statement
 * for each append; florin has its pool of ten and puts the appends of
 * concurrent payments into one. Both have both cores, the server included.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import { Effect, Option } from "effect"
import type { Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Checkout from "./Checkout.ts"
import type { Pace, Subject } from "./Contest.ts"
import { perform } from "./Contest.ts"
import * as Pgbench from "./Pgbench.ts"
import * as RoundTrips from "./RoundTrips.ts"

const trips = (atATime: ReadonlyArray<number>) =>
  Effect.map(
    Effect.forEach(atATime, (concurrency) =>
      Effect.map(Effect.scoped(RoundTrips.count(concurrency)), (count) => `${count.toFixed(2)} at ${concurrency}`)
    ),
    (counts) => `lifecycle: round trips to the database, counted, a payment of four appends: ${counts.join(", ")}`
  )

export const subject = Effect.fnUntraced(function* ({
  lifecycle: { atATime, rounds, seconds }
}: Pace): Effect.fn.Return<Subject<SqlClient>, unknown, SqlClient | PgClient | Scope.Scope> {
  const pgbench = yield* Pgbench.make
  const counted = yield* trips(atATime)
  if (Option.isNone(pgbench)) {
    return {
      contests: [],
      notes: [
        counted,
        "lifecycle: skipped, there is no pgbench; Debian has it in the package postgresql (apt-get install -y postgresql)"
      ]
    }
  }
  const { turn, version } = pgbench.value
  const { florin } = yield* Checkout.build
  return {
    contests: atATime.map((concurrency) => ({
      name: `lifecycle x${concurrency}`,
      unit: "perSecond" as const,
      rounds,
      warmUp: true,
      florin: perform({ millis: seconds * 1000, concurrency }, florin),
      peer: turn(concurrency, seconds)
    })),
    notes: [
      counted,
      `lifecycle: peer is ${version}, four statements a payment, one for each append, into the same tables`,
      `lifecycle: ${rounds} rounds of ${seconds} s a side`
    ]
  }
})
