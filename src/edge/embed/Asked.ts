/**
 * The HTTP API asked as a function: what goes in is checked there and nowhere
 * else, and what it answers comes back as a value or as the problem's class.
 */
import { Schema } from "effect"
import * as Problem from "../http/Problem.ts"

export type Handle = (request: Request) => Promise<Response>

/** A host is needed to write a URL; nobody is asked at this one. */
const origin = "http://florin.invalid"

/** With a body it is a POST, whose `idempotencyKey` is a header. */
export const asked = async <A>(
  handle: Handle,
  answer: Schema.Codec<A, unknown>,
  path: string,
  body?: { readonly idempotencyKey?: string | undefined; readonly [field: string]: unknown }
): Promise<A> => {
  const { idempotencyKey, ...payload } = body ?? {}
  const response = await handle(
    new Request(`${origin}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey })
      },
      body: body === undefined ? null : JSON.stringify(payload)
    })
  )
  const said: unknown = await response.json()
  if (!response.ok) throw Problem.fromJson(said)
  return Schema.decodeUnknownSync(Schema.toCodecJson(answer))(said)
}

/** What is given, as a query. */
export const queryOf = (given: object): string =>
  `?${String(new URLSearchParams(Object.entries(given).map(([name, value]): [string, string] => [name, String(value)])))}`
