/**
 * What an answer that is no 2xx means, and what no answer means.
 *
 * | seen | meaning |
 * | --- | --- |
 * | no connection was made | not sent: `ConnectionRefused` |
 * | a connection that broke | in doubt: `ConnectionLost` |
 * | a 2xx that cannot be read, a redirect | in doubt: `Unreadable` |
 * | 400, 404, 405, 406, 415 | misconfigured: Adyen does not know such requests |
 * | 401, 403 | misconfigured: the API key, or what it may do |
 * | 408 | in doubt: `Timeout` |
 * | 409, or error 704 with any status | in doubt: `KeyInUse` |
 * | 422 of the account's set-up (`configuration`) | misconfigured |
 * | 422 of the card (`instruments`), at an authorization | declined: another card may do |
 * | 422 of the amount (`amounts`), at a capture or a refund | refused, nothing moved |
 * | any other 422 of type `validation` | not sent: `Refused` |
 * | any other 422, any other 4xx | in doubt: `Unreadable` |
 * | 429 | not sent: `Throttled`, for as long as `Retry-After` says |
 * | 5xx | in doubt: `ServerError` |
 *
 * Adyen validates before it does anything. Whether a repeat was refused so says
 * nothing of the send before it, which the core knows.
 *
 * Source: https://docs.adyen.com/development-resources/error-codes, .../response-handling
 */
import { Schema } from "effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { GatewayError } from "../../adapters/PaymentGateway.ts"
import { InDoubt, Misconfigured, NotSent } from "../../adapters/PaymentGateway.ts"
import * as CardNumber from "../../domain/CardNumber.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import { wasConnecting } from "../http/ConnectionFailure.ts"

export const ErrorReply = Schema.Struct({
  errorCode: Schema.optionalKey(Schema.String),
  errorType: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String)
})
export type ErrorReply = typeof ErrorReply.Type

export interface Refused {
  readonly status: number
  /** Empty when the body could not be read. */
  readonly error: ErrorReply
  /** The header, as it came. */
  readonly retryAfter: string | undefined
}

/** Some of what Adyen refuses to begin is an answer. */
export type Refusal = Extract<Answer, { readonly _tag: "Declined" | "Refused" }>

export type Meaning = GatewayError["reason"] | Refusal

// --- Error codes ------------------------------------------------------------

/** "request already processed or in progress": another send of this key is being worked on. */
const keyInUse = "704"

/** Not allowed, merchant account, empty request, acquirer account, configuration. */
const configuration = new Set(["010", "901", "902", "950", "951"])

/** Card number, its variant, its security code, its expiry date; contracts and stored details that are not there. */
const instruments = new Set(["101", "102", "103", "129", "140", "141", "800", "802", "803", "805"])

/** Amount, currency. */
const amounts = new Set(["137", "138"])

/** Statuses of requests that the API does not have. */
const unknownRequests = new Set([400, 404, 405, 406, 415])

// --- A status ---------------------------------------------------------------

export const meaningOf = ({ error, retryAfter, status }: Refused, asked: Call["_tag"]): Meaning => {
  const { errorCode = "", errorType } = error
  if (errorCode === keyInUse || status === 409) return new InDoubt({ because: "KeyInUse" })
  if (status >= 500) return new InDoubt({ because: "ServerError" })
  if (status === 429) {
    const retryAfterMillis = millisOf(retryAfter)
    return new NotSent({ because: "Throttled", ...(retryAfterMillis !== undefined && { retryAfterMillis }) })
  }
  if (status === 408) return new InDoubt({ because: "Timeout" })
  if (status === 401 || status === 403 || unknownRequests.has(status)) return misconfigured(status, error)
  if (status !== 422) return new InDoubt({ because: "Unreadable" })

  if (configuration.has(errorCode)) return misconfigured(status, error)
  if (instruments.has(errorCode) && asked === "Authorize") {
    return { _tag: "Declined", decline: { code: `error_${errorCode}`, category: "otherInstrument" } }
  }
  if (amounts.has(errorCode) && (asked === "Capture" || asked === "Refund")) {
    return { _tag: "Refused", code: `error_${errorCode}`, authorizationGone: false }
  }
  return errorType === "validation" ? new NotSent({ because: "Refused" }) : new InDoubt({ because: "Unreadable" })
}

/** Adyen's words may quote what was sent. */
const misconfigured = (status: number, { errorCode, message }: ErrorReply) =>
  new Misconfigured({
    detail: CardNumber.mask(
      ["Adyen answered", status, errorCode && `(${errorCode})`, message].filter((part) => part !== undefined).join(" ")
    )
  })

/** `Retry-After` in seconds; its other form, a date, is not worth a guess about Adyen's clock. */
const millisOf = (retryAfter: string | undefined): number | undefined =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined

// --- No status --------------------------------------------------------------

/** The error itself stays here: it holds the request, and that the API key. */
export const meaningOfSilence = ({ reason }: HttpClientError): GatewayError["reason"] => {
  switch (reason._tag) {
    case "TransportError":
      return wasConnecting(reason.cause)
        ? new NotSent({ because: "ConnectionRefused", cause: reason.cause })
        : new InDoubt({ because: "ConnectionLost", cause: reason.cause })
    case "InvalidUrlError":
    case "EncodeError":
      return new Misconfigured({ detail: "the request to Adyen could not be made: see the base URL" })
    case "StatusCodeError":
    case "DecodeError":
    case "EmptyBodyError":
      return new InDoubt({ because: "Unreadable" })
  }
}
