/** What an object of Stripe's says of an operation. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as StripeAnswer from "../../../src/infra/stripe/StripeAnswer.ts"
import * as StripeObject from "../../../src/infra/stripe/StripeObject.ts"

const readIntent = Schema.decodeUnknownSync(StripeObject.Intent)
const readRefund = Schema.decodeUnknownSync(StripeObject.Refund)

const intent = (fields: object) =>
  readIntent({
    id: "pi_1",
    object: "payment_intent",
    amount: 1000,
    amount_received: 0,
    currency: "eur",
    metadata: {},
    last_payment_error: null,
    latest_charge: null,
    next_action: null,
    ...fields
  })

const reference = "pi_1"
const error = { code: "card_declined", decline_code: "lost_card", advice_code: "do_not_try_again" }
const decline = { code: "lost_card", category: "final", advice: "do_not_try_again" }
const failed = { id: "ch_1", status: "failed", failure_code: "card_declined", outcome: { reason: "expired_card" } }
const held = { id: "ch_1", status: "succeeded", payment_method_details: { card: { capture_before: 1_800_000_000 } } }
const page = "https://hooks.stripe.com/3ds/1"
const redirect = { type: "redirect_to_url", redirect_to_url: { url: page } }

const rows: ReadonlyArray<readonly [what: string, fields: object, answer: object]> = [
  [
    "a hold, and until when it stands",
    { status: "requires_capture", latest_charge: held },
    { _tag: "Approved", captured: false, reference, expiresAt: 1_800_000_000_000 }
  ],
  [
    "a hold whose charge was not expanded",
    { status: "requires_capture", latest_charge: "ch_1" },
    { _tag: "Approved", captured: false, reference }
  ],
  ["a sale", { status: "succeeded", latest_charge: held }, { _tag: "Approved", captured: true, reference }],
  [
    "a customer's way to their bank",
    { status: "requires_action", next_action: redirect },
    { _tag: "ActionRequired", reference, action: { type: "redirect", url: page } }
  ],
  [
    "an action that is no page",
    { status: "requires_action", next_action: { type: "use_stripe_sdk" } },
    { _tag: "Pending", reference }
  ],
  [
    "a decline, by its error",
    { status: "requires_payment_method", last_payment_error: error, latest_charge: failed },
    { _tag: "Declined", decline, reference }
  ],
  [
    "a decline whose error was cleared, by its charge",
    { status: "canceled", latest_charge: failed },
    { _tag: "Declined", decline: { code: "expired_card", category: "otherInstrument" }, reference }
  ],
  [
    "a cancellation of what had not failed",
    { status: "canceled", latest_charge: held },
    { _tag: "Declined", decline: { code: "canceled", category: "final" }, reference }
  ],
  ["one that was not charged yet", { status: "requires_payment_method" }, { _tag: "Pending", reference }],
  ["one that is being worked on", { status: "processing" }, { _tag: "Pending", reference }],
  ["what Stripe adds one day", { status: "requires_luck" }, { _tag: "Pending", reference }]
]

describe("StripeAnswer", () => {
  it.each(rows)("of an authorization: %s", (_, fields, answer) =>
    assert.deepStrictEqual(StripeAnswer.ofAuthorization(intent(fields)), answer as never)
  )

  it("of a refund: through, on its way, or sent back", () => {
    const refund = (fields: object) =>
      StripeAnswer.ofRefund(readRefund({ id: "re_1", object: "refund", metadata: null, ...fields }))
    assert.deepStrictEqual(refund({ status: "succeeded" }), { _tag: "Refunded", reference: "re_1" } as never)
    for (const status of ["pending", "requires_action", null]) {
      assert.deepStrictEqual(refund({ status }), { _tag: "Pending", reference: "re_1" } as never)
    }
    const refused = { _tag: "Refused", authorizationGone: false } as const
    assert.deepStrictEqual(refund({ status: "failed", failure_reason: "lost_or_stolen_card" }), {
      ...refused,
      code: "lost_or_stolen_card"
    })
    assert.deepStrictEqual(refund({ status: "canceled" }), { ...refused, code: "canceled" })
  })

  it("of a void: the hold is gone, or its money was taken, or it stands", () => {
    const answer = (fields: object) => Result.getOrThrow(StripeAnswer.ofVoid(intent(fields)))
    assert.deepStrictEqual(answer({ status: "canceled" }), { _tag: "Voided" })
    const amount = { currency: "EUR", minor: 6_00n } as const
    assert.deepInclude(answer({ status: "succeeded", amount_received: 600 }), { _tag: "Captured", amount })
    assert.isUndefined(answer({ status: "requires_capture" }))
  })

  it("cannot be read where what florin goes by is missing", () => {
    const whole = { id: "pi_1", object: "payment_intent", amount: 1, amount_received: 0, currency: "eur", metadata: {} }
    assert.isTrue(Schema.is(Schema.toEncoded(StripeObject.Intent))({ ...whole, status: "succeeded" }))
    for (const wrong of [
      whole,
      { ...whole, status: "succeeded", currency: "xxx" },
      { ...whole, status: "succeeded", amount_received: -1 },
      { ...whole, status: "succeeded", object: "charge" },
      { ...whole, status: "succeeded", id: "pi 1" }
    ]) {
      assert.throws(() => readIntent(wrong))
    }
  })

  it("repeats a code that looks like one", () => {
    assert.strictEqual(StripeAnswer.codeOf("amount_too_large"), "amount_too_large")
    assert.strictEqual(StripeAnswer.codeOf(undefined), "refused")
    assert.strictEqual(StripeAnswer.codeOf("4242 4242 4242 4242"), "refused")
  })
})
