/**
 * Signatures of webhooks, as the Standard Webhooks specification 1.0 has them.
 *
 *     webhook-id: pay_01.../3
 *     webhook-timestamp: 1614265330
 *     webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
 *
 * Signed is `<id>.<timestamp>.<body>`, byte for byte, by HMAC-SHA256. The
 * timestamp is in seconds since 1970. A secret is `whsec_` and its bytes in
 * base64; while one is rotated there are two, and a signature of each, with a
 * space between.
 *
 * The HMAC itself is given by the caller: everything else is plain values.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Mac from "effect/crypto/Mac"
import * as Base64 from "effect/encoding/Base64"
import type { Instant } from "../Instant.ts"

// --- Secrets ----------------------------------------------------------------

const prefix = "whsec_"

/** The specification's bounds for the bytes of a secret. */
const minSecretBytes = 24
const maxSecretBytes = 64

/** As many bytes as SHA-256 makes of them. */
export const secretBytes = 32

const bytesOf = (secret: string): Uint8Array | undefined => {
  const decoded = secret.startsWith(prefix) ? Result.getSuccess(Base64.decode(secret.slice(prefix.length))) : undefined
  return decoded?._tag === "Some" ? decoded.value : undefined
}

export const Secret = Schema.String.check(
  Schema.makeFilter((text) => {
    const size = bytesOf(text)?.length ?? 0
    return (size >= minSecretBytes && size <= maxSecretBytes) || expectedSecret
  })
).pipe(Schema.brand("WebhookSecret"))
export type Secret = typeof Secret.Type

/** What is wrong with one, without the one. */
export const expectedSecret = `Expected "${prefix}" and ${minSecretBytes} to ${maxSecretBytes} bytes in base64`

export const secretOf = (bytes: Uint8Array): Secret => Secret.make(`${prefix}${Base64.encode(bytes)}`)

// --- Signing ----------------------------------------------------------------

/** HMAC-SHA256 of `content` under `key`. */
export type Hmac = (key: Uint8Array, content: Uint8Array) => Uint8Array

export const headerNames = { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" } as const

export interface Message {
  /** The same however often it is sent; without a full stop. */
  readonly id: string
  readonly body: Uint8Array
}

export type Headers = Readonly<Record<(typeof headerNames)[keyof typeof headerNames], string>>

/** The headers of a message that is sent at `at`, with a signature by each secret. */
export const sign = (hmac: Hmac, { body, id }: Message, at: Instant, secrets: ReadonlyArray<Secret>): Headers => {
  const timestamp = String(Math.floor(at / 1000))
  const content = contentOf(id, timestamp, body)
  return {
    [headerNames.id]: id,
    [headerNames.timestamp]: timestamp,
    [headerNames.signature]: secrets
      .map((secret) => `${version},${Base64.encode(hmac(bytesOf(secret)!, content))}`)
      .join(" ")
  }
}

const version = "v1"

const contentOf = (id: string, timestamp: string, body: Uint8Array): Uint8Array => {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`)
  const content = new Uint8Array(head.length + body.length)
  content.set(head)
  content.set(body, head.length)
  return content
}

// --- Verifying --------------------------------------------------------------

/** How far sender and receiver may disagree about the time, either way: as the specification's libraries have it. */
export const toleranceMillis = 300_000

/** The message's id, if one of the secrets signed it; otherwise what is wrong, and never what would be right. */
export const verify = (
  hmac: Hmac,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  secrets: ReadonlyArray<Secret>,
  now: Instant
): Result.Result<string, string> => {
  const { [headerNames.id]: id, [headerNames.signature]: signatures, [headerNames.timestamp]: timestamp } = headers
  if (id === undefined || id === "") return Result.fail(`${headerNames.id} is missing`)
  if (timestamp === undefined) return Result.fail(`${headerNames.timestamp} is missing`)
  if (signatures === undefined) return Result.fail(`${headerNames.signature} is missing`)
  if (!/^\d{1,12}$/.test(timestamp)) return Result.fail(`${headerNames.timestamp} is not a number of seconds`)
  const ageMillis = now - Number(timestamp) * 1000
  if (ageMillis > toleranceMillis) return Result.fail(`${headerNames.timestamp} is too old`)
  if (ageMillis < -toleranceMillis) return Result.fail(`${headerNames.timestamp} is in the future`)
  const content = contentOf(id, timestamp, body)
  const given = signatures.split(" ").flatMap((signature) => {
    const [scheme, encoded = ""] = signature.split(",")
    const decoded = Base64.decode(encoded)
    return scheme === version && Result.isSuccess(decoded) ? [decoded.success] : []
  })
  const isSigned = secrets.some((secret) => {
    const expected = hmac(bytesOf(secret)!, content)
    return given.some((signature) => Mac.timingSafeEqual(expected, signature))
  })
  return isSigned
    ? Result.succeed(id)
    : Result.fail(`${headerNames.signature} holds no signature by a secret that is known`)
}
