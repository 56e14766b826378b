/**
 * Adyen's standard webhooks as a `GatewayWebhook`.
 *
 * The signature is in the body, one for each item, so the body is decoded
 * before it is verified; nothing else is done with it until it is. Every item
 * must carry a good one.
 *
 * Adyen gives no date that is signed, so an old delivery cannot be told from a
 * late one. Whatever it says is recorded once only (R9).
 *
 * Adyen has no request for what a notification tells: its signature is all the
 * evidence there is.
 */
import { Effect, Option, Result, Schema } from "effect"
import type { GatewayWebhook } from "../../adapters/GatewayWebhooks.ts"
import { UnreadableWebhook, Unverified } from "../../adapters/GatewayWebhooks.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { Item } from "./AdyenNotification.ts"
import * as AdyenNotification from "./AdyenNotification.ts"
import type { HmacKey } from "./AdyenSignature.ts"
import * as AdyenSignature from "./AdyenSignature.ts"

export interface Options {
  readonly merchantAccount: string
  /** All that are valid now. */
  readonly hmacKeys: ReadonlyArray<HmacKey>
}

/** What Adyen waits for; anything else, and it sends again. */
const accepted = "[accepted]"

export const make = (name: string, { hmacKeys, merchantAccount }: Options): GatewayWebhook => {
  const gateway = GatewayName.make(name)
  return {
    gateway,
    acknowledgement: accepted,
    verify: ({ body }) =>
      Result.flatMap(
        Result.fromOption(itemsOf(body), () => new Unverified({ detail: noItems })),
        (items) => {
          const unsigned = items.find((item) => !isSigned(item, hmacKeys))
          return unsigned === undefined
            ? Result.succeed(items.map((item) => ({ id: AdyenNotification.idOf(item), about: undefined })))
            : Result.fail(new Unverified({ detail: complaintOf(unsigned) }))
        }
      ),
    read: (body) =>
      Option.match(itemsOf(body), {
        onNone: () => Effect.fail(new UnreadableWebhook({ detail: noItems })),
        onSome: (items) =>
          Effect.succeed(
            items
              // An account of the same company, which another service answers for.
              .filter(({ merchantAccountCode }) => merchantAccountCode === merchantAccount)
              .flatMap((item) => AdyenNotification.notificationOf(item, gateway) ?? [])
          )
      })
  }
}

const noItems = "expected the notification items of a standard webhook of Adyen's"

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(AdyenNotification.Body))

const itemsOf = (body: Uint8Array): Option.Option<ReadonlyArray<Item>> =>
  Option.map(decode(new TextDecoder().decode(body)), ({ notificationItems }) =>
    notificationItems.map(({ NotificationRequestItem }) => NotificationRequestItem)
  )

const signatureOf = ({ additionalData = {} }: Item): string | undefined => {
  const signature = additionalData["hmacSignature"]
  return typeof signature === "string" && signature !== "" ? signature : undefined
}

const isSigned = (item: Item, keys: ReadonlyArray<HmacKey>): boolean => {
  const signature = signatureOf(item)
  return signature !== undefined && AdyenSignature.isBy(keys, item, signature)
}

const complaintOf = (item: Item): string =>
  signatureOf(item) === undefined
    ? "expected a signature as additionalData.hmacSignature, got none"
    : "the signature is by none of the keys"
