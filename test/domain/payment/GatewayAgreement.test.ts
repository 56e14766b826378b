import { assert, describe, it } from "@effect/vitest"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import * as GatewayAgreement from "../../../src/domain/payment/GatewayAgreement.ts"
import * as OperationHistory from "../../../src/domain/payment/OperationHistory.ts"
import type { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as Histories from "./Histories.ts"
import { answers, eur, later } from "./World.ts"

/** What is made of a gateway's word about the operation at `index`. */
const of = (history: ReadonlyArray<Event>, index: number, found: Answer | undefined) =>
  GatewayAgreement.of(OperationHistory.of(history)[index]!, found, fold(history), later)._tag

const approved = answers.approved
const captured = (minor: bigint): Answer => ({ _tag: "Captured", amount: eur(minor) })
const refused: Answer = { _tag: "Refused", code: "no", authorizationGone: false }
const redirect: Answer = {
  _tag: "ActionRequired",
  reference: Histories.authorized().reference,
  action: { type: "redirect", url: "https://bank.example" }
}

describe("GatewayAgreement", () => {
  it("agrees where the gateway says what is on record", () => {
    assert.strictEqual(of(Histories.paid, 0, approved), "Agrees")
    assert.strictEqual(of(Histories.paid, 1, captured(10_00n)), "Agrees")
    assert.strictEqual(of(Histories.released, 0, approved), "Agrees")
    assert.strictEqual(of(Histories.released, 1, { _tag: "Voided" }), "Agrees")
    assert.strictEqual(of(Histories.refused, 0, answers.declined), "Agrees")
    assert.strictEqual(of([...Histories.refunding, Histories.refunded], 2, { _tag: "Refunded" }), "Agrees")
    assert.strictEqual(of(Histories.unrefunded, 2, refused), "Agrees")
    assert.strictEqual(of([...Histories.back, Histories.confirmed], 0, redirect), "Agrees")
  })

  it("says how they disagree", () => {
    assert.strictEqual(of(Histories.paid, 1, captured(9_99n)), "Contradicts")
    assert.strictEqual(of(Histories.paid, 1, refused), "Contradicts")
    assert.strictEqual(of(Histories.refused, 0, approved), "Contradicts")
    assert.strictEqual(of(Histories.paid, 0, answers.declined), "Contradicts")
    assert.strictEqual(of(Histories.unrefunded, 2, { _tag: "Refunded" }), "Contradicts")
    assert.strictEqual(of(Histories.paid, 1, { _tag: "Pending" }), "Pending")
    assert.strictEqual(of(Histories.held, 0, { ...approved, captured: true }), "Ahead")
  })

  it("takes silence for agreement only where nothing had happened", () => {
    assert.strictEqual(of(Histories.paid, 1, undefined), "Unknown")
    assert.strictEqual(of(Histories.released, 1, undefined), "Unknown")
    assert.strictEqual(of(Histories.refused, 0, undefined), "Agrees")
    assert.strictEqual(of(Histories.unrefunded, 2, undefined), "Agrees")
  })

  it("finds out what was recorded as never sent, and was", () => {
    const cancelled = [...Histories.unsent, Histories.cancelled]
    assert.strictEqual(of(cancelled, 0, undefined), "Agrees")
    assert.strictEqual(of(cancelled, 0, answers.declined), "Agrees")
    assert.strictEqual(of(cancelled, 0, approved), "SentAfterAll")
    assert.strictEqual(of(cancelled, 0, redirect), "SentAfterAll")
  })

  it("says nothing of what is open", () => {
    assert.strictEqual(of(Histories.inDoubt, 0, undefined), "Agrees")
    assert.strictEqual(of(Histories.inDoubt, 0, approved), "Agrees")
  })

  it("puts answers into words", () => {
    assert.strictEqual(GatewayAgreement.describe(captured(10_99n)), "Captured 10.99 EUR")
    assert.strictEqual(GatewayAgreement.describe({ ...approved, captured: true }), "Approved and captured")
    assert.strictEqual(GatewayAgreement.describe(refused), "Refused (no)")
    assert.strictEqual(GatewayAgreement.describe({ _tag: "Voided" }), "Voided")
  })
})
