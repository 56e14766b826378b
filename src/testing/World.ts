/**
 * A world in which florin lives and dies: virtual time, stores and gateways
 * that outlive every process, and the processes themselves.
 *
 * A process is the real program: the orchestration over the memory adapters,
 * each behind a boundary that can fail. When one dies, another takes its place
 * after a moment, as a supervisor would have it, on the same stores.
 */
import { Clock, Effect, Fiber, Layer, Logger, Scope } from "effect"
import type { Context, Exit } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { EventBus } from "../adapters/EventBus.ts"
import type { GatewayWebhook } from "../adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { IdempotencyStore } from "../adapters/IdempotencyStore.ts"
import { Outbox } from "../adapters/Outbox.ts"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { WebhookInbox } from "../adapters/WebhookInbox.ts"
import * as MemoryDatabase from "../infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../infra/memory/MemoryEventBus.ts"
import * as MemoryIdempotencyStore from "../infra/memory/MemoryIdempotencyStore.ts"
import * as MemoryOutbox from "../infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../infra/memory/MemoryRiskScreen.ts"
import * as MemoryWebhookInbox from "../infra/memory/MemoryWebhookInbox.ts"
import * as GatewayCall from "../orchestration/GatewayCall.ts"
import * as Payments from "../orchestration/Payments.ts"
import * as PaymentPolicy from "../orchestration/PaymentPolicy.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import type { Delivery } from "./Auditor.ts"
import * as Boundaries from "./Boundaries.ts"
import type { FaultPlan } from "./FaultPlan.ts"
import type { Observation, Process } from "./Process.ts"
import * as Processes from "./Process.ts"
import * as Seed from "./Seed.ts"
import * as VirtualTime from "./VirtualTime.ts"
import * as Workers from "./Workers.ts"

// --- What a world is made of ------------------------------------------------

/** Changes to what a process is made of, on its own side of the boundary: how a bug is planted. */
export interface Alteration {
  readonly repository?: (inner: PaymentRepository["Service"], world: World) => PaymentRepository["Service"]
  readonly outbox?: (inner: Outbox["Service"], world: World) => Outbox["Service"]
  readonly gateway?: (inner: PaymentGateway, world: World) => PaymentGateway
  readonly calls?: (inner: GatewayCall.GatewayCall["Service"], world: World) => GatewayCall.GatewayCall["Service"]
  readonly settings?: Partial<PaymentPolicy.Settings>
}

export interface Options {
  readonly seed: number
  readonly faults: FaultPlan
  /** Florin's processes, side by side on one database. */
  readonly processes: number
  readonly gateways: (world: World) => ReadonlyArray<PaymentGateway>
  /** How the webhooks are read of those gateways that send some; the others' notifications come as they are. */
  readonly webhooks?: ReadonlyArray<GatewayWebhook> | undefined
  readonly settings?: Partial<PaymentPolicy.Settings> | undefined
  readonly alteration?: Alteration | undefined
  readonly observe?: ((what: Observation, atMillis: number) => void) | undefined
}

export interface World {
  readonly time: VirtualTime.VirtualTime
  readonly draw: Seed.Draw
  readonly database: MemoryDatabase.Tables
  /** What the subscriber heard, in the order in which it heard it. */
  readonly deliveries: Array<Delivery>
  /** Those that live now. */
  readonly florins: () => ReadonlyArray<Florin>
  readonly crossings: () => number
  /** Runs an effect of the world's own to its end, and everything beside it meanwhile. */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Exit.Exit<A, E> | VirtualTime.Stalled
}

/** What runs in a process, and what it runs on. */
export type Services =
  | Payments.Payments
  | PaymentRepository
  | IdempotencyStore
  | GatewayCall.GatewayCall
  | EventBus
  | Outbox
  | RiskScreen
  | WebhookInbox
  | GatewayWebhooks
  | PaymentPolicy.PaymentPolicy
  | SecureRandom.SecureRandom

/** A process of florin's that lives, or did. */
export interface Florin {
  readonly process: Process
  /** Has the process do something, as a request does. It goes on when the asker goes; it ends with the process. */
  readonly request: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E | Disconnected>
}

/** Nobody is there who would answer: the process died, or none lives. */
export class Disconnected {
  readonly _tag = "Disconnected"
}

/** A supervisor notices an end and starts anew. */
const restartMillis = 1000

// --- Making one -------------------------------------------------------------

export const make = (options: Options): World => {
  const draw = Seed.make(Seed.derive(options.seed, "interleaving"))
  const time = VirtualTime.make(draw)
  const florins = new Map<string, Florin>()
  let crossings = 0
  const world: World = {
    time,
    draw: Seed.make(Seed.derive(options.seed, "world")),
    database: MemoryDatabase.make(),
    deliveries: [],
    florins: () => [...florins.values()],
    crossings: () => crossings,
    run: (effect) => time.drain(time.fork(effect))
  }
  const gateways = options.gateways(world)
  const surroundings: Processes.Surroundings = {
    time,
    faults: options.faults,
    nextCrossing: () => ++crossings,
    observe: (what) => options.observe?.(what, time.now())
  }

  /** One life after the other. */
  const supervise = (name: string): Effect.Effect<never> => {
    const live = (life: number): Effect.Effect<never> =>
      Effect.gen(function* () {
        const process = Processes.boot(`${name}${life}`, surroundings)
        const services = yield* Effect.provideService(
          build(options, world, gateways, process),
          Clock.Clock,
          process.clock
        )
        florins.set(name, florinOf(process, services, time))
        const workers = Workers.run(world.database, process)
        time.fork(Effect.provideService(Effect.provideContext(workers, services), Clock.Clock, process.clock))
        yield* process.death
        florins.delete(name)
        yield* Effect.sleep(restartMillis)
        return yield* live(life + 1)
      })
    return live(1)
  }
  for (let index = 0; index < options.processes; index++) time.fork(supervise("ABCDEFGH"[index]!))
  return world
}

const florinOf = (process: Process, services: Context.Context<Services>, time: VirtualTime.VirtualTime): Florin => ({
  process,
  request: (effect) =>
    Effect.suspend(() => {
      if (!process.isAlive()) return Effect.fail(new Disconnected())
      const fiber = time.fork(
        Effect.provideService(Effect.provideContext(effect, services), Clock.Clock, process.clock)
      )
      return Effect.raceFirst(
        // Whoever asked may go away; the request does not.
        Fiber.join(fiber),
        Effect.andThen(process.death, Effect.fail(new Disconnected()))
      )
    })
})

/** The program of one process. Its scope is never closed: a process that ends here does not end well. */
const build = (
  { alteration = {}, seed, settings, webhooks = [] }: Options,
  world: World,
  gateways: ReadonlyArray<PaymentGateway>,
  process: Process
): Effect.Effect<Context.Context<Services>> => {
  const database = Layer.succeed(MemoryDatabase.MemoryDatabase, world.database)
  const altered = <I, S>(tag: Context.Key<I, S>, alter: ((inner: S, world: World) => S) | undefined) =>
    alter === undefined
      ? Layer.empty
      : Layer.effect(
          tag,
          Effect.map(tag, (inner) => alter(inner, world))
        )
  const stores = Layer.mergeAll(
    Boundaries.repository(process).pipe(Layer.provide(MemoryPaymentRepository.layer)),
    Boundaries.idempotencyStore(process).pipe(Layer.provide(MemoryIdempotencyStore.layer)),
    Boundaries.outbox(process).pipe(Layer.provide(MemoryOutbox.layer)),
    Boundaries.eventBus(process).pipe(Layer.provide(heardBy(world))),
    Boundaries.webhookInbox(process).pipe(Layer.provide(MemoryWebhookInbox.layer)),
    Boundaries.riskScreen(process).pipe(Layer.provide(MemoryRiskScreen.layer([])))
  ).pipe(Layer.provide(database))
  const reachable = gateways.map((inner) => {
    const beyond = Boundaries.gateway(process, inner)
    return alteration.gateway?.(beyond, world) ?? beyond
  })
  const policy: PaymentPolicy.Settings = {
    ...PaymentPolicy.defaults,
    routing: { gateways: reachable.map(({ capabilities, name }) => ({ name, capabilities })), rules: [] },
    ...settings,
    ...alteration.settings
  }
  const surroundings = Layer.mergeAll(
    // What goes wrong here goes wrong on purpose, thousands of times: the trace and the books tell of it.
    Logger.layer([]),
    Layer.succeed(PaymentPolicy.PaymentPolicy, policy),
    Layer.succeed(PaymentGateways, new Map(reachable.map((one) => [one.name, one]))),
    Layer.succeed(
      GatewayWebhooks,
      new Map(webhooks.map((one) => [one.gateway, Boundaries.gatewayWebhook(process, one)]))
    ),
    Layer.succeed(SecureRandom.SecureRandom, Seed.ids(Seed.derive(seed, process.name))),
    CircuitBreaker.layerStoreMemory(),
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  )
  const calls = altered(GatewayCall.GatewayCall, alteration.calls).pipe(Layer.provideMerge(GatewayCall.layer))
  const program = Payments.layer({ answerMillis: 10_000, drainMillis: 1000 }).pipe(
    Layer.provideMerge(calls),
    Layer.provideMerge(altered(Outbox, alteration.outbox)),
    Layer.provideMerge(altered(PaymentRepository, alteration.repository)),
    Layer.provideMerge(stores),
    Layer.provideMerge(surroundings)
  )
  return Layer.buildWithScope(program, Scope.makeUnsafe())
}

/** A subscriber that writes down what it hears, and outlives the process. */
const heardBy = ({ deliveries }: World) =>
  Layer.effect(
    EventBus,
    Effect.tap(EventBus, (bus) =>
      bus.handle("subscriber", ({ payment, version }) => Effect.sync(() => void deliveries.push({ payment, version })))
    )
  ).pipe(Layer.provide(MemoryEventBus.layer))
