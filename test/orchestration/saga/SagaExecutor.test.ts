import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaDriver from "../../../src/orchestration/saga/SagaDriver.ts"
import * as SagaExecutor from "../../../src/orchestration/saga/SagaExecutor.ts"

const run = <Input, A, R>(saga: Saga.Saga<Input, A, R>, input: Input) =>
  SagaExecutor.execute(saga, input, SagaDriver.memory("run-1"))

class Broken extends Schema.TaggedError<Broken>()("Broken", { isRetryable: Schema.Boolean }) {
  override get message() {
    return "it broke"
  }
}

describe("a saga", () => {
  it.effect("runs its steps on each other's results and answers with the one it returns", () =>
    Effect.gen(function* () {
      const saga = Saga.make("Sum", { input: Schema.Struct({ left: Schema.Int, right: Schema.Int }) })
        .step("doubled", {
          takes: ({ input }) => ({ value: input.left, by: 2 }),
          gives: Schema.Struct({ value: Schema.Int }),
          run: ({ by, value }) => Effect.succeed({ value: value * by })
        })
        .step("sum", {
          takes: ({ input, steps }) => ({ values: [steps.doubled.value, input.right] as const }),
          gives: Schema.Int,
          run: ({ values: [one, other] }) => Effect.succeed(one + other)
        })
        .returns("sum")
      assert.deepStrictEqual(yield* run(saga, { left: 2, right: 3 }), {
        _tag: "Completed",
        execution: "run-1",
        value: 7
      })
    })
  )

  it.effect("compensates the step that failed, then undoes those before it, the newest first", () =>
    Effect.gen(function* () {
      const trace: Array<string> = []
      const note = (what: string) => Effect.sync(() => void trace.push(what))
      const saga = Saga.make("Rollback", { input: Schema.Struct({}) })
        .step("a", { gives: Schema.String, run: () => Effect.succeed("A"), undo: (result) => note(`undo ${result}`) })
        .step("b", {
          takes: ({ steps }) => ({ a: steps.a }),
          gives: Schema.String,
          run: () => Effect.succeed("B"),
          undo: (result) => note(`undo ${result}`)
        })
        .step("c", {
          waitFor: ["b"],
          gives: Schema.String,
          retry: { attempts: 3, backoff: "exponential", baseMillis: 1000 },
          run: (_, { attempt }) =>
            Effect.andThen(note(`c ${attempt}`), Effect.fail(new Broken({ isRetryable: attempt < 2 }))),
          compensate: (_, reason) => note(`compensate c, ${reason.message}`)
        })
        .returns("c")
      const fiber = yield* Effect.forkChild(Effect.flip(run(saga, {})))
      yield* Effect.repeat(Effect.yieldNow, { until: () => trace.length === 1 })
      yield* TestClock.adjust(1000)
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { _tag: "SagaFailed", step: "c", ending: "failed", rollbackFailures: [] })
      assert.deepStrictEqual(trace, ["c 1", "c 2", "compensate c, it broke", "undo B", "undo A"])
    })
  )

  it("cannot be made of steps that take what is not there", () => {
    assert.throws(
      () =>
        Saga.make("Wrong", { input: Schema.Struct({}) })
          .step("a", { gives: Schema.Int, run: () => Effect.succeed(1) })
          // @ts-expect-error there is no such step to return
          .returns("b"),
      "Wrong: returns names a step that is not there: b"
    )
  })
})
