/**
 * Stripe's idempotency keys, as observed in its test mode.
 *
 * - The first request's status and body are kept, errors and 5xx included, once
 *   anything was begun; a request that failed its checks is not kept.
 * - The same key with the same request gets them back, with `Idempotent-Replayed`
 *   and the first request's id as `Original-Request`.
 * - With other parameters or another endpoint it is a 400 `idempotency_error`.
 * - While the first is being worked on it is a 409.
 * - Kept for at least 24 hours, and then gone.
 */
import type { Params } from "./FormBody.ts"
import { canonical } from "./FormBody.ts"
import type { JsonObject } from "./StripeReply.ts"
import { Refused } from "./StripeReply.ts"

export interface Kept {
  readonly request: string
  readonly requestId: string
  readonly atMillis: number
  /** `undefined` while it is worked on. */
  answer: { readonly status: number; readonly body: JsonObject } | undefined
}

export type Keys = Map<string, Kept>

const retentionMillis = 24 * 60 * 60 * 1000

export const fingerprint = (method: string, path: string, params: Params) => `${method} ${path} ${canonical(params)}`

/** What is known of the key: nothing, or the first answer. Throws where the key cannot be used so. */
export const look = (keys: Keys, key: string, request: string, now: number): Kept | undefined => {
  const kept = keys.get(key)
  if (kept === undefined) return undefined
  if (kept.answer !== undefined && now >= kept.atMillis + retentionMillis) {
    keys.delete(key)
    return undefined
  }
  if (kept.request !== request) {
    throw new Refused(400, {
      type: "idempotency_error",
      message:
        "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
        `Try using a key other than '${key}' if you meant to execute a different request.`
    })
  }
  if (kept.answer === undefined) {
    throw new Refused(409, {
      type: "api_error",
      code: "idempotency_key_in_use",
      message: "There is currently another in-progress request using this Idempotent Key."
    })
  }
  return kept
}
