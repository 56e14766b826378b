/**
 * Hands flows to the workers that are to look at them.
 *
 * It carries hints and nothing else: which flow, by its id. What is owed is in
 * `FlowStore`. A hint may come late, twice, or not at all; a worker that looks
 * and finds nothing to do is done, and one that never heard finds the flow due.
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { FlowId, WorkerName } from "../domain/flow/FlowName.ts"
import type { StorageUnavailable } from "./Storage.ts"

export interface Hint {
  /** A second hint of the same id is the first one. */
  readonly id: string
  readonly worker: WorkerName
  readonly flow: FlowId
  /** Not before so long from now; stores may round it up to whole seconds. */
  readonly delayMillis: number
}

export class FlowQueue extends Context.Service<
  FlowQueue,
  {
    readonly offer: (hint: Hint) => Effect.Effect<void, StorageUnavailable>
    /** Waits for a hint and runs `look`. It is done when `look` succeeds, and comes again, later, when it fails. */
    readonly take: <A, E, R>(
      worker: WorkerName,
      look: (flow: FlowId) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StorageUnavailable, R>
  }
>()("florin/adapters/FlowQueue") {}
