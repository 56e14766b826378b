/** What a handler is given: the context of its chain, and the way to the next flow. */
import { Effect } from "effect"
import { FlowStore } from "../adapters/FlowStore.ts"
import * as FlowContext from "../domain/flow/FlowContext.ts"
import * as FlowError from "../domain/flow/FlowError.ts"
import type { Order } from "../domain/flow/FlowEvent.ts"
import type { ContextId } from "../domain/flow/FlowName.ts"
import { errorFlow, responseFlow } from "../domain/flow/FlowName.ts"
import type { Result } from "../domain/flow/FlowState.ts"
import type { Flow, HandlerContext, Handling } from "./Flow.ts"
import type { Flows } from "./Flows.ts"

/** What a handler of a settled flow is for. */
export interface Task {
  readonly order: Order
  readonly round: number
  readonly result: Result
  readonly attempt: number
}

/** Runs the flow's handler for what came of it. */
export const handle = <R>(
  flow: Flow<never, R>,
  task: Task,
  dispatch: Flows["Service"]["dispatch"]
): Effect.Effect<unknown, unknown, R | FlowStore> =>
  Effect.flatMap(FlowStore, (store) => {
    const { order, result } = task
    const handling = handlingOf(task, contextOf(store, order.context), dispatch)
    if (result._tag === "Answered") return flow.onResponse(result.response, handling)
    const { error } = result
    const failure = { error, inDoubt: result._tag === "InDoubt", advice: FlowError.advice(error) }
    return flow.onError(failure, handling)
  })

const handlingOf = (
  { attempt, order, result, round }: Task,
  context: HandlerContext,
  dispatch: Flows["Service"]["dispatch"]
): Handling => ({
  flowId: order.id,
  name: result._tag === "Answered" ? responseFlow(order.name) : errorFlow(order.name),
  attempt,
  context,
  dispatch: (next, request, { as, worker = order.worker } = {}) => {
    // The same for every run of this handler, and another for its flow's other handler and for a later round.
    const key = [order.id, round, result._tag === "Answered" ? "response" : "error", next.name, as ?? ""].join("/")
    return dispatch(next, request, { worker, context: order.context, key })
  }
})

/** Each loss of a race means that another handler got ahead; a hundred in a row is not a race any more. */
const maxRaces = 100

const contextOf = (store: FlowStore["Service"], id: ContextId): HandlerContext => {
  const entries = Effect.map(store.readContext(id), (stored) => stored.entries)
  const set = Effect.fnUntraced(function* (key: string, value: Parameters<HandlerContext["set"]>[1]) {
    for (let race = 0; race < maxRaces; race++) {
      const stored = yield* store.readContext(id)
      const changed = yield* Effect.fromResult(FlowContext.set(stored.entries, key, value))
      if (yield* store.writeContext(id, stored.version, changed)) return
    }
    return yield* Effect.die(`the context ${id} was written by others ${maxRaces} times in a row`)
  })
  return { id, entries, get: (key) => Effect.map(entries, (all) => FlowContext.get(all, key)), set }
}
