/**
 * Requests to another system that may be made again under their key, and what
 * an answer, or none, says of each:
 *
 * - 2xx taken;
 * - 408, 425, 429, and a connection that was never made: it did not take effect;
 * - 5xx, a connection that was lost, no answer in time, an answer that is not
 *   the agreed one: it may have taken effect;
 * - everything else: refused for good. A redirect is not followed, and counts as refused.
 */
import { Effect, Redacted } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClient from "effect/http/HttpClient"
import { RequestInit } from "effect/http/FetchHttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { wasConnecting } from "./ConnectionFailure.ts"

export interface Options {
  readonly url: URL
  /** Goes with every request as `Authorization: Bearer …`. */
  readonly token?: Redacted.Redacted | undefined
  /** 10 s when absent. */
  readonly timeoutMillis?: number | undefined
}

/** What was asked for was not, or may not have been, done. */
export interface Failure {
  readonly _tag: "NotReached" | "InDoubt" | "Refused"
  readonly detail: string
}

export interface Asking<A> {
  readonly key?: string | undefined
  /** Of a 2xx. It counts within the time for the answer; what it fails with leaves doubt. */
  readonly read: (response: HttpClientResponse) => Effect.Effect<A, { readonly message: string }>
  /** What a 404 says, where it is an answer and no refusal. */
  readonly missing?: (() => A) | undefined
}

/** Writing a note or an entry takes milliseconds; ten seconds are for a server that starts. */
const usualTimeoutMillis = 10_000

/** `name` is how messages call the system: "the shop". */
export const make =
  (client: HttpClient.HttpClient, name: string, { timeoutMillis = usualTimeoutMillis, token }: Options) =>
  <A>(request: HttpClientRequest.HttpClientRequest, { key, missing, read }: Asking<A>): Effect.Effect<A, Failure> => {
    const keyed = key === undefined ? request : HttpClientRequest.setHeader(request, "idempotency-key", key)
    // The scope's end hangs up on whoever talks on.
    return HttpClient.withScope(client)
      .execute(token === undefined ? keyed : HttpClientRequest.bearerToken(keyed, token))
      .pipe(
        Effect.mapError((error) => failureOfTransport(name, error)),
        Effect.flatMap((response) => {
          if (response.status === 404 && missing !== undefined) return Effect.succeed(missing())
          const failure = failureOfStatus(name, response.status)
          return failure === undefined
            ? Effect.mapError(read(response), ({ message }): Failure => ({ _tag: "InDoubt", detail: message }))
            : Effect.fail(failure)
        }),
        Effect.scoped,
        Effect.timeoutOrElse({
          duration: timeoutMillis,
          orElse: () => Effect.fail<Failure>({ _tag: "InDoubt", detail: `no answer within ${timeoutMillis} ms` })
        }),
        // A redirect that `fetch` follows arrives as a GET without its body, and is answered 200.
        Effect.provideService(RequestInit, { redirect: "manual" })
      )
  }

/** Without the slash at its end. */
export const baseOf = ({ url }: Pick<Options, "url">): string => url.href.replace(/\/$/, "")

const comeBackLater: ReadonlySet<number> = new Set([408, 425, 429])

const failureOfStatus = (name: string, status: number): Failure | undefined => {
  const detail = `${name} answered ${status}`
  if (status >= 200 && status < 300) return undefined
  if (comeBackLater.has(status)) return { _tag: "NotReached", detail }
  return { _tag: status >= 500 ? "InDoubt" : "Refused", detail }
}

const failureOfTransport = (name: string, { reason }: HttpClientError): Failure =>
  reason._tag === "TransportError" && wasConnecting(reason.cause)
    ? { _tag: "NotReached", detail: `${name} could not be reached` }
    : { _tag: "InDoubt", detail: "the connection was lost" }
