/**
 * A process that dies before or after the n-th call of any adapter, and those
 * that come after it. What is dead is not interrupted, because nothing of it
 * would run: it stays where it is, for ever.
 */
import { Context, Deferred, Effect, Exit, Layer, Option, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { Lock } from "../../../src/adapters/Lock.ts"
import { Notifier } from "../../../src/adapters/Notifier.ts"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import { Supplier } from "../../../src/adapters/Supplier.ts"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as MemorySagaRuns from "../../../src/infra/memory/MemorySagaRuns.ts"
import * as MemorySupplier from "../../../src/infra/memory/MemorySupplier.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import { memory, product } from "./Storehouse.ts"

/** What outlives every process. */
export const world = Layer.fresh(
  Layer.mergeAll(
    memory,
    MemorySagaRuns.layer,
    MemoryNotifier.layer,
    MemorySupplier.layer([[product, { available: 100, minimum: 5, maximum: 50, leadTimeMillis: 86_400_000 }]])
  )
)
type Adapters = StockRepository | Lock | Supplier | Notifier | SagaRuns | SecureRandom.SecureRandom

export interface Death {
  readonly call: number
  readonly point: "before" | "after"
}

class Boundary {
  calls = 0
  private isDead = false
  readonly death: Deferred.Deferred<void>
  private readonly dies: Death | undefined
  constructor(dies: Death | undefined) {
    this.dies = dies
    this.death = Deferred.makeUnsafe<void>()
  }

  cross<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.gen({ self: this }, function* () {
      if (this.isDead) return yield* Effect.never
      const call = ++this.calls
      yield* this.dieAt({ call, point: "before" })
      const exit = yield* Effect.exit(effect)
      if (this.isDead) return yield* Effect.never
      yield* this.dieAt({ call, point: "after" })
      return yield* exit
    })
  }

  private dieAt({ call, point }: Death): Effect.Effect<void> {
    if (this.dies?.call !== call || this.dies.point !== point) return Effect.void
    this.isDead = true
    return Effect.andThen(Deferred.succeed(this.death, undefined), Effect.never)
  }

  /** The service, each call of it across the boundary. */
  around<S extends object>(service: S): S {
    return new Proxy(service, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (Effect.isEffect(member)) return this.cross(member)
        if (typeof member !== "function") return member
        return (...args: ReadonlyArray<unknown>) => {
          const called: unknown = Reflect.apply(member, target, args)
          return Effect.isEffect(called) ? this.cross(called) : called
        }
      }
    })
  }
}

/** One process from its start to the end of its program or of itself; time goes by as long as it runs. */
const live = <A, E>(
  program: Effect.Effect<A, E, Adapters | SagaRunner.SagaRunner>,
  sagas: Layer.Layer<never, never, Adapters | SagaRunner.SagaRunner>,
  dies: Death | undefined
) =>
  Effect.gen(function* () {
    const boundary = new Boundary(dies)
    const adapters = yield* Effect.context<Adapters>()
    let around = adapters
    for (const tag of [StockRepository, Lock, Supplier, Notifier, SagaRuns]) {
      around = Context.add(around, tag as typeof Lock, boundary.around(Context.get(adapters, tag as typeof Lock)))
    }
    const runner = Layer.provideMerge(sagas, Layer.provide(SagaRunner.layer, SagaEngine.layerMemory))
    // Never closed: what is dead gives nothing back.
    const scope = yield* Scope.make()
    const running = yield* Effect.forkDetach(
      Effect.gen(function* () {
        const context = yield* Layer.buildWithScope(Layer.fresh(runner), scope)
        return yield* Effect.provideContext(program, Context.merge(around, context))
      }).pipe(Effect.provideContext(around))
    )
    for (let second = 0; second < 300; second++) {
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      const exit = running.pollUnsafe()
      if (exit !== undefined) return { calls: boundary.calls, exit: Option.some(exit) }
      if (yield* Deferred.isDone(boundary.death)) {
        return { calls: boundary.calls, exit: Option.none<Exit.Exit<A, E>>() }
      }
      yield* TestClock.adjust("1 second")
    }
    return yield* Effect.die(new Error("it has not come to an end in five minutes"))
  })

/**
 * Runs the program once to count its calls, then once for each call, dying
 * before it and after it, followed by a process that lives; each in a world of
 * its own, that `begin` fills and `check` judges. Answers how many died.
 */
export const explore = <A, E>(scenario: {
  readonly begin: Effect.Effect<unknown, unknown, Adapters | Worldly>
  readonly program: Effect.Effect<A, E, Adapters | SagaRunner.SagaRunner>
  readonly sagas?: Layer.Layer<never, never, Adapters | SagaRunner.SagaRunner>
  /** Says what the world has come to, after the exit of the process that lived. */
  readonly check: (exit: Exit.Exit<A, E>, death: Death | undefined) => Effect.Effect<void, unknown, Adapters | Worldly>
}): Effect.Effect<number> =>
  Effect.gen(function* () {
    const { begin, check, program, sagas = Layer.empty } = scenario
    const inWorld = (deaths: ReadonlyArray<Death>) =>
      Effect.gen(function* () {
        yield* begin
        for (const death of deaths) yield* live(program, sagas, death)
        const last = yield* live(program, sagas, undefined)
        yield* check(Option.getOrThrow(last.exit), deaths.at(-1))
        return last.calls
      }).pipe(Effect.provide(world), Effect.orDie)
    const calls = yield* inWorld([])
    let died = 0
    for (let call = 1; call <= calls; call++) {
      for (const point of ["before", "after"] as const) {
        yield* inWorld([{ call, point }])
        // And once more, soon after the next has begun.
        yield* inWorld([
          { call, point },
          { call: (call % 7) + 1, point }
        ])
        died += 3
      }
    }
    return died
  })

export type Worldly = MemoryNotifier.SentNotices | MemorySupplier.SupplierBooks
