/**
 * The `simulated` gateway as a client of a `SandboxServer`.
 *
 * What a call that got no answer means, which is the whole of an adapter's
 * honesty:
 *
 * | seen | meaning |
 * | --- | --- |
 * | no connection was made | not sent: `ConnectionRefused` |
 * | a connection that broke | in doubt: `ConnectionLost` |
 * | a 2xx that cannot be read, or a redirect | in doubt: `Unreadable` |
 * | 400 | misconfigured: florin and the sandbox disagree about what the key stands for |
 * | 409 | in doubt: `KeyInUse`, the first send is still being worked on |
 * | 429 | not sent: `Throttled`, for as long as `Retry-After` says |
 * | any other 4xx | not sent: `Refused` |
 * | 503 with `X-Sandbox-Not-Sent` | not sent: `ConnectionRefused` (see `SandboxApi.notSentHeader`) |
 * | any other 5xx | in doubt: `ServerError` |
 *
 * It waits as long as it is let: the timeout is its caller's.
 */
import type { Schema } from "effect"
import { Effect } from "effect"
import { HttpClient } from "effect/http"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { HttpApiClient } from "effect/http-api"
import { GatewayError, InDoubt, Misconfigured, NotSent } from "../../adapters/PaymentGateway.ts"
import type { Capabilities } from "../../domain/payment/Gateway.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import { wasConnecting } from "../http/ConnectionFailure.ts"
import type { KeyMisused, NoSuchCharge } from "./SandboxApi.ts"
import { notSentHeader, SandboxApi } from "./SandboxApi.ts"
import type { SandboxGateway } from "./SandboxGateway.ts"
import { capabilities } from "./SandboxGateway.ts"

export interface Options {
  /** The server's origin, such as `http://127.0.0.1:4242`. */
  readonly url: string
  /** What the server was told to keep to as well. */
  readonly capabilities?: Partial<Capabilities>
}

type Reason = GatewayError["reason"]

export const make = Effect.fnUntraced(function* (
  name: string,
  options: Options
): Effect.fn.Return<SandboxGateway, never, HttpClient.HttpClient> {
  const gateway = GatewayName.make(name)
  const promised = { ...capabilities, ...options.capabilities }
  const httpClient = HttpClient.transformResponse(
    yield* HttpClient.HttpClient,
    Effect.flatMap((response) =>
      response.status >= 200 && response.status < 300 ? Effect.succeed(response) : refusal(response)
    )
  )
  const client = yield* HttpApiClient.makeWith(SandboxApi, { httpClient, baseUrl: options.url })

  const asGateway = <A>({ operation }: Pick<Call, "operation">, effect: Effect.Effect<A, Unanswered>) =>
    Effect.mapError(effect, (error) => new GatewayError({ gateway, operation, reason: reasonOf(error) }))

  const find = (operation: OperationId) =>
    promised.lookup === "none"
      ? asGateway({ operation }, new Misconfigured({ detail: "this gateway has no lookup" }))
      : asGateway(
          { operation },
          Effect.map(client.records.operations({ query: { key: operation } }), ({ operations: [found] }) =>
            found === undefined ? ({ _tag: "NotFound" } as const) : ({ _tag: "Found", answer: found.answer } as const)
          )
        )

  return {
    name: gateway,
    capabilities: promised,
    authorize: (call) => {
      const { amount, capture, merchant, payment, returnUrl } = call.order
      const { challenge, method } = call
      const metadata = { ...metadataOf(call), payment, merchant }
      const payload = {
        amount,
        method,
        challenge,
        capture,
        ...(returnUrl === undefined ? {} : { returnUrl }),
        metadata
      }
      return asGateway(call, client.payments.authorize({ headers: headersOf(call), payload }))
    },
    confirm: (call) => {
      const { reference, result } = call
      const payload = { ...(result === undefined ? {} : { result }), metadata: metadataOf(call) }
      return asGateway(call, client.payments.confirm({ headers: headersOf(call), params: { reference }, payload }))
    },
    capture: (call) => {
      const { amount, final, reference } = call
      const payload = { amount, final, metadata: metadataOf(call) }
      return asGateway(call, client.payments.capture({ headers: headersOf(call), params: { reference }, payload }))
    },
    void: (call) => {
      const { reference } = call
      const payload = { metadata: metadataOf(call) }
      return asGateway(call, client.payments.void({ headers: headersOf(call), params: { reference }, payload }))
    },
    refund: (call) => {
      const { amount, reference } = call
      const payload = { amount, metadata: metadataOf(call) }
      return asGateway(call, client.payments.refund({ headers: headersOf(call), params: { reference }, payload }))
    },
    lookup: (call) => find(call.operation),
    find
  }
})

const headersOf = ({ operation }: Call) => ({ "idempotency-key": operation })
const metadataOf = ({ operation }: Call) => ({ operation })

// --- A status that is no answer ---------------------------------------------

const refusal = (response: HttpClientResponse): Effect.Effect<never, Reason> => {
  const { headers, status } = response
  if (status === 400) {
    return Effect.flatMap(
      Effect.orElseSucceed(response.text, () => ""),
      (body) => new Misconfigured({ detail: `the sandbox refused the request or its key: ${body}` })
    )
  }
  if (status === 409) return Effect.fail(new InDoubt({ because: "KeyInUse" }))
  if (status === 429) {
    const retryAfterMillis = millisOf(headers["retry-after"])
    const wait = retryAfterMillis === undefined ? {} : { retryAfterMillis }
    return Effect.fail(new NotSent({ because: "Throttled", ...wait }))
  }
  if (status === 503 && headers[notSentHeader] === "true") {
    return Effect.fail(new NotSent({ because: "ConnectionRefused" }))
  }
  if (status >= 500) return Effect.fail(new InDoubt({ because: "ServerError" }))
  return Effect.fail(status >= 400 ? new NotSent({ because: "Refused" }) : new InDoubt({ because: "Unreadable" }))
}

/** `Retry-After` in seconds; its other form, a date, is not worth a guess about the server's clock. */
const millisOf = (retryAfter: string | undefined): number | undefined =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined

// --- No status at all -------------------------------------------------------

type Unanswered = Reason | HttpClientError | Schema.SchemaError | KeyMisused | NoSuchCharge

const reasonOf = (error: Unanswered): Reason => {
  switch (error._tag) {
    case "NotSent":
    case "InDoubt":
    case "Misconfigured":
      return error
    case "HttpClientError":
      return reasonOfTransport(error)
    case "SchemaError":
    case "KeyMisused":
    case "NoSuchCharge":
      return new InDoubt({ because: "Unreadable", cause: error })
  }
}

const reasonOfTransport = (cause: HttpClientError): Reason => {
  switch (cause.reason._tag) {
    case "TransportError":
      return wasConnecting(cause.reason.cause)
        ? new NotSent({ because: "ConnectionRefused", cause })
        : new InDoubt({ because: "ConnectionLost", cause })
    case "InvalidUrlError":
    case "EncodeError":
      return new Misconfigured({ detail: cause.message, cause })
    case "StatusCodeError":
    case "DecodeError":
    case "EmptyBodyError":
      return new InDoubt({ because: "Unreadable", cause })
  }
}
