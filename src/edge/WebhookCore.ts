/**
 * Webhooks over any stores and gateways, with their two workers: the one that
 * applies what gateways delivered, and the one that delivers to merchants.
 *
 * `queueing` goes beneath the outbox relay, so that no event passes by.
 */
import { Effect, Layer } from "effect"
import type { SecureRandom } from "effect/crypto"
import { CircuitBreaker } from "effect/persistence"
import type { GatewayWebhook } from "../adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { TargetPolicy } from "../domain/webhook/WebhookTarget.ts"
import * as HttpWebhookSender from "../infra/http/HttpWebhookSender.ts"
import type { AuditTrail } from "../orchestration/AuditTrail.ts"
import type { Needs } from "../orchestration/Notifications.ts"
import * as WebhookDispatch from "../orchestration/WebhookDispatch.ts"
import * as WebhookSubscriptions from "../orchestration/WebhookSubscriptions.ts"
import * as WebhookWorker from "../orchestration/WebhookWorker.ts"
import type { Stores } from "./Stores.ts"

export { queueing } from "../orchestration/WebhookDispatch.ts"

/** Each by its gateway's name. */
export const webhooks = (...all: ReadonlyArray<GatewayWebhook>): Layer.Layer<GatewayWebhooks> =>
  Layer.succeed(GatewayWebhooks, new Map(all.map((webhook) => [webhook.gateway, webhook])))

const workers = Layer.mergeAll(
  Layer.effectDiscard(Effect.forkScoped(WebhookWorker.daemon(WebhookWorker.defaults))),
  Layer.effectDiscard(Effect.flatMap(WebhookDispatch.WebhookDispatch, ({ daemon }) => Effect.forkScoped(daemon))).pipe(
    Layer.provide(WebhookDispatch.layer()),
    Layer.provide(CircuitBreaker.layerStoreMemory())
  )
)

export const layer = (
  policy: TargetPolicy
): Layer.Layer<
  WebhookSubscriptions.WebhookSubscriptions,
  never,
  Stores | GatewayWebhooks | AuditTrail | SecureRandom.SecureRandom | Needs
> => Layer.merge(WebhookSubscriptions.layer, workers).pipe(Layer.provide(HttpWebhookSender.layer({ policy })))
