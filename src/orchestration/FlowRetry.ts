/**
 * An operator's retry, on record with a name.
 *
 * A handler that was given up runs again. What failed for good is asked anew,
 * as another operation with another key. What is in doubt is asked again under
 * the same key, which is safe only while the gateway still knows that key:
 * florin has stopped by itself when it does not, so whoever retries has looked.
 */
import { Effect, Result } from "effect"
import { FlowStore } from "../adapters/FlowStore.ts"
import type { FlowMoved } from "../adapters/FlowStore.ts"
import * as FlowDecision from "../domain/flow/FlowDecision.ts"
import type { FlowId } from "../domain/flow/FlowName.ts"
import * as FlowState from "../domain/flow/FlowState.ts"
import { now } from "./Clocks.ts"
import { FlowNotFound } from "./FlowProcess.ts"

/** Makes the flow due at once, and says where it stands; a worker goes on from there. */
export const retry = Effect.fn("FlowRetry.retry")(
  function* (id: FlowId, who: string) {
    const store = yield* FlowStore
    const history = yield* store.load(id)
    if (history.length === 0) return yield* new FlowNotFound({ flow: id })
    const at = yield* now
    const decision = FlowDecision.decide({ _tag: "Retry", who, at }, FlowState.fold(history))
    if (Result.isFailure(decision)) return yield* decision.failure
    const [first, ...rest] = decision.success
    const state = FlowState.fold([...history, ...decision.success])
    const status = FlowState.status(state)
    if (first !== undefined) {
      yield* store.append({ id, expected: history.length, events: [first, ...rest], status, due: at })
    }
    return status
  },
  // Each loss means that somebody recorded something; twenty in a row is not a race any more.
  Effect.retry({ while: (error): error is FlowMoved => error._tag === "FlowMoved", times: 20 })
)
