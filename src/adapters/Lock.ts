/**
 * A lease on a name.
 *
 * The owner is one request or run, never the process: two requests of one
 * process exclude each other too. Every acquisition gets a fencing token larger
 * than all before it for that name, so that whatever the lock guards can refuse
 * a holder that stalled. A lock only saves work; no invariant rests on it (R6).
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import { Instant } from "../domain/Instant.ts"
import { RunId } from "../domain/payment/Operation.ts"
import { StorageUnavailable } from "./Storage.ts"

/** Somebody else has it until then. */
export class Held extends Schema.TaggedError<Held>()("Held", { until: Instant }) {}

/** It lapsed and may have been taken since. */
export class Lost extends Schema.TaggedError<Lost>()("Lost", {}) {}

export class LockError extends Schema.TaggedError<LockError>()("LockError", {
  name: Schema.String,
  owner: RunId,
  reason: Schema.Union([Held, Lost, StorageUnavailable])
}) {
  override get message() {
    return `lock ${this.name} for ${this.owner}: ${this.reason._tag}`
  }
}

export interface Lease {
  readonly name: string
  readonly owner: RunId
  readonly token: number
}

export class Lock extends Context.Service<
  Lock,
  {
    /** Takes the lock until `now + ttlMillis`, unless somebody else's lease still holds. */
    readonly acquire: (name: string, owner: RunId, ttlMillis: number) => Effect.Effect<Lease, LockError>
    /** Holds it for `ttlMillis` more; `Lost` when it lapsed and somebody took it. */
    readonly extend: (lease: Lease, ttlMillis: number) => Effect.Effect<void, LockError>
    /** Gives it back; a lease that is lost already is left alone. */
    readonly release: (lease: Lease) => Effect.Effect<void, LockError>
  }
>()("florin/adapters/Lock") {}
