/**
 * Where flows are kept: their requests, what came of them, and the contexts
 * that their handlers share.
 *
 * A flow's events are the truth; its status and when it is due are written in
 * the same statement. An append is conditional on the number of events, so of
 * two workers that decided on the same state one is told to look again (R6).
 */
import { Context, Schema } from "effect"
import type { Effect, Option } from "effect"
import type { Entries } from "../domain/flow/FlowContext.ts"
import type { Event, Order } from "../domain/flow/FlowEvent.ts"
import type { ContextId, FlowId, FlowName, WorkerName } from "../domain/flow/FlowName.ts"
import type { Status } from "../domain/flow/FlowState.ts"
import type { Fingerprint } from "../domain/Idempotency.ts"
import type { Instant } from "../domain/Instant.ts"
import type { StorageUnavailable } from "./Storage.ts"

/** Somebody recorded something since: the flow has not `expected` events. */
export class FlowMoved extends Schema.TaggedError<FlowMoved>()("FlowMoved", { expected: Schema.Int }) {
  override get message() {
    return `the flow has not ${this.expected} events any more`
  }
}

export interface Creation {
  readonly order: Order
  /** Of what was asked for: another one under the same name and key is a conflict. */
  readonly fingerprint: Fingerprint
  readonly at: Instant
}

/** What a new state is, beside its events. `due`: when somebody has to look; `undefined` when nothing is owed. */
export interface Standing {
  readonly status: Status
  readonly due: Instant | undefined
}

export interface Append extends Standing {
  readonly id: FlowId
  readonly expected: number
  readonly events: readonly [Event, ...ReadonlyArray<Event>]
}

/** A flow as a list shows it. */
export interface Summary extends Standing {
  readonly id: FlowId
  readonly name: FlowName
  readonly worker: WorkerName
  readonly context: ContextId
  readonly dispatchedAt: Instant
}

export interface Filter {
  readonly status?: Status | undefined
  readonly name?: FlowName | undefined
  readonly worker?: WorkerName | undefined
}

/** A flow that is due, and how many events it has. */
export interface Due {
  readonly id: FlowId
  readonly version: number
}

/** A context as it is stored; version 0 when nothing was ever set. */
export interface StoredContext {
  readonly entries: Entries
  readonly version: number
}

export class FlowStore extends Context.Service<
  FlowStore,
  {
    /** Claims name and key and records that it is dispatched, in one step; due at once. `existing`: whose they are already. */
    readonly create: (
      creation: Creation
    ) => Effect.Effect<{ readonly existing: Fingerprint | undefined }, StorageUnavailable>
    readonly append: (append: Append) => Effect.Effect<void, FlowMoved | StorageUnavailable>
    /** Every event, in order; none when there is no such flow. */
    readonly load: (id: FlowId) => Effect.Effect<ReadonlyArray<Event>, StorageUnavailable>
    /** Flows of `worker` that are due, the longest due first. */
    readonly due: (query: {
      readonly worker: WorkerName
      readonly now: Instant
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Due>, StorageUnavailable>
    /** The newest first. */
    readonly list: (filter: Filter, limit: number) => Effect.Effect<ReadonlyArray<Summary>, StorageUnavailable>
    readonly find: (id: FlowId) => Effect.Effect<Option.Option<Summary>, StorageUnavailable>
    readonly readContext: (id: ContextId) => Effect.Effect<StoredContext, StorageUnavailable>
    /** Replaces the context that has `expected` as its version; `false` when it has another by now. */
    readonly writeContext: (
      id: ContextId,
      expected: number,
      entries: Entries
    ) => Effect.Effect<boolean, StorageUnavailable>
  }
>()("florin/adapters/FlowStore") {}
