/**
 * Adyen's Checkout API as a `PaymentGateway`.
 *
 *     call -> AdyenRequest -> POST with the key -> 2xx: AdyenReply | otherwise: AdyenFailure -> answer or reason
 *
 * Captures, cancellations and refunds are answered "received", which is
 * `Pending`: what became of them comes by notification (`AdyenWebhook`).
 *
 * Adyen has no request that tells what became of another, so there is no
 * lookup. Doubt is resolved by sending the same key again, which Adyen answers
 * with its first answer, or by the notification, whichever is first; when the
 * key may be gone, a person is asked.
 *
 * It waits as long as it is let: the timeout is its caller's.
 */
import type { Schema } from "effect"
import { Effect, Redacted } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import type { AuthorizationAnswer, PaymentGateway } from "../../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt, Misconfigured, NotSent } from "../../adapters/PaymentGateway.ts"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import { GatewayName, Reference } from "../../domain/payment/Gateway.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import * as AdyenFailure from "./AdyenFailure.ts"
import * as AdyenKey from "./AdyenKey.ts"
import * as AdyenReply from "./AdyenReply.ts"
import type { Account, AdyenRequest } from "./AdyenRequest.ts"
import * as Request from "./AdyenRequest.ts"

export interface Options extends Account {
  /** With the version: `https://checkout-test.adyen.com/v72`, and a prefix of the merchant's own for live payments. */
  readonly url: string
  readonly apiKey: Redacted.Redacted
}

/**
 * What Adyen's manual promises, and less where it is silent.
 *
 * - Keys live for at least 7 days (older pages say 31).
 * - An error marked as transient is not stored under its key. Others may be, and
 *   then a repeat only hears of them again, which harms nobody.
 * - Several captures of one authorization are for accounts that asked for it,
 *   and Adyen cannot be told which of them is the last.
 */
export const capabilities: Capabilities = {
  idempotencyKey: { retentionMillis: 7 * 24 * 60 * 60 * 1000, maxLength: AdyenKey.maxLength, storesErrors: false },
  lookup: "none",
  autoCapture: false,
  partialCapture: true,
  multipleCaptures: false,
  partialRefund: true
}

type Reason = GatewayError["reason"]

/** What an exchange brought: a reply to be read, or a refusal that is an answer. */
type Heard<Reply> =
  | { readonly reply: Reply; readonly refusal?: never }
  | { readonly reply?: never; readonly refusal: AdyenFailure.Refusal }

export const make = Effect.fnUntraced(function* (
  name: string,
  options: Options
): Effect.fn.Return<PaymentGateway, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const gateway = GatewayName.make(name)
  const base = options.url.replace(/\/$/, "")

  const exchange = <S extends Schema.Codec<unknown, unknown>>(
    { _tag, operation }: Call,
    { body, path }: AdyenRequest,
    schema: S
  ): Effect.Effect<Heard<S["Type"]>, Reason> =>
    HttpClientRequest.post(`${base}${path}`).pipe(
      HttpClientRequest.setHeaders({
        "x-api-key": Redacted.value(options.apiKey),
        "idempotency-key": AdyenKey.of(operation)
      }),
      HttpClientRequest.bodyJsonUnsafe(body),
      client.execute,
      Effect.mapError(AdyenFailure.meaningOfSilence),
      Effect.flatMap((response) =>
        response.status >= 200 && response.status < 300
          ? Effect.map(replyOf(response, schema), (reply): Heard<S["Type"]> => ({ reply }))
          : Effect.flatMap(errorOf(response), (error): Effect.Effect<Heard<S["Type"]>, Reason> => {
              const refused = { status: response.status, error, retryAfter: response.headers["retry-after"] }
              const meaning = AdyenFailure.meaningOf(refused, _tag)
              return isReason(meaning) ? Effect.fail(meaning) : Effect.succeed({ refusal: meaning })
            })
      )
    )

  const about = <A>({ operation }: Call, effect: Effect.Effect<A, Reason>) =>
    Effect.mapError(effect, (reason) => new GatewayError({ gateway, operation, reason }))

  const authorization = (call: Call, request: AdyenRequest, fallback: Reference) =>
    exchange(call, request, AdyenReply.PaymentReply).pipe(
      Effect.flatMap(({ refusal, reply }): Effect.Effect<AuthorizationAnswer, Reason> => {
        if (reply !== undefined) return believed(AdyenReply.authorizationOf(reply, request.about, fallback))
        return refusal._tag === "Declined" ? Effect.succeed(refusal) : Effect.fail(unreadable)
      }),
      (answer) => about(call, answer)
    )

  const modification = (call: Call, request: AdyenRequest) =>
    exchange(call, request, AdyenReply.ModificationReply).pipe(
      Effect.flatMap(({ refusal, reply }): Effect.Effect<Received, Reason> => {
        if (reply !== undefined) return believed(AdyenReply.modificationOf(reply, request.about))
        return refusal._tag === "Refused" ? Effect.succeed(refusal) : Effect.fail(unreadable)
      }),
      (answer) => about(call, answer)
    )

  return {
    name: gateway,
    capabilities,
    authorize: (call) => {
      const request = Request.authorize(call, options)
      return request === undefined
        ? about(call, Effect.fail(new NotSent({ because: "Refused" })))
        : authorization(call, request, Reference.make(call.operation))
    },
    confirm: (call) =>
      call.result === undefined
        ? about(call, Effect.fail(new Misconfigured({ detail: noResult })))
        : authorization(call, Request.confirm(call, call.result), call.reference),
    capture: (call) => {
      if (Request.isWithoutReference(call.reference)) return Effect.succeed(notAuthorized)
      const request = Request.capture(call, options)
      return request === undefined ? Effect.succeed(inexact) : modification(call, request)
    },
    void: (call) => modification(call, Request.cancel(call, options)),
    refund: (call) => {
      if (Request.isWithoutReference(call.reference)) return Effect.succeed(notAuthorized)
      const request = Request.refund(call, options)
      return request === undefined ? Effect.succeed(inexact) : modification(call, request)
    },
    lookup: (call) => about(call, Effect.fail(new Misconfigured({ detail: "Adyen has no lookup" })))
  }
})

type Received = Extract<Answer, { readonly _tag: "Pending" | "Refused" }>

const unreadable = new InDoubt({ because: "Unreadable" })
const noResult = "the customer came back without the redirectResult that Adyen put into the return URL"

/** The customer is still at their bank, or never came back from it. */
const notAuthorized: Received = { _tag: "Refused", code: "not_authorized", authorizationGone: false }

/** Adyen has fewer decimals in this currency than the amount. */
const inexact: Received = { _tag: "Refused", code: "amount_not_representable", authorizationGone: false }

const isReason = (meaning: AdyenFailure.Meaning): meaning is Reason =>
  meaning._tag === "NotSent" || meaning._tag === "InDoubt" || meaning._tag === "Misconfigured"

const believed = <A extends { readonly _tag: string }>(read: AdyenReply.Read<A>): Effect.Effect<A, Reason> =>
  read instanceof InDoubt || read instanceof Misconfigured ? Effect.fail(read) : Effect.succeed(read)

/** A body that breaks off and one that is no such reply both leave it open what happened. */
const replyOf = <S extends Schema.Codec<unknown, unknown>>(
  response: HttpClientResponse.HttpClientResponse,
  schema: S
): Effect.Effect<S["Type"], Reason> =>
  Effect.mapError(HttpClientResponse.schemaBodyJson(schema)(response), (error) =>
    error._tag === "SchemaError" ? unreadable : AdyenFailure.meaningOfSilence(error)
  )

/** Empty when there is nothing to be read: the status alone then says what it says. */
const errorOf = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<AdyenFailure.ErrorReply> =>
  Effect.orElseSucceed(HttpClientResponse.schemaBodyJson(AdyenFailure.ErrorReply)(response), () => ({}))
