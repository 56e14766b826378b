import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema } from "effect"
import type { Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import type { SagaEngine } from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as Workshop from "./SagaWorkshop.ts"

const empty = Schema.Struct({})

/** Runs the program over a runner that knows this saga. */
const over =
  <Input, A>(layer: Layer.Layer<SagaRunner.SagaRunner | SagaEngine | SagaRuns>, saga: Saga.Saga<Input, A, never>) =>
  <B, E>(program: Effect.Effect<B, E, SagaRunner.SagaRunner | SagaEngine | SagaRuns | Scope.Scope>) =>
    Effect.flatMap(SagaRunner.SagaRunner, (runner) => Effect.andThen(runner.register(saga), program)).pipe(
      Effect.scoped,
      Effect.provide(layer)
    )

const engines = [
  ["in memory", Workshop.inMemory],
  ["as workflows", Workshop.asWorkflows]
] as const

for (const [name, layer] of engines) {
  describe(`a runner ${name}`, () => {
    it.effect("takes a saga within back at its place, newest first, when a later step fails", () =>
      Effect.gen(function* () {
        const { observer, trace } = Workshop.traced()
        const done = (value: string) => ({
          gives: Schema.String,
          run: () => Effect.succeed(value),
          undo: () => Effect.void
        })
        const child = Saga.make("Child", { input: Schema.Struct({ from: Schema.String }) })
          .step("one", done("1"))
          .step("two", { ...done("2"), waitFor: ["one"] })
          .returns("two")
        const saga = Saga.make("Parent", { input: empty })
          .step("before", done("b"))
          .compose("child", child, { takes: ({ steps }) => ({ from: steps.before }) })
          .step("after", { ...done("a"), waitFor: ["child"] })
          .step("fails", { waitFor: ["after"], gives: Schema.Void, run: () => Effect.fail("no") })
          .returns("fails")
        const failed = yield* Effect.flatMap(SagaRunner.SagaRunner, (runner) => Effect.flip(runner.run(saga, {}))).pipe(
          over(layer, saga),
          SagaObserver.observedBy(observer)
        )
        assert.deepInclude(failed, { _tag: "SagaFailed", ending: "failed", step: "fails" })
        assert.deepStrictEqual(trace.slice(-7), [
          "run fails",
          "failed fails",
          "undo after",
          "undo child/two",
          "undo child/one",
          "undo before",
          "end failed"
        ])
      })
    )

    it.effect("a repeat with the key hears the first run's result and id, and runs no step", () =>
      Effect.gen(function* () {
        let ran = 0
        const saga = Saga.make("Keyed", {
          input: Schema.Struct({ order: Schema.String, amount: Schema.Int }),
          idempotencyKey: ({ order }) => order
        })
          .step("charge", {
            takes: ({ input }) => ({ amount: input.amount }),
            gives: Schema.Int,
            run: ({ amount }) => Effect.sync(() => ((ran += 1), amount))
          })
          .returns("charge")
        const [first, second] = yield* Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          return [
            yield* runner.run(saga, { order: "o-1", amount: 10 }),
            yield* runner.run(saga, { order: "o-1", amount: 99 })
          ]
        }).pipe(over(layer, saga))
        assert.deepStrictEqual(second, first)
        assert.deepInclude(first, { _tag: "Completed", value: 10 })
        assert.strictEqual(ran, 1)
      })
    )

    it.effect("undoes a run that completed, the pivot included, when somebody decides so", () =>
      Effect.gen(function* () {
        const { observer, trace } = Workshop.traced()
        const saga = Saga.make("Done", { input: empty })
          .step("a", { gives: Schema.Int, run: () => Effect.succeed(1), undo: () => Effect.void })
          .step("b", {
            kind: "pivot",
            takes: ({ steps }) => ({ a: steps.a }),
            gives: Schema.Int,
            run: () => Effect.succeed(2),
            undo: () => Effect.void
          })
          .returns("b")
        const status = yield* Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          yield* runner.run(saga, {}, { execution: "e-1" })
          yield* runner.undo("e-1")
          yield* Effect.flip(runner.result(saga, "e-1"))
          return yield* runner.status("e-1")
        }).pipe(over(layer, saga), SagaObserver.observedBy(observer))
        assert.deepInclude(status, { status: "undone", generation: 2, rollbackFailures: [] })
        assert.deepStrictEqual(trace, [
          "start",
          "run a",
          "succeeded a",
          "run b",
          "succeeded b",
          "end completed",
          "start 2",
          "undo b",
          "undo a",
          "end undone"
        ])
      })
    )

    it.effect("goes on from where it stalled past its pivot, under the key that the step had", () =>
      Effect.gen(function* () {
        const keys: Array<string> = []
        let works = false
        const saga = Saga.make("Stalls", { input: empty })
          .step("capture", {
            kind: "pivot",
            gives: Schema.Int,
            run: () => Effect.sync(() => (keys.push("capture"), 1))
          })
          .step("record", {
            takes: ({ steps }) => ({ captured: steps.capture }),
            gives: Schema.Int,
            run: ({ captured }, { key }) =>
              Effect.suspend(
                () => (keys.push(key), works ? Effect.succeed(captured + 1) : Effect.fail("the books are closed"))
              )
          })
          .returns("record")
        const [stalled, answer] = yield* Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          const stalled = yield* Effect.flip(runner.run(saga, {}, { execution: "e-2" }))
          works = true
          yield* runner.resume("e-2")
          return [stalled, yield* runner.result(saga, "e-2")] as const
        }).pipe(over(layer, saga))
        assert.deepInclude(stalled, { _tag: "SagaFailed", ending: "stalled", step: "record" })
        assert.deepInclude(answer, { _tag: "Completed", value: 2 })
        assert.deepStrictEqual(keys, ["capture", "e-2/record", "e-2/record"])
      })
    )

    it.effect("hears within a second of a run that another process ended, whoever else stopped waiting for it", () =>
      Effect.gen(function* () {
        const saga = Saga.make("Elsewhere", { input: empty })
          .step("one", { gives: Schema.Int, run: () => Effect.succeed(1) })
          .returns("one")
        const heard = yield* Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          const runs = yield* SagaRuns
          const run = { execution: "run-1", generation: 1 }
          yield* runs.begin({ ...run, saga: saga.name, key: undefined, at: 0, input: {}, sealed: {} })
          const hasty = yield* Effect.forkChild(runner.result(saga, run.execution))
          const patient = yield* Effect.forkChild(runner.result(saga, run.execution))
          yield* TestClock.adjust("1 minute")
          yield* Fiber.interrupt(hasty)
          const sealed = { journal: {}, unfinished: [], result: 1 }
          const end = { at: 1, ending: "completed", result: 1, step: undefined, error: undefined } as const
          yield* runs.settle({ ...run, ...end, rollbackFailures: [], sealed })
          yield* TestClock.adjust("1 second")
          return patient.pollUnsafe()
        }).pipe(over(layer, saga))
        assert.deepStrictEqual(heard, Exit.succeed({ _tag: "Completed", execution: "run-1", value: 1 }))
      })
    )

    it.effect("ends a run that is cancelled while it waits, and takes it back", () =>
      Effect.gen(function* () {
        const { observer, trace } = Workshop.traced()
        const saga = Saga.make("Waiting", { input: empty })
          .step("a", { gives: Schema.Int, run: () => Effect.succeed(1), undo: () => Effect.void })
          .step("b", {
            waitFor: ["a"],
            gives: Schema.Int,
            retry: { attempts: 3, backoff: "fixed", baseMillis: 3_600_000 },
            run: () => Effect.fail("busy"),
            compensate: () => Effect.void
          })
          .returns("b")
        const failed = yield* Effect.gen(function* () {
          const runner = yield* SagaRunner.SagaRunner
          const fiber = yield* Effect.forkChild(Effect.flip(runner.run(saga, {}, { execution: "e-3" })))
          yield* Effect.repeat(Effect.yieldNow, { until: () => trace.includes("retry b in 3600000") })
          yield* TestClock.adjust("1 minute")
          yield* runner.cancel("e-3")
          yield* TestClock.adjust("1 minute")
          return yield* Fiber.join(fiber)
        }).pipe(over(layer, saga), SagaObserver.observedBy(observer))
        assert.deepInclude(failed, { ending: "cancelled" })
        assert.deepStrictEqual(trace.slice(3), [
          "run b",
          "failed b",
          "retry b in 3600000",
          "compensate b",
          "undo a",
          "end cancelled"
        ])
      })
    )
  })
}
