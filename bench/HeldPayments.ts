/**
 * What a payment weighs in memory while it is on its way: the heap of so many
 * states, each folded from its stored events up to a capture that has begun.
 *
 * The peer holds the same events as `JSON.parse` gives them: what a program
 * holds that has read its payments and understood nothing.
 */
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Instant } from "../src/domain/Instant.ts"
import { PaymentId } from "../src/domain/payment/PaymentEvent.ts"
import { fold } from "../src/domain/payment/PaymentFold.ts"
import type { Pace, Subject } from "./Contest.ts"
import * as SamplePayment from "./SamplePayment.ts"

/** As `node --expose-gc` does, for a process that was started without. */
const collector = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc")
}

/** Up to the capture's intent; its answer is what is awaited. */
const textOf = (index: number): string => {
  const payment = PaymentId.make(`pay_${String(index).padStart(26, "0")}`)
  const commands = SamplePayment.commands(payment, Instant.make(1_700_000_000_000 + index)).slice(0, -1)
  return JSON.stringify(SamplePayment.encodeEvents(SamplePayment.decideAll(commands).events))
}

/** Bytes of heap that each of `count` values keeps, once all garbage is gone. */
const weigh = (count: number, make: (index: number) => unknown): Effect.Effect<number> =>
  Effect.sync(() => {
    const collect = collector()
    const held: Array<unknown> = Array.from({ length: count })
    collect()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < count; index++) held[index] = make(index)
    collect()
    const bytes = process.memoryUsage().heapUsed - before
    // Named after the measurement, so that it is alive during it.
    return bytes / held.length
  })

export const subject = ({ memory: { heldPayments, rounds } }: Pace): Subject<never> => ({
  contests: [
    {
      name: "held",
      unit: "bytes",
      rounds,
      warmUp: true,
      florin: weigh(heldPayments, (index) => fold(SamplePayment.decodeEvents(JSON.parse(textOf(index))))),
      peer: weigh(heldPayments, (index) => JSON.parse(textOf(index)))
    }
  ],
  notes: ["held: heap of a payment whose capture has begun; peer is its events as JSON.parse gives them"]
})
