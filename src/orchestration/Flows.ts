/**
 * The flows of a process: dispatching them, and driving those that are kept.
 *
 * Errors of dispatching are `DispatchError`. A process in which flows are not
 * configured has the layer that says so, to whoever dispatches one.
 */
import { Context, Effect, Layer, Option, Result, Schema } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import type { CircuitBreaker } from "effect/persistence"
import { FlowGateways } from "../adapters/FlowGateway.ts"
import { FlowQueue } from "../adapters/FlowQueue.ts"
import { FlowStore } from "../adapters/FlowStore.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import * as CardNumber from "../domain/CardNumber.ts"
import type { Order } from "../domain/flow/FlowEvent.ts"
import type { FlowId } from "../domain/flow/FlowName.ts"
import { ContextId, dispatched, identity, idOf, WorkerName } from "../domain/flow/FlowName.ts"
import * as Idempotency from "../domain/Idempotency.ts"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import { sha256 } from "./AuditVerification.ts"
import { newRun, now } from "./Clocks.ts"
import type { DispatchOptions, Flow } from "./Flow.ts"
import * as FlowCall from "./FlowCall.ts"
import type { Dispatched } from "./FlowDispatch.ts"
import { DispatchError, InvalidRequest, KeyConflict, NotConfigured, UnknownFlow } from "./FlowDispatch.ts"
import type { FlowPolicy } from "./FlowPolicy.ts"
import * as FlowPolicies from "./FlowPolicy.ts"
import * as FlowProcess from "./FlowProcess.ts"
import * as SchemaProblems from "./SchemaProblems.ts"

export class Flows extends Context.Service<
  Flows,
  {
    readonly dispatch: <Request, R>(
      flow: Flow<Request, R>,
      request: Request,
      options: DispatchOptions
    ) => Effect.Effect<Dispatched, DispatchError>
    /** Does what a flow owes now, and says when it owes more. */
    readonly run: (
      id: FlowId
    ) => Effect.Effect<FlowProcess.Ended, FlowProcess.FlowNotFound | FlowProcess.FlowNotKnownHere | StorageUnavailable>
  }
>()("florin/orchestration/Flows") {}

/** For a process without a gateway that performs flows: nothing is stored, and nothing is sent. */
export const layerNotConfigured = (detail: string): Layer.Layer<Flows> =>
  Layer.succeed(Flows, {
    dispatch: (flow) => Effect.fail(new DispatchError({ name: flow.name, reason: new NotConfigured({ detail }) })),
    run: (id) => Effect.fail(new FlowProcess.FlowNotFound({ flow: id }))
  })

/** These flows, performed by the gateways that there are. `R` is what their handlers need. */
export const layer = <R = never>(
  flows: ReadonlyArray<Flow<never, R>>,
  policy: FlowPolicy = FlowPolicies.defaults
): Layer.Layer<
  Flows,
  never,
  | FlowStore
  | FlowQueue
  | FlowGateways
  | CircuitBreaker.CircuitBreakerStore
  | SecureRandom.SecureRandom
  | Digest.Digest
  | R
> =>
  Layer.effect(
    Flows,
    Effect.gen(function* () {
      const context = yield* Effect.context<FlowStore | FlowQueue | SecureRandom.SecureRandom | Digest.Digest | R>()
      const gateways = yield* FlowGateways
      const machine: FlowProcess.Machine<R> = {
        flows: new Map(flows.map((flow) => [flow.name, flow])),
        gateways: new Map(gateways.flatMap((gateway) => [...gateway.flows].map((name) => [name, gateway]))),
        policy,
        perform: yield* FlowCall.make(policy.call),
        dispatch: (flow, request, options) =>
          Effect.provideContext(dispatching(machine, flow, request, options), context)
      }
      return Flows.of({
        dispatch: machine.dispatch,
        run: (id) =>
          Effect.flatMap(newRun, (by) => FlowProcess.run(machine, id, by)).pipe(Effect.provideContext(context))
      })
    })
  )

// --- Dispatching ------------------------------------------------------------

const dispatching = Effect.fn("Flows.dispatch")(function* <Request, Needs, R>(
  machine: FlowProcess.Machine<Needs>,
  flow: Flow<Request, R>,
  request: Request,
  options: DispatchOptions
): Effect.fn.Return<Dispatched, DispatchError, FlowStore | FlowQueue | SecureRandom.SecureRandom | Digest.Digest> {
  const store = yield* FlowStore
  const { name } = flow
  const refuse = (reason: DispatchError["reason"]) => new DispatchError({ name, reason })

  if (!machine.flows.has(name)) return yield* refuse(new UnknownFlow({ known: [...machine.flows.keys()] }))
  if (!machine.gateways.has(name)) {
    return yield* refuse(new NotConfigured({ detail: `no gateway performs ${name}` }))
  }
  const encoded = yield* Effect.fromResult(Result.mapError(encode(flow, request), refuse))
  const { context, key, worker } = yield* Effect.fromResult(Result.mapError(decodeOptions(options), refuse))
  const chosen = Option.fromUndefinedOr(key)
  const itsKey = Option.isSome(chosen) ? chosen.value : IdempotencyKey.make(yield* randomKey)
  const id = idOf(yield* sha256(identity(name, itsKey)))
  const order: Order = {
    id,
    name,
    worker,
    context: context ?? ContextId.make(id),
    key: itsKey,
    request: encoded
  }

  const fingerprint = Idempotency.fingerprint({ request: encoded, context: order.context })
  const at = yield* now
  const { existing } = yield* Effect.mapError(store.create({ order, fingerprint, at }), refuse)
  if (existing !== undefined && existing !== fingerprint) {
    const field = Idempotency.difference(existing, fingerprint)
    return yield* refuse(new KeyConflict({ key: itsKey, flow: id, field }))
  }
  yield* wake(order)
  return { _tag: "Dispatched", flowId: id, status: dispatched(name) }
})

const randomKey = Effect.flatMap(SecureRandom.SecureRandom, (random) => random.ulid)

/** The request as it is stored; what looks like a card number is refused before it is (R10). */
const encode = <Request, R>(flow: Flow<Request, R>, request: Request): Result.Result<Schema.Json, InvalidRequest> =>
  Result.flatMap(flow.encode(request), (encoded) => {
    const path = CardNumber.find(encoded)
    if (path === undefined) return Result.succeed(encoded)
    const problem = "Expected no card number: a gateway's token stands for it"
    return Result.fail(new InvalidRequest({ problems: [{ field: path.join("."), problem }] }))
  })

const Options = Schema.Struct({
  worker: WorkerName,
  context: Schema.optional(ContextId),
  key: Schema.optional(IdempotencyKey)
})

const decodeOptions = (options: DispatchOptions) =>
  Result.mapError(
    Schema.decodeUnknownResult(Options)(options),
    ({ issue }) => new InvalidRequest({ problems: SchemaProblems.of(issue, options, "options") })
  )

/** It is stored, so it is dispatched: what the queue does not hear of is found by being due. */
const wake = Effect.fnUntraced(function* ({ id, worker }: Order) {
  const queue = yield* FlowQueue
  yield* Effect.catch(queue.offer({ id: `${id}/1`, worker, flow: id, delayMillis: 0 }), (error) =>
    Effect.logWarning("a flow was not put into the queue; being due, it will be found", error)
  )
})
