/**
 * Why a flow has no response, as data: what its error flow is given.
 *
 * - `Refused`: the gateway said no, with a top-level `error` in its body, under
 *   whatever HTTP status. `body` is the whole of it.
 * - `Undecodable`: it answered, with something else than the flow's response.
 * - `NotJson`: it answered, or a proxy did, with something that is no JSON.
 * - `Transport`: there was no answer.
 * - `NotConfigured`: nobody here can ask.
 *
 * What is kept of an answer is bounded, and holds no secret and no card number.
 */
import { Schema } from "effect"
import * as CardNumber from "../CardNumber.ts"

const Status = Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 599 }))

export const FlowError = Schema.TaggedUnion({
  Refused: {
    status: Status,
    /** The gateway's class of errors, such as `card_error`. */
    type: Schema.String,
    code: Schema.optionalKey(Schema.String),
    message: Schema.String,
    body: Schema.Json
  },
  Undecodable: { detail: Schema.String, body: Schema.Json },
  NotJson: { text: Schema.String },
  Transport: { detail: Schema.String },
  NotConfigured: { detail: Schema.String }
})
export type FlowError = typeof FlowError.Type

/**
 * Whom an error concerns. `notify`: the customer's card, so asking again is no
 * use and somebody has to hear of it. `retryLater`: the gateway was busy. `log`:
 * everything else.
 */
export type Advice = "notify" | "retryLater" | "log"

export const advice = (error: FlowError): Advice => {
  if (error._tag !== "Refused") return "log"
  if (error.type === "card_error") return "notify"
  return error.type === "rate_limit_error" ? "retryLater" : "log"
}

/** In one line, for a log and for an operator. */
export const summary = (error: FlowError): string => {
  switch (error._tag) {
    case "Refused":
      return `${error.type}${error.code === undefined ? "" : `/${error.code}`} under HTTP ${error.status}: ${error.message}`
    case "Undecodable":
      return `an answer that is not this flow's: ${error.detail}`
    case "NotJson":
      return "an answer that is no JSON"
    case "Transport":
      return `no answer: ${error.detail}`
    case "NotConfigured":
      return `not configured: ${error.detail}`
  }
}

// --- What is kept of an answer ----------------------------------------------

/** A gateway's errors have some hundred bytes, with an object in them a few thousand. */
const maxTextLength = 16_384

/** Deeper than any gateway's objects. */
const maxDepth = 20

/** Members that let their reader act: Stripe's `client_secret` completes a payment. */
const isSecret = (key: string): boolean => /secret|password/i.test(key)

/** PostgreSQL's `jsonb` refuses U+0000 and lone surrogates. */
const storable = (text: string): string => text.replaceAll(/\0/g, "\uFFFD").toWellFormed()

/** As it may be stored: without secrets, card numbers and what no store can hold. */
export const keptText = (text: string): string => CardNumber.mask(storable(text)).slice(0, maxTextLength).toWellFormed()

export const keptJson = (json: unknown, depth = 0): Schema.Json => {
  if (typeof json === "string") return keptText(json)
  if (typeof json === "number") return Number.isFinite(json) ? json : null
  if (typeof json === "boolean") return json
  if (typeof json !== "object" || json === null || depth >= maxDepth) return null
  if (Array.isArray(json)) return json.map((element) => keptJson(element, depth + 1))
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      keptText(key),
      isSecret(key) && value !== null ? "[redacted]" : keptJson(value, depth + 1)
    ])
  )
}
