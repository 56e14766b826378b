/**
 * Drives one flow until nothing is owed now, from wherever it stands (R7).
 *
 * 1. Ask `FlowPlan.next` what is owed.
 * 2. Before the gateway is asked, that it will be is appended; its answer is
 *    appended before a handler runs (R2); that a handler runs is appended
 *    before it does, so that one that takes its worker with it is counted.
 * 3. A short wait is slept through. A long one is left to the queue, and to the
 *    flow's due moment, which is stored.
 *
 * An append that finds other events than it was decided on decides again on
 * those. Two workers on one flow ask the gateway under one key, and may run one
 * handler twice; they record one outcome.
 */
import { Cause, Duration, Effect, Exit, Result, Schema } from "effect"
import type { FlowCall, FlowGateway } from "../adapters/FlowGateway.ts"
import { FlowQueue } from "../adapters/FlowQueue.ts"
import { FlowStore } from "../adapters/FlowStore.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import * as FlowDecision from "../domain/flow/FlowDecision.ts"
import * as FlowError from "../domain/flow/FlowError.ts"
import type { Event, Order, Outcome } from "../domain/flow/FlowEvent.ts"
import { FlowId, FlowName, gatewayKey } from "../domain/flow/FlowName.ts"
import * as FlowPlan from "../domain/flow/FlowPlan.ts"
import * as FlowState from "../domain/flow/FlowState.ts"
import type { Instant } from "../domain/Instant.ts"
import { plus } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import { now } from "./Clocks.ts"
import type { Flow } from "./Flow.ts"
import * as FlowHandling from "./FlowHandling.ts"
import type { FlowPolicy } from "./FlowPolicy.ts"
import type { Flows } from "./Flows.ts"

export class FlowNotFound extends Schema.TaggedError<FlowNotFound>()("FlowNotFound", { flow: FlowId }) {
  override get message() {
    return `there is no flow ${this.flow}`
  }
}

/** This process does not know how: another one of the same worker's name may. */
export class FlowNotKnownHere extends Schema.TaggedError<FlowNotKnownHere>()("FlowNotKnownHere", {
  flow: FlowId,
  name: FlowName
}) {
  override get message() {
    return `${this.flow} is a ${this.name}, which this worker does not know`
  }
}

/** It was interrupted, and counts as failed. */
class HandlerTooSlow extends Schema.TaggedError<HandlerTooSlow>()("HandlerTooSlow", { afterMillis: Schema.Int }) {
  override get message() {
    return `it took more than ${this.afterMillis} ms`
  }
}

/** What a process needs to drive flows. */
export interface Machine<R> {
  readonly flows: ReadonlyMap<FlowName, Flow<never, R>>
  readonly gateways: ReadonlyMap<FlowName, FlowGateway>
  readonly policy: FlowPolicy
  readonly perform: (gateway: FlowGateway, call: FlowCall) => Effect.Effect<Outcome>
  readonly dispatch: Flows["Service"]["dispatch"]
}

/** `until`: nothing is owed before; absent when nothing is owed at all. */
export interface Ended {
  readonly status: FlowState.Status
  readonly until: Instant | undefined
}

export const run = Effect.fn("FlowProcess.run")(function* <R>(
  machine: Machine<R>,
  id: FlowId,
  by: RunId
): Effect.fn.Return<Ended, FlowNotFound | FlowNotKnownHere | StorageUnavailable, FlowStore | FlowQueue | R> {
  const store = yield* FlowStore
  const { lingerMillis } = machine.policy
  let history = yield* store.load(id)
  while (true) {
    const state = FlowState.fold(history)
    if (state._tag === "New") return yield* new FlowNotFound({ flow: id })
    const { order } = state
    const flow = machine.flows.get(order.name)
    if (flow === undefined) return yield* new FlowNotKnownHere({ flow: id, name: order.name })
    const at = yield* now
    const policy = policyOf(machine, order.name)
    const step = FlowPlan.next(state, at, policy)
    const record = (command: FlowDecision.Command) => recorded(id, history, command, policy)
    switch (step._tag) {
      case "Rest":
        return { status: FlowState.status(state), until: undefined }

      case "Wait":
        if (step.until - at > lingerMillis) {
          yield* hint(order, history.length, step.until, at)
          return { status: FlowState.status(state), until: step.until }
        }
        yield* Effect.sleep(Duration.millis(step.until - at))
        history = yield* store.load(id)
        break

      case "GiveUp":
      case "Escalate":
      case "Bury":
        yield* complain(order, step._tag, state)
        history = yield* record({ _tag: step._tag, at })
        break

      case "Send": {
        history = yield* record({ _tag: "BeginSending", by, until: plus(at, sendingMillis(machine.policy)), at })
        const begun = FlowState.fold(history)
        // Somebody else got ahead.
        if (begun._tag !== "Performed" || begun.holder?.by !== by) break
        const outcome = yield* performed(machine, flow, begun)
        const answered = yield* now
        history = yield* record({ _tag: "RecordOutcome", by, outcome, at: answered })
        break
      }

      case "Handle": {
        history = yield* record({ _tag: "BeginHandling", by, until: plus(at, handlingMillis(machine.policy)), at })
        const begun = FlowState.fold(history)
        if (begun._tag !== "Settled" || begun.holder?.by !== by) break
        const failure = yield* handled(machine, flow, begun)
        const ended = yield* now
        history = yield* record(
          failure === undefined
            ? { _tag: "RecordHandled", by, at: ended }
            : { _tag: "RecordHandlingFailure", by, detail: failure, at: ended }
        )
        break
      }
    }
  }
})

const sendingMillis = ({ call, leaseMarginMillis }: FlowPolicy) => call.timeoutMillis + leaseMarginMillis
const handlingMillis = ({ handlerMillis, leaseMarginMillis }: FlowPolicy) => handlerMillis + leaseMarginMillis

/** A gateway that is not configured keeps no key. What it never heard of is not in doubt, so that is no matter. */
const policyOf = <R>({ gateways, policy }: Machine<R>, name: FlowName): FlowPlan.Policy => ({
  ...policy,
  keyRetentionMillis: gateways.get(name)?.keyRetentionMillis ?? Number.MAX_SAFE_INTEGER
})

// --- Asking the gateway -----------------------------------------------------

type Performed = Extract<FlowState.State, { readonly _tag: "Performed" }>

const performed = Effect.fnUntraced(function* <R>(
  { gateways, perform }: Machine<R>,
  flow: Flow<never, R>,
  { order, round }: Performed
): Effect.fn.Return<Outcome> {
  const { id, name, request } = order
  const gateway = gateways.get(name)
  if (gateway === undefined) {
    const error: FlowError.FlowError = { _tag: "NotConfigured", detail: `no gateway here performs ${name}` }
    return { _tag: "NotSent", because: "Refused", error }
  }
  const outcome = yield* perform(gateway, { flow: id, name, key: gatewayKey(id, round), request })
  if (outcome._tag !== "Answered") return outcome
  const read = flow.read(outcome.response)
  if (Result.isSuccess(read)) return { _tag: "Answered", response: read.success }
  const body = FlowError.keptJson(outcome.response)
  return { _tag: "Failed", error: { _tag: "Undecodable", detail: FlowError.keptText(read.failure), body } }
})

// --- Handling what came of it -----------------------------------------------

type Settled = Extract<FlowState.State, { readonly _tag: "Settled" }>

/** Why the handler failed, in words without a stack; `undefined` when it did not. It is somebody else's code: nothing of it may end the worker. */
const handled = Effect.fnUntraced(function* <R>(
  { dispatch, policy }: Machine<R>,
  flow: Flow<never, R>,
  { order, result, round, tries }: Settled
): Effect.fn.Return<string | undefined, never, FlowStore | R> {
  const { handlerMillis } = policy
  const exit = yield* FlowHandling.handle(flow, { order, round, result, attempt: tries }, dispatch).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(handlerMillis),
      orElse: () => Effect.fail(new HandlerTooSlow({ afterMillis: handlerMillis }))
    }),
    Effect.exit
  )
  if (Exit.isSuccess(exit)) return undefined
  const thrown = Cause.squash(exit.cause)
  const detail = FlowError.keptText(thrown instanceof Error ? thrown.message : String(thrown))
  yield* Effect.logWarning("a handler of a flow failed", detail).pipe(about(order))
  return detail
})

// --- Recording --------------------------------------------------------------

/** Each loss of a race means that others got ahead; twenty in a row is not a race any more. */
const maxRaces = 20

/** The flow's events with what `command` adds to them, or as they are by now when it adds nothing. */
const recorded = Effect.fnUntraced(function* (
  id: FlowId,
  known: ReadonlyArray<Event>,
  command: FlowDecision.Command,
  policy: FlowPlan.Policy
): Effect.fn.Return<ReadonlyArray<Event>, StorageUnavailable, FlowStore> {
  const store = yield* FlowStore
  let history = known
  for (let race = 0; race < maxRaces; race++) {
    const decision = FlowDecision.decide(command, FlowState.fold(history))
    if (Result.isFailure(decision)) {
      if (command._tag === "RecordOutcome")
        yield* Effect.logWarning("an outcome came too late", decision.failure.message)
      return history
    }
    const [first, ...rest] = decision.success
    if (first === undefined) return history
    const events = [...history, first, ...rest]
    const state = FlowState.fold(events)
    const appended = yield* store
      .append({
        id,
        expected: history.length,
        events: [first, ...rest],
        status: FlowState.status(state),
        due: FlowPlan.due(state, command.at, policy)
      })
      .pipe(
        Effect.as(true),
        Effect.catchTag("FlowMoved", () => Effect.succeed(false))
      )
    if (appended) return events
    history = yield* store.load(id)
  }
  return history
})

/** The queue brings it back; when the queue cannot be reached, being due does. */
const hint = Effect.fnUntraced(function* ({ id, worker }: Order, version: number, until: Instant, at: Instant) {
  const queue = yield* FlowQueue
  const name = `${id}/${version}/${until}`
  yield* Effect.catch(queue.offer({ id: name, worker, flow: id, delayMillis: until - at }), (error) =>
    Effect.logWarning("a flow was not put into the queue; being due, it will be found", error)
  )
})

const complain = (order: Order, what: "GiveUp" | "Escalate" | "Bury", state: FlowState.State): Effect.Effect<void> => {
  switch (what) {
    case "GiveUp":
      return about(order)(Effect.logWarning("a flow was never sent, and is given up"))
    case "Escalate":
      return about(order)(Effect.logError("a flow stays in doubt: only the gateway's own books can tell"))
    case "Bury":
      return about(order)(
        Effect.logError(
          "a flow's handler failed too often",
          state._tag === "Settled" ? state.failed?.detail : undefined
        )
      )
  }
}

const about = ({ id, name }: Order) => Effect.annotateLogs({ flow: id, name })
