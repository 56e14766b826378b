/**
 * Hands a ledger's events to handlers, each by its name: every event at least
 * once, in the order of the journal, from where that handler was left.
 *
 *     journal after position -> handle -> position
 *                                  \-> again, by schedule -> dead letter and position
 *
 * 1. A handler runs in one process at a time, under a lock; whoever takes it
 *    over goes on at the stored position.
 * 2. Positions are stored after the handling, some events at a time: a death in
 *    between hands those events over again.
 * 3. A failure is tried again by the policy's schedule, and what follows waits
 *    for it. After the last try the event goes to the dead letters, and the next
 *    one is handled.
 * 4. A dead letter that an operator has put back is handled between two passes,
 *    with all its tries anew, and is gone or dead again.
 *
 * Handlers do not wait for each other.
 */
import { Duration, Effect, Schedule, Stream } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../domain/ledger/PackedEvents.ts"
import type { RetryPolicy } from "../domain/RetryPolicy.ts"
import { LedgerJournal } from "../adapters/LedgerJournal.ts"
import type { DeadLetter, Subscription } from "../adapters/LedgerSubscriptions.ts"
import { LedgerSubscriptions } from "../adapters/LedgerSubscriptions.ts"
import { now } from "./Clocks.ts"
import * as HeldLease from "./HeldLease.ts"

/** An event as a handler gets it; `ledger` and `sequence` are the same however often it comes. */
export interface Recorded {
  readonly ledger: string
  readonly sequence: number
  readonly at: Instant
  readonly event: LedgerEvent
}

export type Handler = (recorded: Recorded) => Effect.Effect<void, unknown>

export interface Settings {
  readonly retry: RetryPolicy
  /** How many events may be handed over again after a death. */
  readonly saveEvery: number
  /** Pause after there was nothing to do. */
  readonly idleMillis: number
  /** How long a process may hold a handler without a word. */
  readonly leaseMillis: number
}

export const defaults: Settings = {
  // What payments' subscribers have: a handler that is being deployed is back within some twenty minutes.
  retry: { maxAttempts: 10, baseMillis: 1000, factor: 2, capMillis: 300_000 },
  // A statement for each hundred events costs a hundredth of one for each.
  saveEvery: 100,
  idleMillis: 200,
  leaseMillis: 30_000
}

/** The policy as Effect's schedule: how long to wait before each try but the first. */
export const scheduleOf = ({ baseMillis, capMillis, factor, maxAttempts }: RetryPolicy) =>
  Schedule.exponential(Duration.millis(baseMillis), factor).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.millis(capMillis)))),
    Schedule.upTo({ times: maxAttempts - 1 })
  )

/** Deals with what was put back and with all that the journal holds beyond the position; answers how much that was. */
export const pass = Effect.fn("LedgerHandlers.pass")(function* (
  subscription: Subscription,
  handler: Handler,
  settings: Settings
) {
  const journal = yield* LedgerJournal
  const subscriptions = yield* LedgerSubscriptions
  const { ledger } = subscription
  const attempt = (recorded: Recorded) =>
    Effect.suspend(() => handler(recorded)).pipe(
      Effect.catchDefect((defect) => Effect.fail(defect)),
      Effect.tapError((error) => Effect.logWarning("an event of the ledger was not handled", subscription, error)),
      Effect.retry(scheduleOf(settings.retry)),
      Effect.result
    )

  const bury = (recorded: Recorded, error: unknown, failuresBefore: number) =>
    Effect.gen(function* () {
      const { at: recordedAt, event, sequence } = recorded
      const failures = failuresBefore + settings.retry.maxAttempts
      const letter = { ...subscription, sequence, event, recordedAt, failures, error: plain(error), at: yield* now }
      yield* Effect.logError("an event of the ledger goes to the dead letters", { ...subscription, sequence })
      yield* subscriptions.bury(letter)
    })

  const letters = yield* subscriptions.returned(subscription, settings.saveEvery)
  for (const letter of letters) {
    const recorded = recordedOf(letter)
    const handled = yield* attempt(recorded)
    if (handled._tag === "Success") yield* subscriptions.settle(letter)
    else yield* bury(recorded, handled.failure, letter.failures)
  }

  const start = yield* subscriptions.position(subscription)
  let [saved, done] = [start, start]
  const save = Effect.suspend(() => {
    if (done === saved) return Effect.void
    saved = done
    return subscriptions.advance(subscription, done)
  })
  yield* Stream.runForEach(
    journal.read({ after: start }),
    ({ at, events, first, line }) =>
      Effect.gen(function* () {
        for (const [index, { event }] of PackedEvents.unpack(events, line).entries()) {
          const sequence = first + index
          if (sequence <= done) continue
          const recorded = { ledger, sequence, at, event }
          const handled = yield* attempt(recorded)
          done = sequence
          if (handled._tag === "Failure") {
            yield* bury(recorded, handled.failure, 0)
            saved = done
          } else if (done - saved >= settings.saveEvery) yield* save
        }
      })
    // Who is interrupted, or cannot read on, need not hand over again what is handled.
  ).pipe(Effect.onError(() => Effect.ignore(save)))
  yield* save
  return letters.length + done - start
})

/** Handles for as long as it runs; stores that do not answer are asked again. */
export const daemon = (subscription: Subscription, handler: Handler, settings: Settings = defaults) => {
  const pause = Effect.sleep(Duration.millis(settings.idleMillis))
  const working = pass(subscription, handler, settings).pipe(
    Effect.flatMap((count) => (count === 0 ? pause : Effect.void)),
    Effect.forever
  )
  return working.pipe(
    HeldLease.locked(`ledger-handler/${subscription.ledger}/${subscription.handler}`, settings.leaseMillis),
    Effect.catch((error) =>
      error._tag === "LockError" && error.reason._tag === "Held"
        ? pause
        : Effect.andThen(Effect.logWarning("a handler of the ledger could not go on", subscription, error), pause)
    ),
    Effect.forever
  )
}

const recordedOf = ({ event, ledger, recordedAt, sequence }: DeadLetter): Recorded => ({
  ledger,
  sequence,
  at: recordedAt,
  event
})

/** Longer says no more to an operator; the log has it all. */
const maxErrorLength = 500

const plain = (error: unknown): string =>
  told(error)
    .slice(0, maxErrorLength)
    .replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "?")

/** What an error was caused by says more than that there was one. */
const told = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? `${error.name}: ${error.message}` : told(error.cause)
}
