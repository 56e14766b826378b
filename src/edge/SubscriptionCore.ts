/** Subscriptions over any stores and payments, with the worker that bills what is due. */
import { Effect, Layer } from "effect"
import * as BillingWorker from "../orchestration/subscription/BillingWorker.ts"
import type { Settings } from "../orchestration/subscription/SubscriptionPolicy.ts"
import * as SubscriptionPolicy from "../orchestration/subscription/SubscriptionPolicy.ts"
import type { Needs } from "../orchestration/subscription/SubscriptionProcess.ts"
import * as Subscriptions from "../orchestration/subscription/Subscriptions.ts"

export interface Options {
  /** How often subscriptions that owe something are looked for. */
  readonly billingMillis: number
  /** Proration, dunning and grace; florin's own when absent. */
  readonly policy?: Settings | undefined
}

/** Within the minute: a renewal is not waited for. */
export const defaults: Options = { billingMillis: 15_000 }

export const layer = ({
  billingMillis,
  policy = SubscriptionPolicy.defaults
}: Options): Layer.Layer<Subscriptions.Subscriptions, never, Exclude<Needs, SubscriptionPolicy.SubscriptionPolicy>> =>
  Layer.effectDiscard(Effect.forkScoped(BillingWorker.daemon(billingMillis))).pipe(
    Layer.provideMerge(Subscriptions.layer),
    Layer.provide(Layer.succeed(SubscriptionPolicy.SubscriptionPolicy, policy))
  )
