/**
 * The adapters of sagas behind a process's boundary, as `Boundaries` has those
 * of payments: every call is a crossing, and each adapter fails in its own words.
 */
import { Effect, Layer } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import { InDoubt, Notifier, NotifierError } from "../../adapters/Notifier.ts"
import type { SagaRuns } from "../../adapters/SagaRuns.ts"
import { StockRepository, StockRepositoryError, StockVersionConflict } from "../../adapters/StockRepository.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import {
  SubscriptionRepository,
  SubscriptionRepositoryError,
  VersionConflict
} from "../../adapters/SubscriptionRepository.ts"
import { Supplier, SupplierError, SupplierInDoubt } from "../../adapters/Supplier.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import type { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { Process } from "../Process.ts"

const unavailable = (operation: string) => new StorageUnavailable({ operation, cause: "the connection is gone" })

/** The calls that a run of its own makes. Whoever waits for one looks without crossing, or looks would be most of all. */
export const sagaRuns = (process: Process, inner: SagaRuns["Service"]): SagaRuns["Service"] => {
  const stored = <A>(operation: string, effect: Effect.Effect<A, StorageUnavailable>) =>
    process.cross(`SagaRuns.${operation}`, effect, () => unavailable(operation))
  return {
    ...inner,
    begin: (run) => stored("begin", inner.begin(run)),
    settle: (settlement) => stored("settle", inner.settle(settlement)),
    answer: (...of) => stored("answer", inner.answer(...of)),
    running: stored("running", inner.running),
    open: (question) => stored("open", inner.open(question)),
    close: (question, wake) => stored("close", inner.close(question, wake)),
    said: stored("said", inner.said)
  }
}

/** A customer's letter box, which `sent` is. */
export const notifier = (process: Process, sent: Array<Notice>): Layer.Layer<Notifier> =>
  Layer.succeed(Notifier, {
    notify: (notice) =>
      process.cross(
        "Notifier.notify",
        Effect.sync(() => void sent.push(notice)),
        () =>
          new NotifierError({
            notice: notice.id,
            notifier: "letter box",
            reason: new InDoubt({ detail: "the connection is gone" })
          })
      )
  })

export const stock = (process: Process, inner: StockRepository["Service"]): Layer.Layer<StockRepository> => {
  const ofOne = <A>(operation: string, id: StockId, effect: Effect.Effect<A, StockRepositoryError>, expected = 0) =>
    process.cross(`StockRepository.${operation}`, effect, (how) => {
      const reason = how === "Fail" ? unavailable(operation) : new StockVersionConflict({ expected })
      return new StockRepositoryError({ stock: id, reason })
    })
  return Layer.succeed(StockRepository, {
    ...inner,
    load: (id, about) => ofOne("load", id, inner.load(id, about)),
    append: (append) => ofOne("append", append.id, inner.append(append), append.expected)
  })
}

export const supplier = (process: Process, inner: Supplier["Service"]): Layer.Layer<Supplier> => {
  const asked = <A>(operation: string, about: string, effect: Effect.Effect<A, SupplierError>) =>
    process.cross(`Supplier.${operation}`, effect, () => new SupplierError({ about, reason: new SupplierInDoubt() }))
  return Layer.succeed(Supplier, {
    quote: (product) => asked("quote", product, inner.quote(product)),
    place: (order) => asked("place", order.order, inner.place(order)),
    cancel: (order) => asked("cancel", order, inner.cancel(order)),
    status: (order) => asked("status", order, inner.status(order))
  })
}

export const subscriptions = (
  process: Process,
  inner: SubscriptionRepository["Service"]
): Layer.Layer<SubscriptionRepository> => {
  const ofOne = <A>(
    operation: string,
    subscription: SubscriptionId,
    effect: Effect.Effect<A, SubscriptionRepositoryError>,
    expected = 0
  ) =>
    process.cross(`SubscriptionRepository.${operation}`, effect, (how) => {
      const reason = how === "Fail" ? unavailable(operation) : new VersionConflict({ expected })
      return new SubscriptionRepositoryError({ subscription, reason })
    })
  return Layer.succeed(SubscriptionRepository, {
    ...inner,
    load: (subscription) => ofOne("load", subscription, inner.load(subscription)),
    append: (append) => ofOne("append", append.subscription, inner.append(append), append.expected)
  })
}
