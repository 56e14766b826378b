/**
 * The guards of a saga as a whole: entered before its first step, kept while it
 * runs, left at its end. Entering is an attempt like a step's, so that it is
 * done once however often the run is taken up again.
 */
import { Effect, Exit } from "effect"
import type { Schema } from "effect"
import type { Ending } from "../../domain/saga/SagaPlan.ts"
import type { StepError, StepOutcome } from "../../domain/saga/StepOutcome.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import type { Guard } from "./SagaGuard.ts"
import * as SagaGuards from "./SagaGuard.ts"
import { contended, lot } from "./StepAttempts.ts"

/** Why it was not let in; nothing has run. */
export interface Refusal {
  readonly ending: Ending
  readonly failure?: { readonly error: StepError }
  readonly halted?: { readonly step: string; readonly value: Schema.Json }
}

/** The name under which the entrance is kept; no step has a "/" in its name. */
const name = "guards/enter"

export const enter = Effect.fnUntraced(function* <R>(
  driver: SagaDriver,
  guards: ReadonlyArray<Guard<R>>
): Effect.fn.Return<Refusal | undefined, never, R> {
  const visitor = { execution: driver.execution, step: undefined }
  const entering = Effect.map(
    SagaGuards.enterAll(guards, visitor),
    (refusal): StepOutcome => refusal ?? { _tag: "Skipped", value: null }
  )
  for (let waits = 0; ; waits++) {
    const outcome = yield* driver.attempt(`${name}/${waits}`, entering)
    switch (outcome._tag) {
      case "Succeeded":
      case "Skipped":
        return undefined
      case "Halted":
        return { ending: "halted", halted: { step: "", value: outcome.value } }
      case "Left":
        return { ending: "cancelled" }
      case "Failed":
      case "Stalled":
        return { ending: "failed", failure: { error: outcome.error } }
      case "Contended": {
        if (driver.contention === "fail" || waits >= SagaGuards.queueing.times) {
          return { ending: "failed", failure: { error: contended(outcome.resource) } }
        }
        if (yield* driver.isCancelled(waits > 0)) return { ending: "cancelled" }
        const { baseMillis, lotMillis } = SagaGuards.queueing
        const drawn = baseMillis + lotMillis * lot(driver.execution, `${name}/${waits}`)
        yield* driver.sleep(`${name}/${waits}/turn`, Math.max(Math.round(drawn), outcome.retryAfterMillis ?? 0))
      }
    }
  }
})

/** Runs what was let in. It is left when the run is over, and not when it is only suspended. */
export const within = <R>(
  driver: SagaDriver,
  guards: ReadonlyArray<Guard<R>>,
  run: Effect.Effect<Ending, never, R>
): Effect.Effect<Ending, never, R> => {
  if (guards.length === 0) return run
  const visitor = { execution: driver.execution, step: undefined }
  return Effect.onExit(SagaGuards.keeping(guards, visitor, run), (exit) =>
    Exit.isSuccess(exit)
      ? SagaGuards.leaveAll(guards, visitor, exit.value === "completed" || exit.value === "halted")
      : Effect.void
  )
}
