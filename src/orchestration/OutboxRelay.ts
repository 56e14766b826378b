/**
 * Publishes what the outbox holds: at least once, in the order of each payment.
 *
 * Any number of relays may run; each payment's entries are with one of them at
 * a time. An entry is removed only after its publication, so a relay that dies
 * in between leaves it to be published again.
 */
import { Duration, Effect } from "effect"
import type { Envelope } from "../adapters/EventBus.ts"
import { EventBus } from "../adapters/EventBus.ts"
import type { Entry } from "../adapters/Outbox.ts"
import { Outbox } from "../adapters/Outbox.ts"
import { plus } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { RetryPolicy } from "../domain/RetryPolicy.ts"
import * as RetryPolicies from "../domain/RetryPolicy.ts"
import { newRun, now } from "./Clocks.ts"

export interface Settings {
  readonly retry: RetryPolicy
  /** How long a relay may hold what it claimed. */
  readonly leaseMillis: number
  /** Pause after there was nothing to do. */
  readonly idleMillis: number
  readonly batch: number
}

export const defaults: Settings = {
  // A subscriber that is being deployed is back within minutes: about twenty of them, then the dead letters.
  retry: { maxAttempts: 10, baseMillis: 1000, factor: 2, capMillis: 300_000 },
  leaseMillis: 30_000,
  // A fifth of a second is below what a reader of events notices.
  idleMillis: 200,
  batch: 100
}

/** Payments whose events are published at the same time; within one they wait for each other. */
const concurrency = 8

/** Publishes one batch, and says how many entries it held. */
export const pass = Effect.fn("OutboxRelay.pass")(function* (settings: Settings, owner: RunId) {
  const outbox = yield* Outbox
  const at = yield* now
  const entries = yield* outbox.claim({ owner, now: at, until: plus(at, settings.leaseMillis), limit: settings.batch })
  const byPayment = Map.groupBy(entries, ({ envelope }) => envelope.payment)
  yield* Effect.forEach(byPayment.values(), (queue) => publish(queue, settings, owner), { concurrency, discard: true })
  return entries.length
})

/** Publishes one payment's entries in order, and stops at the first that fails: what comes later has to wait. */
const publish = Effect.fnUntraced(function* (queue: ReadonlyArray<Entry>, settings: Settings, owner: RunId) {
  const outbox = yield* Outbox
  const bus = yield* EventBus
  const done: Array<Envelope["id"]> = []
  for (const { envelope, failures } of queue) {
    const published = yield* Effect.result(bus.publish(envelope))
    if (published._tag === "Success") {
      done.push(envelope.id)
      continue
    }
    if (done.length > 0) yield* outbox.published(owner, done.splice(0))
    const at = yield* now
    const error = published.failure
    const verdict = RetryPolicies.decide(settings.retry, { retryable: true }, failures + 1)
    if (verdict._tag === "Wait") {
      yield* Effect.logWarning("an event was not published, trying again", error)
      return yield* outbox.failed(owner, envelope.id, plus(at, verdict.millis))
    }
    yield* Effect.logError("an event goes to the dead letters", error)
    yield* outbox.bury(owner, envelope.id, `${error.message}: ${String(error.cause)}`, at)
  }
  if (done.length > 0) yield* outbox.published(owner, done)
})

/** Publishes for as long as it runs; a store that does not answer is asked again. */
export const daemon = Effect.fnUntraced(function* (settings: Settings) {
  const owner = yield* newRun
  const turn = pass(settings, owner).pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning("the outbox could not be read or written", error), 0)),
    Effect.flatMap((count) => (count === 0 ? Effect.sleep(Duration.millis(settings.idleMillis)) : Effect.void))
  )
  return yield* Effect.forever(turn)
})
