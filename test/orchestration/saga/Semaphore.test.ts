import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryLock from "../../../src/infra/memory/MemoryLock.ts"
import * as Coordination from "../../../src/orchestration/saga/Coordination.ts"

const memory = Layer.provide(MemoryLock.layer, MemoryDatabase.layer)

describe("a semaphore", () => {
  it.effect("that many visitors share has as many permits as it says, and gets each back", () =>
    Effect.gen(function* () {
      const guard = Coordination.semaphore("gateway", 2)
      const visitor = (step: string) => ({ execution: "run", step })
      const enter = (step: string) => Effect.map(guard.enter(visitor(step)), ({ _tag }) => _tag)
      assert.deepStrictEqual([yield* enter("a"), yield* enter("b"), yield* enter("c")], ["Entered", "Entered", "Busy"])
      yield* guard.leave(visitor("a"), true)
      assert.deepStrictEqual([yield* enter("c"), yield* enter("a")], ["Entered", "Busy"])
      yield* guard.leave(visitor("c"), true)
      yield* guard.leave(visitor("b"), true)
      assert.deepStrictEqual([yield* enter("d"), yield* enter("e"), yield* enter("f")], ["Entered", "Entered", "Busy"])
    }).pipe(Effect.provide(memory))
  )
})
