/** What every SQL adapter shares: how its errors and its moments cross the boundary. */
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import { Instant } from "../../domain/Instant.ts"

/** The statement itself is wrong: a bug, which no repetition heals. */
const isBug = ({ reason }: SqlError): boolean =>
  reason._tag === "SqlSyntaxError" || reason._tag === "ConstraintError" || reason._tag === "UniqueViolation"

/** Everything else than a bug means that the database could not answer, and may have done what it was asked. */
export const unavailable =
  (operation: string) =>
  <A, R>(effect: Effect.Effect<A, SqlError, R>): Effect.Effect<A, StorageUnavailable, R> =>
    Effect.catchTag(effect, "SqlError", (cause) =>
      isBug(cause) ? Effect.die(cause) : Effect.fail(new StorageUnavailable({ operation, cause }))
    )

// @effect-diagnostics globalDate:off
/** As a `timestamptz` parameter: the driver speaks `Date`. */
export const toTimestamp = (at: Instant): Date => new Date(at)

export const fromTimestamp = (date: Date): Instant => Instant.make(date.getTime())
