/**
 * What is asked of a flow once, and what can happen to it: the stored format,
 * which changes only by adding.
 */
import { Schema } from "effect"
import { IdempotencyKey } from "../Idempotency.ts"
import { Instant } from "../Instant.ts"
import { DoubtReason, NotSentReason, RetryAfter } from "../payment/Gateway.ts"
import { RunId } from "../payment/Operation.ts"
import { FlowError } from "./FlowError.ts"
import { ContextId, FlowId, FlowName, WorkerName } from "./FlowName.ts"

/** What never changes. */
export const Order = Schema.Struct({
  id: FlowId,
  name: FlowName,
  worker: WorkerName,
  context: ContextId,
  key: IdempotencyKey,
  request: Schema.Json
})
export type Order = typeof Order.Type

/** What a call to the gateway came to (R1). */
export const Outcome = Schema.TaggedUnion({
  Answered: { response: Schema.Json },
  /** Definite: the gateway did not do it, or did it and nobody can read what it says. */
  Failed: { error: FlowError },
  /** Proof that it took no effect. */
  NotSent: { because: NotSentReason, error: FlowError, retryAfterMillis: Schema.optionalKey(RetryAfter) },
  /** It may have taken effect. `settled`: the gateway will say the same however often it is asked. */
  InDoubt: { because: DoubtReason, error: FlowError, settled: Schema.Boolean }
})
export type Outcome = typeof Outcome.Type

export const Event = Schema.TaggedUnion({
  Dispatched: { order: Order, at: Instant },
  /** The intent, before the gateway hears of it; until then nobody else asks. */
  SendingBegun: { by: RunId, until: Instant, at: Instant },
  OutcomeRecorded: { by: RunId, outcome: Outcome, at: Instant },
  /** Proven not sent too often: failed, which is definite. */
  GivenUp: { at: Instant },
  /** Asking again cannot help any more, and nobody knows. */
  Escalated: { at: Instant },
  HandlingBegun: { by: RunId, until: Instant, at: Instant },
  HandlingFailed: { by: RunId, detail: Schema.String, at: Instant },
  Handled: { by: RunId, at: Instant },
  /** Its handler failed too often. */
  Buried: { at: Instant },
  /** An operator wants it tried once more. */
  Retried: { who: Schema.String, at: Instant }
})
export type Event = typeof Event.Type
