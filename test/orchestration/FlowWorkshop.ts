/**
 * What tests of flows share: a gateway whose books and whose moods a test sets,
 * two flows of which the first dispatches the second, and the layers below them.
 */
import { Effect, Layer, Logger, Schema } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { CircuitBreaker } from "effect/persistence"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import type { FlowCall, FlowGateway } from "../../src/adapters/FlowGateway.ts"
import { FlowGateways } from "../../src/adapters/FlowGateway.ts"
import type { FlowQueue } from "../../src/adapters/FlowQueue.ts"
import { FlowStore } from "../../src/adapters/FlowStore.ts"
import type { Outcome } from "../../src/domain/flow/FlowEvent.ts"
import type { FlowId } from "../../src/domain/flow/FlowName.ts"
import { FlowName, WorkerName } from "../../src/domain/flow/FlowName.ts"
import * as FlowState from "../../src/domain/flow/FlowState.ts"
import { GatewayName } from "../../src/domain/payment/Gateway.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryFlowStore from "../../src/infra/memory/MemoryFlowStore.ts"
import * as PersistedFlowQueue from "../../src/infra/queue/PersistedFlowQueue.ts"
import * as Flow from "../../src/orchestration/Flow.ts"
import type { FlowPolicy } from "../../src/orchestration/FlowPolicy.ts"
import * as FlowPolicies from "../../src/orchestration/FlowPolicy.ts"
import * as Flows from "../../src/orchestration/Flows.ts"
import * as FlowWorker from "../../src/orchestration/FlowWorker.ts"
import { at } from "../../src/testing/contract/Samples.ts"

export const worker = WorkerName.make("billing")

// --- A gateway --------------------------------------------------------------

export interface Bank extends FlowGateway {
  /** The objects that it made, by idempotency key. */
  readonly books: ReadonlyMap<string, Schema.Json>
  /** Every call that came. */
  readonly calls: ReadonlyArray<FlowCall>
  /** What the next calls come to, before the bank is itself again; with `acts`, after it did what was asked. */
  readonly plan: (...outcomes: ReadonlyArray<Mood>) => void
}

export type Mood =
  | Outcome
  | { readonly _tag: "Acts"; readonly but: Outcome }
  | { readonly _tag: "Throws" }
  | { readonly _tag: "Hangs" }

/** Answers what it made, and the same again under the same key. */
export const makeBank = (names: ReadonlyArray<string> = ["create_product", "create_coupon"]): Bank => {
  const books = new Map<string, Schema.Json>()
  const calls: Array<FlowCall> = []
  const moods: Array<Mood> = []
  const act = ({ key, name }: FlowCall): Schema.Json => {
    const known = books.get(key)
    if (known !== undefined) return known
    const made = { id: `${name}_${books.size + 1}`, note: "made `here` for ${you}", extra: true }
    books.set(key, made)
    return made
  }
  return {
    name: GatewayName.make("bank"),
    flows: new Set(names.map((name) => FlowName.make(name))),
    keyRetentionMillis: 86_400_000,
    books,
    calls,
    plan: (...outcomes) => void moods.push(...outcomes),
    perform: (call) =>
      Effect.suspend((): Effect.Effect<Outcome> => {
        calls.push(call)
        const mood = moods.shift()
        if (mood === undefined) return Effect.succeed({ _tag: "Answered", response: act(call) })
        if (mood._tag === "Throws") throw new Error("a bug of the adapter")
        if (mood._tag === "Hangs") return Effect.never
        if (mood._tag === "Acts") {
          act(call)
          return Effect.succeed(mood.but)
        }
        return Effect.succeed(mood)
      })
  }
}

export const notSent: Outcome = {
  _tag: "NotSent",
  because: "ConnectionRefused",
  error: { _tag: "Transport", detail: "connection refused" }
}
export const inDoubt: Outcome = {
  _tag: "InDoubt",
  because: "ConnectionLost",
  settled: false,
  error: { _tag: "Transport", detail: "connection reset" }
}
export const refused = (status: number, type: string): Outcome => ({
  _tag: "Failed",
  error: { _tag: "Refused", status, type, message: "no", body: { error: { type, message: "no" } } }
})

// --- Two flows --------------------------------------------------------------

/** What handlers were given, in order: `new_create_product_response product_1`. */
export type Seen = Array<string>

const Made = Schema.Struct({ id: Schema.String, note: Schema.String })

/** `create_product`, whose response dispatches `create_coupon`. `onHandling` runs first in each handler. */
export const chain = (
  seen: Seen,
  onHandling: (name: string) => Effect.Effect<unknown, unknown> = () => Effect.void
) => {
  const begin = (handling: Flow.Handling, what: string) =>
    Effect.andThen(
      Effect.sync(() => void seen.push(`${handling.name} ${what}`)),
      onHandling(handling.name)
    )
  const failed = (failure: Flow.Failure, handling: Flow.Handling) =>
    Effect.gen(function* () {
      yield* begin(handling, `${failure.error._tag}${failure.inDoubt ? " in doubt" : ""} ${failure.advice}`)
      yield* handling.context.set("error", failure.error._tag)
    })
  const coupon = Flow.make("create_coupon", {
    request: Schema.Struct({ percentOff: Schema.Int }),
    response: Made,
    onResponse: ({ id }, handling) => Effect.andThen(begin(handling, id), handling.context.set("coupon_id", id)),
    onError: failed
  })
  const product = Flow.make("create_product", {
    request: Schema.Struct({ name: Schema.String.check(Schema.isMinLength(1)) }),
    response: Made,
    onResponse: ({ id, note }, handling) =>
      Effect.gen(function* () {
        yield* begin(handling, id)
        yield* handling.context.set("product_id", id)
        yield* handling.context.set("note", note)
        yield* handling.dispatch(coupon, { percentOff: 20 })
      }),
    onError: failed
  })
  return { coupon, product }
}

// --- Below them -------------------------------------------------------------

export const policy: FlowPolicy = {
  ...FlowPolicies.defaults,
  call: { ...FlowPolicies.defaults.call, timeoutMillis: 1000 },
  sending: { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: 4000 },
  doubt: { maxAttempts: 6, baseMillis: 1000, factor: 2, capMillis: 4000 },
  handling: { maxAttempts: 4, baseMillis: 500, factor: 2, capMillis: 4000 },
  handlerMillis: 1000,
  leaseMarginMillis: 500
}

const hash = (data: Uint8Array) => createHash("sha256").update(data).digest()

/** At once: WebCrypto answers in real time, and a test's time would run ahead of it. */
const digest = Layer.succeed(Digest.Digest, {
  digest: (_, data) => Effect.sync(() => hash(data)),
  digestHex: (_, data) => Effect.sync(() => hash(data).toString("hex"))
})

export const crypto = Layer.mergeAll(SecureRandom.layerWebCrypto, digest, CircuitBreaker.layerStoreMemory())

/** What lasts when a process does not. */
export const memory: Layer.Layer<FlowStore | FlowQueue> = Layer.mergeAll(
  MemoryFlowStore.layer.pipe(Layer.provide(Layer.fresh(MemoryDatabase.layer))),
  PersistedFlowQueue.layerMemory
)

export const flowsOver = (
  bank: FlowGateway,
  flows: ReadonlyArray<Flow.Flow<never>>,
  settings: FlowPolicy = policy
): Layer.Layer<Flows.Flows | FlowStore | FlowQueue> =>
  Flows.layer(flows, settings).pipe(
    Layer.provide([Layer.succeed(FlowGateways, [bank]), crypto]),
    Layer.provideMerge(memory),
    Layer.provideMerge(Logger.layer([]))
  )

export const quick: FlowWorker.Settings = {
  hands: 2,
  sweepMillis: 200,
  graceMillis: 100,
  againMillis: 2000,
  idleMillis: 100
}

/** At a moment that a flow can have; around the layers, because a queue has housekeeping for every hour of a leap. */
export const inTime = <A, E, R>(test: Effect.Effect<A, E, R>) => Effect.andThen(TestClock.setTime(at), test)

/** A worker that runs for as long as the test's scope. */
export const working = Effect.forkScoped(FlowWorker.daemon(worker, quick))

export const stateOf = (id: FlowId) =>
  Effect.flatMap(FlowStore, (store) => Effect.map(store.load(id), (events) => FlowState.fold(events)))

export const statusOf = (id: FlowId) => Effect.map(stateOf(id), FlowState.status)
