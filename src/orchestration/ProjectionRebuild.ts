/**
 * Drops the read model and writes it again from the events (R8).
 *
 * Payments go on meanwhile: whatever is appended writes its own view, and the
 * rebuild never replaces a later view by an earlier one. Until it is done, a
 * payment may be missing from lists; its stream is never touched.
 */
import { Effect, Option, Result, Schema, Stream } from "effect"
import type { Stream as PaymentStream } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
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

/** The store reads one page and writes another while a third is folded here: each waits for the slowest only. */
const inFlight = 2

const dropAndWrite = Effect.fn("ProjectionRebuild.rebuild")(function* (
  onProgress: (report: Report) => Effect.Effect<void>
) {
  const repository = yield* PaymentRepository
  yield* repository.dropViews
  return yield* pages(repository).pipe(
    Stream.map(fold),
    Stream.mapEffect((folded) => Effect.as(repository.putViews(folded.views), folded), { concurrency: inFlight }),
    Stream.runFoldEffect(
      (): Report => ({ payments: 0, events: 0, broken: [] }),
      (before, { broken, views }) => {
        const report: Report = {
          payments: before.payments + views.length,
          events: before.events + views.reduce((sum, { version }) => sum + version, 0),
          broken: [...before.broken, ...broken]
        }
        return Effect.as(onProgress(report), report)
      }
    )
  )
})

type Page = Effect.Success<ReturnType<PaymentRepository["Service"]["histories"]>>

/** All streams there are, a page at a time, the next one read ahead. */
const pages = (repository: PaymentRepository["Service"]) =>
  Stream.paginate<PaymentId | undefined, Page, StorageUnavailable>(undefined, (after) =>
    Effect.map(repository.histories({ limit: pageSize, after }), (page) => [
      [page],
      page.length < pageSize ? Option.none() : Option.some(page.at(-1)?.payment)
    ])
  ).pipe(Stream.buffer({ capacity: 1 }))

/** The views of a page of streams; those that cannot be read have none. */
const fold = (page: Page) => {
  const projected = page.map(({ payment, stream }) => ({ payment, view: Result.flatMap(stream, project) }))
  return {
    views: projected.flatMap(({ view }) => (Result.isSuccess(view) ? [view.success] : [])),
    broken: projected.flatMap(({ payment, view }) =>
      Result.isFailure(view) ? [{ payment, error: view.failure.message }] : []
    )
  }
}

/** A history that cannot be folded is broken like one that cannot be read; the others have their views. */
const project = ({ history }: PaymentStream) =>
  Result.try({
    try: () => PaymentDraft.view(PaymentDraft.of(history))!,
    catch: (cause) => new Error(String(cause))
  })
