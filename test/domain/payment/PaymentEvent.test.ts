import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as PaymentEvent from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as PaymentView from "../../../src/domain/payment/PaymentView.ts"
import { historyOf, paymentId, viewOf } from "../../../src/testing/contract/Samples.ts"

const stored = Schema.toCodecJson(PaymentEvent.Event)
const roundTrip = <A, I>(codec: Schema.Codec<A, I>, value: A): A =>
  Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(value))))

/** Ten times the default: events have many fields, and one of them once took 569 runs to be found out. */
const manyRuns = { arbitrary: { runs: 1000 } }

describe("PaymentEvent", () => {
  it.prop(
    "survives its stored form",
    [PaymentEvent.Event],
    ([event]) => {
      assert.deepStrictEqual(roundTrip(stored, event), event)
    },
    manyRuns
  )

  it("is read as it was written by the first version", () => {
    // As in the database. Never edit this: what is stored cannot be edited either.
    const written = [
      '{"_tag":"Initiated","order":{"payment":"pay_1","merchant":"shop","amount":{"currency":"EUR","minor":"1099"},"capture":"automatic","methods":["tok_visa"]},"screening":false,"at":1700000000000}',
      '{"_tag":"AuthorizationBegun","operation":"pay_1/auth/1","by":"run_1","gateway":"bank","method":0,"capabilities":{"idempotencyKey":{"retentionMillis":86400000,"maxLength":255,"storesErrors":false},"lookup":"authoritative","autoCapture":false,"partialCapture":true,"multipleCaptures":true,"partialRefund":true},"routing":{"reasons":[],"passedOver":[]},"at":1700000000001}',
      '{"_tag":"OperationDoubted","operation":"pay_1/auth/1","asked":"send","reason":"Timeout","at":1700000000002}',
      '{"_tag":"Authorized","operation":"pay_1/auth/1","reference":"ch_1","evidence":{"_tag":"GatewayAnswer","gateway":"bank"},"at":1700000000003}',
      '{"_tag":"CaptureBegun","operation":"pay_1/capture/1","by":"run_1","amount":{"currency":"EUR","minor":"1099"},"final":true,"at":1700000000004}',
      '{"_tag":"Captured","operation":"pay_1/capture/1","amount":{"currency":"EUR","minor":"1099"},"evidence":{"_tag":"GatewayAnswer","gateway":"bank"},"at":1700000000005}',
      '{"_tag":"RefundBegun","operation":"pay_1/refund/1","by":"run_1","amount":{"currency":"EUR","minor":"99"},"request":"r1","at":1700000000006}',
      '{"_tag":"Refunded","operation":"pay_1/refund/1","evidence":{"_tag":"Operator","name":"Ada","reason":"seen in the books"},"at":1700000000007}'
    ]
    const history = written.map((json) => Schema.decodeUnknownSync(stored)(JSON.parse(json)))
    assert.deepStrictEqual(
      history.map((event) => JSON.stringify(Schema.encodeSync(stored)(event))),
      written
    )
    const state = fold(history)
    assert.isTrue(state._tag === "Captured" && PaymentView.status(state) === "succeeded")
    assert.deepInclude(viewOf(history), { capturedMinor: 1099n, refundedMinor: 99n, version: 8 })
  })
})

describe("PaymentView", () => {
  it.prop("survives its stored form", [PaymentView.PaymentView], ([view]) => {
    assert.deepStrictEqual(roundTrip(Schema.toCodecJson(PaymentView.PaymentView), view), view)
  })

  it("says each status of a payment's way, in order", () => {
    const history = historyOf(paymentId(), { capture: "manual" })
    assert.deepStrictEqual(
      history.map((_, index) => viewOf(history.slice(0, index + 1)).status),
      ["initiated", "processing", "authorized", "processing", "succeeded"]
    )
  })
})
