/**
 * Stripe over its official SDK.
 *
 * Its retries are off, the hidden one included: it sends a request again when
 * a connection was closed, whatever it is told, by the error's code, so errors
 * reach it without one. Only florin knows what may be sent again. Its version
 * is pinned and telemetry is off.
 *
 * What was sent is known by the innermost cause: a failure to connect proves
 * that nothing was.
 */
import { Effect, Redacted, Schema } from "effect"
import { Stripe } from "stripe"
import type { StripeApi } from "./StripeApi.ts"
import { StripeTrouble } from "./StripeApi.ts"
import type { Reply, Seen } from "./StripeClassification.ts"
import type { StripeRequest } from "./StripeRequest.ts"

export interface Options {
  /** `sk_…` or a restricted key, `rk_…`. */
  readonly secretKey: Redacted.Redacted | string
  /** Where Stripe is, for a simulator: `api.stripe.com`, 443 and `https` unless told otherwise. */
  readonly host?: string
  readonly port?: number
  readonly protocol?: "http" | "https"
  /** After so long without an answer the connection is given up; 60 s unless told otherwise. */
  readonly timeoutMillis?: number
}

/** The version that the SDK's types are of, and the requests were verified against. */
export const apiVersion = "2026-10-28.endive"

/**
 * Longer than florin waits for an answer (30 s): it only ends what nobody waits
 * for any more, so that a connection is not held for ever.
 */
const longestMillis = 60_000

/** The SDK as florin uses it, for whoever asks Stripe for something that is not a payment. */
export const client = ({ host, port, protocol, secretKey, timeoutMillis = longestMillis }: Options): Stripe =>
  new Stripe(revealed(secretKey), {
    apiVersion,
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: timeoutMillis,
    httpClient: withoutCodes(Stripe.createNodeHttpClient()),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol })
  })

/** A secret as it was given: hidden from logs, or plain. */
export const revealed = (secret: Redacted.Redacted | string): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)

export const make = (options: Options): StripeApi => of(client(options))

export const of = (stripe: Stripe): StripeApi => ({
  ask: (request) =>
    Effect.flatMap(
      Effect.tryPromise({ try: () => send(stripe, request), catch: troubleOf }),
      // An error page without an error in it passes for an object.
      (response) =>
        response.lastResponse.statusCode < 300
          ? Effect.succeed(response)
          : Effect.fail(new StripeTrouble({ seen: { _tag: "Unreadable" } }))
    )
})

interface Answered {
  readonly lastResponse: { readonly statusCode: number }
}

const send = (stripe: Stripe, request: StripeRequest): Promise<Answered> => {
  switch (request._tag) {
    case "CreateIntent":
      return stripe.paymentIntents.create(request.params, { idempotencyKey: request.key })
    case "RetrieveIntent":
      return stripe.paymentIntents.retrieve(request.intent, request.params)
    case "CaptureIntent":
      return stripe.paymentIntents.capture(request.intent, request.params, { idempotencyKey: request.key })
    case "CancelIntent":
      return stripe.paymentIntents.cancel(request.intent, request.params, { idempotencyKey: request.key })
    case "ListIntents":
      return stripe.paymentIntents.list(request.params)
    case "SearchIntents":
      return stripe.paymentIntents.search(request.params)
    case "CreateRefund":
      return stripe.refunds.create(request.params, { idempotencyKey: request.key })
    case "ListRefunds":
      return stripe.refunds.list(request.params)
    case "RetrieveRefund":
      return stripe.refunds.retrieve(request.refund)
    case "RetrieveDispute":
      return stripe.disputes.retrieve(request.dispute)
    case "ListEvents":
      return stripe.events.list(request.params)
    case "CreateCustomer":
      return stripe.customers.create(request.params, { idempotencyKey: request.key })
    case "AttachMethod":
      return stripe.paymentMethods.attach(request.method, request.params, { idempotencyKey: request.key })
  }
}

// --- The wire ---------------------------------------------------------------

/** A failure of the wire without the code by which the SDK would send the request again. */
class WireFailure extends Error {
  constructor(cause: unknown) {
    super("the request got no answer", { cause })
  }
}

type HttpClient = NonNullable<Stripe.StripeConfig["httpClient"]>

const withoutCodes = (inner: HttpClient): HttpClient => ({
  getClientName: () => inner.getClientName(),
  makeRequest: async (...request) => {
    try {
      return await inner.makeRequest(...request)
    } catch (cause) {
      throw new WireFailure(cause)
    }
  }
})

// --- What the SDK throws ----------------------------------------------------

/** What was seen, for whoever asks by the SDK itself. */
export const troubleOf = (cause: unknown): StripeTrouble => {
  if (cause instanceof Stripe.errors.StripeConnectionError) return new StripeTrouble({ seen: wireOf(cause), cause })
  if (cause instanceof Stripe.errors.StripeError && typeof cause.statusCode === "number") {
    const seen: Seen = { _tag: "Replied", reply: replyOf(cause, cause.statusCode) }
    return new StripeTrouble({
      seen,
      cause,
      ...(cause.payment_intent !== undefined && { intent: cause.payment_intent })
    })
  }
  return new StripeTrouble({ seen: { _tag: "Unreadable" }, cause })
}

const replyOf = (error: InstanceType<typeof Stripe.errors.StripeError>, status: number): Reply => {
  const retryAfter = error.headers?.["retry-after"]
  const shouldRetry = error.headers?.["stripe-should-retry"]
  return {
    status,
    type: error.rawType,
    code: error.code,
    declineCode: error.decline_code,
    adviceCode: error.advice_code,
    param: error.param,
    shouldRetry: shouldRetry === undefined ? undefined : shouldRetry === "true",
    replayed: error.headers?.["idempotent-replayed"] === "true",
    // Its other form, a date, is not worth a guess about Stripe's clock.
    retryAfterMillis: retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
  }
}

const NodeError = Schema.Struct({
  syscall: Schema.optional(Schema.Unknown),
  code: Schema.optional(Schema.Unknown),
  errors: Schema.optional(Schema.Array(Schema.Unknown)),
  cause: Schema.optional(Schema.Unknown),
  detail: Schema.optional(Schema.Unknown),
  exception: Schema.optional(Schema.Unknown)
})
const isNodeError = Schema.is(NodeError)

/** What the SDK's own timeout throws. */
const timeoutCode = "ETIMEDOUT"

const wireOf = (error: unknown): Seen => {
  if (!isNodeError(error)) return { _tag: "Broken" }
  if (error.syscall === "connect" || error.syscall === "getaddrinfo") return { _tag: "NotConnected" }
  if (error.code === timeoutCode) return { _tag: "TimedOut" }
  // Of several addresses, every one must have failed so.
  if (error.errors !== undefined && error.errors.length > 0) {
    const each = error.errors.map(wireOf)
    return each.every(({ _tag }) => _tag === "NotConnected") ? { _tag: "NotConnected" } : { _tag: "Broken" }
  }
  const inner = error.detail ?? error.exception ?? error.cause
  return inner === undefined || inner === null ? { _tag: "Broken" } : wireOf(inner)
}
