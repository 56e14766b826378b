/**
 * What an answer of Stripe's comes to for a flow: `StripeClassification`'s
 * table, with the whole body beside it, because that is what an error flow is
 * given.
 *
 * - A top-level `error` is one under any HTTP status. Under a status that says
 *   success, its type stands for the status that it comes with otherwise.
 * - What was refused before anything was begun has failed, unless Stripe was
 *   only busy: then it was not sent, and is sent again.
 * - A 5xx is kept under its key. It is asked about again, because it may be a
 *   proxy's, until Stripe says that it repeats itself: then it is settled, in doubt.
 */
import { Schema } from "effect"
import { Stripe } from "stripe"
import * as FlowError from "../../../domain/flow/FlowError.ts"
import type { Outcome } from "../../../domain/flow/FlowEvent.ts"
import { StripeTrouble } from "../StripeApi.ts"
import type { Meaning, Seen } from "../StripeClassification.ts"
import { classify, isKept } from "../StripeClassification.ts"

/** The status under which Stripe usually sends an error of a type. */
const statusByType: Readonly<Record<string, number>> = {
  api_error: 500,
  authentication_error: 401,
  card_error: 402,
  idempotency_error: 400,
  invalid_request_error: 400,
  rate_limit_error: 429
}

export const of = (trouble: StripeTrouble): Outcome => {
  const { seen } = trouble
  const error = errorOf(trouble)
  const meaning = classify(understood(seen))
  return outcomeOf(meaning, error, isSettled(trouble, meaning))
}

const understood = (seen: Seen): Seen => {
  if (seen._tag !== "Replied" || seen.reply.status >= 400) return seen
  // A type that is not in the table stays in doubt: an error and a success at once.
  const status = statusByType[seen.reply.type ?? ""] ?? seen.reply.status
  return { _tag: "Replied", reply: { ...seen.reply, status } }
}

const outcomeOf = (meaning: Meaning, error: FlowError.FlowError, settled: boolean): Outcome => {
  switch (meaning._tag) {
    case "Declined":
    case "Refused":
      return { _tag: "Failed", error }
    case "NotSent": {
      const { because, retryAfterMillis } = meaning
      // A key that may not do this may not do it in a minute either.
      if (because === "Refused") return { _tag: "Failed", error }
      return { _tag: "NotSent", because, error, ...(retryAfterMillis !== undefined && { retryAfterMillis }) }
    }
    case "InDoubt":
      return { _tag: "InDoubt", because: meaning.because, error, settled }
    // Under this key, Stripe has done something else: whatever that was, asking again does not tell.
    case "Misconfigured":
      return { _tag: "InDoubt", because: "Unreadable", error, settled: true }
  }
}

/** Asking again under this key gets the same again. */
const isSettled = ({ seen }: StripeTrouble, meaning: Meaning): boolean =>
  meaning._tag === "InDoubt" && seen._tag === "Replied" && (isKept(seen) || seen.reply.status < 400)

// --- The error, as data -----------------------------------------------------

const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))

/** What the SDK adds to the error that it read. */
const added = new Set(["headers", "statusCode", "requestId"])

/** The body that the SDK took the error from; it keeps the rest of it nowhere. */
const bodyOf = (raw: unknown): Schema.Json =>
  FlowError.keptJson({
    error: isRecord(raw) ? Object.fromEntries(Object.entries(raw).filter(([key]) => !added.has(key))) : raw
  })

const errorOf = ({ cause, seen }: StripeTrouble): FlowError.FlowError => {
  switch (seen._tag) {
    case "Replied": {
      const { code, status, type = "unknown" } = seen.reply
      const raw = cause instanceof Stripe.errors.StripeError ? cause.raw : undefined
      const message = cause instanceof Error ? FlowError.keptText(cause.message) : ""
      return { _tag: "Refused", status, type, message, body: bodyOf(raw), ...(code !== undefined && { code }) }
    }
    case "Unreadable":
      return { _tag: "NotJson", text: FlowError.keptText(textOf(cause)) }
    case "NotConnected":
      return { _tag: "Transport", detail: "no connection to Stripe could be made" }
    case "Broken":
      return { _tag: "Transport", detail: "the connection to Stripe broke" }
    case "TimedOut":
      return { _tag: "Transport", detail: "Stripe did not answer in time" }
  }
}

const RawBody = Schema.Struct({ rawBody: Schema.String })
const isRawBody = Schema.is(RawBody)

/** What came instead of JSON, where the SDK has kept it: in the error below its own. */
const textOf = (cause: unknown): string => {
  const raw = cause instanceof Stripe.errors.StripeError ? cause.raw : undefined
  const exception = isRecord(raw) ? raw["exception"] : undefined
  return isRawBody(exception) ? exception.rawBody : ""
}
