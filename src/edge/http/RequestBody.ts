/**
 * Reads a request's body before anything else does: bounded, declared as JSON,
 * well-formed, and without a card number anywhere in it or in the query (R10).
 * What is wrong with its fields is said by `PaymentsApi`'s schemas afterwards.
 */
import { ByteSize, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import * as CardNumber from "../../domain/CardNumber.ts"
import * as Problem from "./Problem.ts"
import { RequestBody } from "./RequestChecks.ts"

/** Fifty metadata keys of 500 characters, in three-byte letters, and room to spare. */
export const maxBodyBytes = 256 * 1024

export const layer: Layer.Layer<RequestBody> = Layer.succeed(RequestBody, (httpEffect, { endpoint }) =>
  Effect.andThen(endpoint.method === "POST" || endpoint.method === "PATCH" ? check : checkQuery, httpEffect)
)

const checkQuery = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const query = request.url.indexOf("?")
  if (query === -1) return
  const fields = Object.fromEntries(new URLSearchParams(request.url.slice(query)))
  const path = CardNumber.find(fields)
  if (path !== undefined) return yield* new Problem.CardNumberRefused({ path: ["query", ...path] })
})

const check = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const { "content-length": length, "content-type": type } = request.headers
  if (Number(length ?? 0) > maxBodyBytes) return yield* new Problem.BodyTooLarge({ maxBytes: maxBodyBytes })
  const text = yield* request.text.pipe(
    Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.fromInputUnsafe(maxBodyBytes)),
    Effect.mapError(() => new Problem.BodyTooLarge({ maxBytes: maxBodyBytes }))
  )
  if (text === "") return
  if (type !== undefined && !/^application\/json\b/i.test(type)) return yield* new Problem.NotJson()
  const json = yield* Effect.try({ try: () => JSON.parse(text) as unknown, catch: malformed })
  const path = CardNumber.find(json)
  if (path !== undefined) return yield* new Problem.CardNumberRefused({ path: ["payload", ...path] })
})

/** The parser's words quote the body, which may hold anything; only the place is repeated. */
const malformed = (cause: unknown) => {
  const place = /at position \d+( \(line \d+ column \d+\))?/.exec(String(cause))?.[0] ?? "at its end"
  return new Problem.InvalidRequest({ errors: [{ path: ["payload"], message: `Expected JSON, broken ${place}` }] })
}
