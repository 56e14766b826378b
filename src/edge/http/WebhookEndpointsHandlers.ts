/** `/v1/webhook-endpoints` over `WebhookSubscriptions`, for the merchant whose service this is. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { SendError } from "../../adapters/WebhookSender.ts"
import { WebhookSubscriptions } from "../../orchestration/WebhookSubscriptions.ts"
import { Merchant } from "./Merchant.ts"
import { usualLimit } from "./PaymentList.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import type { Refusal } from "./Refusal.ts"
import { refuse } from "./Refusal.ts"
import * as WebhookEndpointJson from "./WebhookEndpointJson.ts"

export const webhookEndpoints = HttpApiBuilder.group(
  PaymentsApi,
  "webhookEndpoints",
  Effect.fn(function* (handlers) {
    const subscriptions = yield* WebhookSubscriptions
    const merchant = yield* Merchant

    return handlers.handleAll({
      create: ({ payload }) =>
        subscriptions.create(merchant, WebhookEndpointJson.toNew(payload)).pipe(
          Effect.map((endpoint) =>
            HttpServerResponse.jsonUnsafe(WebhookEndpointJson.withSecret(endpoint), { status: 201 })
          ),
          refusing
        ),
      list: () =>
        subscriptions.list(merchant).pipe(
          Effect.map((all) => ({ endpoints: all.map(WebhookEndpointJson.fromEndpoint) })),
          refusing
        ),
      get: ({ params }) =>
        refusing(Effect.map(subscriptions.get(merchant, params.id), WebhookEndpointJson.fromEndpoint)),
      change: ({ params, payload }) =>
        subscriptions
          .change(merchant, params.id, WebhookEndpointJson.toChange(payload))
          .pipe(Effect.map(WebhookEndpointJson.fromEndpoint), refusing),
      remove: ({ params }) => refusing(subscriptions.remove(merchant, params.id)),
      rotate: ({ params }) =>
        refusing(Effect.map(subscriptions.rotate(merchant, params.id), WebhookEndpointJson.withSecret)),
      deliveries: ({ params, query }) =>
        subscriptions.deliveries(merchant, params.id, { limit: query.limit ?? usualLimit, before: query.before }).pipe(
          Effect.map((all) => ({ deliveries: all.map(WebhookEndpointJson.fromLogged) })),
          refusing
        )
    })
  })
)

const refusing = <A, R>(effect: Effect.Effect<A, Refusal | SendError, R>) =>
  Effect.catch(effect, (error) => refuse(error._tag === "SendError" ? invalidUrl(error) : error))

const invalidUrl = ({ detail }: SendError) =>
  new Problem.InvalidRequest({ errors: [{ path: ["payload", "url"], message: detail }] })
