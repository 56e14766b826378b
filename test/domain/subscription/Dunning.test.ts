import { assert, describe, it } from "@effect/vitest"
import type { DeclineCategory } from "../../../src/domain/payment/Gateway.ts"
import * as Dunning from "../../../src/domain/subscription/Dunning.ts"
import type { Policy } from "../../../src/domain/subscription/SubscriptionBilling.ts"
import * as SubscriptionNotice from "../../../src/domain/subscription/SubscriptionNotice.ts"
import * as SubscriptionPlan from "../../../src/domain/subscription/SubscriptionPlan.ts"
import { at, method, request, Story, terms } from "./Subscriptions.ts"

const iso = (millis: number) => new Date(millis).toISOString().slice(0, 10)

/** Does what is owed until nothing is, every charge failing alike, and says what happened on which day. */
const unpaid = (category: DeclineCategory, policy: Policy): ReadonlyArray<string> => {
  const story = new Story(policy)
  let now = at("2027-01-01")
  story.ask({ _tag: "Subscribe", terms: terms(), at: now })
  const told: Array<string> = []
  while (true) {
    const owed = SubscriptionPlan.next(story.state, now, policy)
    if (owed._tag === "Rest") return told
    if (owed._tag === "Wait") now = owed.until
    else
      told.push(
        `${iso(now)} ${(owed._tag === "Charge" ? story.fail(now, category) : story.ask(owed.command)).join(" ")}`
      )
  }
}

const day = 86_400_000

describe("dunning", () => {
  it("tries again where another try is of use, and takes one rung after the other", () => {
    assert.deepStrictEqual(unpaid("retryLater", { proration: "second", dunning: Dunning.defaults }), [
      "2027-01-01 ChargeFailed",
      "2027-01-02 ChargeBegun",
      "2027-01-02 ChargeFailed",
      "2027-01-04 ChargeBegun",
      "2027-01-04 ChargeFailed",
      "2027-01-04 FellPastDue",
      "2027-01-06 ChargeBegun",
      "2027-01-06 ChargeFailed",
      "2027-01-08 ChargeBegun",
      "2027-01-08 ChargeFailed",
      "2027-01-15 InvoiceVoided Cancelled"
    ])
  })

  it("does not try a card again that the bank has refused, and has the same ladder", () => {
    for (const category of ["otherInstrument", "final"] as const) {
      assert.deepStrictEqual(unpaid(category, { proration: "second", dunning: Dunning.defaults }), [
        "2027-01-01 ChargeFailed",
        "2027-01-04 FellPastDue",
        "2027-01-15 InvoiceVoided Cancelled"
      ])
    }
  })

  it("can pause instead, after no grace at all, and stays there", () => {
    const policy: Policy = {
      proration: "second",
      dunning: {
        retries: { retryLater: [2 * day], otherInstrument: [], final: [] },
        ladder: [{ afterMillis: 0, to: "paused" }]
      }
    }
    assert.deepStrictEqual(unpaid("retryLater", policy), ["2027-01-01 ChargeFailed", "2027-01-01 Paused"])
  })

  it("after an outage makes one retry for all that were missed", () => {
    const failures = { firstAt: at("2027-01-01"), lastAt: at("2027-01-04T12:00:00Z"), category: "retryLater" } as const
    assert.strictEqual(Dunning.nextRetry(Dunning.defaults, failures), at("2027-01-06"))
    assert.strictEqual(Dunning.nextRetry(Dunning.defaults, { ...failures, lastAt: at("2027-01-08") }), undefined)
  })

  it("tries a new method at once; paid late within the period, the period goes on, and after it a new one begins", () => {
    for (const [paidOn, start] of [
      ["2027-01-20", "2027-02-01"],
      ["2027-02-10", "2027-02-10"]
    ] as const) {
      const story = new Story({
        proration: "second",
        dunning: { ...Dunning.defaults, ladder: [{ afterMillis: 3 * day, to: "pastDue" }] }
      })
      story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-01-01") })
      story.fail(at("2027-01-01"), "final")
      story.ask({ _tag: "Advance", at: at("2027-01-04") })
      const rest = SubscriptionPlan.next(story.state, at("2027-01-05"), story.policy)
      assert.deepStrictEqual(rest, { _tag: "Rest" })
      story.ask({ _tag: "UpdateMethod", request: request("m"), method: method("tok_new"), at: at(paidOn) })
      story.ask({ _tag: "RetryCharge", at: at(paidOn) })
      story.pay(at(paidOn))
      assert.strictEqual(story.state._tag, "Active")
      const [year, month] = paidOn === "2027-01-20" ? ["2027", "02"] : ["2027", "02"]
      story.ask({ _tag: "Bill", at: paidOn === "2027-01-20" ? at(`${year}-${month}-01`) : at(paidOn) })
      assert.strictEqual(iso(story.begun.period!.start), start)
    }
  })

  it("paused by it, goes on when the customer is back, with the same invoice", () => {
    const policy: Policy = {
      proration: "second",
      dunning: { ...Dunning.defaults, ladder: [{ afterMillis: day, to: "paused" }] }
    }
    const story = new Story(policy)
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-01-01") })
    story.fail(at("2027-01-01"), "final")
    story.ask({ _tag: "Advance", at: at("2027-01-02") })
    assert.strictEqual(story.refusal({ _tag: "RetryCharge", at: at("2027-01-03") }), "WrongState")
    story.ask({ _tag: "Resume", request: request("r"), at: at("2027-01-10") })
    assert.deepStrictEqual(story.ask({ _tag: "RetryCharge", at: at("2027-01-10") }), ["ChargeBegun"])
    story.pay(at("2027-01-10"))
    assert.deepInclude(story.begun, { _tag: "Active", invoices: 1 })
  })
})

describe("a new method, where dunning has paused the subscription", () => {
  const policy: Policy = {
    proration: "second",
    dunning: {
      ...Dunning.defaults,
      ladder: [
        { afterMillis: day, to: "paused" },
        { afterMillis: 9 * day, to: "cancelled" }
      ]
    }
  }
  const paused = () => {
    const story = new Story(policy)
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-01-01") })
    story.fail(at("2027-01-01"), "final")
    story.ask({ _tag: "Advance", at: at("2027-01-02") })
    story.ask({ _tag: "UpdateMethod", request: request("m"), method: method("tok_new"), at: at("2027-01-05") })
    const owed = SubscriptionPlan.next(story.state, at("2027-01-05"), policy)
    assert.deepStrictEqual(owed, { _tag: "Decide", command: { _tag: "RetryCharge", at: at("2027-01-05") } })
    assert.deepStrictEqual(story.ask({ _tag: "RetryCharge", at: at("2027-01-05") }), ["ChargeBegun"])
    assert.strictEqual(story.state._tag, "Paused")
    return story
  }

  it("is tried at once, and ends the pause when it pays", () => {
    const story = paused()
    story.pay(at("2027-01-05"))
    assert.deepInclude(story.begun, { _tag: "Active", method: method("tok_new"), open: undefined, lapsed: false })
    assert.deepStrictEqual(SubscriptionPlan.next(story.state, at("2027-01-05"), policy), {
      _tag: "Wait",
      until: at("2027-02-01")
    })
  })

  it("leaves it paused when it fails, and its ladder as it was", () => {
    const story = paused()
    story.fail(at("2027-01-05"), "retryLater")
    assert.strictEqual(story.state._tag, "Paused")
    assert.deepStrictEqual(SubscriptionPlan.next(story.state, at("2027-01-05"), policy), {
      _tag: "Wait",
      until: at("2027-01-10")
    })
  })
})

describe("notices", () => {
  it("tell of money, of failures with the next try, and of what is taken away", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-01-01") })
    story.fail(at("2027-01-01"))
    story.ask({ _tag: "RetryCharge", at: at("2027-01-02") })
    story.fail(at("2027-01-02"), "final")
    story.ask({ _tag: "Advance", at: at("2027-01-04") })
    story.ask({ _tag: "UpdateMethod", request: request("m"), method: method("tok_new"), at: at("2027-01-05") })
    story.ask({ _tag: "RetryCharge", at: at("2027-01-05") })
    const about = { subscription: "sub_1", customer: "ada", plan: "Basic", zone: "UTC" }
    const due = { invoice: "sub_1/inv/1", amount: { currency: "EUR", minor: 30_00n } }
    assert.deepStrictEqual<unknown>(SubscriptionNotice.of(story.history, { _tag: "New" }, 0, story.policy), [
      {
        id: "sub_1/5",
        kind: "chargeFailed",
        ...about,
        ...due,
        failure: { code: "51", category: "retryLater" },
        retriesAt: at("2027-01-02")
      },
      { id: "sub_1/7", kind: "chargeFailed", ...about, ...due, failure: { code: "51", category: "final" } },
      { id: "sub_1/8", kind: "pastDue", ...about, ...due }
    ])
  })
})
