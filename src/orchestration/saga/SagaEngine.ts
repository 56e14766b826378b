/**
 * Where the generations of runs are run: in this process's memory, or as Effect
 * workflows (`DurableSagas`). `SagaRunner` is for everybody; this is what it stands on.
 */
import { Context, Deferred, Effect, FiberMap, Layer, Schema } from "effect"
import type { Scope } from "effect"
import { Purpose } from "../../adapters/SagaRuns.ts"
import { SagaJournal } from "../../domain/saga/SagaJournal.ts"
import type { Wake } from "../../domain/saga/StepOutcome.ts"
import type { SagaDriver } from "./SagaDriver.ts"

/** All that a generation begins from. */
export const Generation = Schema.Struct({
  execution: Schema.String,
  generation: Schema.Int,
  purpose: Purpose,
  input: Schema.Json,
  journal: SagaJournal,
  /** Somebody waits for it, and is told at once where it would have to wait its turn. */
  isAwaited: Schema.Boolean
})
export type Generation = typeof Generation.Type

/** What an engine does of a driver; the rest is the runner's. */
export type EngineDriver = Pick<SagaDriver, "attempt" | "takeBack" | "sleep" | "hear">

export type Body<R> = (generation: Generation, driver: EngineDriver) => Effect.Effect<void, never, R>

/** Names a generation. */
export type Which = Pick<Generation, "execution" | "generation">

export class SagaEngine extends Context.Service<
  SagaEngine,
  {
    /** Runs the generations of a saga here, for as long as the scope is open. */
    readonly register: <R>(saga: string, body: Body<R>) => Effect.Effect<void, never, R | Scope.Scope>
    /** Begins it, unless it has begun; returns at once. */
    readonly begin: (saga: string, generation: Generation) => Effect.Effect<void>
    /** Tells a waiting step what it waits for; only the first to tell is heard. */
    readonly wake: (saga: string, which: Which, name: string, wake: Wake) => Effect.Effect<void>
    /** Ends its sleeps: it is cancelled, and there is nothing to wait for. */
    readonly hurry: (saga: string, which: Which) => Effect.Effect<void>
  }
>()("florin/orchestration/saga/SagaEngine") {}

// --- In memory --------------------------------------------------------------

const idOf = ({ execution, generation }: Which) => `${execution}#${generation}`

/** Everything is gone when the process is. */
export const layerMemory: Layer.Layer<SagaEngine> = Layer.effect(
  SagaEngine,
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<string>()
    const bodies = new Map<string, Body<never>>()
    const waiting = new Map<string, Map<string, Deferred.Deferred<Wake>>>()

    /** Somebody may have told before anybody listened. */
    const slot = (id: string, name: string) => {
      const ofRun = waiting.get(id) ?? new Map<string, Deferred.Deferred<Wake>>()
      waiting.set(id, ofRun)
      const told = ofRun.get(name) ?? Deferred.makeUnsafe<Wake>()
      ofRun.set(name, told)
      return told
    }

    const hurries = new Map<string, Deferred.Deferred<void>>()
    const hurried = (id: string) => {
      const told = hurries.get(id) ?? Deferred.makeUnsafe<void>()
      hurries.set(id, told)
      return told
    }

    const hear = (id: string) => (name: string, millis: number | undefined) => {
      const told = Deferred.await(slot(id, name))
      const elapsed = { _tag: "Elapsed" } as const
      return millis === undefined ? told : Effect.raceFirst(told, Effect.as(Effect.sleep(millis), elapsed))
    }

    const driver = (id: string): EngineDriver => ({
      attempt: (_, effect) => effect,
      takeBack: (_, effect) => effect,
      sleep: (_, millis) => Effect.raceFirst(Effect.sleep(millis), Deferred.await(hurried(id))),
      hear: hear(id)
    })

    return SagaEngine.of({
      register: Effect.fnUntraced(function* <R>(saga: string, body: Body<R>) {
        const context = yield* Effect.context<R>()
        bodies.set(saga, (generation, engine) => Effect.provideContext(body(generation, engine), context))
        yield* Effect.addFinalizer(() => Effect.sync(() => bodies.delete(saga)))
      }),
      begin: Effect.fnUntraced(function* (saga, generation) {
        const id = idOf(generation)
        const body = bodies.get(saga)
        if (body === undefined) return
        const run = Effect.ensuring(
          body(generation, driver(id)),
          Effect.sync(() => {
            waiting.delete(id)
            hurries.delete(id)
          })
        )
        yield* FiberMap.run(fibers, id, run, { onlyIfMissing: true })
      }),
      wake: (_, which, name, wake) => Effect.asVoid(Deferred.succeed(slot(idOf(which), name), wake)),
      hurry: (_, which) => Effect.asVoid(Deferred.succeed(hurried(idOf(which)), undefined))
    })
  })
)
