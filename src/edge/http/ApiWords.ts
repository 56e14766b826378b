/** What the groups of the API say alike: keys of requests, and descriptions. */
import { Schema } from "effect"
import { OpenApi } from "effect/http-api"
import { IdempotencyKey } from "../../domain/Idempotency.ts"

export const key = IdempotencyKey.annotate({
  description: "Names this request: a repeat under the same key is the same request"
})

export const keyed = { "idempotency-key": Schema.optionalKey(key) }

export const described = (summary: string, description?: string) =>
  OpenApi.annotations({ summary, ...(description !== undefined && { description }) })

export const onceEach =
  "With an `Idempotency-Key` it is done once, and a repeat answers the same body with `Idempotent-Replayed: true`; " +
  "without one, each request is one of its own."
