/** Subscriptions and their invoices, as a group of the HTTP API. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { described, key, keyed } from "./ApiWords.ts"
import * as Problem from "./Problem.ts"
import * as SubscriptionJson from "./SubscriptionJson.ts"

const params = { id: Schema.String.annotate({ description: "A subscription's id" }) }

const changing = [
  Problem.SubscriptionNotFound,
  Problem.SubscriptionRefused,
  Problem.SubscriptionStopped,
  Problem.Unavailable
] as const

const reading = [Problem.SubscriptionNotFound, Problem.Unavailable] as const

const once = "With an `Idempotency-Key`, a repeat records nothing."

export class SubscriptionsGroup extends HttpApiGroup.make("subscriptions")
  .add(
    HttpApiEndpoint.post("create", "/", {
      headers: { "idempotency-key": key },
      payload: SubscriptionJson.CreateSubscription,
      success: SubscriptionJson.Subscription.pipe(HttpApiSchema.status(201)),
      error: [Problem.KeyReused, Problem.SubscriptionStopped, Problem.Unavailable]
    }).annotateMerge(
      described(
        "Subscribe a customer to a plan",
        "The first period is charged at once, unless there is a trial; every one after it is charged by itself. " +
          "The same `Idempotency-Key` is the same subscription."
      )
    ),
    HttpApiEndpoint.get("list", "/", {
      query: SubscriptionJson.Query,
      success: SubscriptionJson.Subscriptions,
      error: Problem.Unavailable
    }).annotateMerge(described("List subscriptions", "By id, a page at a time.")),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      success: SubscriptionJson.Subscription,
      error: reading
    }).annotateMerge(
      described("Read a subscription", "Its status, its period and plan, the customer's credit, what is open.")
    ),
    HttpApiEndpoint.get("invoices", "/:id/invoices", {
      params,
      query: SubscriptionJson.InvoiceQuery,
      success: SubscriptionJson.Invoices,
      error: reading
    }).annotateMerge(described("List a subscription's invoices", "By their numbers in the merchant's books.")),
    HttpApiEndpoint.post("changePlan", "/:id/plan", {
      params,
      headers: keyed,
      payload: SubscriptionJson.ChangePlan,
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(
      described("Change the plan", `What is left of the period is credited, and charged at the new price. ${once}`)
    ),
    HttpApiEndpoint.post("applyCoupon", "/:id/coupon", {
      params,
      headers: keyed,
      payload: SubscriptionJson.ApplyCoupon,
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(described("Apply a coupon", `It holds from the next period on, in place of any other. ${once}`)),
    HttpApiEndpoint.post("updateMethod", "/:id/payment-method", {
      params,
      headers: keyed,
      payload: SubscriptionJson.UpdateMethod,
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(
      described("Change the payment method", `Where an invoice is open, the new one is tried at once. ${once}`)
    ),
    HttpApiEndpoint.post("cancel", "/:id/cancel", {
      params,
      headers: keyed,
      payload: [SubscriptionJson.CancelSubscription, Schema.Null],
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(
      described("Cancel a subscription", `At the end of its period, or \`now\`, with what is left credited. ${once}`)
    ),
    HttpApiEndpoint.post("pause", "/:id/pause", {
      params,
      headers: keyed,
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(described("Pause a subscription", `Nothing is charged until it is resumed. ${once}`)),
    HttpApiEndpoint.post("resume", "/:id/resume", {
      params,
      headers: keyed,
      success: SubscriptionJson.Subscription,
      error: changing
    }).annotateMerge(
      described(
        "Resume a subscription",
        `After a pause, or instead of a cancellation that has not taken effect. ${once}`
      )
    )
  )
  .prefix("/v1/subscriptions") {}
