/** The cases of test/fixtures/saga/cases.json, each as the whole trace of what happened. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import * as StepRetry from "../../../src/domain/saga/StepRetry.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryLock from "../../../src/infra/memory/MemoryLock.ts"
import * as MemoryTurnstile from "../../../src/infra/memory/MemoryTurnstile.ts"
import * as Coordination from "../../../src/orchestration/saga/Coordination.ts"
import type { Builder } from "../../../src/orchestration/saga/Saga.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"
import * as SagaObserver from "../../../src/orchestration/saga/SagaObserver.ts"
import type { RunOptions } from "../../../src/orchestration/saga/SagaRunner.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import cases from "../../fixtures/saga/cases.json" with { type: "json" }
import * as Workshop from "./SagaWorkshop.ts"

const { SagaRunner: Runner } = SagaRunner

const told = new Set<string>()

/** A test named by the case's id and name. */
const testOf = (id: string, body: () => Effect.Effect<void, unknown>) => {
  told.add(id)
  const { name } = cases.cases.find((each) => each.id === id)!
  it.effect(`${id}: ${name}`, body)
}

const empty = Schema.Struct({})

class Refused extends Schema.TaggedError<Refused>()("Refused", { retryable: Schema.Boolean }) {
  override get message() {
    return "refused"
  }
}

const undoable = { compensate: () => Effect.void, undo: () => Effect.void }
const ok = { gives: Schema.String, run: () => Effect.succeed("ok"), ...undoable }
const fails = { gives: Schema.String, run: () => Effect.fail(new Refused({ retryable: true })), ...undoable }

const linear = (name: string, retry?: StepRetry.StepRetry) =>
  Saga.make(name, { input: empty, ...(retry === undefined ? {} : { retry }) })

const world = Layer.mergeAll(
  Workshop.inMemory,
  Layer.provide(MemoryLock.layer, MemoryDatabase.layer),
  MemoryTurnstile.layer
)
type World = Layer.Success<typeof world>

/** Runs `program` with the saga known, and answers with what it answers and with the trace. */
const observed = <Input, A, B, E>(
  saga: Saga.Saga<Input, A, World>,
  program: (runner: SagaRunner.SagaRunner["Service"]) => Effect.Effect<B, E, World>
) => {
  const { observer, trace } = Workshop.traced()
  return Effect.gen(function* () {
    const runner = yield* Runner
    yield* runner.register(saga)
    return { result: yield* program(runner), trace }
  }).pipe(Effect.scoped, Effect.provide(world), SagaObserver.observedBy(observer))
}

/** One run, however it ends, with time passing until it does. */
const outcome = <Input, A>(saga: Saga.Saga<Input, A, World>, input: Input, options: RunOptions = {}) =>
  observed(saga, (runner) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.result(runner.run(saga, input, options)))
      for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
      return yield* Fiber.join(fiber)
    })
  )

const rest = (trace: ReadonlyArray<string>, from: string) => trace.slice(trace.indexOf(from))

describe("the cases of a saga", () => {
  testOf("R1", () =>
    Effect.gen(function* () {
      const saga = linear("Order")
        .step("A", ok)
        .step("B", { ...ok, waitFor: ["A"] })
        .step("C", { ...fails, waitFor: ["B"] })
        .returns("C")
      const { trace } = yield* outcome(saga, {})
      assert.deepStrictEqual(trace, [
        "start",
        "run A",
        "succeeded A",
        "run B",
        "succeeded B",
        "run C",
        "failed C",
        "compensate C",
        "undo B",
        "undo A",
        "end failed"
      ])
    })
  )

  testOf("R2", () =>
    Effect.gen(function* () {
      const saga = linear("Reserve")
        .step("validate", ok)
        .step("check", { ...ok, waitFor: ["validate"] })
        .step("reserve", { ...fails, waitFor: ["check"], retry: { attempts: 5, backoff: "fixed", baseMillis: 2000 } })
        .returns("reserve")
      const { trace } = yield* outcome(saga, {})
      const attempt = ["run reserve", "failed reserve"]
      const again = [...attempt, "retry reserve in 2000"]
      assert.deepStrictEqual(rest(trace, "run reserve"), [
        ...again,
        ...again,
        ...again,
        ...again,
        ...attempt,
        "compensate reserve",
        "undo check",
        "undo validate",
        "end failed"
      ])
    })
  )

  testOf("R3", () =>
    Effect.sync(() => {
      const delays = (retry: StepRetry.StepRetry) =>
        [1, 2, 3, 4].flatMap((attempt) => {
          const verdict = StepRetry.decide(retry, true, attempt, 0.7)
          return verdict._tag === "Again" ? [verdict.afterMillis] : []
        })
      assert.deepStrictEqual(delays({ attempts: 4, backoff: "exponential", baseMillis: 1000 }), [1000, 2000, 4000])
      assert.deepStrictEqual(delays({ attempts: 4, backoff: "linear", baseMillis: 5000 }), [5000, 10_000, 15_000])
      assert.deepStrictEqual(delays({ attempts: 4, backoff: "fixed", baseMillis: 10_000 }), [10_000, 10_000, 10_000])
    })
  )

  testOf("R4", () =>
    Effect.gen(function* () {
      const saga = linear("Final", { attempts: 5, backoff: "fixed", baseMillis: 1 })
        .step("A", ok)
        .step("B", { ...fails, waitFor: ["A"], run: () => Effect.fail(new Refused({ retryable: false })) })
        .returns("B")
      const { trace } = yield* outcome(saga, {})
      assert.deepStrictEqual(rest(trace, "run B"), ["run B", "failed B", "compensate B", "undo A", "end failed"])
    })
  )

  testOf("R5", () =>
    Effect.gen(function* () {
      const retry: StepRetry.StepRetry = { attempts: 5, backoff: "fixed", baseMillis: 1 }
      const taken = Coordination.lock("taken")
      const before = Saga.make("NeverBegan", { input: Schema.Struct({ amount: Schema.Int }), retry }).step("A", ok)
      const contract = before
        .step("B", {
          ...ok,
          takes: ({ input, steps }) => ({ amount: input.amount, a: steps.A }),
          accepts: Schema.Struct({ amount: Schema.Int.check(Schema.isLessThan(10)), a: Schema.String })
        })
        .returns("B")
      const refused = yield* outcome(contract, { amount: 10 })
      assert.deepStrictEqual(rest(refused.trace, "succeeded A"), ["succeeded A", "undo A", "end failed"])
      assert.include(JSON.stringify(refused.result), "amount")

      const locked = before.step("B", { ...ok, waitFor: ["A"], guards: () => [taken] }).returns("B")
      const contended = yield* observed(locked, (runner) =>
        Effect.andThen(
          taken.enter({ execution: "another", step: undefined }),
          Effect.flip(runner.run(locked, { amount: 1 }))
        )
      )
      assert.deepStrictEqual(rest(contended.trace, "succeeded A"), [
        "succeeded A",
        "run B",
        "contended B",
        "undo A",
        "end failed"
      ])

      const wrong = yield* outcome(contract, { amount: 1.5 })
      assert.deepInclude(JSON.parse(JSON.stringify(wrong.result)), { _tag: "Failure" })
      assert.deepStrictEqual(wrong.trace, [])
    })
  )

  testOf("R6", () =>
    Effect.gen(function* () {
      const broken = (compensate: () => Effect.Effect<unknown, unknown>) =>
        linear("Compensates")
          .step("A", ok)
          .step("B", { ...fails, waitFor: ["A"], compensate })
          .returns("B")
      const raised = yield* outcome(
        broken(() => Effect.die(new Error("a bug"))),
        {}
      )
      assert.deepStrictEqual(rest(raised.trace, "failed B"), [
        "failed B",
        "compensate B raised",
        "undo A",
        "end failed"
      ])
      const failure = (reason: string, message: string) => ({ step: "B", kind: "compensate", reason, message })
      assert.deepNestedInclude(raised.result, { "failure.rollbackFailures": [failure("raised", "a bug")] })
      const returned = yield* outcome(
        broken(() => Effect.fail(new Refused({ retryable: true }))),
        {}
      )
      assert.deepNestedInclude(returned.result, { "failure.rollbackFailures": [failure("returned", "refused")] })
    })
  )

  testOf("R7", () =>
    Effect.gen(function* () {
      const saga = linear("Undoes")
        .step("A", ok)
        .step("B", { ...ok, waitFor: ["A"], undo: () => Effect.fail(new Refused({ retryable: true })) })
        .step("C", { ...fails, waitFor: ["B"] })
        .returns("C")
      const { result, trace } = yield* outcome(saga, {})
      assert.deepStrictEqual(rest(trace, "compensate C"), ["compensate C", "undo B returned", "undo A", "end failed"])
      assert.deepNestedInclude(result, {
        "failure.step": "C",
        "failure.error.code": "Refused",
        "failure.rollbackFailures": [{ step: "B", kind: "undo", reason: "returned", message: "refused" }]
      })
    })
  )

  testOf("R8", () =>
    Effect.gen(function* () {
      const saga = linear("Halts")
        .step("A", ok)
        .step("B", { ...ok, waitFor: ["A"], run: () => Effect.succeed(Saga.halt("enough")) })
        .step("C", { ...ok, waitFor: ["B"] })
        .returns("C")
      const { result, trace } = yield* outcome(saga, {}, { execution: "h-1" })
      assert.deepStrictEqual(trace, ["start", "run A", "succeeded A", "run B", "halted B", "end halted"])
      assert.deepNestedInclude(result, {
        success: { _tag: "Halted", execution: "h-1", step: "B", value: "enough" }
      })
    })
  )

  testOf("R9", () =>
    Effect.gen(function* () {
      const skips = linear("Skips")
        .step("A", { ...ok, run: () => Effect.succeed(Saga.skip("as it was")) })
        .step("B", { ...ok, takes: ({ steps }) => ({ a: steps.A }), run: ({ a }) => Effect.succeed(`${a}, seen`) })
      const completed = yield* outcome(skips.returns("B"), {})
      assert.deepNestedInclude(completed.result, { "success._tag": "Completed", "success.value": "as it was, seen" })
      assert.deepStrictEqual(completed.trace, ["start", "run A", "skipped A", "run B", "succeeded B", "end completed"])
      const failed = yield* outcome(skips.step("C", { ...fails, waitFor: ["B"] }).returns("C"), {})
      assert.deepStrictEqual(rest(failed.trace, "compensate C"), ["compensate C", "undo B", "end failed"])
    })
  )

  const numbers = Schema.Struct({ numbers: Schema.Array(Schema.Int) })
  const third = (value: number) =>
    value === 3 ? Effect.fail(new Refused({ retryable: true })) : Effect.succeed(value * 10)

  testOf("R10", () =>
    Effect.gen(function* () {
      const saga = Saga.make("Each", { input: numbers })
        .map("items", {
          over: ({ input }) => input.numbers,
          takes: ({ element }) => ({ value: element }),
          gives: Schema.Int,
          run: ({ value }) => third(value),
          batch: 1,
          ...undoable
        })
        .returns("items")
      const { result, trace } = yield* outcome(saga, { numbers: [1, 2, 3, 4] })
      assert.deepNestedInclude(result, { "failure.step": "items" })
      assert.deepStrictEqual(trace, [
        "start",
        "run items[0]",
        "succeeded items[0]",
        "run items[1]",
        "succeeded items[1]",
        "run items[2]",
        "failed items[2]",
        "compensate items[2]",
        "undo items[1]",
        "undo items[0]",
        "end failed"
      ])
    })
  )

  testOf("R11", () =>
    Effect.gen(function* () {
      const each = Saga.make("Collect", { input: numbers }).map("items", {
        over: ({ input }) => input.numbers,
        takes: ({ element }) => ({ value: element }),
        gives: Schema.Int,
        run: ({ value }) => third(value),
        onFailure: "collect",
        ...undoable
      })
      const split = yield* outcome(each.returns("items"), { numbers: [1, 3, 2] })
      const error = { message: "refused", code: "Refused", isRetryable: true, isDefect: false }
      assert.deepNestedInclude(split.result, {
        "success.value": {
          successes: [
            { index: 0, value: 10 },
            { index: 2, value: 20 }
          ],
          failures: [{ index: 1, error }]
        }
      })
      assert.include(split.trace, "compensate items[1]")
      const later = yield* outcome(each.step("last", { ...fails, waitFor: ["items"] }).returns("last"), {
        numbers: [1, 3, 2]
      })
      assert.deepStrictEqual(rest(later.trace, "failed last"), [
        "failed last",
        "compensate last",
        "undo items[2]",
        "undo items[0]",
        "end failed"
      ])
      assert.strictEqual(later.trace.filter((line) => line === "compensate items[1]").length, 1)
    })
  )

  const child = linear("Child")
    .step("one", ok)
    .step("two", { ...ok, waitFor: ["one"] })
    .returns("two")

  testOf("R12", () =>
    Effect.gen(function* () {
      const saga = linear("Parent")
        .step("before", ok)
        .compose("child", child, { waitFor: ["before"], takes: () => ({}) })
        .step("after", { ...ok, waitFor: ["child"] })
        .step("last", { ...fails, waitFor: ["after"] })
        .returns("last")
      const { trace } = yield* outcome(saga, {})
      assert.deepStrictEqual(rest(trace, "compensate last"), [
        "compensate last",
        "undo after",
        "undo child/two",
        "undo child/one",
        "undo before",
        "end failed"
      ])
    })
  )

  testOf("R13", () =>
    Effect.sync(() => {
      const retry = { attempts: 2, backoff: "fixed", baseMillis: 1 } as const
      const composed = (more: object) =>
        linear("Nested")
          .compose("child", child, { takes: () => ({}), ...more })
          .step("last", { ...ok, waitFor: ["child"] })
          .returns("last")
      const complaint = "Nested: child is a saga of its own and cannot be retried as a whole"
      assert.throws(() => composed({ retry }), complaint)
      assert.throws(() => composed({ retry, async: true, kind: "bestEffort" }), complaint)
      assert.doesNotThrow(() => composed({ async: true, kind: "bestEffort" }))
    })
  )

  const approval = { gives: Schema.Struct({ by: Schema.String }), correlation: () => "ticket-1", ...undoable }
  const asking = (
    more: { readonly attempts?: number } = {}
  ): Builder<{}, { readonly approve: { by: string } }, never> =>
    linear("Asks")
      .step("A", ok)
      .interrupt("approve", { ...approval, waitFor: ["A"], ...more })
  /** Begins it, and lets it come to its question. */
  const paused = Effect.fnUntraced(function* (
    runner: SagaRunner.SagaRunner["Service"],
    saga: Saga.Saga<{}, unknown, never>
  ) {
    const fiber = yield* Effect.forkChild(Effect.result(runner.run(saga, {}, { execution: "i-1" })))
    const runs = yield* SagaRuns
    yield* Effect.repeat(Effect.andThen(Effect.yieldNow, runs.questions({ execution: "i-1" })), {
      until: (open) => open.length > 0
    })
    return fiber
  })

  testOf("R14", () =>
    Effect.gen(function* () {
      const slow = asking()
        .step("after", { ...ok, waitFor: ["approve"], run: () => Effect.as(Effect.sleep("1 second"), "ok") })
        .returns("after")
      const { result, trace } = yield* observed(slow, (runner) =>
        Effect.gen(function* () {
          const fiber = yield* paused(runner, slow)
          yield* runner.answer("Asks", "ticket-1", { by: "ada" })
          const again = yield* Effect.flip(runner.answer("Asks", "ticket-1", { by: "bob" }))
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(fiber)
          const late = yield* Effect.flip(runner.answerStep("i-1", "approve", { by: "bob" }))
          return { again, late, status: (yield* runner.status("i-1")).status }
        })
      )
      assert.deepNestedInclude(result, {
        "again.reason._tag": "NotAsked",
        "late.reason._tag": "NotAsked",
        status: "completed"
      })
      assert.deepStrictEqual(trace.slice(3), [
        "run approve",
        "ask approve ticket-1",
        "succeeded approve",
        "run after",
        "succeeded after",
        "end completed"
      ])
    })
  )

  testOf("R15", () =>
    Effect.gen(function* () {
      const saga = asking({ attempts: 1 }).returns("approve")
      const byCorrelation = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          const fiber = yield* paused(runner, saga)
          const refused = yield* Effect.flip(runner.answer("Asks", "ticket-1", { by: 5 }))
          return { refused, ended: yield* Fiber.join(fiber) }
        })
      )
      assert.deepNestedInclude(byCorrelation.result, {
        "refused.reason._tag": "WrongAnswer",
        "refused.reason.attemptsLeft": 0,
        "ended.failure.step": "approve",
        "ended.failure.error.code": "AnswerRefused"
      })
      assert.deepStrictEqual(rest(byCorrelation.trace, "succeeded approve"), [
        "succeeded approve",
        "compensate approve",
        "undo A",
        "end failed"
      ])
      const byStep = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          const fiber = yield* paused(runner, saga)
          const refused = yield* Effect.flip(runner.answerStep("i-1", "approve", { by: 5 }))
          const { status } = yield* runner.status("i-1")
          yield* runner.answerStep("i-1", "approve", { by: "ada" })
          return { refused, status, ended: yield* Fiber.join(fiber) }
        })
      )
      assert.deepNestedInclude(byStep.result, {
        "refused.reason._tag": "WrongAnswer",
        status: "running",
        "ended.success.value": { by: "ada" }
      })
    })
  )

  testOf("R16", () =>
    Effect.gen(function* () {
      const saga = Saga.make("Keyed", {
        input: Schema.Struct({ key: Schema.String, amount: Schema.Int }),
        idempotencyKey: ({ key }) => key
      })
        .step("charge", {
          takes: ({ input }) => ({ amount: input.amount }),
          gives: Schema.Int,
          run: ({ amount }) => Effect.succeed(amount)
        })
        .returns("charge")
      const { result, trace } = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          const invalid = yield* Effect.flip(runner.run(saga, { key: "k", amount: 0.5 }))
          const first = yield* runner.run(saga, { key: "k", amount: 10 }, { execution: "first" })
          const second = yield* runner.run(saga, { key: "k", amount: 99 }, { execution: "second" })
          return { invalid: invalid._tag, first, second }
        })
      )
      const answer = { _tag: "Completed", execution: "first", value: 10 }
      assert.deepStrictEqual(result, { invalid: "InvalidInput", first: answer, second: answer } as typeof result)
      assert.deepStrictEqual(trace, ["start", "run charge", "succeeded charge", "end completed"])
    })
  )

  testOf("R17", () =>
    Effect.gen(function* () {
      const lock = Coordination.lock("one", "1 hour")
      const saga = linear("Locked")
        .step("A", { ...ok, guards: () => [lock] })
        .returns("A")
      const other = { execution: "another", step: undefined }
      const inline = yield* observed(saga, (runner) =>
        Effect.andThen(lock.enter(other), Effect.flip(runner.run(saga, {})))
      )
      assert.deepNestedInclude(inline.result, { "error.code": "Contended", "error.message": "the lock one is taken" })
      assert.deepStrictEqual(inline.trace, ["start", "run A", "contended A", "end failed"])

      const queued = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          yield* lock.enter(other)
          yield* runner.start(saga, {}, { execution: "q-1" })
          const waits: Array<number> = []
          for (let second = 1; second <= 200 && (yield* runner.status("q-1")).status === "running"; second++) {
            yield* TestClock.adjust("1 second")
            waits.push(second)
          }
          return { status: yield* runner.status("q-1"), seconds: waits.length }
        })
      )
      assert.deepNestedInclude(queued.result, { "status.status": "failed", "status.error.code": "Contended" })
      // The first, then 20 that each waited from 5 to 10 s.
      assert.strictEqual(queued.trace.filter((line) => line === "contended A").length, 21)
      assert.notInclude(queued.trace.join(), "retry")
      assert.isAtLeast(queued.result.seconds, 100)
    })
  )

  testOf("R18", () =>
    Effect.gen(function* () {
      const windows = [
        { limit: 3, millis: 1000 },
        { limit: 100, millis: 60_000 }
      ]
      const guard = Coordination.rateLimit("sms", windows)
      const saga = linear("Sends")
        .step("send", { ...ok, guards: () => [guard] })
        .returns("send")
      const { result } = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          for (let call = 0; call < 3; call++) yield* runner.run(saga, {})
          const fourth = yield* Effect.flip(runner.run(saga, {}))
          const full = yield* guard.enter({ execution: "x", step: undefined })
          // Only three of the minute are counted: 97 more fit in, three a second.
          let inMinute = 3
          for (let second = 0; second < 50; second++) {
            yield* TestClock.adjust("1 second")
            for (let call = 0; call < 3; call++) {
              if ((yield* guard.enter({ execution: "x", step: undefined }))._tag === "Entered") inMinute += 1
            }
          }
          return { fourth, full, inMinute }
        })
      )
      assert.deepNestedInclude(result, {
        "fourth.error.code": "Contended",
        "fourth.error.message": "the rate of sms is taken"
      })
      assert.deepStrictEqual(result.full, { _tag: "Busy", retryAfterMillis: 1000 })
      assert.strictEqual(result.inMinute, 100)
    })
  )

  testOf("R19", () =>
    Effect.gen(function* () {
      let works = false
      const saga = Saga.make("Monthly", { input: empty, guards: () => [Coordination.oncePer("report", "2026-11")] })
        .step("report", { ...ok, run: () => (works ? Effect.succeed("sent") : Effect.fail("no")) })
        .returns("report")
      const { result, trace } = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          yield* Effect.flip(runner.run(saga, {}))
          works = true
          const first = yield* runner.run(saga, {})
          return [first._tag, (yield* runner.run(saga, {}))._tag]
        })
      )
      assert.deepStrictEqual(result, ["Completed", "Halted"])
      assert.deepStrictEqual(trace, [
        "start",
        "run report",
        "failed report",
        "compensate report",
        "end failed",
        "start",
        "run report",
        "succeeded report",
        "end completed",
        "start",
        "end halted"
      ])
    })
  )

  testOf("R20", () =>
    Effect.gen(function* () {
      const saga = Saga.make("Ordered", {
        input: Schema.Struct({ nonce: Schema.Int }),
        guards: ({ nonce }) => [Coordination.ordered("chain", nonce)]
      })
        .step("apply", {
          takes: ({ input }) => ({ nonce: input.nonce }),
          gives: Schema.Int,
          run: ({ nonce }) => (nonce === 2 ? Effect.fail("no") : Effect.as(Effect.sleep("1 second"), nonce))
        })
        .returns("apply")
      const { result, trace } = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          for (const nonce of [1, 2, 3]) yield* runner.start(saga, { nonce }, { execution: `n-${nonce}` })
          for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
          yield* runner.start(saga, { nonce: 1 }, { execution: "n-1-again" })
          yield* TestClock.adjust("1 second")
          return yield* Effect.forEach(["n-1", "n-2", "n-3", "n-1-again"], (execution) =>
            Effect.map(runner.status(execution), ({ status }) => status)
          )
        })
      )
      assert.deepStrictEqual(result, ["completed", "failed", "halted", "completed"])
      assert.strictEqual(trace.filter((line) => line === "run apply").length, 3)
    })
  )

  testOf("R22", () =>
    Effect.gen(function* () {
      const saga = linear("Receipt")
        .step("authorize", ok)
        .step("charge", { ...ok, kind: "pivot", waitFor: ["authorize"] })
        .step("receipt", { ...fails, kind: "bestEffort", waitFor: ["charge"] })
        .step("done", { ...ok, waitFor: ["receipt"] })
        .returns("done")
      const { result, trace } = yield* outcome(saga, {})
      assert.deepNestedInclude(result, { "success._tag": "Completed" })
      assert.deepStrictEqual(rest(trace, "run receipt"), [
        "run receipt",
        "failed receipt",
        "compensate receipt",
        "run done",
        "succeeded done",
        "end completed"
      ])
    })
  )

  it.effect("a guard that does not let in gives back what was entered before it", () =>
    Effect.gen(function* () {
      const [first, second] = [Coordination.lock("first"), Coordination.semaphore("second", 2)]
      const saga = linear("Both")
        .step("A", { ...ok, guards: () => [first, second] })
        .returns("A")
      const { result } = yield* observed(saga, (runner) =>
        Effect.gen(function* () {
          const visit = (guard: ReturnType<typeof Coordination.lock>, execution: string) =>
            Effect.map(guard.enter({ execution, step: undefined }), ({ _tag }) => _tag)
          const others = [
            yield* visit(Coordination.semaphore("second", 2), "x"),
            yield* visit(Coordination.semaphore("second", 2), "y")
          ]
          yield* Effect.flip(runner.run(saga, {}))
          return [
            ...others,
            yield* visit(Coordination.semaphore("second", 2), "z"),
            yield* visit(Coordination.lock("first"), "z")
          ]
        })
      )
      assert.deepStrictEqual(result, ["Entered", "Entered", "Busy", "Entered"])
    })
  )

  it("are all here but R21, which kills a process: test/infra/cluster/SagaCluster.test.ts", () => {
    assert.deepStrictEqual(
      cases.cases.map(({ id }) => id).filter((id) => !told.has(id)),
      ["R21"]
    )
  })
})
