/**
 * `FlowQueue` over Effect's `PersistedQueue`, whose store is in memory, in SQL,
 * or on Redis.
 *
 * Where it serves: it hands a hint to one of the workers of a name and to no
 * other meanwhile; a worker in the same process wakes at once, one elsewhere
 * within `pollMillis`; a hint may be delayed; one whose worker died comes again
 * when its lock expires; one that failed comes again, and that is polled too.
 *
 * Where it does not, and what florin does instead: it knows an element by its
 * id for as long as it keeps it, also when it is completed or was given up, and
 * nobody hears of those given up; delays are whole seconds by the database's
 * clock. So it is not where requests, answers or retries are: those are in
 * `FlowStore`, which says what is due, and a worker looks there as well. Losing
 * this queue delays flows, and loses none.
 */
import { Duration, Effect, Layer, Schema } from "effect"
import { PersistedQueue } from "effect/persistence"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Hint } from "../../adapters/FlowQueue.ts"
import { FlowQueue } from "../../adapters/FlowQueue.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import { FlowId } from "../../domain/flow/FlowName.ts"
import type { WorkerName } from "../../domain/flow/FlowName.ts"

/** How often stores are polled, and how long the lock of a worker outlives it. */
export interface Times {
  readonly pollMillis: number
  readonly lockMillis: number
}

/**
 * A second is what nobody notices of something that nobody waits for. Half a
 * minute of lock is refreshed three times over, and is what a killed worker costs.
 */
export const defaultTimes: Times = { pollMillis: 1000, lockMillis: 30_000 }

/** As the stores take them: three refreshes fit into a lock. */
export const timesOf = ({ lockMillis, pollMillis }: Times) => ({
  pollInterval: Duration.millis(pollMillis),
  lockExpiration: Duration.millis(lockMillis),
  lockRefreshInterval: Duration.millis(lockMillis / 3)
})

const Element = Schema.Struct({ flow: FlowId })

/** A hint fails when the store of flows does; after so many the flow is found by being due. */
const maxAttempts = 10

/** Whoever dispatches waits for this; the flow is stored by then, and is found without its hint. */
const offerMillis = 2000

/** Only to know a repeated hint; a flow's hints are named by its version. */
const completedMillis = 3_600_000

const queueName = (worker: WorkerName) => `florin/flows/${worker}`

/** Removes hints that were followed, and those that were given up: neither says anything any more. */
const cleanup = PersistedQueue.layerCleanup({
  interval: "10 minutes",
  timeToLive: Duration.millis(completedMillis),
  failedTimeToLive: Duration.millis(completedMillis)
})

/** Over any store of `PersistedQueue`. */
export const layer: Layer.Layer<FlowQueue, never, PersistedQueue.PersistedQueueStore> = Layer.effect(
  FlowQueue,
  Effect.gen(function* () {
    const queues = yield* PersistedQueue.PersistedQueueFactory
    const queueOf = (worker: WorkerName) => queues.make({ name: queueName(worker), schema: Element, maxAttempts })
    const made = new Map<WorkerName, Effect.Success<ReturnType<typeof queueOf>>>()
    const queue = Effect.fnUntraced(function* (worker: WorkerName) {
      const known = made.get(worker)
      if (known !== undefined) return known
      const queue = yield* queueOf(worker)
      made.set(worker, queue)
      return queue
    })

    return FlowQueue.of({
      offer: Effect.fn("FlowQueue.offer")(function* ({ delayMillis, flow, id, worker }: Hint) {
        const target = yield* queue(worker)
        yield* target.offer({ flow }, { id, delay: Duration.millis(delayMillis) }).pipe(
          Effect.catchTag("SchemaError", Effect.die),
          Effect.timeout(Duration.millis(offerMillis)),
          Effect.mapError((cause) => new StorageUnavailable({ operation: "offer a flow to its worker", cause }))
        )
      }),
      take: (worker, look) =>
        Effect.flatMap(queue(worker), (source) =>
          Effect.catchIf(
            source.take(({ flow }) => look(flow)),
            isQueueError,
            (cause) => Effect.fail(new StorageUnavailable({ operation: "take a flow from the queue", cause }))
          )
        )
    })
  })
).pipe(Layer.provide(PersistedQueue.layer), Layer.provideMerge(cleanup))

const isQueueError = (error: unknown): error is PersistedQueue.PersistedQueueError =>
  error instanceof PersistedQueue.PersistedQueueError

/** Gone with the process; the flows that it hinted at are not, where their store lasts. */
export const layerMemory: Layer.Layer<FlowQueue> = layer.pipe(Layer.provide(PersistedQueue.layerStoreMemory))

/**
 * In the table `florin_flow_queue`, which it makes itself. It is beside the
 * schema `florin` and not in it, because the library's names of indexes have no schema.
 */
export const layerSql = (times: Times = defaultTimes): Layer.Layer<FlowQueue, SqlError, SqlClient> =>
  layer.pipe(Layer.provide(PersistedQueue.layerStoreSql({ tableName: "florin_flow_queue", ...timesOf(times) })))
