import { assert, describe, it } from "@effect/vitest"
import type { Charge } from "../../src/infra/simulated/SandboxCharge.ts"
import { audit, rules } from "../../src/testing/Auditor.ts"
import {
  adding,
  booking,
  delivery,
  falsifications,
  held,
  operation,
  reference,
  replacing,
  telling,
  truth,
  withCharges,
  without
} from "./Falsifications.ts"
import * as True from "./TrueBooks.ts"
import { charge } from "./TrueBooks.ts"

describe("Auditor", () => {
  it("finds nothing wrong with books that are right", () => {
    assert.deepStrictEqual(audit(truth), [])
  })

  it("finds nothing wrong with repeats, nor with an event that was buried and came late", () => {
    const repeated = [...truth.deliveries, ...truth.deliveries]
    assert.deepStrictEqual(audit({ ...truth, deliveries: repeated }), [])
    const deadLetters = [delivery("plain", 2)]
    assert.deepStrictEqual(audit({ ...truth, deliveries: without("plain", 2), deadLetters }), [])
    assert.deepStrictEqual(
      audit({ ...truth, deliveries: [...without("plain", 2), delivery("plain", 2)], deadLetters }),
      []
    )
  })

  it("lets the books of a payment that says it does not know show more", () => {
    const own = { ...reference("ch_doubt_2"), ...operation("pay_doubt/auth/2") }
    assert.deepStrictEqual(audit(adding(charge("pay_doubt", { ...own, ...held }))), [])
    assert.deepStrictEqual(audit(adding(charge("pay_doubt", own))), [])
    assert.deepStrictEqual(audit(adding(charge("pay_doubt", { ...own, ...True.untaken("pending") }))), [])
  })

  it("knows what is left of a hold after a part of it was captured, and lets it lapse by itself", () => {
    const inPart = (left: Partial<Charge>) =>
      telling(
        "plain",
        (events) =>
          replacing("Captured", (event) => ({ ...event, amount: True.eur(5_00n) }))(
            replacing("CaptureBegun", (event) => ({ ...event, amount: True.eur(5_00n), final: false }))(events)
          ),
        booking("ch_plain", { capturedMinor: 5_00n, ...left })
      )
    assert.deepStrictEqual(audit(inPart({ status: "authorized" })), [])
    assert.deepStrictEqual(audit(inPart({ status: "expired" })), [])
    assert.deepStrictEqual(
      audit(inPart({ status: "captured" })).map(({ rule }) => rule),
      ["EverySuccessCharged"]
    )
  })

  it("says what was expected and what is, of which charge", () => {
    assert.deepStrictEqual(audit(withCharges(booking("ch_refund", { refundedMinor: 4_01n }))), [
      {
        rule: "EveryChargeKnown",
        payment: "pay_refund",
        detail: "expected 400 refunded, actual 401: ch_refund at able, captured"
      }
    ])
  })

  for (const [rule, cases] of Object.entries(falsifications)) {
    for (const [what, payment, books] of cases) {
      it(`${rule}: tells ${what}, and nothing else`, () => {
        const found = audit(books)
        assert.deepStrictEqual(
          [...new Set(found.map((violation) => `${violation.rule} ${violation.payment}`))],
          [`${rule} ${payment}`],
          found.map(({ detail }) => detail).join("\n")
        )
      })
    }
  }

  it("has at least two falsifications of every rule", () => {
    assert.deepStrictEqual(
      Object.entries(falsifications).flatMap(([rule, cases]) => (cases.length < 2 ? [rule] : [])),
      []
    )
    assert.deepStrictEqual(Object.keys(falsifications), Object.keys(rules))
  })
})
