/** `FlowQueue` on Redis: `PersistedFlowQueue` over the library's store, under the prefix `florin:flows:`. */
import { Layer } from "effect"
import { PersistedQueue } from "effect/persistence"
import type { Redis } from "effect/persistence"
import type { FlowQueue } from "../../adapters/FlowQueue.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Times } from "../queue/PersistedFlowQueue.ts"
import * as PersistedFlowQueue from "../queue/PersistedFlowQueue.ts"
import type { Options } from "./RedisClient.ts"
import * as RedisClient from "./RedisClient.ts"
import type * as RedisUrl from "./RedisUrl.ts"

/** Over a Redis client that is there already. */
export const layerRedis = (
  times: Times = PersistedFlowQueue.defaultTimes
): Layer.Layer<FlowQueue, never, Redis.Redis> =>
  PersistedFlowQueue.layer.pipe(
    Layer.provide(PersistedQueue.layerStoreRedis({ prefix: "florin:flows:", ...PersistedFlowQueue.timesOf(times) }))
  )

/** Connects when it is built. */
export const layer = (
  options: Options & { readonly times?: Times | undefined }
): Layer.Layer<FlowQueue, RedisUrl.RedisUrlError | StorageUnavailable> =>
  layerRedis(options.times).pipe(Layer.provide(RedisClient.layer(options)))
