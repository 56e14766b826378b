/**
 * A worker: takes flows of its name from the queue and drives them, as many at
 * a time as it has hands, and looks now and then for those that are due and
 * that the queue forgot.
 *
 * Any number of processes may work under one name, and one under several.
 */
import { Duration, Effect } from "effect"
import { FlowQueue } from "../adapters/FlowQueue.ts"
import { FlowStore } from "../adapters/FlowStore.ts"
import type { WorkerName } from "../domain/flow/FlowName.ts"
import { plus } from "../domain/Instant.ts"
import { now } from "./Clocks.ts"
import { Flows } from "./Flows.ts"

export interface Settings {
  /** Flows at a time: each waits for a gateway most of its time. */
  readonly hands: number
  /** How often flows are looked for that are due. */
  readonly sweepMillis: number
  /** How long a due flow is left to the queue. */
  readonly graceMillis: number
  /** One that stays due is hinted at again, no more often than this. */
  readonly againMillis: number
  /** Pause after the queue or the store did not answer. */
  readonly idleMillis: number
}

export const defaults: Settings = {
  hands: 8,
  sweepMillis: 2000,
  // Longer than the queue takes to be polled and a busy worker to get to it.
  graceMillis: 5000,
  // As long as the queue keeps a hint for a worker that may be dead.
  againMillis: 30_000,
  idleMillis: 1000
}

/** So many due flows at a time; the next look finds the rest. */
const batch = 500

/** Works for as long as it runs. */
export const daemon = Effect.fnUntraced(function* (worker: WorkerName, settings: Settings = defaults) {
  const hands = Array.from({ length: settings.hands }, () => Effect.forever(work(worker, settings)))
  return yield* Effect.all([Effect.forever(look(worker, settings)), ...hands], {
    concurrency: "unbounded",
    discard: true
  })
})

const work = Effect.fnUntraced(function* (worker: WorkerName, { idleMillis }: Settings) {
  const queue = yield* FlowQueue
  const flows = yield* Flows
  // What fails is taken again by whoever comes next, after a while.
  yield* Effect.catch(queue.take(worker, flows.run), (error) =>
    Effect.andThen(
      Effect.logWarning("a flow could not be driven now", error.message),
      Effect.sleep(Duration.millis(idleMillis))
    )
  )
})

const look = Effect.fnUntraced(function* (worker: WorkerName, settings: Settings) {
  yield* Effect.catch(sweep(worker, settings), (error) =>
    Effect.logWarning("due flows could not be looked for", error.message)
  )
  yield* Effect.sleep(Duration.millis(settings.sweepMillis))
})

/** Hints at every flow that is due for longer than the queue should take, and says how many. */
export const sweep = Effect.fn("FlowWorker.sweep")(function* (
  worker: WorkerName,
  { againMillis, graceMillis }: Pick<Settings, "againMillis" | "graceMillis">
) {
  const store = yield* FlowStore
  const queue = yield* FlowQueue
  const at = yield* now
  const due = yield* store.due({ worker, now: plus(at, -graceMillis), limit: batch })
  const since = Math.floor(at / againMillis)
  yield* Effect.forEach(
    due,
    ({ id, version }) => queue.offer({ id: `${id}/${version}/due/${since}`, worker, flow: id, delayMillis: 0 }),
    { discard: true }
  )
  return due.length
})
