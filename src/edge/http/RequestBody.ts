/**
 * Reads a request's body before anything else does: bounded, declared as JSON,
 * well-formed, and without a card number anywhere in it (R10). What is wrong
 * with its fields is said by `PaymentsApi`'s schemas afterwards.
 */
import { ByteSize, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import * as CardNumber from "../../domain/CardNumber.ts"
import * as Problem from "./Problem.ts"

/** Fifty metadata keys of 500 characters, in three-byte letters, and room to spare. */
export const maxBodyBytes = 256 * 1024

export class RequestBody extends HttpApiMiddleware.Service<RequestBody>()("florin/edge/http/RequestBody", {
  error: [Problem.InvalidRequest, Problem.CardNumberRefused, Problem.BodyTooLarge, Problem.NotJson]
}) {}

export const layer: Layer.Layer<RequestBody> = Layer.succeed(RequestBody, (httpEffect, { endpoint }) =>
  endpoint.method === "POST" ? Effect.andThen(check, httpEffect) : httpEffect
)

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
