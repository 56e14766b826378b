/**
 * Flows over any stores and any gateways, with the workers that perform them.
 *
 * ```ts
 * FlowCore.layer([createProduct, createPrice], { workers: ["billing"] }).pipe(
 *   Layer.provide(StripeFlows.gateway({ secretKey })),
 *   Layer.provide(FlowCore.sql())
 * )
 * ```
 *
 * Without workers it only dispatches: somebody else's perform them.
 */
import { Effect, Layer } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { CircuitBreaker } from "effect/persistence"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { FlowGateway } from "../../adapters/FlowGateway.ts"
import { FlowGateways } from "../../adapters/FlowGateway.ts"
import type { FlowQueue } from "../../adapters/FlowQueue.ts"
import type { FlowStore } from "../../adapters/FlowStore.ts"
import { WorkerName } from "../../domain/flow/FlowName.ts"
import * as MemoryDatabase from "../../infra/memory/MemoryDatabase.ts"
import * as MemoryFlowStore from "../../infra/memory/MemoryFlowStore.ts"
import * as PersistedFlowQueue from "../../infra/queue/PersistedFlowQueue.ts"
import * as SqlFlowStore from "../../infra/sql/SqlFlowStore.ts"
import type { Flow } from "../../orchestration/Flow.ts"
import type { FlowPolicy } from "../../orchestration/FlowPolicy.ts"
import * as FlowWorker from "../../orchestration/FlowWorker.ts"
import * as Flows from "../../orchestration/Flows.ts"

export interface Options {
  /** The names under which this process works; none, where it only dispatches. */
  readonly workers?: ReadonlyArray<string> | undefined
  readonly policy?: FlowPolicy | undefined
  readonly worker?: FlowWorker.Settings | undefined
}

// --- Stores -----------------------------------------------------------------

/** Gone with the process. */
export const memory: Layer.Layer<FlowStore | FlowQueue> = Layer.mergeAll(
  MemoryFlowStore.layer.pipe(Layer.provide(MemoryDatabase.layer)),
  PersistedFlowQueue.layerMemory
)

/** On the database that florin's tables are in. */
export const sql = (times?: PersistedFlowQueue.Times): Layer.Layer<FlowStore | FlowQueue, SqlError, SqlClient> =>
  Layer.mergeAll(SqlFlowStore.layer, PersistedFlowQueue.layerSql(times))

// --- Gateways ---------------------------------------------------------------

export const gateways = (...all: ReadonlyArray<FlowGateway>): Layer.Layer<FlowGateways> =>
  Layer.succeed(FlowGateways, all)

// --- Flows ------------------------------------------------------------------

export const layer = <R = never>(
  flows: ReadonlyArray<Flow<never, R>>,
  { policy, worker, workers = [] }: Options = {}
): Layer.Layer<Flows.Flows, never, FlowStore | FlowQueue | FlowGateways | R> =>
  Layer.effectDiscard(
    Effect.forEach(workers, (name) => Effect.forkScoped(FlowWorker.daemon(WorkerName.make(name), worker)), {
      discard: true
    })
  ).pipe(
    Layer.provideMerge(Flows.layer(flows, policy)),
    Layer.provide([SecureRandom.layerWebCrypto, Digest.layerWebCrypto, CircuitBreaker.layerStoreMemory()])
  )
