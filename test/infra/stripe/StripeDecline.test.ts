/** What each of Stripe's decline codes leaves open. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as StripeDecline from "../../../src/infra/stripe/StripeDecline.ts"

interface Table {
  readonly codes: ReadonlyArray<{ readonly decline_code: string; readonly class: string }>
}

const { codes } = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/stripe-decline-codes.json", import.meta.url), "utf8")
) as Table

const categoryOf = (declineCode: string | undefined, adviceCode?: string, code?: string) =>
  StripeDecline.categoryOf({ code, declineCode, adviceCode })

/** By class. Of those that forbid the same card, these end the payment, and the others leave the next card open. */
const ended = [
  "do_not_try_again",
  "fraudulent",
  "lost_card",
  "merchant_blacklist",
  "pickup_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "security_violation",
  "stolen_card",
  "stop_payment_order",
  "testmode_decline"
]
const classes: Readonly<Record<string, string>> = {
  retry_same_method_now_or_later: "retryLater",
  retry_later_bounded: "otherInstrument",
  authenticate_then_retry: "otherInstrument",
  customer_must_correct_or_change_card: "otherInstrument",
  do_not_retry_same_card: "otherInstrument",
  check_for_duplicate_first: "final"
}

describe("StripeDecline", () => {
  it("knows all fifty codes, each by its class", () => {
    assert.strictEqual(codes.length, 50)
    for (const { class: name, decline_code } of codes) {
      const expected = ended.includes(decline_code) ? "final" : classes[name]
      assert.strictEqual(categoryOf(decline_code), expected as never, decline_code)
    }
    // An unknown code is final as well: these are open, so they are known.
    assert.strictEqual(codes.filter(({ decline_code }) => categoryOf(decline_code) !== "final").length, 38)
    assert.isTrue(ended.every((code) => codes.some(({ decline_code }) => decline_code === code)))
  })

  it("goes by the issuer's advice first", () => {
    for (const { decline_code } of codes) {
      assert.strictEqual(categoryOf(decline_code, "do_not_try_again"), "final")
      assert.strictEqual(categoryOf(decline_code, "try_again_later"), "retryLater")
      assert.strictEqual(categoryOf(decline_code, "confirm_card_data"), "otherInstrument")
      assert.strictEqual(categoryOf(decline_code, "ask_the_moon"), categoryOf(decline_code))
    }
  })

  it("is final where it knows nothing, and goes by the error's code where there is no other", () => {
    assert.strictEqual(categoryOf("new_in_2031"), "final")
    assert.strictEqual(categoryOf(undefined), "final")
    assert.strictEqual(categoryOf(undefined, "__proto__"), "final")
    assert.strictEqual(categoryOf(undefined, undefined, "expired_card"), "otherInstrument")
    assert.strictEqual(categoryOf("stolen_card", undefined, "expired_card"), "final")
  })

  it("repeats a code that looks like one, and no other text", () => {
    assert.deepStrictEqual(
      StripeDecline.of({ code: "card_declined", declineCode: "lost_card", adviceCode: "do_not_try_again" }),
      { code: "lost_card", category: "final", advice: "do_not_try_again" }
    )
    assert.deepStrictEqual(StripeDecline.of({ code: undefined, declineCode: "4242 4242", adviceCode: "\n" }), {
      code: "unknown",
      category: "final"
    })
  })
})
