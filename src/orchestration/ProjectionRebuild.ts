/**
 * Drops the read model and writes it again from the events (R8).
 *
 * Payments go on meanwhile: whatever is appended writes its own view, and the
 * rebuild never replaces a later view by an earlier one. Until it is done, a
 * payment may be missing from lists; its stream is never touched.
 */
import { Effect, Result, Schema } from "effect"
import type { Stream } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { locked } from "./HeldLease.ts"

export const Report = Schema.Struct({
  payments: Schema.Int,
  events: Schema.Int,
  /** Streams that cannot be read, and why: they have no view until somebody mends them. */
  broken: Schema.Array(Schema.Struct({ payment: PaymentId, error: Schema.String }))
})
export type Report = typeof Report.Type

/** So many streams at a time: memory stays the same however many there are. */
const pageSize = 500

/** Long enough for a page on a slow disk, three times over. */
const lockMillis = 30_000

/** Two rebuilds at once would drop each other's rows; the second is told that the first is at it (`Held`). */
export const rebuild = (onProgress: (report: Report) => Effect.Effect<void> = () => Effect.void) =>
  locked("projection-rebuild", lockMillis)(dropAndWrite(onProgress))

const dropAndWrite = Effect.fn("ProjectionRebuild.rebuild")(function* (
  onProgress: (report: Report) => Effect.Effect<void>
) {
  const repository = yield* PaymentRepository
  yield* repository.dropViews
  let report: Report = { payments: 0, events: 0, broken: [] }
  let page = yield* repository.histories({ limit: pageSize })
  while (true) {
    const isLast = page.length < pageSize
    const after = page.at(-1)?.payment
    // The store reads the next page while this one is folded and written.
    const [next, { broken, views }] = yield* Effect.all(
      [isLast ? Effect.succeed([]) : repository.histories({ limit: pageSize, after }), write(page)],
      { concurrency: 2 }
    )
    report = {
      payments: report.payments + views.length,
      events: report.events + views.reduce((sum, { version }) => sum + version, 0),
      broken: [...report.broken, ...broken]
    }
    yield* onProgress(report)
    if (isLast) return report
    page = next
  }
})

type Page = Effect.Success<ReturnType<PaymentRepository["Service"]["histories"]>>

/** Folds a page of streams and writes their views; those that cannot be read have none. */
const write = Effect.fnUntraced(function* (page: Page) {
  const repository = yield* PaymentRepository
  const projected = page.map(({ payment, stream }) => ({ payment, view: Result.flatMap(stream, project) }))
  const views = projected.flatMap(({ view }) => (Result.isSuccess(view) ? [view.success] : []))
  yield* repository.putViews(views)
  const broken = projected.flatMap(({ payment, view }) =>
    Result.isFailure(view) ? [{ payment, error: view.failure.message }] : []
  )
  return { views, broken }
})

/** A history that cannot be folded is broken like one that cannot be read; the others have their views. */
const project = ({ history }: Stream) =>
  Result.try({
    try: () => PaymentDraft.view(PaymentDraft.of(history))!,
    catch: (cause) => new Error(String(cause))
  })
