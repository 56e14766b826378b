/** The address of a Redis server: what it must look like, without repeating it, because it may hold a password. */
import { Effect, Redacted, Schema } from "effect"

export class RedisUrlError extends Schema.TaggedError<RedisUrlError>()("RedisUrlError", { detail: Schema.String }) {
  override get message() {
    return `the URL of Redis: ${this.detail}`
  }
}

const refuse = (detail: string) => Effect.fail(new RedisUrlError({ detail }))

/** `redis://user:password@host:6379/0`, with everything but the host optional; `rediss://` is over TLS. */
export const parse = (url: Redacted.Redacted): Effect.Effect<string, RedisUrlError> =>
  Effect.gen(function* () {
    const text = Redacted.value(url)
    const parsed = URL.parse(text)
    if (parsed === null) return yield* refuse("expected a URL such as redis://:password@host:6379/0")
    if (parsed.protocol !== "redis:" && parsed.protocol !== "rediss:") {
      return yield* refuse(`expected redis:// or rediss://, got ${parsed.protocol}//`)
    }
    if (parsed.hostname === "") return yield* refuse("expected a host, got none")
    if (!/^\/?\d*$/.test(parsed.pathname)) {
      return yield* refuse("expected the number of a database after the host, such as /0")
    }
    if (!isDecodable(parsed.username) || !isDecodable(parsed.password)) {
      return yield* refuse("expected a user and a password that are percent-encoded")
    }
    return text
  })

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
