/**
 * Stripe's webhooks: whether a delivery is Stripe's, and what it tells.
 *
 * `Stripe-Signature: t=<seconds>,v1=<hex>,…` signs the second and the body as
 * it came with a secret of the endpoint's; while a secret is rotated there are
 * two of either. The SDK verifies it, comparing in constant time. It bounds
 * the age of a delivery and not how far ahead it is, so that is done here.
 *
 * What an event tells is read by `StripeEvent`, which fetches the object.
 */
import { Effect, Result, Schema } from "effect"
import type { Array, Redacted } from "effect"
import { createHash } from "node:crypto"
import { Stripe } from "stripe"
import type { Delivery, GatewayWebhook, Verified } from "../../adapters/GatewayWebhooks.ts"
import { UnreadableWebhook, Unverified } from "../../adapters/GatewayWebhooks.ts"
import type { Instant } from "../../domain/Instant.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { StripeApi } from "./StripeApi.ts"
import * as StripeEvent from "./StripeEvent.ts"
import * as StripeObject from "./StripeObject.ts"
import * as StripeSdk from "./StripeSdk.ts"

export interface Settings {
  /** The gateway's name; `stripe` unless told otherwise. */
  readonly name?: string
  /** `whsec_…`, all that are valid now. */
  readonly secrets: Array.NonEmptyReadonlyArray<Redacted.Redacted | string>
  /** How old a delivery may be; five minutes, as Stripe advises, unless told otherwise. 0 is any age. */
  readonly toleranceSeconds?: number
  /** How far ahead of florin's clock; five minutes, more than two clocks differ, unless told otherwise. */
  readonly aheadSeconds?: number
}

export type Options = StripeSdk.Options & Settings

export const make = (options: Options): GatewayWebhook => over(StripeSdk.make(options), options)

/** The webhooks over whatever answers for Stripe. */
export const over = (api: StripeApi, settings: Settings): GatewayWebhook => {
  const gateway = GatewayName.make(settings.name ?? "stripe")
  return {
    gateway,
    verify: (delivery, now) =>
      Result.flatMap(verifySignature(delivery, now, settings), () => identify(textOf(delivery.body))),
    read: (body) => Effect.flatMap(Effect.fromResult(eventOf(body)), (event) => StripeEvent.read(api, gateway, event)),
    acknowledgement: ""
  }
}

const textOf = (body: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(body)

// --- The signature ----------------------------------------------------------

const fiveMinutes = 300

const verifySignature = (
  { body, headers }: Delivery,
  now: Instant,
  { aheadSeconds = fiveMinutes, secrets, toleranceSeconds = fiveMinutes }: Settings
): Result.Result<void, Unverified> => {
  const header = headers["stripe-signature"] ?? ""
  const verdicts = secrets.map((secret) => {
    const tried = Result.try(() =>
      Stripe.webhooks.signature!.verifyHeader(
        body,
        header,
        StripeSdk.revealed(secret),
        toleranceSeconds,
        undefined,
        now
      )
    )
    return Result.mapError(tried, (cause) => (cause instanceof Error ? firstLine(cause.message) : "no signature"))
  })
  if (!verdicts.some(Result.isSuccess)) {
    // A secret that signed it knows more of what is wrong than one that did not.
    const details = verdicts.filter(Result.isFailure).map(({ failure }) => failure)
    const detail = details.find((text) => text.startsWith("Timestamp")) ?? details[0]!
    return Result.fail(new Unverified({ detail }))
  }
  return secondOf(header) * 1000 - now > aheadSeconds * 1000
    ? Result.fail(new Unverified({ detail: "Timestamp ahead of the tolerance zone" }))
    : Result.succeed(undefined)
}

/** The rest of what the SDK says is advice to a programmer. */
const firstLine = (message: string): string => message.split("\n")[0]!.trim()

/** The last one counts, as it does where it was signed. */
const secondOf = (header: string): number =>
  Number.parseInt(
    header
      .split(",")
      .findLast((part) => part.startsWith("t="))
      ?.slice(2) ?? "",
    10
  )

// --- What it is about -------------------------------------------------------

const Envelope = Schema.fromJsonString(
  Schema.Struct({
    id: StripeObject.Event.fields.id,
    object: Schema.Literal("event"),
    type: Schema.optionalKey(Schema.String),
    data: Schema.optionalKey(
      Schema.Struct({
        object: Schema.StructWithRest(Schema.Struct({ id: Schema.optionalKey(Schema.String) }), [
          Schema.Record(Schema.String, Schema.Unknown)
        ])
      })
    )
  })
)

const readEnvelope = Schema.decodeUnknownResult(Envelope)

/**
 * One change under two ids shows one object in one state, so that the object's
 * digest stands for its state: two refunds of one charge are two changes.
 */
const identify = (text: string): Result.Result<ReadonlyArray<Verified>, Unverified> =>
  Result.match(readEnvelope(text), {
    onFailure: () => Result.fail(new Unverified({ detail: "it is signed, and its body is not an event" })),
    onSuccess: ({ data, id, type }) => {
      if (data === undefined || type === undefined) return Result.succeed([{ id, about: undefined }])
      const digest = createHash("sha256").update(JSON.stringify(data.object)).digest("hex").slice(0, 16)
      return Result.succeed([{ id, about: `${data.object.id ?? ""} ${type} ${digest}` }])
    }
  })

const readEvent = Schema.decodeUnknownResult(Schema.fromJsonString(StripeObject.Event))

const eventOf = (body: Uint8Array): Result.Result<StripeObject.Event, UnreadableWebhook> =>
  Result.mapError(readEvent(textOf(body)), ({ message }) => new UnreadableWebhook({ detail: message }))
