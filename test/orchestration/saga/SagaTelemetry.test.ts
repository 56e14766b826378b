import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Tracer from "effect/Tracer"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as SagaTelemetry from "../../../src/orchestration/saga/SagaTelemetry.ts"
import * as Workshop from "./SagaWorkshop.ts"

describe("the telemetry of sagas", () => {
  it.effect("counts runs, attempts, retries and rollbacks, and has a span for each run and attempt", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const saga = Saga.make("Counted", { input: Schema.Struct({ numbers: Schema.Array(Schema.Int) }) })
        .map("items", {
          over: ({ input }) => input.numbers,
          takes: ({ element }) => ({ element }),
          gives: Schema.Int,
          run: ({ element }) => Effect.succeed(element),
          undo: () => Effect.void
        })
        .step("fails", {
          waitFor: ["items"],
          gives: Schema.Void,
          retry: { attempts: 2, backoff: "fixed", baseMillis: 250 },
          run: () => Effect.fail("no")
        })
        .returns("fails")
      const observer = yield* SagaTelemetry.make
      const { observer: traced, trace } = Workshop.traced()
      yield* Effect.gen(function* () {
        const runner = yield* SagaRunner.SagaRunner
        yield* runner.register(saga)
        yield* runner.start(saga, { numbers: [1, 2] }, { execution: "t-1" })
        yield* Effect.repeat(Effect.yieldNow, { until: () => trace.includes("retry fails in 250") })
        yield* Effect.repeat(Effect.yieldNow, { times: 20 })
        yield* TestClock.adjust("250 millis")
        yield* Effect.repeat(Effect.yieldNow, { until: () => trace.includes("end failed") })
      }).pipe(
        Effect.scoped,
        Effect.provide(Workshop.inMemory),
        SagaObserver.observedBy(observer),
        SagaObserver.observedBy(traced),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      const value = (metric: typeof SagaTelemetry.runs, attributes: Record<string, string>) =>
        Effect.map(
          Metric.value(Metric.withAttributes(metric, { saga: "Counted", ...attributes })),
          ({ count }) => count
        )
      assert.deepStrictEqual(
        yield* Effect.all([
          value(SagaTelemetry.runs, { ending: "failed" }),
          value(SagaTelemetry.attempts, { step: "items[]", became: "succeeded" }),
          value(SagaTelemetry.attempts, { step: "fails", became: "failed" }),
          value(SagaTelemetry.retries, { step: "fails" }),
          value(SagaTelemetry.rollbacks, { step: "items[]", kind: "undo", outcome: "Done" })
        ]),
        [1, 2, 2, 1, 2]
      )
      const millis = yield* Metric.value(Metric.withAttributes(SagaTelemetry.runMillis, { saga: "Counted" }))
      assert.strictEqual(millis.max, 250)
      const told = spans
        .filter(({ name }) => name.startsWith("saga "))
        .map(({ name, parent, status }) => [
          name,
          parent._tag === "Some" ? (parent.value as Tracer.NativeSpan).name : "root",
          status._tag === "Ended" ? status.exit._tag : "open"
        ])
      assert.deepStrictEqual(told, [
        ["saga Counted", "root", "Failure"],
        ["saga Counted/items[0]", "saga Counted", "Success"],
        ["saga Counted/items[1]", "saga Counted", "Success"],
        ["saga Counted/fails", "saga Counted", "Failure"],
        ["saga Counted/fails", "saga Counted", "Failure"]
      ])
    })
  )
})
