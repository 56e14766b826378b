/** What the owner of a service decides about its subscriptions, in one place and as data. */
import { Context } from "effect"
import * as SubscriptionBilling from "../../domain/subscription/SubscriptionBilling.ts"

export interface Settings extends SubscriptionBilling.Policy {
  /** How long a charge that is still under way is left alone before it is looked at again. */
  readonly pollMillis: number
}

export class SubscriptionPolicy extends Context.Service<SubscriptionPolicy, Settings>()(
  "florin/orchestration/subscription/SubscriptionPolicy"
) {}

/** Payments pursue their own doubts; a minute is soon enough to hear of it, and a load on nobody. */
export const defaults: Settings = { ...SubscriptionBilling.defaults, pollMillis: 60_000 }
