/**
 * Works under a lease and keeps it: renewed at each third of its time, so that
 * two renewals may fail before it lapses. When it is lost the work is
 * interrupted, for somebody else is doing it by now.
 */
import { Duration, Effect } from "effect"

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
