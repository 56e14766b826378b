import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Result } from "effect"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { TestClock } from "effect/testing"
import type { GatewayError } from "../../src/adapters/PaymentGateway.ts"
import { InDoubt, Misconfigured, NotSent } from "../../src/adapters/PaymentGateway.ts"
import { GatewayName } from "../../src/domain/payment/Gateway.ts"
import { OperationId } from "../../src/domain/payment/Operation.ts"
import { MerchantId, PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import type { Call } from "../../src/domain/payment/PaymentPlan.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as GatewayCall from "../../src/orchestration/GatewayCall.ts"
import * as Workshop from "./Workshop.ts"

const bank = GatewayName.make("bank")
const call: Call = {
  _tag: "Authorize",
  operation: OperationId.make("pay_1/auth/1"),
  gateway: bank,
  order: { ...Workshop.order(), payment: PaymentId.make("pay_1"), merchant: MerchantId.make("shop") },
  method: Workshop.order().methods[0],
  challenge: false
}

const steady: GatewayCall.CallPolicy = {
  timeoutMillis: 10_000,
  retry: { maxAttempts: 4, baseMillis: 100, factor: 3, capMillis: 500 },
  breaker: { tripPolicy: CircuitBreaker.consecutive(5), openMillis: 30_000 }
}

const using = (gateway: ScriptedGateway.ScriptedGateway, policy: GatewayCall.CallPolicy) =>
  Effect.provide(
    GatewayCall.layer.pipe(
      Layer.provide([
        ScriptedGateway.layer(gateway),
        CircuitBreaker.layerStoreMemory(),
        RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
        Layer.succeed(GatewayCall.CallPolicies, new Map([[bank, policy]]))
      ])
    )
  )

/** Sends, lets an hour pass, and says what came of it. */
const send = Effect.gen(function* () {
  const calls = yield* GatewayCall.GatewayCall
  const fiber = yield* Effect.forkChild(Effect.result(calls.send(call)))
  yield* TestClock.adjust("10 minutes")
  const result = yield* Fiber.join(fiber)
  if (Result.isSuccess(result)) return result.success._tag
  const { reason } = result.failure
  return reason._tag === "Misconfigured" ? reason._tag : `${reason._tag} ${reason.because}`
})

describe("GatewayCall", () => {
  it.effect("tries what was not sent exactly as often, and when, as the policy says", () =>
    Effect.gen(function* () {
      const moments: Array<number> = []
      const gateway = yield* ScriptedGateway.make("bank", () =>
        Effect.flatMap(Clock.currentTimeMillis, (millis) => {
          moments.push(millis)
          return Effect.fail(Workshop.unreachable)
        })
      )
      assert.strictEqual(yield* send.pipe(using(gateway, steady)), "NotSent ConnectionRefused")
      // 100, then 300, then 900 capped at 500.
      assert.deepStrictEqual(moments, [0, 100, 400, 900])
    })
  )

  it.effect("waits as long as the gateway asks, unless that is longer than a call may take", () =>
    Effect.gen(function* () {
      const throttled = (retryAfterMillis: number) => new NotSent({ because: "Throttled", retryAfterMillis })
      const short = yield* ScriptedGateway.make("bank", Workshop.failing(1, throttled(450)))
      assert.strictEqual(yield* send.pipe(using(short, steady)), "Approved")
      const long = yield* ScriptedGateway.make("bank", Workshop.failing(1, throttled(60_000)))
      assert.strictEqual(yield* send.pipe(using(long, steady)), "NotSent Throttled")
      assert.strictEqual((yield* long.asked).length, 1)
    })
  )

  it.effect("never tries again by itself what is in doubt, refused or misconfigured", () =>
    Effect.gen(function* () {
      const reasons: ReadonlyArray<readonly [GatewayError["reason"], string]> = [
        [Workshop.lost, "InDoubt ConnectionLost"],
        [new InDoubt({ because: "ServerError" }), "InDoubt ServerError"],
        [new NotSent({ because: "Refused" }), "NotSent Refused"],
        [new Misconfigured({ detail: "no such account" }), "Misconfigured"]
      ]
      for (const [reason, said] of reasons) {
        const gateway = yield* ScriptedGateway.make("bank", () => Effect.fail(reason))
        assert.strictEqual(yield* send.pipe(using(gateway, steady)), said)
        assert.strictEqual((yield* gateway.asked).length, 1)
      }
    })
  )

  it.effect("a gateway that is silent too long, or whose adapter throws, leaves the call in doubt", () =>
    Effect.gen(function* () {
      const silent = yield* ScriptedGateway.make("bank", () => Effect.never)
      assert.strictEqual(yield* send.pipe(using(silent, steady)), "InDoubt Timeout")
      const broken = yield* ScriptedGateway.make("bank", () => Effect.die(new Error("undefined is not a function")))
      assert.strictEqual(yield* send.pipe(using(broken, steady)), "InDoubt Unreadable")
    })
  )

  it.effect("one failure leaves a breaker of five closed; five open it, and nothing is sent until it closes", () =>
    Effect.gen(function* () {
      const gateway = yield* ScriptedGateway.make("bank", (asked) =>
        asked.before < 5 ? Effect.fail(Workshop.lost) : Workshop.agreeable(asked)
      )
      yield* Effect.gen(function* () {
        const calls = yield* GatewayCall.GatewayCall
        const health = Effect.map(calls.health, (of) => of(bank))
        const sendNow = Effect.result(calls.send(call))
        yield* sendNow
        assert.strictEqual(yield* health, "up")
        for (let failures = 1; failures < 5; failures++) yield* sendNow
        assert.strictEqual(yield* health, "down")
        const held = yield* Effect.flip(calls.send(call))
        assert.deepInclude(held.reason, { _tag: "NotSent", because: "CircuitOpen", retryAfterMillis: 30_000 })
        assert.strictEqual((yield* gateway.asked).length, 5)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* calls.send(call))._tag, "Approved")
        assert.strictEqual(yield* health, "up")
      }).pipe(using(gateway, { ...steady, retry: { ...steady.retry, maxAttempts: 1 } }))
    })
  )

  it.effect("a failure counts once however often it was tried, and answers never count", () =>
    Effect.gen(function* () {
      const quick = { ...steady, breaker: { ...steady.breaker, tripPolicy: CircuitBreaker.consecutive(2) } }
      const state = Effect.gen(function* () {
        yield* send
        const calls = yield* GatewayCall.GatewayCall
        return (yield* calls.health)(bank)
      })
      const unreachable = yield* ScriptedGateway.make("bank", () => Effect.fail(Workshop.unreachable))
      assert.strictEqual(yield* state.pipe(using(unreachable, quick)), "up")
      assert.strictEqual((yield* unreachable.asked).length, 4)

      for (const script of [
        () => Effect.succeed(Workshop.declined("final")),
        () => Effect.fail(new NotSent({ because: "Refused" })),
        () => Effect.fail(new Misconfigured({ detail: "no such account" })),
        () => Effect.fail(new InDoubt({ because: "KeyInUse" }))
      ] satisfies ReadonlyArray<ScriptedGateway.Script>) {
        const gateway = yield* ScriptedGateway.make("bank", script)
        const thrice = Effect.andThen(send, Effect.andThen(send, state))
        assert.strictEqual(yield* thrice.pipe(using(gateway, quick)), "up")
      }
    })
  )

  it.effect("keeps a gateway's limit, and says when there is room again", () =>
    Effect.gen(function* () {
      const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const calls = yield* GatewayCall.GatewayCall
        yield* calls.send(call)
        yield* calls.send(call)
        const { reason } = yield* Effect.flip(calls.send(call))
        assert.deepInclude(reason, { _tag: "NotSent", because: "Throttled" })
        assert.strictEqual((yield* gateway.asked).length, 2)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* calls.send(call))._tag, "Approved")
      }).pipe(using(gateway, { ...steady, limit: { calls: 2, windowMillis: 1000 } }))
    })
  )

  it.effect("does not know gateways that are not there, and sends nothing for them", () =>
    Effect.gen(function* () {
      const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const error = yield* Effect.gen(function* () {
        const calls = yield* GatewayCall.GatewayCall
        return yield* Effect.flip(calls.send({ ...call, gateway: GatewayName.make("gone") }))
      }).pipe(using(gateway, steady))
      assert.strictEqual(error.reason._tag, "Misconfigured")
    })
  )
})
