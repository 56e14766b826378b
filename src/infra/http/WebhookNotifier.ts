/**
 * `Notifier` that posts each notice as JSON to one URL, whose server then tells
 * the person, by whatever way it knows.
 *
 * The notice's id is the request's `Idempotency-Key`, so that the receiver can
 * tell a repeat. Any 2xx means that it was taken.
 *
 * | seen | meaning |
 * | --- | --- |
 * | no connection was made | not sent |
 * | 408, 425, 429 | not sent: come back later |
 * | 401, 403, 404, a redirect | misconfigured: the URL or the token is wrong |
 * | any other 4xx | refused |
 * | 5xx, no answer in time, a connection that broke | in doubt |
 *
 * The URL and the token are secrets as much as passwords are: no error names them.
 */
import { Effect, Layer, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { RequestInit } from "effect/http/FetchHttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Notifiers from "../../adapters/Notifier.ts"
import type { Notice, NotifierError } from "../../adapters/Notifier.ts"
import { InDoubt, Misconfigured, Notifier, NotSent, Refused } from "../../adapters/Notifier.ts"
import { wasConnecting } from "./ConnectionFailure.ts"

export interface Options {
  readonly url: Redacted.Redacted
  /** Goes with every request as `Authorization: Bearer …`. */
  readonly token?: Redacted.Redacted | undefined
  /** 10 s when absent. */
  readonly timeoutMillis?: number | undefined
}

/** Taking a notice on is writing it down, which takes milliseconds; ten seconds are for a server that starts. */
const usualTimeoutMillis = 10_000

export const layer = (options: Options): Layer.Layer<Notifier, never, HttpClient.HttpClient> =>
  Layer.effect(
    Notifier,
    Effect.flatMap(HttpClient.HttpClient, (client) =>
      Notifiers.make("webhook", (notice) => post(client, options, notice))
    )
  )

const post = (
  client: HttpClient.HttpClient,
  { timeoutMillis = usualTimeoutMillis, token, url }: Options,
  notice: Notice
): Effect.Effect<void, NotifierError["reason"]> => {
  const request = HttpClientRequest.post(Redacted.value(url)).pipe(
    HttpClientRequest.setHeader("idempotency-key", notice.id),
    HttpClientRequest.bodyJsonUnsafe(notice)
  )
  // Of an answer, only its status is of interest: the scope's end hangs up on whoever talks on.
  const scoped = HttpClient.withScope(client)
  return scoped.execute(token === undefined ? request : HttpClientRequest.bearerToken(request, token)).pipe(
    Effect.mapError(reasonOfTransport),
    Effect.flatMap(({ status }) => {
      const reason = reasonOfStatus(status)
      return reason === undefined ? Effect.void : Effect.fail(reason)
    }),
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () => Effect.fail(new InDoubt({ detail: `no answer within ${timeoutMillis} ms` }))
    }),
    // A redirect that `fetch` follows arrives as a GET without the notice, and is answered 200.
    Effect.provideService(RequestInit, { redirect: "manual" }),
    // A span would hold the URL.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
}

const comeBackLater: ReadonlySet<number> = new Set([408, 425, 429])
const wrongAddress: ReadonlySet<number> = new Set([401, 403, 404])

const reasonOfStatus = (status: number): NotifierError["reason"] | undefined => {
  const detail = `the receiver answered ${status}`
  if (status >= 200 && status < 300) return undefined
  if (comeBackLater.has(status)) return new NotSent({ detail })
  if (status >= 500) return new InDoubt({ detail })
  if (status < 400 || wrongAddress.has(status)) return new Misconfigured({ detail })
  return new Refused({ detail })
}

const reasonOfTransport = ({ reason }: HttpClientError): NotifierError["reason"] => {
  switch (reason._tag) {
    case "TransportError":
      return wasConnecting(reason.cause)
        ? new NotSent({ detail: "the receiver could not be reached" })
        : new InDoubt({ detail: "the connection was lost" })
    case "InvalidUrlError":
      return new Misconfigured({ detail: "the webhook's URL is not one" })
    case "EncodeError":
      return new Misconfigured({ detail: "the notice could not be written as JSON" })
    case "StatusCodeError":
    case "DecodeError":
    case "EmptyBodyError":
      return new InDoubt({ detail: "the answer could not be read" })
  }
}
