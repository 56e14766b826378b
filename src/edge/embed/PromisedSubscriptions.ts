/** Subscriptions by promises, over the HTTP API as a function. */
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import * as SubscriptionJson from "../http/SubscriptionJson.ts"
import type { Handle } from "./Asked.ts"
import { asked, queryOf } from "./Asked.ts"

/** Amounts are minor units: 1099 EUR is 10.99 euros. */
export type Subscription = SubscriptionJson.Subscription

type Key = IdempotencyKey | (string & {})
interface Keyed {
  readonly idempotencyKey?: Key
}

interface Page {
  readonly limit?: number
  readonly cursor?: string
}

/** Each rejects with one of the problems, among them `SubscriptionNotFound`, `SubscriptionRefused`, `KeyReused`. */
export interface PromisedSubscriptions {
  /** The same key is the same subscription. */
  readonly create: (
    subscription: typeof SubscriptionJson.CreateSubscription.Encoded & { readonly idempotencyKey: Key }
  ) => Promise<Subscription>
  readonly get: (id: string) => Promise<Subscription>
  readonly list: (page?: Page) => Promise<typeof SubscriptionJson.Subscriptions.Type>
  readonly invoices: (id: string, page?: Page) => Promise<typeof SubscriptionJson.Invoices.Type>
  readonly changePlan: (id: string, plan: typeof SubscriptionJson.ChangePlan.Encoded & Keyed) => Promise<Subscription>
  readonly applyCoupon: (
    id: string,
    coupon: typeof SubscriptionJson.ApplyCoupon.Encoded & Keyed
  ) => Promise<Subscription>
  readonly updateMethod: (
    id: string,
    method: typeof SubscriptionJson.UpdateMethod.Encoded & Keyed
  ) => Promise<Subscription>
  readonly cancel: (
    id: string,
    cancel?: typeof SubscriptionJson.CancelSubscription.Encoded & Keyed
  ) => Promise<Subscription>
  readonly pause: (id: string, keyed?: Keyed) => Promise<Subscription>
  readonly resume: (id: string, keyed?: Keyed) => Promise<Subscription>
}

export { SubscriptionNotFound, SubscriptionRefused, SubscriptionStopped } from "../http/Problem.ts"

export const make = (handle: Handle): PromisedSubscriptions => {
  const change =
    (what: string) =>
    (id: string, body: Keyed = {}) =>
      asked(handle, SubscriptionJson.Subscription, `${at(id)}/${what}`, { ...body })
  return {
    create: (subscription) => asked(handle, SubscriptionJson.Subscription, "/v1/subscriptions", { ...subscription }),
    get: (id) => asked(handle, SubscriptionJson.Subscription, at(id)),
    list: (page = {}) => asked(handle, SubscriptionJson.Subscriptions, `/v1/subscriptions${queryOf(page)}`),
    invoices: (id, page = {}) => asked(handle, SubscriptionJson.Invoices, `${at(id)}/invoices${queryOf(page)}`),
    changePlan: change("plan"),
    applyCoupon: change("coupon"),
    updateMethod: change("payment-method"),
    cancel: change("cancel"),
    pause: change("pause"),
    resume: change("resume")
  }
}

const at = (id: string) => `/v1/subscriptions/${encodeURIComponent(id)}`
