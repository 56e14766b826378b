import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { inspect } from "node:util"
import * as RedisUrl from "../../../src/infra/redis/RedisUrl.ts"

describe("RedisUrl", () => {
  const good = [
    "redis://127.0.0.1",
    "redis://:secret@cache:6380/3",
    "rediss://user:p%40ss@[::1]:6379/",
    "redis://cache.example.com"
  ]
  for (const url of good) {
    it.effect(`takes ${url}`, () =>
      Effect.map(RedisUrl.parse(Redacted.make(url)), (parsed) => assert.strictEqual(parsed, url))
    )
  }

  const bad: ReadonlyArray<readonly [what: string, url: string, detail: string]> = [
    ["no URL", "hunter2", "expected a URL such as redis://:password@host:6379/0"],
    ["another protocol", "http://:hunter2@cache", "expected redis:// or rediss://, got http://"],
    ["no host", "redis:/hunter2", "expected a host, got none"],
    ["a path", "redis://:hunter2@cache/florin", "expected the number of a database after the host, such as /0"],
    ["a broken escape", "redis://:hunter2%@cache", "expected a user and a password that are percent-encoded"]
  ]
  for (const [what, url, detail] of bad) {
    it.effect(`refuses ${what}, and says what was expected but nothing that may be secret`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(RedisUrl.parse(Redacted.make(url)))
        assert.strictEqual(error.message, `the URL of Redis: ${detail}`)
        assert.notInclude(inspect(error, { showHidden: true }), "hunter2")
      })
    )
  }
})
