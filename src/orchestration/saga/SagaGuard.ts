/**
 * What a step, or a whole saga, has to hold while it runs: a lock, a permit of a
 * semaphore, its share of a rate, its place in an order, or the one run of a
 * period.
 *
 * A guard is entered before anything begins, so that a step whose guard is held
 * by somebody else has not begun and is not compensated; it is left when the
 * step, or the run, is over. Whoever finds it held waits its turn in a
 * background run (5 s and up to 5 s more by lot, 20 times), and is told at once
 * in one that somebody waits for.
 */
import { Cause, Effect, Exit } from "effect"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import * as StepOutcomes from "../../domain/saga/StepOutcome.ts"
import type { StepOutcome } from "../../domain/saga/StepOutcome.ts"

export interface Guard<out R> {
  /** What it is about, for whoever reads why a run waits. */
  readonly resource: string
  /** Who was let in and comes again is let in again. */
  readonly enter: (visitor: Visitor) => Effect.Effect<Entry, StorageUnavailable, R>
  /** Keeps it, for as long as that runs. */
  readonly keep?: (visitor: Visitor) => Effect.Effect<never, never, R>
  /** A repeat changes nothing. */
  readonly leave: (visitor: Visitor, succeeded: boolean) => Effect.Effect<void, never, R>
}

/** The same in every replay. */
export interface Visitor {
  readonly execution: string
  /** The step's name, or nothing for the saga as a whole. */
  readonly step: string | undefined
}

export type Entry =
  | { readonly _tag: "Entered" }
  | { readonly _tag: "Busy"; readonly retryAfterMillis?: number | undefined }
  /** There is nothing left to do: it ends here, as a success. */
  | { readonly _tag: "Done" }

/** How long a background run waits for what somebody else holds, and how often. */
export const queueing = { baseMillis: 5000, lotMillis: 5000, times: 20 } as const

/** Enters them in their order, all or none; the refusal where one does not let in. */
export const enterAll = Effect.fnUntraced(function* <R>(
  guards: ReadonlyArray<Guard<R>>,
  visitor: Visitor
): Effect.fn.Return<StepOutcome | undefined, never, R> {
  for (const [index, guard] of guards.entries()) {
    const entry = yield* Effect.exit(guard.enter(visitor))
    if (Exit.isSuccess(entry) && entry.value._tag === "Entered") continue
    yield* leaveAll(guards.slice(0, index), visitor, false)
    return Exit.isSuccess(entry) ? refusal(guard, entry.value) : unentered(entry.cause)
  }
  return undefined
})

export const leaveAll = <R>(guards: ReadonlyArray<Guard<R>>, visitor: Visitor, succeeded: boolean) =>
  Effect.forEach(guards.toReversed(), (guard) => guard.leave(visitor, succeeded), { discard: true })

export const keeping = <A, E, R>(
  guards: ReadonlyArray<Guard<R>>,
  visitor: Visitor,
  body: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const keeps = guards.flatMap(({ keep }) => (keep === undefined ? [] : [keep(visitor)]))
  return keeps.length === 0
    ? body
    : Effect.raceFirst(body, Effect.andThen(Effect.all(keeps, { concurrency: "unbounded" }), Effect.never))
}

const refusal = <R>({ resource }: Guard<R>, entry: Entry): StepOutcome => {
  if (entry._tag !== "Busy") return { _tag: "Halted", value: null, at: 0, isIdle: true }
  const { retryAfterMillis } = entry
  return { _tag: "Contended", resource, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) }
}

/** Nobody knows whether it may begin, so it has not. */
const unentered = (cause: Cause.Cause<unknown>): StepOutcome => ({
  _tag: "Failed",
  error: StepOutcomes.errorOf(Cause.squash(cause)),
  began: false
})
