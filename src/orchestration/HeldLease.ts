/**
 * Works under a lease and keeps it: renewed at each third of its time, so that
 * two renewals may fail before it lapses. When it is lost the work is
 * interrupted, for somebody else is doing it by now.
 */
import { Duration, Effect } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { LockError } from "../adapters/Lock.ts"
import { Lock } from "../adapters/Lock.ts"
import { newRun } from "./Clocks.ts"

export const keeping =
  <E, R>(
    renew: Effect.Effect<void, E, R>,
    lease: {
      readonly millis: number
      /** A renewal that failed for now; any other failure means that the lease is lost. */
      readonly isTransient: (error: NoInfer<E>) => boolean
    }
  ) =>
  <A, E2, R2>(work: Effect.Effect<A, E2, R2>): Effect.Effect<A, E | E2, R | R2> =>
    Effect.raceFirst(
      work,
      renew.pipe(
        Effect.catchIf(lease.isTransient, (error) =>
          Effect.logWarning("a lease could not be renewed, trying again", error)
        ),
        Effect.delay(Duration.millis(Math.ceil(lease.millis / 3))),
        Effect.forever
      )
    )

/**
 * Works under a lock of that name, which the work's own run owns: fails with
 * `Held` when somebody has it, with `Lost` when somebody took it meanwhile.
 */
export const locked =
  (name: string, ttlMillis: number) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockError, R | Lock | SecureRandom.SecureRandom> =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const owner = yield* newRun
      return yield* Effect.acquireUseRelease(
        lock.acquire(name, owner, ttlMillis),
        (lease) =>
          keeping(lock.extend(lease, ttlMillis), {
            millis: ttlMillis,
            isTransient: ({ reason }) => reason._tag === "StorageUnavailable"
          })(work),
        (lease) => Effect.ignore(lock.release(lease))
      )
    })
