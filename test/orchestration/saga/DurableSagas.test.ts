import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Schema, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as Workshop from "./SagaWorkshop.ts"

describe("a durable saga", () => {
  it.effect("waits for hours between attempts, beside a step that goes on, and runs each once", () =>
    Effect.gen(function* () {
      const trace: Array<string> = []
      const note = (what: string) => Effect.sync(() => void trace.push(what))
      const saga = Saga.make("Waits", { input: Schema.Struct({ from: Schema.Int }) })
        .step("slow", {
          gives: Schema.Int,
          retry: { attempts: 3, backoff: "fixed", baseMillis: 3_600_000 },
          run: (_, { attempt }) =>
            Effect.andThen(note(`slow ${attempt}`), attempt < 3 ? Effect.fail("not yet") : Effect.succeed(40))
        })
        .step("beside", {
          takes: ({ input }) => ({ from: input.from }),
          gives: Schema.Int,
          run: ({ from }) => Effect.as(Effect.andThen(Effect.sleep("1 minute"), note("beside")), from)
        })
        .step("sum", {
          takes: ({ steps }) => ({ one: steps.slow, other: steps.beside }),
          gives: Schema.Int,
          run: ({ one, other }) => Effect.as(note("sum"), one + other)
        })
        .returns("sum")
      const answer = yield* Effect.gen(function* () {
        const runner = yield* SagaRunner.SagaRunner
        const fiber = yield* Effect.forkChild(runner.run(saga, { from: 2 }, { execution: "run-1" }))
        for (let minute = 0; minute < 130; minute++) yield* TestClock.adjust("1 minute")
        return yield* Fiber.join(fiber)
      }).pipe(Effect.provide(Layer.provideMerge(SagaRunner.register(saga), Workshop.asWorkflows)))
      assert.deepStrictEqual(answer, { _tag: "Completed", execution: "run-1", value: 42 })
      assert.deepStrictEqual(trace, ["slow 1", "beside", "slow 2", "slow 3", "sum"])
    })
  )
  it.effect("has a span for each attempt where somebody traces, around what the step does", () =>
    Effect.gen(function* () {
      const parents = new Map<string, string>()
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          if (Option.isSome(span.parent) && span.parent.value._tag === "Span") {
            parents.set(span.name, span.parent.value.name)
          }
          return span
        }
      })
      const saga = Saga.make("Traced", { input: Schema.Struct({}) })
        .step("charge", { gives: Schema.Int, run: () => Effect.withSpan(Effect.succeed(1), "gateway") })
        .returns("charge")
      const run = Effect.flatMap(SagaRunner.SagaRunner, (runner) => runner.run(saga, {}))
      const layer = Layer.provideMerge(SagaRunner.register(saga), Workshop.asWorkflows)
      yield* run.pipe(Effect.provide(layer), Effect.provideService(Tracer.Tracer, tracer))
      assert.strictEqual(parents.get("gateway"), "charge/1")
    })
  )
})
