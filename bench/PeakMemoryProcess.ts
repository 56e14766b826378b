/**
 * A process that makes payments and prints by how many bytes it grew.
 *
 *     node --expose-gc bench/PeakMemoryProcess.ts <florin|naive> <dataDir> <payments>
 *
 * It shares the server of whoever started it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import * as RedactingLogger from "../src/infra/telemetry/RedactingLogger.ts"
import * as BenchDatabase from "./BenchDatabase.ts"
import * as Checkout from "./Checkout.ts"
import { concurrency } from "./PeakMemory.ts"

const [side, dataDir = "", payments] = process.argv.slice(2)

const grow = Effect.gen(function* () {
  const sides = yield* Checkout.build
  const operation = side === "florin" ? sides.florin : sides.naive
  globalThis.gc?.()
  const ready = process.memoryUsage.rss()
  let peak = ready
  const watched = Effect.map(operation, () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  })
  yield* Effect.all(
    Array.from({ length: Number(payments) }, () => watched),
    { concurrency, discard: true }
  )
  process.stdout.write(String(peak - ready))
})

NodeRuntime.runMain(Effect.scoped(grow).pipe(Effect.provide([BenchDatabase.at(dataDir), RedactingLogger.layer])))
