import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Logger, Redacted, Scope } from "effect"
import { Redis } from "effect/persistence"
import { inspect } from "node:util"
import { Lock } from "../../../src/adapters/Lock.ts"
import * as RedisLock from "../../../src/infra/redis/RedisLock.ts"
import * as LockContract from "../../../src/testing/contract/LockContract.ts"
import { run } from "../../../src/testing/contract/Samples.ts"
import * as RedisServer from "./RedisServer.ts"

/** The lock, and beside it a client that looks at what it stored. */
const contract = Layer.unwrap(
  Effect.map(RedisServer.make, ({ url }) =>
    RedisLock.layerRedis().pipe(Layer.provideMerge(NodeRedis.layer({ url: Redacted.value(url) })))
  )
)

/** Redis keeps the time itself: taking some off every lease is time that passed. */
const pass = (millis: number) =>
  Effect.gen(function* () {
    const redis = yield* Redis.Redis
    for (const key of yield* redis.send<ReadonlyArray<string>>("KEYS", "florin:*:lease")) {
      const left = yield* redis.send<number>("PTTL", key)
      yield* redis.send("PEXPIRE", key, String(left - millis))
    }
  }).pipe(Effect.orDie)

LockContract.suite("Redis", contract, { pass, tickMillis: 100 })

/** What a client says of a server that is gone goes to the log, which is not looked at here. */
const silent = Logger.layer([])

describe("RedisLock", () => {
  const [ada, bob] = [run("ada"), run("bob")]
  const inside = <A, E>(test: Effect.Effect<A, E, Scope.Scope>) => Effect.provide(Effect.scoped(test), silent)
  const connect = (url: Redacted.Redacted, answerMillis?: number) =>
    Effect.map(Layer.build(RedisLock.layer({ url, answerMillis })), (context) => Context.get(context, Lock))
  const millisOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      yield* effect
      return (yield* Clock.currentTimeMillis) - before
    })

  it.live("a lease ends by itself, and its token is not given out again", () =>
    inside(
      Effect.gen(function* () {
        const { url } = yield* RedisServer.make
        const lock = yield* connect(url)
        const first = yield* lock.acquire("reaper", ada, 30)
        yield* Effect.sleep("60 millis")
        const second = yield* lock.acquire("reaper", bob, 1000)
        assert.isAbove(second.token, first.token)
      })
    )
  )

  it.live("a Redis that lost its data gives out larger tokens than before", () =>
    inside(
      Effect.gen(function* () {
        const { url } = yield* RedisServer.make
        const lock = yield* connect(url)
        const before = yield* lock.acquire("reaper", ada, 1000)
        const redis = yield* Layer.build(NodeRedis.layer({ url: Redacted.value(url) }))
        yield* Effect.provideContext(
          Effect.flatMap(Redis.Redis, ({ send }) => send("FLUSHALL")),
          redis
        )
        yield* Effect.sleep("5 millis")
        assert.strictEqual((yield* Effect.flip(lock.extend(before, 1000))).reason._tag, "Lost")
        assert.isAbove((yield* lock.acquire("reaper", bob, 1000)).token, before.token)
      })
    )
  )

  it.live("two clients exclude each other", () =>
    inside(
      Effect.gen(function* () {
        const { url } = yield* RedisServer.make
        const [one, other] = [yield* connect(url), yield* connect(url)]
        const results = yield* Effect.forEach(
          Array.from({ length: 40 }, (_, index) => ({ lock: index % 2 === 0 ? one : other, owner: run(`r${index}`) })),
          ({ lock, owner }) => Effect.result(lock.acquire("reaper", owner, 5000)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      })
    )
  )

  it.live("a server that is not there is StorageUnavailable when starting, without the password", () =>
    inside(
      Effect.gen(function* () {
        const { kill, url } = yield* RedisServer.make
        yield* kill
        const error = yield* Effect.flip(connect(url))
        assert.strictEqual(error._tag, "StorageUnavailable")
        assert.notInclude(inspect(error, { depth: 10, showHidden: true }), RedisServer.password)
      })
    )
  )

  it.live("a wrong password is StorageUnavailable, and is not repeated", () =>
    inside(
      Effect.gen(function* () {
        const { port } = yield* RedisServer.make
        const error = yield* Effect.flip(connect(Redacted.make(`redis://:wrong-battery@127.0.0.1:${port}`)))
        assert.strictEqual(error._tag, "StorageUnavailable")
        assert.notInclude(inspect(error, { depth: 10, showHidden: true }), "wrong-battery")
      })
    )
  )

  it.live("a server that is gone is StorageUnavailable at once, for each operation", () =>
    inside(
      Effect.gen(function* () {
        const { kill, url } = yield* RedisServer.make
        const lock = yield* connect(url)
        const lease = yield* lock.acquire("reaper", ada, 60_000)
        yield* kill
        yield* Effect.sleep("50 millis")
        for (const asked of [lock.acquire("reaper", ada, 1000), lock.extend(lease, 1000), lock.release(lease)]) {
          const before = yield* Clock.currentTimeMillis
          const error = yield* Effect.flip(asked)
          assert.isBelow((yield* Clock.currentTimeMillis) - before, 1000)
          assert.strictEqual(error.reason._tag, "StorageUnavailable")
          assert.notInclude(inspect(error, { depth: 10, showHidden: true }), RedisServer.password)
        }
      })
    )
  )

  it.live("a server that is silent is waited for as long as was said, and works again after", () =>
    inside(
      Effect.gen(function* () {
        const { pause, resume, url } = yield* RedisServer.make
        const lock = yield* connect(url, 300)
        yield* lock.acquire("reaper", ada, 60_000)
        yield* pause
        const waited = yield* millisOf(
          Effect.map(Effect.flip(lock.acquire("reaper", bob, 1000)), ({ reason }) =>
            assert.strictEqual(reason._tag, "StorageUnavailable")
          )
        )
        assert.isAtLeast(waited, 290)
        assert.isBelow(waited, 2000)
        yield* resume
        assert.strictEqual((yield* Effect.flip(lock.acquire("reaper", bob, 1000))).reason._tag, "Held")
      })
    )
  )

  it.live("a server that is silent holds up neither the start nor the end", () =>
    inside(
      Effect.gen(function* () {
        const { pause, url } = yield* RedisServer.make
        const ending = millisOf(
          inside(
            Effect.gen(function* () {
              const lock = yield* connect(url, 300)
              yield* pause
              yield* Effect.flip(lock.acquire("reaper", ada, 1000))
            })
          )
        )
        assert.isBelow(yield* ending, 2000)
        const starting = millisOf(
          Effect.map(Effect.flip(inside(connect(url, 300))), ({ _tag }) =>
            assert.strictEqual(_tag, "StorageUnavailable")
          )
        )
        assert.isBelow(yield* starting, 2000)
      })
    )
  )
})
