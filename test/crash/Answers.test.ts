import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Payment } from "../../src/edge/http/PaymentJson.ts"
import type { Answer } from "./Answers.ts"
import * as Answers from "./Answers.ts"

const payment = (id: string, status: string) =>
  Schema.decodeUnknownSync(Payment)({
    id,
    status,
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
    version: 6
  })

const settled = (id: string, status = "succeeded"): Answer => ({ _tag: "Settled", payment: payment(id, status) })
const refused: Answer = { _tag: "Refused", rule: "WrongState" }

const contradictions = (...answers: ReadonlyArray<Answer>) => {
  const notes = Answers.make()
  for (const answer of answers) notes.note("order-1", answer)
  return notes.contradictions().map(({ detail }) => detail.split(", actual")[0])
}

describe("the client's notes", () => {
  it("find nothing wrong with the same answer twice, after being told to wait", () => {
    assert.deepStrictEqual(contradictions({ _tag: "Underway", id: "pay_1" }, settled("pay_1"), settled("pay_1")), [])
    assert.deepStrictEqual(contradictions(refused, refused), [])
  })

  it("find two payments of one key, answered or on their way", () => {
    assert.deepStrictEqual(contradictions({ _tag: "Underway", id: "pay_1" }, settled("pay_2")), [
      "expected one payment"
    ])
  })

  it("find an answer that changed", () => {
    assert.deepStrictEqual(contradictions(settled("pay_1"), settled("pay_1", "failed")), [
      "expected one answer that stands"
    ])
  })

  it("find a request that was both refused and carried out", () => {
    assert.deepStrictEqual(contradictions(refused, settled("pay_1")), ["expected an answer or a refusal"])
  })

  it("keep what was never a right answer, and keep keys apart", () => {
    assert.deepStrictEqual(contradictions({ _tag: "Wrong", detail: "500" }), ["500"])
    const notes = Answers.make()
    notes.note("order-1", settled("pay_1"))
    notes.note("order-2", settled("pay_2"))
    assert.deepStrictEqual(notes.contradictions(), [])
    assert.deepStrictEqual(
      [...notes.payments()].map(([key, ids]) => [key, [...ids]]),
      [
        ["order-1", ["pay_1"]],
        ["order-2", ["pay_2"]]
      ]
    )
  })
})
