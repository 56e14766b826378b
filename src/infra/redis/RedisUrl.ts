/** The address of a Redis server: what it must look like, without repeating it, because it may hold a password. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

export class RedisUrlError extends Schema.TaggedError<RedisUrlError>()("RedisUrlError", { detail: Schema.String }) {
  override get message() {
    return `the URL of Redis: ${this.detail}`
  }
}

/**
 * What is wrong with `redis://user:password@host:6379/0`, with everything but the
 * host optional, and `rediss://` over TLS; `undefined` when nothing is.
 */
export const complaint = (url: string): string | undefined => {
  const parsed = URL.parse(url)
  if (parsed === null) return "expected a URL such as redis://:password@host:6379/0"
  if (parsed.protocol !== "redis:" && parsed.protocol !== "rediss:") {
    return `expected redis:// or rediss://, got ${parsed.protocol}//`
  }
  if (parsed.hostname === "") return "expected a host, got none"
  if (!/^\/?\d*$/.test(parsed.pathname)) return "expected the number of a database after the host, such as /0"
  return isDecodable(parsed.username) && isDecodable(parsed.password)
    ? undefined
    : "expected a user and a password that are percent-encoded"
}

export const parse = (url: Redacted.Redacted): Effect.Effect<string, RedisUrlError> => {
  const text = Redacted.value(url)
  const detail = complaint(text)
  return detail === undefined ? Effect.succeed(text) : Effect.fail(new RedisUrlError({ detail }))
}

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
