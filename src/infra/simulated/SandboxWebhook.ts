/**
 * The sandbox's webhooks: notifications as JSON, signed as Standard Webhooks
 * are, one a delivery.
 *
 * What it says of an operation is looked up in its books before it is
 * believed. The books know nothing of disputes, so there the signed body is
 * all there is.
 */
import { Effect, Result, Schema } from "effect"
import type { Delivery, GatewayWebhook } from "../../adapters/GatewayWebhooks.ts"
import { UnreadableWebhook, Unverified } from "../../adapters/GatewayWebhooks.ts"
import { GatewayError, InDoubt } from "../../adapters/PaymentGateway.ts"
import * as CardNumber from "../../domain/CardNumber.ts"
import type { Instant } from "../../domain/Instant.ts"
import * as Notification from "../../domain/payment/Notification.ts"
import type { Secret } from "../../domain/webhook/StandardWebhooks.ts"
import * as StandardWebhooks from "../../domain/webhook/StandardWebhooks.ts"
import { hmac } from "../http/HmacSha256.ts"
import type { SandboxGateway } from "./SandboxGateway.ts"

/** A notification as the sandbox sends it at `at`. */
export const deliveryOf = (notification: Notification.Notification, secret: Secret, at: Instant): Delivery => {
  const body = new TextEncoder().encode(JSON.stringify(Notification.encode(notification)))
  return { headers: StandardWebhooks.sign(hmac, { id: notification.id, body }, at, [secret]), body }
}

export interface Options {
  /** One, or two while one is rotated. */
  readonly secrets: ReadonlyArray<Secret>
}

/** Of the sandbox that `gateway` asks. */
export const make = (gateway: Pick<SandboxGateway, "name" | "find">, { secrets }: Options): GatewayWebhook => ({
  gateway: gateway.name,

  verify: ({ body, headers }, now) =>
    Result.mapBoth(StandardWebhooks.verify(hmac, headers, body, secrets, now), {
      onFailure: (detail) => new Unverified({ detail }),
      onSuccess: (id) => [{ id, about: Result.getOrUndefined(Result.map(decode(body), aboutOf)) }]
    }),

  read: Effect.fnUntraced(function* (body) {
    const notification = yield* Effect.fromResult(decode(body))
    if (notification.gateway !== gateway.name) {
      return yield* new UnreadableWebhook({ detail: `it is of ${notification.gateway}, and came to ${gateway.name}` })
    }
    const { news } = notification
    if (news._tag !== "Answered") return [notification]
    const found = yield* gateway.find(news.operation)
    if (found._tag === "NotFound") {
      // A lookup may lag behind what is told; and what is told of nothing is not believed.
      return yield* new GatewayError({
        gateway: gateway.name,
        operation: news.operation,
        reason: new InDoubt({ because: "NotFound" })
      })
    }
    return [{ ...notification, news: { ...news, answer: found.answer } }]
  }),

  acknowledgement: ""
})

const read = Schema.decodeUnknownResult(Schema.fromJsonString(Notification.Json))

const decode = (body: Uint8Array): Result.Result<Notification.Notification, UnreadableWebhook> =>
  Result.mapError(
    read(new TextDecoder().decode(body)),
    ({ message }) => new UnreadableWebhook({ detail: CardNumber.mask(message) })
  )

const aboutOf = ({ news }: Notification.Notification): string => {
  switch (news._tag) {
    case "Answered":
      return `${news.operation} answered ${news.answer._tag}`
    case "DisputeOpened":
      return `dispute ${news.dispute} of ${news.payment} opened`
    case "DisputeClosed":
      return `dispute ${news.dispute} of ${news.payment} closed ${news.outcome}`
  }
}
