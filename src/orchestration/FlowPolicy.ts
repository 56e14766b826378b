/** What the owner of a service decides about its flows, as data; `defaults` argues for each number. */
import type * as FlowPlan from "../domain/flow/FlowPlan.ts"
import type { CallPolicy } from "./GatewayCall.ts"
import * as GatewayCall from "./GatewayCall.ts"

export interface FlowPolicy extends Omit<FlowPlan.Policy, "keyRetentionMillis"> {
  /** How long the gateway may take, and when its breaker opens. Trying again is the plan's, so that each try is on record. */
  readonly call: Pick<CallPolicy, "timeoutMillis" | "breaker">
  /** How long a handler may take; after it, it counts as failed. */
  readonly handlerMillis: number
  /** What a worker may be silent beyond those two before another takes over. */
  readonly leaseMarginMillis: number
  /** How long a worker waits by itself for what is owed later; beyond it, the queue brings the flow back. */
  readonly lingerMillis: number
}

const second = 1000
const minute = 60 * second

export const defaults: FlowPolicy = {
  call: GatewayCall.defaultPolicy,
  // A gateway that cannot be reached for some 20 minutes is news, and nothing has happened there.
  sending: { maxAttempts: 12, baseMillis: second, factor: 2, capMillis: 5 * minute },
  // As payments: for longer than any gateway keeps its keys, so that only the key's age ends it.
  doubt: { maxAttempts: 110, baseMillis: second, factor: 2, capMillis: 15 * minute },
  // What a handler needs is back within minutes when it is being deployed.
  handling: { maxAttempts: 10, baseMillis: second, factor: 2, capMillis: 5 * minute },
  // More than the clocks of two machines differ and a call takes.
  keyMarginMillis: 10 * minute,
  // A handler writes to a database and dispatches the next flow: half a minute is for one that waits for a lock.
  handlerMillis: 30 * second,
  // A pause of a garbage collector or a disk.
  leaseMarginMillis: 15 * second,
  // What the queue rounds a delay up to; a worker's hand that waits does nothing else.
  lingerMillis: second
}
