/**
 * A payment end to end in this process, one at a time and sixteen at a time,
 * beside the same payment made by hand (`Checkout`).
 *
 * The two do not make the same promise, and the ratio is the price of the
 * difference: florin commits its intent before each call to the gateway and the
 * answer after it. How often each commits and how much it writes is measured
 * once, before the rounds.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as BenchDatabase from "./BenchDatabase.ts"
import * as Checkout from "./Checkout.ts"
import type { Pace, Subject } from "./Contest.ts"
import { perform } from "./Contest.ts"

const told = ({ logBytes, transactions }: BenchDatabase.Written) =>
  `${transactions} statements, each committed by itself, ${logBytes} bytes of write-ahead log`

export const subject = Effect.fnUntraced(function* ({ rounds, turnMillis }: Pace) {
  const { florin, naive } = yield* Checkout.build
  const writes = {
    florin: yield* BenchDatabase.written(florin),
    naive: yield* BenchDatabase.written(naive)
  }
  return {
    contests: [1, 16].map((concurrency) => ({
      name: `payment x${concurrency}`,
      unit: "perSecond" as const,
      rounds,
      warmUp: true,
      florin: perform({ millis: turnMillis, concurrency }, florin),
      peer: perform({ millis: turnMillis, concurrency }, naive)
    })),
    notes: [
      "payment: peer is INSERT pending, the same gateway, UPDATE succeeded; it keeps no history, no key, no outbox",
      `payment: florin makes more durable writes, a payment: ${told(writes.florin)}`,
      `payment: the peer's, a payment: ${told(writes.naive)}`
    ]
  } satisfies Subject<SqlClient>
})
