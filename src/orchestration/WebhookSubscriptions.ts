/**
 * What merchants do with their webhook endpoints: subscribe, look, change,
 * rotate the secret, leave. What they change is on record in the audit log.
 *
 * A URL is looked at when it is given, so that a merchant hears of a mistake at
 * once; what guards florin's own network is that it is looked at again, and by
 * the address that is called, with each delivery.
 *
 * Errors: `UnknownEndpoint`, also for another merchant's; `SendError` for a URL
 * that florin would not call; `StorageUnavailable`.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Logged } from "../adapters/WebhookDeliveries.ts"
import { WebhookDeliveries } from "../adapters/WebhookDeliveries.ts"
import { WebhookEndpoints } from "../adapters/WebhookEndpoints.ts"
import type { SendError } from "../adapters/WebhookSender.ts"
import { WebhookSender } from "../adapters/WebhookSender.ts"
import { plain } from "../domain/audit/AuditEntry.ts"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import * as StandardWebhooks from "../domain/webhook/StandardWebhooks.ts"
import type { Change } from "../domain/webhook/WebhookEndpoint.ts"
import * as WebhookEndpoint from "../domain/webhook/WebhookEndpoint.ts"
import { AuditTrail, tellPlain } from "./AuditTrail.ts"
import { newEndpoint, now } from "./Clocks.ts"

type Endpoint = WebhookEndpoint.Endpoint

/** This merchant has no endpoint of that id. */
export class UnknownEndpoint extends Schema.TaggedError<UnknownEndpoint>()("UnknownEndpoint", { id: Schema.String }) {
  override get message() {
    return `there is no webhook endpoint ${this.id}`
  }
}

export interface NewEndpoint extends Change {
  readonly url: string
}

type Failure = UnknownEndpoint | StorageUnavailable

export class WebhookSubscriptions extends Context.Service<
  WebhookSubscriptions,
  {
    readonly create: (
      merchant: MerchantId,
      endpoint: NewEndpoint
    ) => Effect.Effect<Endpoint, SendError | StorageUnavailable>
    readonly list: (merchant: MerchantId) => Effect.Effect<ReadonlyArray<Endpoint>, StorageUnavailable>
    readonly get: (merchant: MerchantId, id: string) => Effect.Effect<Endpoint, Failure>
    readonly change: (merchant: MerchantId, id: string, change: Change) => Effect.Effect<Endpoint, Failure | SendError>
    /** A new secret; the old one signs beside it for a day. */
    readonly rotate: (merchant: MerchantId, id: string) => Effect.Effect<Endpoint, Failure>
    readonly remove: (merchant: MerchantId, id: string) => Effect.Effect<void, Failure>
    readonly deliveries: (
      merchant: MerchantId,
      id: string,
      page: { readonly limit: number; readonly before?: string | undefined }
    ) => Effect.Effect<ReadonlyArray<Logged>, Failure>
  }
>()("florin/orchestration/WebhookSubscriptions") {}

export const layer: Layer.Layer<
  WebhookSubscriptions,
  never,
  WebhookEndpoints | WebhookDeliveries | WebhookSender | AuditTrail | SecureRandom.SecureRandom
> = Layer.effect(
  WebhookSubscriptions,
  Effect.gen(function* () {
    const endpoints = yield* WebhookEndpoints
    const deliveries = yield* WebhookDeliveries
    const sender = yield* WebhookSender
    const trail = yield* AuditTrail
    const random = yield* SecureRandom.SecureRandom

    const newSecret = Effect.map(random.randomBytes(StandardWebhooks.secretBytes), StandardWebhooks.secretOf)

    const own = Effect.fnUntraced(function* (merchant: MerchantId, id: string): Effect.fn.Return<Endpoint, Failure> {
      const known = decodeId(id)
      const found = Option.isNone(known) ? Option.none() : yield* endpoints.find(known.value)
      return Option.isSome(found) && found.value.merchant === merchant
        ? found.value
        : yield* new UnknownEndpoint({ id })
    })

    const onRecord = <A, E extends { readonly _tag: string }>(
      merchant: MerchantId,
      what: string,
      run: Effect.Effect<A, E>
    ) => trail.audited({ request: { _tag: "Operate", what: plain(what, 500) }, merchant }, run, tellPlain)

    /** It may have been taken away meanwhile. */
    const changed = (id: WebhookEndpoint.EndpointId, to: (endpoint: Endpoint) => Endpoint) =>
      Effect.flatMap(
        endpoints.change(id, to),
        Option.match({ onNone: () => Effect.fail(new UnknownEndpoint({ id })), onSome: Effect.succeed })
      )

    return WebhookSubscriptions.of({
      create: Effect.fn("WebhookSubscriptions.create")(function* (merchant, { enabled = true, url, ...rest }) {
        yield* sender.check(url)
        const id = yield* Effect.provideService(newEndpoint, SecureRandom.SecureRandom, random)
        const bare: Endpoint = { id, merchant, url, enabled, secret: yield* newSecret, createdAt: yield* now }
        const endpoint = WebhookEndpoint.change(bare, rest)
        yield* onRecord(merchant, `create webhook endpoint ${id} at ${url}`, endpoints.create(endpoint))
        return endpoint
      }),

      list: (merchant) => endpoints.list(merchant),
      get: own,

      change: Effect.fn("WebhookSubscriptions.change")(function* (merchant, id, change) {
        const before = yield* own(merchant, id)
        if (change.url !== undefined) yield* sender.check(change.url)
        const isNew = change.url !== undefined && change.url !== before.url
        const after = yield* onRecord(
          merchant,
          `change webhook endpoint ${id}: ${JSON.stringify(change)}`,
          changed(before.id, (endpoint) => WebhookEndpoint.change(endpoint, change))
        )
        // What was given up, or waits for the place where it was refused, gets another day.
        if (after.enabled && (isNew || !before.enabled)) yield* deliveries.resume(before.id, yield* now)
        return after
      }),

      rotate: Effect.fn("WebhookSubscriptions.rotate")(function* (merchant, id) {
        const before = yield* own(merchant, id)
        const secret = yield* newSecret
        const at = yield* now
        return yield* onRecord(
          merchant,
          `rotate the secret of webhook endpoint ${id}`,
          changed(before.id, (endpoint) => WebhookEndpoint.rotate(endpoint, secret, at))
        )
      }),

      remove: Effect.fn("WebhookSubscriptions.remove")(function* (merchant, id) {
        const before = yield* own(merchant, id)
        const isGone = yield* onRecord(merchant, `delete webhook endpoint ${id}`, endpoints.remove(before.id))
        if (!isGone) return yield* new UnknownEndpoint({ id })
      }),

      deliveries: (merchant, id, page) =>
        Effect.flatMap(own(merchant, id), (endpoint) => deliveries.list(endpoint.id, page))
    })
  })
)

const decodeId = Schema.decodeUnknownOption(WebhookEndpoint.EndpointId)
