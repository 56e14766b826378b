/**
 * Where the audit log is kept: one chain for all processes, append-only.
 *
 * Whoever keeps it puts the entries of all that append at once into one order,
 * without gaps and without forks. What is appended is durable when it is
 * answered. A failed append may have taken effect.
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Head, Link } from "../domain/audit/AuditChain.ts"
import type { Draft } from "../domain/audit/AuditEntry.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { StorageUnavailable } from "./Storage.ts"

/** At most `limit` links, neither `after` nor `before` among them. */
export interface Page {
  readonly order: "oldestFirst" | "newestFirst"
  readonly after?: number | undefined
  readonly before?: number | undefined
  /** What was asked of this payment and what was answered, the command that made it included. */
  readonly payment?: PaymentId | undefined
  readonly limit: number
}

export class AuditLog extends Context.Service<
  AuditLog,
  {
    /** Appends them side by side, in their order, and says the sequence of the first. */
    readonly append: (drafts: readonly [Draft, ...ReadonlyArray<Draft>]) => Effect.Effect<number, StorageUnavailable>
    readonly read: (page: Page) => Effect.Effect<ReadonlyArray<Link>, StorageUnavailable>
    /** Of one moment. */
    readonly head: Effect.Effect<Head, StorageUnavailable>
  }
>()("florin/adapters/AuditLog") {}
