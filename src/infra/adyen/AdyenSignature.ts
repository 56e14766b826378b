/**
 * The signature of a notification item: HMAC-SHA256 over eight of its fields,
 * between colons, by a key that is written as hexadecimal digits; in base64.
 *
 *     pspReference:originalReference:merchantAccountCode:merchantReference:value:currency:eventCode:success
 *
 * Source: https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures
 */
import * as Redacted from "effect/Redacted"
import { createHmac, timingSafeEqual } from "node:crypto"
import type { Item } from "./AdyenNotification.ts"

/** A key as hexadecimal digits; Adyen makes 64 of them. */
export type HmacKey = Redacted.Redacted

export const isKey = (text: string): boolean => /^([0-9a-f]{2}){16,64}$/i.test(text)

const signed = (item: Item): string =>
  [
    item.pspReference,
    item.originalReference ?? "",
    item.merchantAccountCode,
    item.merchantReference,
    item.amount.value,
    item.amount.currency,
    item.eventCode,
    item.success
  ].join(":")

const digest = (item: Item, key: HmacKey): Buffer =>
  createHmac("sha256", Buffer.from(Redacted.value(key), "hex"))
    .update(signed(item))
    .digest()

export const of = (item: Item, key: HmacKey): string => digest(item, key).toString("base64")

/** By any of the keys: while one is rotated there are two. It takes as long whichever byte is wrong. */
export const isBy = (keys: ReadonlyArray<HmacKey>, item: Item, signature: string): boolean => {
  const given = Buffer.from(signature, "base64")
  const matches = keys.map((key) => {
    const expected = digest(item, key)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  return matches.includes(true)
}
