/** What it means when Stripe answers with an error, or not at all: row by row. */
import { assert, describe, it } from "@effect/vitest"
import type { Reply, Seen } from "../../../src/infra/stripe/StripeClassification.ts"
import { classify, isKept, table } from "../../../src/infra/stripe/StripeClassification.ts"

const reply = (status: number, fields: Partial<Reply> = {}): Seen => ({
  _tag: "Replied",
  reply: {
    status,
    type: undefined,
    code: undefined,
    declineCode: undefined,
    adviceCode: undefined,
    param: undefined,
    shouldRetry: undefined,
    replayed: false,
    retryAfterMillis: undefined,
    ...fields
  }
})

const invalid = "invalid_request_error"

const rows: ReadonlyArray<readonly [seen: Seen, meaning: string]> = [
  [{ _tag: "NotConnected" }, "NotSent ConnectionRefused"],
  [{ _tag: "Broken" }, "InDoubt ConnectionLost"],
  [{ _tag: "TimedOut" }, "InDoubt Timeout"],
  [{ _tag: "Unreadable" }, "InDoubt Unreadable"],
  [reply(429), "NotSent Throttled"],
  [reply(429, { shouldRetry: true }), "NotSent Throttled"],
  [reply(429, { shouldRetry: false }), "NotSent Refused"],
  [reply(400, { type: invalid, code: "rate_limit" }), "NotSent Throttled"],
  [reply(500), "InDoubt ServerError"],
  [reply(502), "InDoubt ServerError"],
  [reply(503), "InDoubt ServerError"],
  [reply(599), "InDoubt ServerError"],
  [reply(500, { shouldRetry: false }), "InDoubt ServerError"],
  [reply(500, { shouldRetry: true }), "InDoubt ConnectionLost"],
  [reply(409, { code: "idempotency_key_in_use" }), "InDoubt KeyInUse"],
  [reply(409, { shouldRetry: true }), "InDoubt KeyInUse"],
  [reply(409, { shouldRetry: false }), "InDoubt ServerError"],
  [reply(400, { type: "idempotency_error" }), "Misconfigured"],
  [reply(402, { type: "card_error", code: "card_declined" }), "Declined"],
  // Stripe itself wants to see it again, so it is no definite decline.
  [reply(402, { type: "card_error", shouldRetry: true }), "InDoubt KeyInUse"],
  [reply(402, { type: "card_error", shouldRetry: false }), "Declined"],
  [reply(402, { type: invalid }), "Refused"],
  [reply(400, { type: invalid, code: "parameter_missing" }), "Refused"],
  [reply(400, { type: invalid, shouldRetry: true }), "InDoubt KeyInUse"],
  [reply(404, { type: invalid, code: "resource_missing" }), "Refused"],
  [reply(401), "NotSent Refused"],
  [reply(403), "NotSent Refused"],
  [reply(424), "InDoubt ServerError"],
  [reply(418), "InDoubt Unreadable"],
  [reply(302), "InDoubt Unreadable"],
  [reply(600), "InDoubt Unreadable"]
]

const meaningOf = (seen: Seen): string => {
  const meaning = classify(seen)
  return "because" in meaning ? `${meaning._tag} ${meaning.because}` : meaning._tag
}

describe("StripeClassification", () => {
  it.each(rows)("%j", (seen, meaning) => assert.strictEqual(meaningOf(seen), meaning))

  it("uses every row of its table", () => {
    const meanings = new Set(rows.map(([seen]) => classify(seen)))
    for (const { means } of table) assert.isTrue(meanings.has(means), JSON.stringify(means))
  })

  it("knows a 5xx that its key only repeats", () => {
    assert.isTrue(isKept(reply(500, { replayed: true })))
    assert.isTrue(isKept(reply(500, { shouldRetry: false })))
    assert.isFalse(isKept(reply(500)))
    assert.isFalse(isKept(reply(500, { shouldRetry: true })))
    assert.isFalse(isKept(reply(402, { replayed: true })))
    assert.isFalse(isKept({ _tag: "Broken" }))
  })

  it("waits as long as it is told, where nothing was sent", () => {
    assert.deepInclude(classify(reply(429, { retryAfterMillis: 2000 })), { retryAfterMillis: 2000 })
    assert.notProperty(classify(reply(500, { retryAfterMillis: 2000 })), "retryAfterMillis")
  })
})
