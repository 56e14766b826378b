import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { FlowQueue } from "../../../src/adapters/FlowQueue.ts"
import { FlowId, WorkerName } from "../../../src/domain/flow/FlowName.ts"
import * as RedisFlowQueue from "../../../src/infra/redis/RedisFlowQueue.ts"
import * as FlowQueueContract from "../../../src/testing/contract/FlowQueueContract.ts"
import * as RedisServer from "./RedisServer.ts"

const times = { pollMillis: 20, lockMillis: 5000 }

FlowQueueContract.suite(
  "Redis",
  Layer.unwrap(Effect.map(RedisServer.make, ({ url }) => Layer.orDie(RedisFlowQueue.layer({ url, times }))))
)

describe("RedisFlowQueue", () => {
  it.live("a server that is silent is StorageUnavailable, within the time that a caller has", () =>
    Effect.gen(function* () {
      const { pause, resume, url } = yield* RedisServer.make
      const offering = Effect.flatMap(FlowQueue, (queue) =>
        Effect.gen(function* () {
          yield* pause
          const before = yield* Clock.currentTimeMillis
          const flow = FlowId.make(`flow_${"a".repeat(40)}`)
          const hint = { id: "one", worker: WorkerName.make("billing"), flow, delayMillis: 0 }
          const error = yield* Effect.flip(queue.offer(hint))
          assert.strictEqual(error._tag, "StorageUnavailable")
          assert.isBelow((yield* Clock.currentTimeMillis) - before, 4000)
          yield* resume
        })
      )
      yield* Effect.provide(offering, RedisFlowQueue.layer({ url, times }))
    }).pipe(Effect.scoped)
  )
})
