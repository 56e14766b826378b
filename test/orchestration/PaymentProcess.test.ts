import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import { Instant, plus } from "../../src/domain/Instant.ts"
import { RunId } from "../../src/domain/payment/Operation.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as PaymentProcess from "../../src/orchestration/PaymentProcess.ts"
import * as Workshop from "./Workshop.ts"

const start = 1_700_000_000_000
const tags = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)
const calls = (asked: ReadonlyArray<ScriptedGateway.Asked>) =>
  asked.map(({ ask, call }) => `${ask} ${call.operation.slice(call.operation.indexOf("/") + 1)}`)

describe("PaymentProcess", () => {
  it.effect("takes a payment from the order to the capture, intents before calls", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { replayed, settled, view } = yield* payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order())
        assert.strictEqual(view.status, "succeeded")
        assert.strictEqual(view.capturedMinor, 10_99n)
        assert.isTrue(settled)
        assert.isFalse(replayed)
        assert.deepStrictEqual(tags(yield* payments.events(view.id)), [
          "Initiated",
          "AuthorizationBegun",
          "Authorized",
          "CaptureBegun",
          "Captured"
        ])
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "send capture/1"])
        assert.deepStrictEqual(yield* payments.get(view.id), view)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("two concurrent runs of one payment call authorize once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", (asked) => Effect.delay(Workshop.agreeable(asked), "2 seconds"))
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const created = yield* Effect.forkChild(
          payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order({ capture: "manual" }))
        )
        yield* TestClock.adjust("1 second")
        const { payments: listed } = yield* payments.list({}, { limit: 1 })
        const second = yield* Effect.flip(PaymentProcess.run(listed[0]!.id, RunId.make("run_other")))
        assert.isTrue(second._tag === "PaymentRepositoryError" && second.reason._tag === "Claimed")
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(created)).view.status, "authorized")
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("asks a lost authorization again under the same key, and charges once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", Workshop.failing(1, Workshop.lost))
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const created = yield* Effect.forkChild(
          payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order({ capture: "manual" }))
        )
        yield* TestClock.adjust("5 seconds")
        const { view } = yield* Fiber.join(created)
        assert.strictEqual(view.status, "authorized")
        assert.deepStrictEqual(tags(yield* payments.events(view.id)), [
          "Initiated",
          "AuthorizationBegun",
          "OperationDoubted",
          "Authorized"
        ])
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "send auth/1"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("verifies by lookup where the key is not kept, and never charges anew", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const capabilities = {
        ...ScriptedGateway.capable,
        idempotencyKey: { ...ScriptedGateway.capable.idempotencyKey, retentionMillis: 0 }
      }
      const bank = yield* ScriptedGateway.make(
        "bank",
        (asked) => (asked.ask === "send" ? Effect.fail(Workshop.lost) : Workshop.agreeable(asked)),
        capabilities
      )
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { settled, view } = yield* payments.create(
          Workshop.shop,
          Workshop.key("k1"),
          Workshop.order({ capture: "manual" })
        )
        assert.isFalse(settled)
        assert.strictEqual(view.status, "in_doubt")
        yield* TestClock.adjust("3 minutes")
        const { view: later } = yield* PaymentProcess.run(view.id, RunId.make("run_later"))
        assert.strictEqual(later.status, "authorized")
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "lookup auth/1"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("leaves the gateway alone when the payment has succeeded", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order())
        const before = yield* bank.asked
        const again = yield* PaymentProcess.run(view.id, RunId.make("run_again"))
        assert.deepStrictEqual(again, { view, until: undefined, settled: true })
        assert.deepStrictEqual(yield* bank.asked, before)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("falls back to the next gateway after proof that the first was not reached, never while in doubt", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const down = yield* ScriptedGateway.make("down", () => Effect.fail(Workshop.unreachable))
      const mute = yield* ScriptedGateway.make("mute", () => Effect.fail(Workshop.lost))
      const good = yield* ScriptedGateway.make("good", Workshop.agreeable)
      const pay = (gateways: ReadonlyArray<ScriptedGateway.ScriptedGateway>) =>
        Effect.gen(function* () {
          const payments = yield* Payments
          const created = yield* Effect.forkChild(payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order()))
          yield* TestClock.adjust("30 seconds")
          return (yield* Fiber.join(created)).view
        }).pipe(Effect.provide(Workshop.layer({ gateways })))

      const fallen = yield* pay([down, good])
      assert.deepInclude(fallen, { status: "succeeded", gateway: good.gateway.name })
      const doubted = yield* pay([mute, good])
      assert.deepInclude(doubted, { status: "in_doubt", gateway: mute.gateway.name })
      assert.deepStrictEqual(calls(yield* good.asked), ["send auth/2", "send capture/1"])
    })
  )

  it.effect("stops when its claim was taken, and writes nothing more", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", (asked) =>
        asked.before === 0 ? Effect.delay(Workshop.agreeable(asked), "1 minute") : Workshop.agreeable(asked)
      )
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const repository = yield* PaymentRepository
        yield* payments
          .create(Workshop.shop, Workshop.key("k1"), Workshop.order({ capture: "manual" }))
          .pipe(Effect.forkChild)
        yield* TestClock.adjust("1 second")
        const { id } = (yield* payments.list({}, { limit: 1 })).payments[0]!
        // Another run believes that the first is gone, as after a pause longer than the lease.
        const later = Instant.make(start + 60_000)
        yield* repository.claim(id, { owner: RunId.make("run_thief"), until: plus(later, 600_000) }, later)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(tags(yield* payments.events(id)), ["Initiated", "AuthorizationBegun"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )
})
