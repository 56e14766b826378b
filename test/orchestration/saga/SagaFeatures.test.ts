import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schema } from "effect"
import type { Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import type { SagaNotice } from "../../../src/domain/saga/SagaNotice.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import type { SagaEngine } from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as Workshop from "./SagaWorkshop.ts"

type Runner = SagaRunner.SagaRunner["Service"]
type World = SagaRunner.SagaRunner | SagaEngine | SagaRuns

const empty = Schema.Struct({})
const undoable = { compensate: () => Effect.void, undo: () => Effect.void }

/** Yields until something is so, without time passing. */
const until = (isSo: () => boolean) => Effect.repeat(Effect.yieldNow, { until: isSo })

for (const [name, layer] of [
  ["in memory", Workshop.inMemory],
  ["as workflows", Workshop.asWorkflows]
] as ReadonlyArray<readonly [string, Layer.Layer<World>]>) {
  describe(`sagas ${name}`, () => {
    const over = <Input, A, B, E>(
      saga: Saga.Saga<Input, A, never>,
      program: (runner: Runner, trace: ReadonlyArray<string>) => Effect.Effect<B, E, World | Scope.Scope>
    ) => {
      const { observer, trace } = Workshop.traced()
      return Effect.flatMap(SagaRunner.SagaRunner, (runner) =>
        Effect.andThen(runner.register(saga), program(runner, trace))
      ).pipe(Effect.scoped, Effect.provide(layer), SagaObserver.observedBy(observer))
    }

    it.effect("answers before its async steps are over, which go on", () => {
      const saga = Saga.make("Async", { input: empty })
        .step("charge", { gives: Schema.Int, run: () => Effect.succeed(7) })
        .step("report", {
          kind: "bestEffort",
          async: true,
          waitFor: ["charge"],
          gives: Schema.Void,
          retry: { attempts: 2, backoff: "fixed", baseMillis: 60_000 },
          run: (_, { attempt }) => (attempt === 1 ? Effect.fail("later") : Effect.void)
        })
        .returns("charge")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          const answer = yield* runner.run(saga, {}, { execution: "a-1" })
          assert.deepStrictEqual(answer, { _tag: "Completed", execution: "a-1", value: 7 })
          assert.deepInclude(yield* runner.status("a-1"), { status: "running", result: 7 })
          yield* until(() => trace.includes("retry report in 60000"))
          for (let minute = 0; minute < 3; minute++) yield* TestClock.adjust("1 minute")
          assert.deepInclude(yield* runner.status("a-1"), { status: "completed", result: 7 })
          assert.deepStrictEqual(trace.slice(-3), ["run report", "succeeded report", "end completed"])
        })
      )
    })

    it.effect("shows what a schema redacts to its steps only: not in a view, an error or a notice", () => {
      const seen: Array<string> = []
      const notices: Array<SagaNotice> = []
      const saga = Saga.make("Secret", {
        input: Schema.Struct({ card: Schema.RedactedFromValue(Schema.String), amount: Schema.Int })
      })
        .step("token", {
          takes: ({ input }) => ({ card: input.card }),
          gives: Schema.Struct({ token: Schema.RedactedFromValue(Schema.String) }),
          run: ({ card }) =>
            Effect.sync(() => {
              seen.push(Redacted.value(card))
              return { token: Redacted.make("tok_secret") }
            }),
          undo: ({ token }) => Effect.sync(() => void seen.push(Redacted.value(token)))
        })
        .step("charge", {
          takes: ({ steps }) => ({ token: steps.token.token }),
          gives: Schema.Void,
          run: ({ token }) => Effect.fail(`the gateway refuses ${Redacted.value(token)} of card 4111-x`)
        })
        .returns("charge")
      return over(saga, (runner) =>
        Effect.gen(function* () {
          const input = { card: Redacted.make("4111-x"), amount: 5 }
          const failed = yield* Effect.flip(runner.run(saga, input, { execution: "s-1" }))
          const status = yield* runner.status("s-1")
          assert.deepStrictEqual(seen, ["4111-x", "tok_secret"])
          assert.deepStrictEqual(status.input, { card: "<redacted>", amount: 5 })
          assert.strictEqual(status.error?.message, "the gateway refuses <redacted> of card <redacted>")
          const shown = JSON.stringify([failed, status, notices])
          assert.notInclude(shown, "4111-x")
          assert.notInclude(shown, "tok_secret")
          assert.isAbove(notices.length, 5)
        })
      ).pipe(SagaObserver.observedBy({ notify: (notice) => Effect.sync(() => void notices.push(notice)) }))
    })

    it.effect("reads a large source a page at a time, and has no more under way than a batch", () => {
      let underWay = 0
      let most = 0
      const pages: Array<string> = []
      const saga = Saga.make("Pages", { input: Schema.Struct({ upTo: Schema.Int }) })
        .map("items", {
          over: {
            element: Schema.Int,
            page: ({ upTo }, { limit, offset }) =>
              Effect.sync(() => {
                pages.push(`${offset} with ${underWay} under way`)
                return Array.from({ length: Math.max(0, Math.min(limit, upTo - offset)) }, (_, index) => offset + index)
              })
          },
          takes: ({ element }) => ({ element }),
          gives: Schema.Int,
          batch: 3,
          run: ({ element }) =>
            Effect.gen(function* () {
              most = Math.max(most, (underWay += 1))
              yield* Effect.sleep("1 second")
              underWay -= 1
              return element * 2
            })
        })
        .returns("items")
      return over(saga, (runner) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(runner.run(saga, { upTo: 7 }))
          for (let second = 0; second < 8; second++) yield* TestClock.adjust("1 second")
          const answer = yield* Fiber.join(fiber)
          assert.deepInclude(answer, { _tag: "Completed", value: [0, 2, 4, 6, 8, 10, 12] })
          assert.strictEqual(most, 3)
          assert.deepStrictEqual(pages, ["0 with 0 under way", "3 with 0 under way", "6 with 0 under way"])
        })
      )
    })

    it.effect("fails an attempt that takes longer than it may, and a question that nobody answers", () => {
      const saga = Saga.make("Slow", { input: empty })
        .step("call", {
          ...undoable,
          gives: Schema.Int,
          timeout: "2 seconds",
          retry: { attempts: 2, backoff: "fixed", baseMillis: 0 },
          run: (_, { attempt }) => (attempt === 1 ? Effect.never : Effect.succeed(1))
        })
        .interrupt("approve", {
          ...undoable,
          waitFor: ["call"],
          gives: Schema.Boolean,
          correlation: (_, { execution }) => execution,
          timeout: "1 hour"
        })
        .returns("approve")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.flip(runner.run(saga, {}, { execution: "w-1" })))
          yield* until(() => trace.includes("run call"))
          for (let second = 0; second < 4; second++) yield* TestClock.adjust("1 second")
          yield* until(() => trace.includes("ask approve w-1"))
          for (let minute = 0; minute < 63; minute++) yield* TestClock.adjust("1 minute")
          const failed = yield* Fiber.join(fiber)
          assert.deepNestedInclude(failed, { step: "approve", "error.code": "AnswerTimeout" })
          assert.deepStrictEqual(trace.slice(1), [
            "run call",
            "failed call",
            "retry call in 0",
            "run call",
            "succeeded call",
            "run approve",
            "ask approve w-1",
            "succeeded approve",
            "compensate approve",
            "undo call",
            "end failed"
          ])
        })
      )
    })

    it.effect("takes a run back that is cancelled while it waits for an answer", () => {
      const saga = Saga.make("Asked", { input: empty })
        .step("hold", { ...undoable, gives: Schema.Int, run: () => Effect.succeed(1) })
        .interrupt("approve", { ...undoable, waitFor: ["hold"], gives: Schema.Boolean, correlation: () => "q" })
        .returns("approve")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.flip(runner.run(saga, {}, { execution: "c-1" })))
          yield* until(() => trace.includes("succeeded approve"))
          yield* runner.cancel("c-1")
          for (let second = 0; second < 5; second++) yield* TestClock.adjust("1 second")
          assert.deepInclude(yield* Fiber.join(fiber), { ending: "cancelled" })
          assert.deepStrictEqual(trace.slice(-3), ["compensate approve", "undo hold", "end cancelled"])
          const late = yield* Effect.flip(runner.answer("Asked", "q", true))
          assert.deepNestedInclude(late, { "reason._tag": "NotAsked" })
          const again = yield* Effect.flip(runner.cancel("c-1"))
          assert.deepNestedInclude(again, { "reason._tag": "NotNow", "reason.status": "cancelled" })
        })
      )
    })

    it.effect("checks an input across its fields before anything runs, and names no secret", () => {
      const saga = Saga.make("Crossed", {
        input: Schema.Struct({ from: Schema.Int, to: Schema.Int }).check(
          Schema.makeFilter(({ from, to }) => from < to || "from has to be before to")
        )
      })
        .step("a", { gives: Schema.Int, run: () => Effect.succeed(1) })
        .returns("a")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          const refused = yield* Effect.flip(runner.run(saga, { from: 2, to: 1 }, { execution: "x-1" }))
          assert.strictEqual(refused._tag, "InvalidInput")
          assert.include(refused.message, "from has to be before to")
          assert.deepStrictEqual(trace, [])
          assert.deepNestedInclude(yield* Effect.flip(runner.status("x-1")), { "reason._tag": "UnknownRun" })
        })
      )
    })

    it.effect("stalls as a whole when a saga within it is past its own pivot, and undoes all of it by hand", () => {
      const child = Saga.make("Pay", { input: empty })
        .step("capture", { ...undoable, kind: "pivot", gives: Schema.Int, run: () => Effect.succeed(1) })
        .step("record", { ...undoable, waitFor: ["capture"], gives: Schema.Int, run: () => Effect.fail("closed") })
        .returns("record")
      const saga = Saga.make("Shop", { input: empty })
        .step("reserve", { ...undoable, gives: Schema.Int, run: () => Effect.succeed(1) })
        .compose("pay", child, { waitFor: ["reserve"], takes: () => ({}) })
        .step("ship", { ...undoable, waitFor: ["pay"], gives: Schema.Int, run: () => Effect.succeed(3) })
        .returns("ship")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          const stalled = yield* Effect.flip(runner.run(saga, {}, { execution: "p-1" }))
          assert.deepNestedInclude(stalled, { ending: "stalled", step: "pay", "error.message": "closed" })
          assert.deepStrictEqual(trace.slice(-3), ["run pay/record", "failed pay/record", "end stalled"])
          yield* runner.undo("p-1")
          yield* Effect.flip(runner.result(saga, "p-1"))
          assert.deepStrictEqual(trace.slice(trace.indexOf("start 2")), [
            "start 2",
            "compensate pay/record",
            "undo pay/capture",
            "undo reserve",
            "end undone"
          ])
        })
      )
    })

    it.effect("tries again what could not be undone", () => {
      let works = false
      const saga = Saga.make("Stubborn", { input: empty })
        .step("a", { ...undoable, gives: Schema.Int, run: () => Effect.succeed(1) })
        .step("b", {
          waitFor: ["a"],
          gives: Schema.Int,
          run: () => Effect.succeed(2),
          undo: () => (works ? Effect.void : Effect.fail("locked"))
        })
        .step("c", { waitFor: ["b"], gives: Schema.Int, run: () => Effect.fail("no") })
        .returns("c")
      return over(saga, (runner, trace) =>
        Effect.gen(function* () {
          yield* Effect.flip(runner.run(saga, {}, { execution: "u-1" }))
          assert.strictEqual((yield* runner.status("u-1")).rollbackFailures.length, 1)
          works = true
          yield* runner.undo("u-1")
          yield* Effect.flip(runner.result(saga, "u-1"))
          assert.deepInclude(yield* runner.status("u-1"), { status: "undone", rollbackFailures: [] })
          assert.deepStrictEqual(trace.slice(-3), ["start 2", "undo b", "end undone"])
          const done = yield* Effect.flip(runner.undo("u-1"))
          assert.deepNestedInclude(done, { "reason._tag": "NotNow" })
        })
      )
    })
  })
}
