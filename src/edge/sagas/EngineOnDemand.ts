/**
 * The engine of durable sagas, made when the first run begins or is taken up.
 *
 * It brings half of Effect's cluster along: a service that runs no sagas starts
 * without it, and never has it in its memory. Made once, it stays until the
 * service ends. Of several services on one database one holds it and runs what
 * all of them begin; when that one ends or dies, its locks go with its
 * connection, and another goes on with its runs.
 */
import type { Context } from "effect"
import { Effect, Layer, Semaphore } from "effect"
import type { Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { SagaEngine } from "../../orchestration/saga/SagaEngine.ts"

export interface Options {
  /** How long the end of the service waits for the attempts that are under way. */
  readonly drainMillis: number
}

/** Another who holds the runs and is gone is noticed at the next look. */
const lookForLocks = "1 second"

const load = Effect.promise(() =>
  Promise.all([import("../../infra/cluster/SagaCluster.ts"), import("../../orchestration/saga/DurableSagas.ts")])
)

export const layer = ({ drainMillis }: Options): Layer.Layer<SagaEngine, never, SqlClient> =>
  Layer.effect(
    SagaEngine,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const database = yield* Effect.context<SqlClient>()
      const one = yield* Semaphore.make(1)
      const registrations: Array<(engine: SagaEngine["Service"]) => Effect.Effect<void>> = []
      let engine: SagaEngine["Service"] | undefined

      const open = Effect.gen(function* () {
        const [SagaCluster, DurableSagas] = yield* load
        const durable = DurableSagas.layer.pipe(
          Layer.provide(
            SagaCluster.single({
              entityTerminationTimeout: drainMillis,
              refreshAssignmentsInterval: lookForLocks
            })
          )
        )
        const context: Context.Context<SagaEngine> = yield* Layer.buildWithScope(durable, scope)
        yield* Effect.forkIn(SagaCluster.purging, scope)
        const opened = yield* Effect.provideContext(SagaEngine, context)
        yield* Effect.forEach(registrations, (register) => register(opened), { discard: true })
        return (engine = opened)
      }).pipe(Effect.provideContext(database), Effect.orDie, Effect.uninterruptible)

      const opened = Effect.suspend(() =>
        engine === undefined
          ? one.withPermit(Effect.suspend(() => (engine === undefined ? open : Effect.succeed(engine))))
          : Effect.succeed(engine)
      )

      return SagaEngine.of({
        register: Effect.fnUntraced(function* (saga, body) {
          const context = yield* Effect.context<Scope.Scope>()
          const register = (into: SagaEngine["Service"]) =>
            Effect.provideContext(into.register(saga, body), context) as Effect.Effect<void>
          registrations.push(register)
          if (engine !== undefined) yield* register(engine)
        }),
        begin: (saga, generation) => Effect.flatMap(opened, (durable) => durable.begin(saga, generation)),
        wake: (saga, which, name, wake) => Effect.flatMap(opened, (durable) => durable.wake(saga, which, name, wake)),
        hurry: (saga, which) => Effect.flatMap(opened, (durable) => durable.hurry(saga, which))
      })
    })
  )
