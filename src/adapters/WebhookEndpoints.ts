/** Where merchants want to hear of events, kept. What is said of one is a value of the domain, secrets included. */
import { Context } from "effect"
import type { Effect, Option } from "effect"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import type { Endpoint, EndpointId } from "../domain/webhook/WebhookEndpoint.ts"
import type { StorageUnavailable } from "./Storage.ts"

export class WebhookEndpoints extends Context.Service<
  WebhookEndpoints,
  {
    readonly create: (endpoint: Endpoint) => Effect.Effect<void, StorageUnavailable>
    /** A merchant's, or without one all; the oldest first. */
    readonly list: (merchant?: MerchantId) => Effect.Effect<ReadonlyArray<Endpoint>, StorageUnavailable>
    readonly find: (id: EndpointId) => Effect.Effect<Option.Option<Endpoint>, StorageUnavailable>
    /** Reads it, applies a pure function and writes what that returned, and nobody comes between. */
    readonly change: (
      id: EndpointId,
      to: (endpoint: Endpoint) => Endpoint
    ) => Effect.Effect<Option.Option<Endpoint>, StorageUnavailable>
    /** With all that was or is to be delivered to it; `false` when there is none of that id. */
    readonly remove: (id: EndpointId) => Effect.Effect<boolean, StorageUnavailable>
  }
>()("florin/adapters/WebhookEndpoints") {}
