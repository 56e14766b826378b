import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import { order, withApi } from "./Api.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)

describe("a payment of another merchant on the same database", () => {
  it.live("is as unknown as one that is not there, and nothing is done to it", () =>
    Effect.gen(function* () {
      const database = MemoryDatabase.make()
      const gateways = [yield* bank]
      const { view } = yield* Effect.flatMap(Payments, (payments) =>
        payments.create(MerchantId.make("other"), Workshop.key("k1"), Workshop.order())
      ).pipe(Effect.provide(Workshop.layer({ gateways, database, seed: 2 })))
      yield* withApi({ gateways, database }, async (call) => {
        const path = `/v1/payments/${view.id}`
        const decision = {
          operation: `${view.id}/auth/1`,
          found: "voided",
          operator: "Ada",
          reason: "seen in the bank's console"
        }
        const replies = [
          await call("GET", path),
          await call("GET", `${path}/events`),
          await call("POST", `${path}/capture`, { body: {} }),
          await call("POST", `${path}/cancel`, { body: {} }),
          await call("POST", `${path}/refunds`, { body: { amount: 1 } }),
          await call("POST", `${path}/actions/complete`, { body: {} }),
          await call("POST", `${path}/decision`, { body: decision })
        ]
        for (const { body, status } of replies) {
          assert.strictEqual(status, 404)
          assert.strictEqual(body.type, "urn:florin:problem:payment-not-found")
        }
      })
      assert.strictEqual(database.streams.get(view.id)?.version, view.version)
    })
  )
})

describe("a payment whose row of the read model is missing", () => {
  it.live("can be changed all the same", () =>
    Effect.gen(function* () {
      const database = MemoryDatabase.make()
      const gateways = [yield* bank]
      yield* withApi({ gateways, database }, async (call) => {
        const held = await call("POST", "/v1/payments", { key: "k1", body: { ...order, capture: "manual" } })
        database.views.clear()
        const captured = await call("POST", `/v1/payments/${String(held.body.id)}/capture`, { body: { amount: 1000 } })
        assert.strictEqual(captured.status, 200)
        assert.strictEqual(captured.body.capturedAmount, 1000)
      })
    })
  )
})
