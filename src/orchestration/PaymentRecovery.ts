/**
 * Goes on with what nobody goes on with: payments that owe something and whose
 * worker is gone, and payments whose wait is over.
 *
 * It is the ordinary loop, started by a timer instead of a caller (R7). Several
 * processes may sweep at once: each payment is claimed by one of them.
 */
import { Duration, Effect, Schema } from "effect"
import type { Overdue } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { newRun, now } from "./Clocks.ts"
import type { Outcome } from "./PaymentProcess.ts"
import * as PaymentProcess from "./PaymentProcess.ts"

export const Report = Schema.Struct({
  /** Owed something, and nobody had them. */
  found: Schema.Int,
  /** Came to rest. */
  resolved: Schema.Int,
  /** Owe something later. */
  waiting: Schema.Int,
  /** Wait for an operator. */
  escalated: Schema.Int,
  /** Could not be worked on now; the log says why. */
  failed: Schema.Int
})
export type Report = typeof Report.Type

const nothing: Report = { found: 0, resolved: 0, waiting: 0, escalated: 0, failed: 0 }

/** So many payments a query: enough to be quick, few enough that a page is no burden. */
const pageSize = 100

/** Payments in progress at once, so that a backlog after an outage does not starve the requests of the day. */
const concurrency = 8

/** One pass over everything that is overdue now. */
export const sweep = Effect.fn("PaymentRecovery.sweep")(function* () {
  const repository = yield* PaymentRepository
  const started = yield* now
  let report = nothing
  let after: Overdue | undefined
  while (true) {
    const page = yield* repository.overdue({ before: started, now: yield* now, limit: pageSize, after })
    const found = yield* Effect.forEach(page, ({ payment }) => resume(payment), { concurrency })
    report = found.reduce(add, report)
    if (page.length < pageSize) return report
    after = page.at(-1)
  }
})

const add = (report: Report, fate: keyof Report | "taken"): Report =>
  fate === "taken" ? report : { ...report, found: report.found + 1, [fate]: report[fate] + 1 }

const resume = Effect.fnUntraced(function* (payment: PaymentId) {
  const runner = yield* newRun
  return yield* PaymentProcess.run(payment, runner).pipe(
    Effect.map(fateOf),
    Effect.catchTags({
      PaymentNotFound: () => Effect.succeed("taken" as const),
      PaymentRepositoryError: (error) =>
        // Somebody else was quicker, with the claim or during the run.
        error.reason._tag === "Claimed" || error.reason._tag === "Fenced"
          ? Effect.succeed("taken" as const)
          : Effect.as(Effect.logError("a payment could not be recovered", error), "failed" as const)
    })
  )
})

const fateOf = ({ until, view }: Outcome): "resolved" | "waiting" | "escalated" =>
  view.escalated ? "escalated" : until === undefined ? "resolved" : "waiting"

/** Sweeps now and then every `everyMillis`, for as long as it runs; a pass that fails is logged and tried again. */
export const daemon = Effect.fnUntraced(function* (everyMillis: number) {
  const pass = sweep().pipe(
    Effect.tap((report) => (report.found > 0 ? Effect.logInfo("recovered payments", report) : Effect.void)),
    Effect.catch((error) => Effect.logWarning("recovery could not look for payments", error))
  )
  return yield* Effect.forever(Effect.andThen(pass, Effect.sleep(Duration.millis(everyMillis))))
})
