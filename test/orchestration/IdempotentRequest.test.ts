import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { Schema } from "effect"
import * as IdempotentRequest from "../../src/orchestration/IdempotentRequest.ts"
import { at } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

const ask = (body: Schema.Json, name = "k1") => ({
  merchant: Workshop.shop,
  key: Workshop.key(name),
  request: { operation: "capture", body },
  answerMillis: 60_000
})
/** Why a request was not made. */
const refusal = <A, E, R>(effect: Effect.Effect<A, E | IdempotentRequest.IdempotencyError, R>) =>
  Effect.flatMap(Effect.flip(effect), (error) =>
    error instanceof IdempotentRequest.IdempotencyError ? Effect.succeed(error.reason) : Effect.die(error)
  )
const settled = (answer: Schema.Json) => Effect.succeed({ answer, settled: true })

const inWorkshop = <A, E>(test: Effect.Effect<A, E, Workshop.Services>) =>
  Effect.andThen(TestClock.setTime(at), Effect.provide(test, Workshop.layer({ gateways: [] })))

describe("IdempotentRequest.once", () => {
  it.effect("makes a request once, and answers its repeat with the first answer", () =>
    inWorkshop(
      Effect.gen(function* () {
        const first = yield* IdempotentRequest.once(ask({ amount: 1 }), settled("done"))
        assert.deepStrictEqual(first, { answer: "done", replayed: false })
        const again = yield* IdempotentRequest.once(ask({ amount: 1 }), Effect.die("made twice"))
        assert.deepStrictEqual(again, { answer: "done", replayed: true })
      })
    )
  )

  it.effect("refuses another request under the same key, and names the nested field", () =>
    inWorkshop(
      Effect.gen(function* () {
        yield* IdempotentRequest.once(ask({ amount: 1, note: { text: "a" } }), settled("done"))
        const reason = yield* refusal(IdempotentRequest.once(ask({ amount: 1, note: { text: "b" } }), settled("never")))
        assert.deepInclude(reason, { _tag: "Conflict", field: "body.note.text" })
      })
    )
  )

  it.effect("says that the first is still being answered", () =>
    inWorkshop(
      Effect.gen(function* () {
        const first = yield* Effect.forkChild(
          IdempotentRequest.once(ask(1), Effect.delay(settled("done"), "1 minute")),
          { startImmediately: true }
        )
        const reason = yield* refusal(IdempotentRequest.once(ask(1), settled("never")))
        assert.strictEqual(reason._tag, "InFlight")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Fiber.join(first)).replayed, false)
      })
    )
  )

  it.effect("does not keep a failure, an interruption, or an answer that is not settled", () =>
    inWorkshop(
      Effect.gen(function* () {
        yield* Effect.flip(IdempotentRequest.once(ask(1), Effect.fail("the store is down")))
        yield* IdempotentRequest.once(ask(1), Effect.succeed({ answer: "so far", settled: false }))
        const cut = yield* Effect.forkChild(IdempotentRequest.once(ask(1), Effect.never), { startImmediately: true })
        yield* Fiber.interrupt(cut)
        const third = yield* IdempotentRequest.once(ask(1), settled("done"))
        assert.deepStrictEqual(third, { answer: "done", replayed: false })
      })
    )
  )

  it.effect("takes a key over from a worker that died with it, once its lease has lapsed", () =>
    inWorkshop(
      Effect.gen(function* () {
        // It never gives the key back: what a dead process does.
        yield* Effect.forkChild(IdempotentRequest.once(ask(1), Effect.never), { startImmediately: true })
        // The request may wait a minute for its answer; five seconds more, and it is given up.
        yield* TestClock.adjust("64999 millis")
        assert.strictEqual((yield* refusal(IdempotentRequest.once(ask(1), settled("early"))))._tag, "InFlight")
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* IdempotentRequest.once(ask(1), settled("done")), {
          answer: "done",
          replayed: false
        })
      })
    )
  )
})
