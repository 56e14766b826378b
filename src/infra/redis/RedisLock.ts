/**
 * `Lock` on Redis.
 *
 * Two keys a name, in one hash slot: the lease, whose value is its owner and
 * which Redis itself ends (`SET NX PX`), and the token of the last acquisition,
 * which nothing ends. Whoever holds the lease is who wrote the token, so that
 * extending and releasing compare both. Each operation is one script, and Redis
 * runs scripts one at a time. Redis's clock is the only one that counts.
 *
 * A token is one more than the last, and at least Redis's time in milliseconds:
 * a Redis that lost its data goes on above what it gave out before. One that
 * fails over to a replica may forget a lease, and then two hold it. A lock only
 * saves work (R6), and the guard refuses the smaller token.
 *
 * No answer within `answerMillis` is `StorageUnavailable`, and so is a connection
 * that is gone; the client connects again by itself meanwhile.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { Redis } from "effect/persistence"
import * as Locks from "../../adapters/Lock.ts"
import { Lock, LockError } from "../../adapters/Lock.ts"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import { Instant, plus } from "../../domain/Instant.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import type { Options } from "./RedisClient.ts"
import * as RedisClient from "./RedisClient.ts"
import { defaultAnswerMillis, NoAnswer } from "./RedisClient.ts"
import type * as RedisUrl from "./RedisUrl.ts"

// --- Scripts ----------------------------------------------------------------

/** What every script is called with: who, over which two keys. */
const keysOf = (name: string): [lease: string, token: string] => [`florin:{${name}}:lease`, `florin:{${name}}:token`]

/** Takes the token, or says for how many milliseconds somebody else has it. A repeat by the owner takes it anew. */
const acquire = Redis.script(
  (name: string, owner: RunId, ttlMillis: number) => [...keysOf(name), owner, ttlMillis] as const,
  {
    numberOfKeys: 2,
    lua: `
      local taken = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
      if not taken then
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[1])} end
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
      end
      local time = redis.call('TIME')
      local floor = time[1] * 1000 + math.floor(time[2] / 1000)
      local token = math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, floor)
      redis.call('SET', KEYS[2], string.format('%.0f', token))
      return {1, token}`
  }
).withReturnType<readonly [taken: number, tokenOrMillis: number]>()

/** One that lapsed goes on, as long as nobody took it since. */
const extend = Redis.script(
  (lease: Locks.Lease, ttlMillis: number) => [...keysOf(lease.name), lease.owner, lease.token, ttlMillis] as const,
  {
    numberOfKeys: 2,
    lua: `
      if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
      return 1`
  }
).withReturnType<number>()

/** Also uses up the token, so that what was given back cannot be extended. */
const release = Redis.script((lease: Locks.Lease) => [...keysOf(lease.name), lease.token] as const, {
  numberOfKeys: 2,
  lua: `
    if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
    redis.call('DEL', KEYS[1])
    redis.call('INCR', KEYS[2])
    return 1`
}).withReturnType<number>()

// --- Layers -----------------------------------------------------------------

/** Over a Redis client that is there already. */
export const layerRedis = ({ answerMillis = defaultAnswerMillis }: Omit<Options, "url"> = {}): Layer.Layer<
  Lock,
  never,
  Redis.Redis
> =>
  Layer.effect(
    Lock,
    Effect.gen(function* () {
      const redis = yield* Redis.Redis

      return Lock.of({
        acquire: Effect.fn("RedisLock.acquire")(function* (name, owner, ttlMillis) {
          const ask = redis.eval(acquire)(name, owner, ttlMillis)
          const [taken, tokenOrMillis] = yield* answered("acquire", { name, owner }, answerMillis, ask)
          if (taken === 1) return { name, owner, token: tokenOrMillis }
          const until = plus(Instant.make(yield* Clock.currentTimeMillis), tokenOrMillis)
          return yield* new LockError({ name, owner, reason: new Locks.Held({ until }) })
        }),
        extend: Effect.fn("RedisLock.extend")(function* (lease, ttlMillis) {
          const held = yield* answered("extend", lease, answerMillis, redis.eval(extend)(lease, ttlMillis))
          if (held !== 1) {
            return yield* new LockError({ name: lease.name, owner: lease.owner, reason: new Locks.Lost() })
          }
        }),
        release: Effect.fn("RedisLock.release")(function* (lease) {
          yield* answered("release", lease, answerMillis, redis.eval(release)(lease))
        })
      })
    })
  )

/** Connects, once and within `answerMillis`; what ends the connection afterwards is healed by connecting again. */
export const layer = (options: Options): Layer.Layer<Lock, RedisUrl.RedisUrlError | StorageUnavailable> =>
  layerRedis(options).pipe(Layer.provide(RedisClient.layer(options)))

const answered = <A>(
  operation: string,
  { name, owner }: Omit<Locks.Lease, "token">,
  afterMillis: number,
  ask: Effect.Effect<A, Redis.RedisError>
): Effect.Effect<A, LockError> =>
  Effect.timeoutOrElse(ask, {
    duration: Duration.millis(afterMillis),
    orElse: () => Effect.fail(new NoAnswer({ afterMillis }))
  }).pipe(
    Effect.mapError((cause) => new LockError({ name, owner, reason: new StorageUnavailable({ operation, cause }) }))
  )
