/** A connection to Redis that neither waits long for the server nor is waited for at the end. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Context, Duration, Effect, Fiber, Layer, Schema } from "effect"
import type { Redacted } from "effect"
import { Redis } from "effect/persistence"
import { StorageUnavailable } from "../../adapters/Storage.ts"
import * as RedisUrl from "./RedisUrl.ts"

export interface Options {
  /** `redis://` or, over TLS, `rediss://`; it may hold a password. */
  readonly url: Redacted.Redacted
  /** How long an operation, or the first connection, waits for Redis. */
  readonly answerMillis?: number | undefined
}

/** Redis answers in well under a millisecond; a lease that is worth taking outlives this. */
export const defaultAnswerMillis = 2000

/** Connects, once and within `answerMillis`; what ends the connection afterwards is healed by connecting again. */
export const layer = ({
  answerMillis = defaultAnswerMillis,
  url
}: Options): Layer.Layer<Redis.Redis, RedisUrl.RedisUrlError | StorageUnavailable> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const address = yield* RedisUrl.parse(url)
      const abandon = new AbortController()
      const connecting = Layer.buildWithScope(
        NodeRedis.layer({
          url: address,
          // A command that cannot be sent now fails now; whoever asks decides what then.
          disableOfflineQueue: true,
          socket: { connectTimeout: answerMillis, signal: abandon.signal }
        }),
        yield* Effect.scope
      )
      // Giving up means closing the socket: a client that is told to close waits for the server's answer.
      const patience = yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep(Duration.millis(answerMillis)),
          Effect.sync(() => abandon.abort(new NoAnswer({ afterMillis: answerMillis })))
        )
      )
      const context = yield* Effect.onExit(connecting, () => Fiber.interrupt(patience)).pipe(
        Effect.mapError((cause) => new StorageUnavailable({ operation: "connect to Redis", cause }))
      )
      const redis = Context.get(context, NodeRedis.NodeRedis).client
      // Closing waits for commands on their way. Nobody waits for them any more, and the server may be silent.
      yield* Effect.addFinalizer(() => Effect.sync(() => redis.isOpen && redis.destroy()))
      return Context.make(Redis.Redis, Context.get(context, Redis.Redis))
    })
  )

export class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", { afterMillis: Schema.Int }) {
  override get message() {
    return `no answer from Redis within ${this.afterMillis} ms`
  }
}
