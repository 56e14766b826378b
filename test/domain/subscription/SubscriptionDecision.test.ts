import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Instant } from "../../../src/domain/Instant.ts"
import type { Currency } from "../../../src/domain/Currency.ts"
import * as Money from "../../../src/domain/Money.ts"
import { TimeZone } from "../../../src/domain/subscription/BillingAnchor.ts"
import { decide } from "../../../src/domain/subscription/SubscriptionDecision.ts"
import { fold } from "../../../src/domain/subscription/SubscriptionFold.ts"
import { InvoiceId } from "../../../src/domain/subscription/Invoice.ts"
import * as SubscriptionBilling from "../../../src/domain/subscription/SubscriptionBilling.ts"
import {
  amountOff,
  at,
  basic,
  forever,
  id,
  method,
  once,
  paidStory,
  percent,
  plan,
  pro,
  request,
  Story,
  terms
} from "./Subscriptions.ts"

const day = { proration: "day", dunning: SubscriptionBilling.defaults.dunning } as const
const none = { proration: "none", dunning: SubscriptionBilling.defaults.dunning } as const

describe("subscribing", () => {
  it("begins the first period, finalizes its invoice and begins the charge in one decision", () => {
    const story = new Story()
    const subscribe = { _tag: "Subscribe", terms: terms(), at: at("2027-01-31") } as const
    assert.deepStrictEqual(story.ask(subscribe), ["Subscribed", "PeriodBegun", "InvoiceFinalized", "ChargeBegun"])
    assert.deepStrictEqual(story.invoices, [
      {
        id: InvoiceId.make("sub_1/inv/1"),
        currency: "EUR",
        lines: [
          {
            number: 1,
            kind: "plan",
            description: "Basic",
            amountMinor: 30_00n,
            start: at("2027-01-31"),
            end: at("2027-02-28")
          }
        ],
        totalMinor: 30_00n,
        fromCreditMinor: 0n,
        dueMinor: 30_00n,
        at: at("2027-01-31")
      }
    ])
    assert.deepStrictEqual(story.ask({ ...subscribe, at: at("2027-02-01") }), [])
    assert.strictEqual(story.refusal({ ...subscribe, terms: terms({ customer: "bob" }) }), "TermsDiffer")
  })

  it("is refused with anything but one mail address, unless it was begun with it before", () => {
    for (const email of ["ada", "ada@example.org, eve@example.org", ""]) {
      const wish = { _tag: "Subscribe", terms: terms({ email }), at: at("2027-01-31") } as const
      const refused = Result.getOrThrow(Result.flip(decide(wish, fold([]), day)))
      assert.strictEqual(
        refused.message,
        `Subscribe refused in New: NoMailbox, email: expected one mail address, such as ada@example.org, got "${email}"`
      )
      const begun = fold([{ _tag: "Subscribed", terms: terms({ email }), at: at("2027-01-31") }])
      assert.deepStrictEqual(decide(wish, begun, day), Result.succeed([]))
    }
  })

  it("with a trial owes nothing before its end, and anchors there", () => {
    const story = new Story()
    const trial = plan("Basic", 30_00n, { trialDays: 14 })
    assert.deepStrictEqual(story.ask({ _tag: "Subscribe", terms: terms({ plan: trial }), at: at("2028-02-17") }), [
      "Subscribed"
    ])
    assert.strictEqual(story.refusal({ _tag: "Bill", at: Instant.make(at("2028-03-02") - 1) }), "NotYet")
    // The worker comes a day late; the anchor does not.
    story.ask({ _tag: "Bill", at: at("2028-03-03") })
    assert.deepInclude(story.begun.period, { anchor: at("2028-03-02"), start: at("2028-03-02"), end: at("2028-04-02") })
  })

  it("for nothing is paid at once, without a charge", () => {
    const story = new Story()
    const free = plan("Free", 0n)
    assert.deepStrictEqual(story.ask({ _tag: "Subscribe", terms: terms({ plan: free }), at: at("2027-01-01") }), [
      "Subscribed",
      "PeriodBegun",
      "InvoiceFinalized",
      "InvoicePaid"
    ])
  })
})

describe("a subscription that goes on", () => {
  /** When each period begins, and what was invoiced for it. */
  const periods = (story: Story) =>
    story.history.flatMap((event) =>
      event._tag === "PeriodBegun" ? [new Date(event.period.start).toISOString().slice(0, 16)] : []
    )
  const goOn = (story: Story, count: number) => {
    for (let index = 0; index < count; index++) {
      const { end } = story.begun.period!
      assert.strictEqual(story.refusal({ _tag: "Bill", at: Instant.make(end - 1) }), "NotYet")
      story.ask({ _tag: "Bill", at: end })
      if (story.begun.open !== undefined) story.pay(end)
    }
    return periods(story)
  }

  it("from 31 January in Berlin is billed at midnight there, on the last of each month, through a leap year", () => {
    const story = paidStory(at("2028-01-30T23:00:00Z"), { zone: TimeZone.make("Europe/Berlin") })
    assert.deepStrictEqual(goOn(story, 12), [
      "2028-01-30T23:00",
      "2028-02-28T23:00",
      "2028-03-30T22:00",
      "2028-04-29T22:00",
      "2028-05-30T22:00",
      "2028-06-29T22:00",
      "2028-07-30T22:00",
      "2028-08-30T22:00",
      "2028-09-29T22:00",
      "2028-10-30T23:00",
      "2028-11-29T23:00",
      "2028-12-30T23:00",
      "2029-01-30T23:00"
    ])
    assert.deepStrictEqual(
      story.invoices.map(({ dueMinor }) => dueMinor),
      Array.from({ length: 13 }, () => 30_00n)
    )
  })

  it("by the year from a leap day is billed on 28 February, and on the next leap day", () => {
    const yearly = plan("Yearly", 300_00n, { interval: { unit: "year", count: 1 } })
    assert.deepStrictEqual(goOn(paidStory(at("2028-02-29"), { plan: yearly }), 4), [
      "2028-02-29T00:00",
      "2029-02-28T00:00",
      "2030-02-28T00:00",
      "2031-02-28T00:00",
      "2032-02-29T00:00"
    ])
  })

  it("begins when it was asked for, in the second of two hours as well", () => {
    const start = at("2027-10-31T01:30:00Z")
    const story = paidStory(start, { zone: TimeZone.make("Europe/Berlin") })
    assert.strictEqual(story.begun.period!.start, start)
  })
})

describe("a price", () => {
  type Row = readonly [currency: Currency, old: bigint, next: bigint, unused: bigint, rest: bigint, eighth: bigint]
  const table: ReadonlyArray<Row> = [
    // Ten of thirty days were used. Yen have no part, dinars have a thousand; halves go up.
    ["JPY", 1000n, 2000n, 667n, 1333n, 250n],
    ["JPY", 1n, 100n, 1n, 67n, 13n],
    ["KWD", 9_999n, 20_001n, 6_666n, 13_334n, 2_500n],
    ["EUR", 9_99n, 20_01n, 6_66n, 13_34n, 2_50n]
  ]
  for (const [currency, old, next, unused, rest, eighth] of table) {
    it(`in ${currency} is prorated and reduced to its own minor unit, ${old} to ${next}`, () => {
      const price = (minor: bigint) => ({ price: Money.of(currency, minor) })
      const story = paidStory(at("2027-04-01"), { plan: plan("Old", 0n, price(old)) })
      const change = { _tag: "ChangePlan", request: request("up"), plan: plan("New", 0n, price(next)) } as const
      story.ask({ ...change, at: at("2027-04-11") })
      assert.deepStrictEqual(story.lines, [`1. Unused time on Old -${unused}`, `2. Remaining time on New ${rest}`])
      assert.deepInclude(story.invoices.at(-1), { currency, dueMinor: rest - unused })
      story.pay(at("2027-04-11"))
      const coupon = percent(12_50, once)
      story.ask({ _tag: "ApplyCoupon", request: request("c"), coupon, at: at("2027-04-12") })
      story.ask({ _tag: "Bill", at: at("2027-05-01") })
      assert.deepStrictEqual(story.lines, [`1. New ${next}`, `2. Coupon SPRING -${eighth}`])
    })
  }
})

describe("an upgrade", () => {
  it("credits what is left of the old price and charges what is left of the new one", () => {
    const story = paidStory(at("2027-04-01"))
    assert.deepStrictEqual(story.ask({ _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-16") }), [
      "PlanChanged",
      "InvoiceFinalized",
      "ChargeBegun"
    ])
    assert.deepStrictEqual(story.lines, ["1. Unused time on Basic -1500", "2. Remaining time on Pro 3000"])
    assert.deepInclude(story.invoices.at(-1), {
      id: InvoiceId.make("sub_1/inv/2"),
      totalMinor: 15_00n,
      dueMinor: 15_00n
    })
    story.pay(at("2027-04-16"))
    story.ask({ _tag: "Bill", at: at("2027-05-01") })
    assert.deepStrictEqual(story.lines, ["1. Pro 6000"])
    assert.deepInclude(story.begun.period, { anchor: at("2027-04-01"), index: 1, end: at("2027-06-01") })
  })

  it("and back at the same moment nets to zero, to the second and to the day", () => {
    for (const policy of [SubscriptionBilling.defaults, day]) {
      const story = paidStory(at("2027-04-01"), {}, policy)
      const when = at("2027-04-11T13:37:11Z")
      story.ask({ _tag: "ChangePlan", request: request("up"), plan: pro, at: when })
      const up = story.invoices.at(-1)!.totalMinor
      story.pay(when)
      story.ask({ _tag: "ChangePlan", request: request("back"), plan: basic, at: when })
      assert.strictEqual(story.invoices.at(-1)!.totalMinor, -up)
      assert.strictEqual(story.begun.creditMinor, up)
      assert.isTrue(up > 0n)
    }
  })

  it("is refused while an invoice is open, in another currency, and after the end", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-04-01") })
    const change = { _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-02") } as const
    assert.strictEqual(story.refusal(change), "InvoiceOpen")
    story.pay(at("2027-04-02"))
    const dollars = { ...change, plan: { ...pro, price: Money.of("USD", 60_00n) } }
    assert.strictEqual(story.refusal(dollars), "CurrencyMismatch")
    story.ask({ _tag: "Pause", request: request("p"), at: at("2027-04-02") })
    assert.strictEqual(story.refusal(change), "WrongState")
  })

  it("without proration costs nothing before the next period", () => {
    const story = paidStory(at("2027-04-01"), {}, none)
    const change = { _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-16") } as const
    assert.deepStrictEqual(story.ask(change), ["PlanChanged"])
    story.ask({ _tag: "Bill", at: at("2027-05-01") })
    assert.deepStrictEqual(story.lines, ["1. Pro 6000"])
  })

  it("to another interval begins a new period at once, and credits what is left of the old", () => {
    const story = paidStory(at("2027-04-01"))
    const yearly = plan("Yearly", 300_00n, { interval: { unit: "year", count: 1 } })
    story.ask({ _tag: "ChangePlan", request: request("year"), plan: yearly, at: at("2027-04-16") })
    assert.deepStrictEqual(story.lines, ["1. Unused time on Basic -1500", "2. Yearly 30000"])
    assert.deepInclude(story.begun.period, { start: at("2027-04-16"), end: at("2028-04-16"), priceMinor: 300_00n })
  })

  it("during a trial costs nothing, and neither does one after the period's end", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms({ plan: { ...basic, trialDays: 7 } }), at: at("2027-04-01") })
    const change = { _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-03") } as const
    assert.deepStrictEqual(story.ask(change), ["PlanChanged"])
    story.ask({ _tag: "Bill", at: at("2027-04-08") })
    assert.deepStrictEqual(story.lines, ["1. Pro 6000"])
    const late = paidStory(at("2027-04-01"))
    assert.deepStrictEqual(late.ask({ ...change, at: at("2027-05-02") }), ["PlanChanged"])
  })
})

describe("a downgrade", () => {
  it("adds to the credit, which pays the next invoices", () => {
    const story = paidStory(at("2027-04-01"), { plan: pro })
    const change = {
      _tag: "ChangePlan",
      request: request("down"),
      plan: plan("Small", 10_00n),
      at: at("2027-04-07")
    } as const
    assert.deepStrictEqual(story.ask(change), ["PlanChanged", "InvoiceFinalized", "InvoicePaid"])
    assert.deepInclude(story.invoices.at(-1), { totalMinor: -40_00n, fromCreditMinor: -40_00n, dueMinor: 0n })
    for (const month of ["05", "06", "07", "08"]) story.ask({ _tag: "Bill", at: at(`2027-${month}-01`) })
    assert.strictEqual(story.begun.creditMinor, 0n)
    assert.deepStrictEqual(story.ask({ _tag: "Bill", at: at("2027-09-01") }).at(-1), "ChargeBegun")
    assert.deepInclude(story.invoices.at(-1), { totalMinor: 10_00n, fromCreditMinor: 0n, dueMinor: 10_00n })
  })
})

describe("a coupon", () => {
  it("takes its percentage off, rounded half up, for as many periods as it holds", () => {
    const repeating = percent(33_33, { _tag: "Repeating", periods: 2 })
    const story = paidStory(at("2027-01-01"), { plan: plan("Odd", 9_99n), coupon: repeating })
    assert.deepStrictEqual(story.lines, ["1. Odd 999", "2. Coupon SPRING -333"])
    story.ask({ _tag: "Bill", at: at("2027-02-01") })
    assert.deepStrictEqual(story.lines, ["1. Odd 999", "2. Coupon SPRING -333"])
    story.pay(at("2027-02-01"))
    story.ask({ _tag: "Bill", at: at("2027-03-01") })
    assert.deepStrictEqual(story.lines, ["1. Odd 999"])
  })

  it("for once holds for every plan of its period, and is in what is credited", () => {
    const story = paidStory(at("2027-04-01"), { coupon: percent(50_00, once) })
    assert.strictEqual(story.invoices[0]!.dueMinor, 15_00n)
    story.ask({ _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-16") })
    assert.deepStrictEqual(story.lines, ["1. Unused time on Basic -750", "2. Remaining time on Pro 1500"])
  })

  it("of an amount takes no more than there is, forever, and only off its own currency", () => {
    const story = paidStory(at("2027-01-01"))
    const apply = {
      _tag: "ApplyCoupon",
      request: request("c"),
      coupon: amountOff(50_00n, forever),
      at: at("2027-01-10")
    } as const
    const dollars = { ...apply.coupon, off: { _tag: "Amount", amount: Money.of("USD", 1n) } } as const
    assert.strictEqual(story.refusal({ ...apply, coupon: dollars }), "CurrencyMismatch")
    assert.deepStrictEqual(story.ask(apply), ["CouponApplied"])
    for (const month of ["02", "03"]) {
      assert.deepStrictEqual(story.ask({ _tag: "Bill", at: at(`2027-${month}-01`) }).at(-1), "InvoicePaid")
      assert.deepStrictEqual(story.lines, ["1. Basic 3000", "2. Coupon MINUS -3000"])
    }
  })
})

describe("a cancellation", () => {
  const cancel = (when: "now" | "periodEnd", date: string) =>
    ({ _tag: "Cancel", request: request(`cancel ${when}`), when, at: at(date) }) as const

  it("now credits what is left, by second, by day, or not at all", () => {
    const table = [
      [SubscriptionBilling.defaults, 14_50n],
      [day, 15_00n],
      [none, 0n]
    ] as const
    for (const [policy, credit] of table) {
      const story = paidStory(at("2027-04-01"), {}, policy)
      story.ask(cancel("now", "2027-04-16T12:00:00Z"))
      story.ask({ _tag: "Conclude", at: at("2027-04-16T12:00:01Z") })
      assert.strictEqual(story.begun.creditMinor, credit)
      assert.strictEqual(story.state._tag, "Cancelled")
    }
  })

  it("to the period's end delivers what is paid for, and can be taken back until then", () => {
    const story = paidStory(at("2027-04-01"))
    story.ask(cancel("periodEnd", "2027-04-10"))
    assert.strictEqual(story.refusal({ _tag: "Conclude", at: at("2027-04-30") }), "NotYet")
    assert.strictEqual(story.refusal({ _tag: "Bill", at: at("2027-05-01") }), "WrongState")
    assert.deepStrictEqual(story.ask({ _tag: "Resume", request: request("stay"), at: at("2027-04-20") }), [
      "CancellationWithdrawn"
    ])
    story.ask({ ...cancel("periodEnd", "2027-04-21"), request: request("again") })
    assert.deepStrictEqual(story.ask({ _tag: "Conclude", at: at("2027-05-01") }), ["Ended"])
    assert.strictEqual(story.begun.creditMinor, 0n)
  })

  it("now, while a charge is under way, waits for what becomes of it", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-04-01") })
    story.ask(cancel("now", "2027-04-01"))
    assert.strictEqual(story.refusal({ _tag: "Conclude", at: at("2027-04-01") }), "InvoiceOpen")
    story.pay(at("2027-04-03"))
    story.ask({ _tag: "Conclude", at: at("2027-04-03") })
    assert.strictEqual(story.begun.creditMinor, 30_00n)
  })

  it("now is the end: no plan is changed any more, though nobody has carried it out yet", () => {
    const story = paidStory(at("2027-04-01"))
    story.ask(cancel("now", "2027-04-16"))
    const change = { _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-16") } as const
    assert.strictEqual(story.refusal(change), "WrongState")
    const late = paidStory(at("2027-04-01"))
    late.ask(cancel("periodEnd", "2027-04-16"))
    assert.strictEqual(late.refusal({ ...change, at: at("2027-05-01") }), "WrongState")
    assert.deepStrictEqual(late.ask({ ...change, at: at("2027-04-30") }).at(0), "PlanChanged")
  })

  it("voids an invoice that nobody paid, and credits nothing for it", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-04-01") })
    story.fail(at("2027-04-01"))
    story.ask(cancel("now", "2027-04-02"))
    assert.deepStrictEqual(story.ask({ _tag: "Conclude", at: at("2027-04-02") }), ["InvoiceVoided", "Cancelled"])
    assert.strictEqual(story.begun.creditMinor, 0n)
  })

  it("after an upgrade that nobody paid credits what was paid, less what the upgrade has used of it", () => {
    const story = paidStory(at("2027-04-01"))
    story.ask({ _tag: "ChangePlan", request: request("up"), plan: pro, at: at("2027-04-11") })
    story.fail(at("2027-04-11"))
    story.ask(cancel("now", "2027-04-16"))
    // 20.00 were left of what was paid on the 11th; five days of Pro cost 10.00.
    story.ask({ _tag: "Conclude", at: at("2027-04-16") })
    assert.strictEqual(story.begun.creditMinor, 10_00n)
  })

  it("gives back the credit that a voided invoice had taken", () => {
    const story = paidStory(at("2027-04-01"), { plan: pro })
    story.ask({ _tag: "ChangePlan", request: request("down"), plan: basic, at: at("2027-04-21") })
    assert.strictEqual(story.begun.creditMinor, 10_00n)
    story.ask({ _tag: "Bill", at: at("2027-05-01") })
    assert.strictEqual(story.begun.creditMinor, 0n)
    story.fail(at("2027-05-01"))
    story.ask(cancel("now", "2027-05-02"))
    story.ask({ _tag: "Conclude", at: at("2027-05-02") })
    assert.strictEqual(story.begun.creditMinor, 10_00n)
  })
})

describe("a pause", () => {
  it("within the period changes nothing about it; after it, a new one begins with the resumption", () => {
    const story = paidStory(at("2027-04-30"))
    story.ask({ _tag: "Pause", request: request("p1"), at: at("2027-05-05") })
    story.ask({ _tag: "Resume", request: request("r1"), at: at("2027-05-10") })
    story.ask({ _tag: "Bill", at: at("2027-05-30") })
    assert.deepInclude(story.begun.period, { anchor: at("2027-04-30"), index: 1 })
    story.pay(at("2027-05-30"))
    story.ask({ _tag: "Pause", request: request("p2"), at: at("2027-06-05") })
    story.ask({ _tag: "Resume", request: request("r2"), at: at("2027-08-10") })
    story.ask({ _tag: "Bill", at: at("2027-08-10") })
    assert.deepInclude(story.begun.period, { anchor: at("2027-08-10"), index: 0, end: at("2027-09-10") })
    assert.strictEqual(story.invoices.length, 3)
  })
})

describe("a charge", () => {
  it("ends once: a repeated word about it records nothing, one about another is refused", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-04-01") })
    const { invoice } = story.begun.open!
    const failed = {
      _tag: "RecordCharge",
      invoice: invoice.id,
      attempt: 1,
      failure: { code: "51", category: "retryLater" },
      at: at("2027-04-01")
    } as const
    assert.strictEqual(story.refusal({ ...failed, attempt: 2 }), "UnknownCharge")
    assert.deepStrictEqual(story.ask(failed), ["ChargeFailed"])
    assert.deepStrictEqual(story.ask(failed), [])
    story.ask({ _tag: "RetryCharge", at: at("2027-04-02") })
    assert.deepStrictEqual(story.ask(failed), [])
    story.pay(at("2027-04-02"))
    assert.deepStrictEqual(story.ask(failed), [])
    assert.strictEqual(story.state._tag, "Active")
  })

  it("keeps the method that it was begun with, and a new one is tried at once when it fails", () => {
    const story = new Story()
    story.ask({ _tag: "Subscribe", terms: terms(), at: at("2027-04-01") })
    story.ask({ _tag: "UpdateMethod", request: request("m"), method: method("tok_new"), at: at("2027-04-01") })
    assert.strictEqual(story.begun.open?.method, "tok_visa")
    story.fail(at("2027-04-01"), "final")
    story.ask({ _tag: "RetryCharge", at: at("2027-04-01") })
    assert.strictEqual(story.begun.open?.method, "tok_new")
  })
})

describe("credits and charges", () => {
  const moments = Schema.Array(
    Schema.Struct({
      second: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 * 86_400 })),
      minor: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_000_000n }))
    })
  )
  for (const policy of [SubscriptionBilling.defaults, day]) {
    it.prop(
      `by ${policy.proration}, over any changes of plan and an end at any moment: the invoices sum to what each plan cost while it held`,
      [moments, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31 * 86_400 }))],
      ([wishes, end]) => {
        const changes = wishes.filter(({ second }) => second <= end)
        const start = at("2027-04-01")
        const story = paidStory(start, { zone: TimeZone.make("UTC") }, policy)
        for (const [index, { minor, second }] of changes.toSorted((a, b) => a.second - b.second).entries()) {
          const when = Instant.make(start + second * 1000)
          story.ask({ _tag: "ChangePlan", request: request(`c${index}`), plan: plan(`P${index}`, minor), at: when })
          if (story.begun.open !== undefined) story.pay(when)
        }
        const cancelled = Instant.make(start + end * 1000)
        story.ask({ _tag: "Cancel", request: request("end"), when: "now", at: cancelled })
        story.ask({ _tag: "Conclude", at: cancelled })
        for (const invoice of story.invoices) {
          const sum = invoice.lines.reduce((total, { amountMinor }) => total + amountMinor, 0n)
          assert.deepStrictEqual([invoice.totalMinor, invoice.dueMinor + invoice.fromCreditMinor], [sum, sum])
          assert.deepStrictEqual(
            invoice.lines.map(({ number }) => number),
            invoice.lines.map((_, index) => index + 1)
          )
          assert.isTrue(invoice.dueMinor >= 0n)
          assert.match(invoice.id, new RegExp(`^${id}/inv/`))
        }
        const paid = story.invoices.reduce((total, { dueMinor }) => total + dueMinor, 0n)
        const invoiced = story.invoices.reduce((total, { totalMinor }) => total + totalMinor, 0n)
        assert.strictEqual(paid - story.begun.creditMinor, invoiced)
        // An independent sum: cents of each plan, from its running total, while it held.
        const whole = policy.proration === "day" ? 30n : 30n * 86_400n
        const runningTotal = (price: bigint, seconds: number) => {
          const part = policy.proration === "day" ? BigInt(Math.floor(seconds / 86_400)) : BigInt(seconds)
          return (2n * price * part + whole) / (2n * whole)
        }
        let expected = 0n
        let held = { price: 30_00n, since: 0 }
        for (const { minor, second } of changes.toSorted((a, b) => a.second - b.second)) {
          if (second >= 30 * 86_400) continue
          expected += runningTotal(held.price, second) - runningTotal(held.price, held.since)
          held = { price: minor, since: second }
        }
        expected += runningTotal(held.price, Math.min(end, 30 * 86_400)) - runningTotal(held.price, held.since)
        assert.strictEqual(invoiced, expected)
      }
    )
  }
})
