/**
 * Sagas over any stores: the runner, the sagas of the shop, and the worker that
 * sees to runs that nobody runs.
 *
 * Over PostgreSQL runs are durable: each step is kept when it is done, and a run
 * whose process died is taken up by this one, or by another on the same
 * database. Over memory they are gone with the process.
 */
import { Cause, Clock, Duration, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SagaRun } from "../adapters/SagaRuns.ts"
import { SagaRuns } from "../adapters/SagaRuns.ts"
import type { StockRepository } from "../adapters/StockRepository.ts"
import * as MemorySagaRuns from "../infra/memory/MemorySagaRuns.ts"
import * as MemoryStockRepository from "../infra/memory/MemoryStockRepository.ts"
import * as SqlSagaRuns from "../infra/sql/SqlSagaRuns.ts"
import * as SqlStockRepository from "../infra/sql/SqlStockRepository.ts"
import * as SagaEngine from "../orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../orchestration/saga/SagaRunner.ts"
import * as EngineOnDemand from "./sagas/EngineOnDemand.ts"
import * as ShopSagas from "./sagas/ShopSagas.ts"

export interface Options extends ShopSagas.Options, EngineOnDemand.Options {
  /** How often runs without a process are looked for. */
  readonly sagaMillis: number
}

export const defaults: Options = {
  fraud: ShopSagas.trusting,
  cardPage: undefined,
  drainMillis: 10_000,
  sagaMillis: 5000
}

export type Stores = SagaRuns | StockRepository | SagaEngine.SagaEngine

export const sql = (options: EngineOnDemand.Options): Layer.Layer<Stores, never, SqlClient> =>
  Layer.mergeAll(SqlSagaRuns.layer, SqlStockRepository.layer, EngineOnDemand.layer(options))

/** Gone with the process. */
export const memory: Layer.Layer<Stores> = Layer.mergeAll(
  MemorySagaRuns.layer,
  MemoryStockRepository.layer,
  SagaEngine.layerMemory
)

/** A run that was begun and not heard of by the engine is begun there again, at the latest after this. */
const againMillis = 60_000

/** As many as one look takes in. */
const lookedAt = 100

const recovering = Effect.fnUntraced(function* (everyMillis: number) {
  const runner = yield* SagaRunner.SagaRunner
  const runs = yield* SagaRuns
  let recoveredAt = -Infinity
  let seen: ReadonlySet<string> = new Set()
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    // Without a run that goes on the engine is not even loaded.
    const going = yield* runs.find({ status: "running", limit: lookedAt })
    const wishes = new Set(going.flatMap(wishOf))
    const isWished = [...wishes].some((wish) => !seen.has(wish))
    seen = wishes
    if (going.length === 0 || (!isWished && now - recoveredAt < againMillis)) return
    const count = yield* runner.recover
    recoveredAt = now
    yield* Effect.logDebug(`runs of sagas seen to: ${count}`)
  }).pipe(
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterruptsOnly(cause),
      (cause) => Effect.logWarning("runs of sagas could not be looked for", cause)
    )
  )
  return yield* Effect.forever(Effect.andThen(look, Effect.sleep(Duration.millis(everyMillis))))
})

/** An operator's, who asks by the command line and leaves the doing to a service: seen to at the next look. */
const wishOf = ({ execution, generation, isCancelAsked }: SagaRun): ReadonlyArray<string> =>
  generation > 1 || isCancelAsked ? [`${execution}#${generation}/${isCancelAsked}`] : []

/** The worker is there when the sagas are: a run of one that is not registered would be passed over. */
export const layer = (options: Options) =>
  Layer.effectDiscard(Effect.forkScoped(recovering(options.sagaMillis))).pipe(
    Layer.provideMerge(ShopSagas.layer(options)),
    Layer.provideMerge(SagaRunner.layer),
    Layer.provideMerge(SecureRandom.layerWebCrypto)
  )
