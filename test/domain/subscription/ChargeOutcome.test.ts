import { assert, describe, it } from "@effect/vitest"
import type { DeclineCategory } from "../../../src/domain/payment/Gateway.ts"
import type { PaymentView, Status } from "../../../src/domain/payment/PaymentView.ts"
import * as ChargeOutcome from "../../../src/domain/subscription/ChargeOutcome.ts"
import { historyOf, paymentId, viewOf } from "../../../src/testing/contract/Samples.ts"

const payment = paymentId()
const standing = (status: Status, failure?: NonNullable<PaymentView["failure"]>): PaymentView => ({
  ...viewOf(historyOf(payment)),
  status,
  ...(failure && { failure })
})

describe("the outcome of a charge", () => {
  it("is paid only by a payment that succeeded, and open as long as money may move", () => {
    assert.deepStrictEqual(ChargeOutcome.of(standing("succeeded")), { _tag: "Paid", payment })
    for (const status of [
      "initiated",
      "authenticated",
      "requires_action",
      "processing",
      "authorized",
      "in_doubt"
    ] as const) {
      assert.deepStrictEqual(ChargeOutcome.of(standing(status)), { _tag: "Pending" }, status)
    }
  })

  it("keeps the category of a decline, and has one for each of florin's own codes", () => {
    const table: ReadonlyArray<readonly [code: string, category: DeclineCategory | undefined, then: DeclineCategory]> =
      [
        ["51", "otherInstrument", "otherInstrument"],
        ["91", "retryLater", "retryLater"],
        ["gateway_unreachable", undefined, "retryLater"],
        ["no_gateway_for_payment", undefined, "retryLater"],
        ["blocked_by_screening", undefined, "final"],
        ["capture_refused", undefined, "final"]
      ]
    for (const [code, category, then] of table) {
      assert.deepStrictEqual(ChargeOutcome.of(standing("failed", { code, ...(category && { category }) })), {
        _tag: "Failed",
        payment,
        failure: { code, category: then }
      })
    }
  })

  it("asks for another instrument where the customer never came back", () => {
    assert.deepStrictEqual(ChargeOutcome.of(standing("cancelled")), {
      _tag: "Failed",
      payment,
      failure: { code: "payment_cancelled", category: "otherInstrument" }
    })
  })
})
