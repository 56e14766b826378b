/**
 * Where a merchant wants to hear of events.
 *
 *     enabled <-> disabled            by the merchant
 *     enabled  -> disabled, a notice  by florin, after a day of failures; the merchant enables it again
 *
 * A secret that is rotated stays valid beside its successor for a while, so
 * that a receiver which knows either takes every message.
 */
import { Schema } from "effect"
import { Instant, plus } from "../Instant.ts"
import { Event, MerchantId } from "../payment/PaymentEvent.ts"
import { Text, Token } from "../Text.ts"
import { Secret } from "./StandardWebhooks.ts"

const optional = Schema.optionalKey

export const EndpointId = Schema.String.check(
  Schema.isPattern(/^we_[0-9a-z]{1,40}$/, { expected: 'an endpoint\'s id such as "we_01jd8m2r6v"' })
).pipe(Schema.brand("EndpointId"))
export type EndpointId = typeof EndpointId.Type

export const Url = Token(2048)

/** The kinds of events, as `GET /v1/events` names them. */
export const EventType = Schema.Literals(Object.keys(Event.cases) as ReadonlyArray<Event["_tag"]>)

export const Endpoint = Schema.Struct({
  id: EndpointId,
  merchant: MerchantId,
  url: Url,
  /** Which events it hears of; without it, of all. */
  types: optional(Schema.Array(EventType)),
  description: optional(Text(200)),
  enabled: Schema.Boolean,
  /** Why and when florin disabled it: there until it is enabled again. */
  notice: optional(Schema.Struct({ at: Instant, because: Text(500) })),
  secret: Secret,
  /** The secret before a rotation, and how long it signs as well. */
  previous: optional(Schema.Struct({ secret: Secret, until: Instant })),
  createdAt: Instant
})
export type Endpoint = typeof Endpoint.Type

/** A day: whoever deploys daily has the new secret by then. */
const overlapMillis = 86_400_000

/** Those that sign a message at that moment, the newest first. */
export const secretsAt = ({ previous, secret }: Endpoint, at: Instant): ReadonlyArray<Secret> =>
  previous !== undefined && at < previous.until ? [secret, previous.secret] : [secret]

export const rotate = (endpoint: Endpoint, secret: Secret, at: Instant): Endpoint => ({
  ...endpoint,
  secret,
  previous: { secret: endpoint.secret, until: plus(at, overlapMillis) }
})

/** What a merchant changes; what is not said stays. `types` of `null` is all of them. */
export interface Change {
  readonly url?: string | undefined
  readonly types?: ReadonlyArray<Event["_tag"]> | null | undefined
  readonly description?: string | undefined
  readonly enabled?: boolean | undefined
}

export const change = (
  { notice, types, ...endpoint }: Endpoint,
  { description, enabled = endpoint.enabled, types: wanted = types ?? null, url }: Change
): Endpoint => ({
  ...endpoint,
  enabled,
  ...(url !== undefined && { url }),
  ...(description !== undefined && { description }),
  ...(wanted !== null && { types: wanted }),
  ...(notice !== undefined && !enabled && { notice })
})

export const disable = (endpoint: Endpoint, at: Instant, because: string): Endpoint => ({
  ...endpoint,
  enabled: false,
  notice: { at, because }
})

export const wants = ({ enabled, types }: Endpoint, type: Event["_tag"]): boolean =>
  enabled && (types === undefined || types.includes(type))
