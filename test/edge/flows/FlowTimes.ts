/** Waits and leases that a test has time for. */
import type { FlowPolicy } from "../../../src/orchestration/FlowPolicy.ts"
import * as FlowPolicies from "../../../src/orchestration/FlowPolicy.ts"
import type * as FlowWorker from "../../../src/orchestration/FlowWorker.ts"

const brief = { maxAttempts: 3, baseMillis: 10, factor: 1, capMillis: 10 }

export const policy: FlowPolicy = {
  ...FlowPolicies.defaults,
  call: { ...FlowPolicies.defaults.call, timeoutMillis: 2000 },
  sending: brief,
  doubt: brief,
  handling: brief,
  handlerMillis: 1000,
  leaseMarginMillis: 200
}

export const worker: FlowWorker.Settings = {
  hands: 2,
  sweepMillis: 50,
  graceMillis: 20,
  againMillis: 200,
  idleMillis: 10
}
