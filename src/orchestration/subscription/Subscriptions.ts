/**
 * Everything that can be done with subscriptions.
 *
 * A command is recorded first, then what it makes due is done. What cannot be
 * done at once, the worker does: whoever asks hears what is stored. Each
 * command but `subscribe` has a request id, so that repeating it records
 * nothing; `subscribe` has the subscription's own.
 */
import { Context, Effect, Layer, Option } from "effect"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository } from "../../adapters/SubscriptionRepository.ts"
import type { MethodToken } from "../../domain/payment/Gateway.ts"
import type { RequestId } from "../../domain/payment/PaymentEvent.ts"
import type { BillingPlan } from "../../domain/subscription/BillingPlan.ts"
import type { Coupon } from "../../domain/subscription/Coupon.ts"
import type { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { Command, Rejected } from "../../domain/subscription/SubscriptionCommand.ts"
import type { CancelWhen, Event, Terms } from "../../domain/subscription/SubscriptionEvent.ts"
import type { SubscriptionView } from "../../domain/subscription/SubscriptionView.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { Needs } from "./SubscriptionProcess.ts"
import * as SubscriptionProcess from "./SubscriptionProcess.ts"
import * as SubscriptionRecord from "./SubscriptionRecord.ts"
import { SubscriptionNotFound } from "./SubscriptionRecord.ts"

type Changed = Effect.Effect<SubscriptionView, Rejected | SubscriptionNotFound | SubscriptionRepositoryError>

export class Subscriptions extends Context.Service<
  Subscriptions,
  {
    /** Begins it, once per id, and charges the first period unless there is a trial. */
    readonly subscribe: (terms: Terms) => Changed
    /** Credits and charges the difference at once, as the policy has it. */
    readonly changePlan: (subscription: SubscriptionId, request: RequestId, plan: BillingPlan) => Changed
    /** Holds from the next period on, in place of any other. */
    readonly applyCoupon: (subscription: SubscriptionId, request: RequestId, coupon: Coupon) => Changed
    /** Where an invoice is open, the new method is tried at once. */
    readonly updateMethod: (subscription: SubscriptionId, request: RequestId, method: MethodToken) => Changed
    readonly cancel: (subscription: SubscriptionId, request: RequestId, when: CancelWhen) => Changed
    readonly pause: (subscription: SubscriptionId, request: RequestId) => Changed
    /** After a pause; or takes back a cancellation that has not taken effect. */
    readonly resume: (subscription: SubscriptionId, request: RequestId) => Changed
    readonly get: (
      subscription: SubscriptionId
    ) => Effect.Effect<SubscriptionView, SubscriptionNotFound | StorageUnavailable>
    readonly list: SubscriptionRepository["Service"]["list"]
    /** With their numbers in the merchant's books, and what became of each. */
    readonly invoices: SubscriptionRepository["Service"]["invoices"]
    /** The subscription's events, the first of version 1. */
    readonly events: (
      subscription: SubscriptionId
    ) => Effect.Effect<ReadonlyArray<Event>, SubscriptionNotFound | SubscriptionRepositoryError>
  }
>()("florin/orchestration/subscription/Subscriptions") {}

export const layer: Layer.Layer<Subscriptions, never, Needs> = Layer.effect(
  Subscriptions,
  Effect.gen(function* () {
    const repository = yield* SubscriptionRepository
    const services = yield* Effect.context<Needs>()

    const change = Effect.fn("Subscriptions.change")(function* (
      subscription: SubscriptionId,
      wish: (at: Instant) => Command
    ) {
      const { notices } = yield* SubscriptionRecord.record(subscription, wish)
      yield* SubscriptionProcess.tell(notices)
      yield* SubscriptionProcess.run(subscription).pipe(
        Effect.catch((error) => Effect.logWarning("a subscription is left to the worker", error))
      )
      return SubscriptionRecord.viewOf(yield* SubscriptionRecord.load(subscription))
    }, Effect.provideContext(services))

    return Subscriptions.of({
      subscribe: (terms) => change(terms.subscription, (at) => ({ _tag: "Subscribe", terms, at })),
      changePlan: (subscription, request, plan) =>
        change(subscription, (at) => ({ _tag: "ChangePlan", request, plan, at })),
      applyCoupon: (subscription, request, coupon) =>
        change(subscription, (at) => ({ _tag: "ApplyCoupon", request, coupon, at })),
      updateMethod: (subscription, request, method) =>
        change(subscription, (at) => ({ _tag: "UpdateMethod", request, method, at })),
      cancel: (subscription, request, when) => change(subscription, (at) => ({ _tag: "Cancel", request, when, at })),
      pause: (subscription, request) => change(subscription, (at) => ({ _tag: "Pause", request, at })),
      resume: (subscription, request) => change(subscription, (at) => ({ _tag: "Resume", request, at })),
      get: Effect.fn("Subscriptions.get")(function* (subscription) {
        const view = yield* repository.find(subscription)
        return Option.isSome(view) ? view.value : yield* new SubscriptionNotFound({ subscription })
      }),
      list: repository.list,
      invoices: repository.invoices,
      events: Effect.fn("Subscriptions.events")(function* (subscription) {
        const { history } = yield* repository.load(subscription)
        return history.length > 0 ? history : yield* new SubscriptionNotFound({ subscription })
      })
    })
  })
)
