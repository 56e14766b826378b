import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import { later, paymentId, at as sampledAt, append, creation, run } from "../../src/testing/contract/Samples.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as PaymentRecovery from "../../src/orchestration/PaymentRecovery.ts"
import * as PaymentPolicy from "../../src/orchestration/PaymentPolicy.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as Workshop from "./Workshop.ts"

const nothing = { found: 0, resolved: 0, waiting: 0, escalated: 0, failed: 0 }

/** A payment whose worker died while the gateway was asked: initiated, begun, no answer. */
const orphan = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const id = paymentId()
  yield* repository.create(creation(id, { lease: { owner: run("dead"), until: later(1000) } }))
  yield* repository.append(append(id, 1, 1, { due: later(1), claim: { token: 1, until: later(1000) } }))
  return id
})

describe("PaymentRecovery.sweep", () => {
  it.effect("resolves what a dead worker left, by asking under the same key; a second pass finds nothing", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(sampledAt)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const id = yield* orphan
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), nothing)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), { ...nothing, found: 1, resolved: 1 })
        assert.strictEqual((yield* payments.get(id)).status, "succeeded")
        assert.deepStrictEqual(
          (yield* bank.asked).map(({ call }) => call.operation),
          [`${id}/auth/1`, `${id}/capture/1`]
        )
        const doubt = (yield* payments.events(id)).find(({ _tag }) => _tag === "OperationDoubted")
        assert.deepInclude(doubt, { asked: "takeover", reason: "TakenOver" })
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), nothing)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("says what waits and what needs a person, and comes back to neither too early", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(sampledAt)
      const mute = yield* ScriptedGateway.make("bank", () => Effect.fail(Workshop.lost))
      const verify = { maxAttempts: 2, baseMillis: 1000, factor: 1, capMillis: 1000 }
      const authorizing = { ...PaymentPolicy.defaults.authorizing, verify }
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const id = yield* orphan
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), { ...nothing, found: 1, waiting: 1 })
        assert.deepInclude(yield* payments.get(id), { status: "in_doubt", escalated: false })
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), nothing)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), { ...nothing, found: 1, escalated: 1 })
        assert.deepInclude(yield* payments.get(id), { status: "in_doubt", escalated: true })
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), nothing)
        assert.strictEqual((yield* mute.asked).length, 2)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [mute], settings: { lingerMillis: 0, authorizing } })))
    })
  )

  it.effect("goes on after a payment that cannot be worked on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(sampledAt)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const database = MemoryDatabase.make()
      yield* Effect.gen(function* () {
        const [broken, whole] = [yield* orphan, yield* orphan]
        const row = database.streams.get(broken)!
        row.events = row.events.slice(1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* PaymentRecovery.sweep(), { ...nothing, found: 2, resolved: 1, failed: 1 })
        const payments = yield* Payments
        assert.strictEqual((yield* payments.get(whole)).status, "succeeded")
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], database })))
    })
  )
})
