import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestConsole } from "effect/testing"
import * as DemoCommand from "../../../src/edge/cli/DemoCommand.ts"
import { reconcile } from "../../../src/edge/demo/Reconciliation.ts"
import { Payment } from "../../../src/edge/http/PaymentJson.ts"
import { Charge } from "../../../src/infra/simulated/SandboxCharge.ts"

/** A payment of 1099 cents, captured, as the API gives it. */
const payment = (id: string, change: Partial<typeof Payment.Encoded> = {}) =>
  Schema.decodeUnknownSync(Payment)({
    id,
    status: "succeeded",
    escalated: false,
    amount: 1099,
    currency: "EUR",
    capture: "automatic",
    authorizedAmount: 1099,
    capturedAmount: 1099,
    refundedAmount: 0,
    disputedAmount: 0,
    refunds: [],
    disputes: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    version: 7,
    ...change
  })

/** Its charge in the gateway's books. */
const charge = (of: string, change: Partial<typeof Charge.Encoded> = {}) =>
  Schema.decodeUnknownSync(Charge)({
    reference: `ch_${of}`,
    operation: `${of}/auth/1`,
    payment: of,
    merchant: "merchant",
    method: "tok_visa",
    currency: "EUR",
    amountMinor: 1099n,
    capture: "automatic",
    status: "captured",
    capturedMinor: 1099n,
    refundedMinor: 0n,
    ...change
  })

const first = "pay_first"
const second = "pay_second"

describe("Reconciliation", () => {
  it("finds nothing where both say the same", () => {
    const held = { status: "authorized", capturedAmount: 0 } as const
    const declined = { status: "failed", authorizedAmount: 0, capturedAmount: 0 } as const
    const outcome = reconcile(
      [payment(first, { refundedAmount: 99 }), payment(second, held), payment("pay_third", declined)],
      [
        charge(first, { refundedMinor: 99n }),
        charge(second, { status: "authorized", capturedMinor: 0n }),
        charge("pay_third", { status: "declined", capturedMinor: 0n })
      ]
    )
    assert.deepStrictEqual(outcome.differences, [])
    assert.deepStrictEqual(outcome.florin, {
      payments: 2,
      held: 1,
      captured: new Map([["EUR", 1099n]]),
      refunded: new Map([["EUR", 99n]])
    })
    assert.deepStrictEqual(outcome.gateway, outcome.florin)
  })

  const different: ReadonlyArray<
    readonly [what: string, payment: Partial<typeof Payment.Encoded>, charges: ReadonlyArray<Charge>, found: string]
  > = [
    ["a second charge", {}, [charge(first), charge(first, { reference: "ch_again" })], "charges that took money"],
    ["a charge that florin calls failed", { status: "failed", capturedAmount: 0 }, [charge(first)], "captured"],
    ["a success that nobody charged", {}, [], "charges that took money"],
    ["one cent", {}, [charge(first, { capturedMinor: 1098n })], "captured"],
    ["a refund that florin does not know", {}, [charge(first, { refundedMinor: 1n })], "refunded"],
    [
      "a hold that was left behind",
      {},
      [charge(first), charge(first, { reference: "ch_hold", status: "authorized", capturedMinor: 0n })],
      "holds"
    ],
    ["a payment that florin does not know", {}, [charge(first), charge("pay_other")], "does not know"]
  ]
  for (const [what, change, charges, found] of different)
    it(`finds ${what}`, () => {
      const { differences } = reconcile([payment(first, change)], charges)
      assert.isTrue(
        differences.some((difference) => difference.what.includes(found)),
        JSON.stringify(differences)
      )
    })

  it("takes a doubt for what it is: counted, and no difference", () => {
    const doubt = payment(first, { status: "in_doubt", authorizedAmount: 0, capturedAmount: 0 })
    const outcome = reconcile([doubt], [charge(first)])
    assert.deepStrictEqual(outcome.differences, [])
    assert.strictEqual(outcome.inDoubt, 1)
  })
})

describe("florin demo", () => {
  it.effect("prints both books side by side, and fails when they differ by one payment", () =>
    Effect.gen(function* () {
      const same = reconcile([payment(first)], [charge(first)])
      yield* DemoCommand.conclude({ ...same, sent: 1 })
      const differs = reconcile([payment(first)], [charge(first), charge(second)])
      const error = yield* Effect.flip(DemoCommand.conclude({ ...differs, sent: 1 }))
      assert.strictEqual(error.message, "florin's payments and the gateway's books differ, differences: 1")
      const [agreed, differed] = (yield* TestConsole.logLines).map(String)
      assert.match(agreed!, /captured, EUR +10\.99 +10\.99\n/)
      assert.match(agreed!, /\n0 differences, 0 in doubt/)
      assert.match(differed!, /\npay_second: a charge of a payment that florin does not know: unknown here, ch_pay_sec/)
    })
  )
})
