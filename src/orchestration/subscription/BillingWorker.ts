/**
 * Bills what is due: renewals, ends of trials, retries, rungs of the dunning
 * ladder, cancellations, and what a process that died has left.
 *
 * Any number of processes may bill at once.
 */
import { Duration, Effect, Schema } from "effect"
import type { Due } from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository } from "../../adapters/SubscriptionRepository.ts"
import { now } from "../Clocks.ts"
import * as SubscriptionProcess from "./SubscriptionProcess.ts"

export const Report = Schema.Struct({
  /** Owed something. */
  found: Schema.Int,
  /** Could not be worked on now; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

/** So many subscriptions a query: enough to be quick, few enough that a page is no burden. */
const pageSize = 100

/** Subscriptions in progress at once: a month's first night must not starve the payments of the day. */
const concurrency = 8

/** One pass over everything that is due now. */
export const sweep = Effect.fn("BillingWorker.sweep")(function* () {
  const repository = yield* SubscriptionRepository
  const before = yield* now
  let [found, failed] = [0, 0]
  let after: Due | undefined
  while (true) {
    const page: ReadonlyArray<Due> = yield* repository.due({ before, limit: pageSize, after })
    const failures = yield* Effect.forEach(page, bill, { concurrency })
    found += page.length
    failed += failures.reduce((sum, one) => sum + one, 0)
    if (page.length < pageSize) return { found, failed } satisfies Report
    after = page.at(-1)
  }
})

/** 1 for a failure. */
const bill = ({ subscription }: Due) =>
  SubscriptionProcess.run(subscription).pipe(
    Effect.as(0),
    Effect.catch((error) => Effect.as(Effect.logError("a subscription could not be billed", error), 1))
  )

/** Sweeps now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number) {
  const pass = sweep().pipe(
    Effect.tap((report) => (report.found > 0 ? Effect.logInfo("billed subscriptions", report) : Effect.void)),
    Effect.catch((error) => Effect.logWarning("the worker could not look for subscriptions", error))
  )
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
