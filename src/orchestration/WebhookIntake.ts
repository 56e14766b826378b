/**
 * Takes what a gateway delivers:
 *
 *     verified by the gateway's own rules -> stored -> acknowledged
 *
 * and nothing else: whoever delivers waits for one statement of the store, and
 * never for a gateway, a payment or a lock. `WebhookWorker` does the rest.
 *
 * Errors: `UnknownGateway`, `Unverified`; and `StorageUnavailable`, after which
 * the gateway sends it again.
 */
import { Effect, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { Delivery, Unverified } from "../adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import { WebhookInbox } from "../adapters/WebhookInbox.ts"
import { newReceived, now } from "./Clocks.ts"

/** No gateway of that name sends webhooks here. */
export class UnknownGateway extends Schema.TaggedError<UnknownGateway>()("UnknownGateway", { gateway: Schema.String }) {
  override get message() {
    return `no gateway ${this.gateway} sends webhooks here`
  }
}

export interface Taken {
  /** `false` when all that it tells was told before. */
  readonly stored: boolean
  /** What the gateway wants to hear. */
  readonly acknowledgement: string
}

export const receive = Effect.fn("WebhookIntake.receive")(function* (
  gateway: string,
  delivery: Delivery
): Effect.fn.Return<
  Taken,
  UnknownGateway | Unverified | StorageUnavailable,
  GatewayWebhooks | WebhookInbox | SecureRandom.SecureRandom
> {
  const webhook = [...(yield* GatewayWebhooks)].find(([name]) => name === gateway)?.[1]
  if (webhook === undefined) return yield* new UnknownGateway({ gateway })
  const inbox = yield* WebhookInbox
  const at = yield* now
  const events = yield* Effect.fromResult(webhook.verify(delivery, at))
  const id = yield* newReceived
  const stored = yield* inbox.store({ id, gateway: webhook.gateway, events, body: delivery.body, at })
  return { stored, acknowledgement: webhook.acknowledgement }
})
