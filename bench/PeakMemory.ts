/**
 * How far a process grows while it makes payments, sixteen at a time: the
 * highest resident set, less what it was when all was ready and no payment had
 * begun. Each turn is a process of its own (`PeakMemoryProcess`) on the same
 * database, because a heap that has grown tells nothing of the next one.
 */
import { Effect } from "effect"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Side } from "./Checkout.ts"
import type { Pace, Subject } from "./Contest.ts"
import * as MeasuringProcess from "./MeasuringProcess.ts"

export const concurrency = 16

const program = new URL("PeakMemoryProcess.ts", import.meta.url)

/** Bytes that a process of its own grew by. */
const grow = (side: Side, dataDir: string, payments: number) =>
  Effect.map(MeasuringProcess.run(program, [side, dataDir, String(payments)]), Number)

export const subject = Effect.fnUntraced(function* ({ memory: { madePayments, rounds } }: Pace) {
  const dataDir = yield* BenchDatabase.DataDir
  return {
    contests: [
      {
        name: `peak x${concurrency}`,
        unit: "bytes",
        rounds,
        warmUp: false,
        florin: grow("florin", dataDir, madePayments),
        peer: grow("naive", dataDir, madePayments)
      }
    ],
    notes: [
      `peak: growth of the resident set over ${madePayments} payments in a new process, in all; peer as in payment`
    ]
  } satisfies Subject<never>
})
