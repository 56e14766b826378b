/**
 * Webhook endpoints and their deliveries as the API shows them. A secret is in
 * the answer that makes it, and in no other.
 */
import { DateTime, Schema } from "effect"
import type { Logged } from "../../adapters/WebhookDeliveries.ts"
import type { Instant } from "../../domain/Instant.ts"
import { Text } from "../../domain/Text.ts"
import type { Change, Endpoint as Stored } from "../../domain/webhook/WebhookEndpoint.ts"
import { EndpointId, Url } from "../../domain/webhook/WebhookEndpoint.ts"
import type { NewEndpoint } from "../../orchestration/WebhookSubscriptions.ts"
import * as EventJson from "./EventJson.ts"
import { Limit } from "./PaymentList.ts"

const optional = Schema.optionalKey

// --- Requests ---------------------------------------------------------------

const Types = Schema.NonEmptyArray(EventJson.EventType)
const Description = Text(200)

export const CreateEndpoint = Schema.Struct({
  url: Url.annotate({ description: "https, on the public internet" }),
  types: optional(Types.annotate({ description: "Which events; without it, all" })),
  description: optional(Description),
  enabled: optional(Schema.Boolean)
}).annotate({ identifier: "CreateWebhookEndpoint" })

export const ChangeEndpoint = Schema.Struct({
  url: optional(Url),
  types: optional(Schema.NullOr(Types).annotate({ description: "Which events; `null` for all" })),
  description: optional(Description),
  enabled: optional(Schema.Boolean)
}).annotate({ identifier: "ChangeWebhookEndpoint" })

export const toNew = (request: typeof CreateEndpoint.Type): NewEndpoint => request
export const toChange = (request: typeof ChangeEndpoint.Type): Change => request

// --- Answers ----------------------------------------------------------------

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))

const shown = {
  id: EndpointId,
  url: Schema.String,
  /** Absent: all. */
  types: optional(Schema.Array(EventJson.EventType)),
  description: optional(Schema.String),
  enabled: Schema.Boolean,
  /** Why and when florin disabled it; absent when it did not, or when it was enabled again. */
  notice: optional(Schema.Struct({ at: Schema.String, because: Schema.String })),
  /** Until then messages are signed by the secret before the last rotation as well. */
  previousSecretUntil: optional(Schema.String),
  createdAt: Schema.String
}

export const Endpoint = Schema.Struct(shown).annotate({ identifier: "WebhookEndpoint" })

export const EndpointWithSecret = Schema.Struct({
  ...shown,
  secret: Schema.String.annotate({ description: "Signs what is sent there; it is not shown again" })
}).annotate({ identifier: "WebhookEndpointWithSecret" })

export const Endpoints = Schema.Struct({ endpoints: Schema.Array(Endpoint) }).annotate({
  identifier: "WebhookEndpoints"
})

export const fromEndpoint = (endpoint: Stored): typeof Endpoint.Type => {
  const { createdAt, description, enabled, id, notice, previous, types, url } = endpoint
  return {
    id,
    url,
    ...(types !== undefined && { types }),
    ...(description !== undefined && { description }),
    enabled,
    ...(notice !== undefined && { notice: { at: iso(notice.at), because: notice.because } }),
    ...(previous !== undefined && { previousSecretUntil: iso(previous.until) }),
    createdAt: iso(createdAt)
  }
}

export const withSecret = (endpoint: Stored): typeof EndpointWithSecret.Type => ({
  ...fromEndpoint(endpoint),
  secret: endpoint.secret
})

// --- Deliveries -------------------------------------------------------------

const eventId = /^pay_[0-9a-z]{1,40}\/\d{1,9}$/

/** An event's id, as deliveries name it. */
export const EventId = Schema.String.check(
  Schema.isPattern(eventId, { expected: 'an event\'s id such as "pay_01jd8m2r6v/3"' })
)

export const Page = {
  limit: optional(Limit),
  before: optional(EventId.annotate({ description: "The `event` of the last delivery of the page before" }))
}

const Attempt = Schema.Struct({
  at: Schema.String,
  /** What the endpoint answered; absent when it did not. */
  status: optional(Schema.Int),
  error: optional(Schema.String),
  latencyMillis: Schema.Int
})

const Delivery = Schema.Struct({
  /** The message's `webhook-id`. */
  event: Schema.String,
  type: EventJson.EventType,
  state: Schema.Literals(["pending", "delivered", "exhausted"]),
  queuedAt: Schema.String,
  /** While it is pending. */
  nextAttemptAt: optional(Schema.String),
  attempts: Schema.Array(Attempt)
}).annotate({ identifier: "WebhookDelivery" })

export const Deliveries = Schema.Struct({ deliveries: Schema.Array(Delivery) }).annotate({
  identifier: "WebhookDeliveries"
})

export const fromLogged = ({ attempts, event, nextAt, queuedAt, state, type }: Logged): typeof Delivery.Type => ({
  event,
  type,
  state,
  queuedAt: iso(queuedAt),
  ...(nextAt !== undefined && { nextAttemptAt: iso(nextAt) }),
  attempts: attempts.map(({ at, error, latencyMillis, status }) => ({
    at: iso(at),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    latencyMillis
  }))
})
