import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Instant } from "../../src/domain/Instant.ts"
import { MethodToken } from "../../src/domain/payment/Gateway.ts"
import * as Risk from "../../src/domain/Risk.ts"

const { cases: rule } = Risk.Rule
const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const
const usd = (minor: bigint) => ({ currency: "USD", minor }) as const
const hour = 3_600_000

const large = rule.AmountAtLeast.make({ name: "large", limit: eur(100_00n), verdict: "challenge" })
const busy = rule.VelocityAbove.make({ name: "busy", payments: 3, windowMillis: hour, verdict: "block" })
const listed = (...methods: ReadonlyArray<string>) =>
  rule.MethodListed.make({ name: "listed", methods, verdict: "block" })

const saying = (verdict: Risk.Verdict) => rule.AmountAtLeast.make({ name: verdict, limit: eur(1n), verdict })

const subject = (changes: Partial<Risk.Subject> = {}): Risk.Subject => ({
  amount: eur(1n),
  methods: [MethodToken.make("tok_a")],
  customer: "cus_1",
  at: Instant.make(1_700_000_000_000),
  ...changes
})
const paying = (...tokens: ReadonlyArray<string>) =>
  subject({ methods: tokens.map((token) => MethodToken.make(token)) })
const counted = (payments: number) => () => payments
const none = counted(0)

describe("Risk.assess", () => {
  it("allows without reasons when no rule fires, or there is none", () => {
    assert.deepStrictEqual(Risk.assess([], subject(), none), { verdict: "allow", reasons: [] })
    assert.deepStrictEqual(Risk.assess([large, busy, listed("tok_b")], subject(), none), {
      verdict: "allow",
      reasons: []
    })
  })

  it("fires at the limit of an amount, not one cent below, not in another currency", () => {
    const verdict = (amount: Risk.Subject["amount"]) => Risk.assess([large], subject({ amount }), none).verdict
    assert.strictEqual(verdict(eur(99_99n)), "allow")
    assert.strictEqual(verdict(eur(100_00n)), "challenge")
    assert.strictEqual(verdict(eur(100_01n)), "challenge")
    assert.strictEqual(verdict(usd(1_000_000_00n)), "allow")
    assert.deepStrictEqual(Risk.assess([large], subject({ amount: eur(100_00n) }), none).reasons, [
      { _tag: "AmountAtLeast", rule: "large", limit: eur(100_00n) }
    ])
  })

  it("fires above the number of payments, not at it", () => {
    assert.deepStrictEqual(Risk.assess([busy], subject(), counted(3)), { verdict: "allow", reasons: [] })
    assert.deepStrictEqual(Risk.assess([busy], subject(), counted(4)), {
      verdict: "block",
      reasons: [{ _tag: "VelocityAbove", rule: "busy", payments: 3, counted: 4, windowMillis: hour }]
    })
  })

  it("counts velocity within the window of the rule", () => {
    const daily = rule.VelocityAbove.make({
      name: "daily",
      payments: 10,
      windowMillis: 24 * hour,
      verdict: "challenge"
    })
    const velocity = (windowMillis: number) => (windowMillis === hour ? 2 : 11)
    assert.deepStrictEqual(Risk.assess([busy, daily], subject(), velocity), {
      verdict: "challenge",
      reasons: [{ _tag: "VelocityAbove", rule: "daily", payments: 10, counted: 11, windowMillis: 24 * hour }]
    })
  })

  it("cannot count velocity without a customer", () => {
    assert.deepStrictEqual(Risk.assess([busy], subject({ customer: undefined }), counted(9)), {
      verdict: "allow",
      reasons: []
    })
  })

  const tokens: ReadonlyArray<readonly [entry: string, token: string, isListed: boolean]> = [
    ["tok_a", "tok_a", true],
    ["tok_a", "tok_ab", false],
    ["tok_ab", "tok_a", false],
    ["tok_a", "TOK_A", false],
    ["tok_*", "tok_a", true],
    ["tok_*", "tok_", true],
    ["tok_*", "tok", false],
    ["tok_*", "a_tok_a", false],
    ["t*k_a", "tok_a", false],
    ["*", "anything", true],
    ["tok_.*", "tok_ab", false]
  ]

  it("lists a token that equals an entry, or starts with one that ends in a star", () => {
    for (const [entry, token, isListed] of tokens) {
      const { verdict } = Risk.assess([listed(entry)], paying(token), none)
      assert.strictEqual(verdict, isListed ? "block" : "allow", `${entry} ~ ${token}`)
    }
  })

  it("names the first of the payment's methods that any entry lists", () => {
    assert.deepStrictEqual(Risk.assess([listed("tok_c", "tok_b")], paying("tok_a", "tok_b", "tok_c"), none).reasons, [
      { _tag: "MethodListed", rule: "listed", method: "tok_b" }
    ])
  })

  it("gives the strictest verdict of the rules that fire, in whatever order they stand", () => {
    const table: ReadonlyArray<readonly [verdicts: ReadonlyArray<Risk.Verdict>, strictest: Risk.Verdict]> = [
      [["allow"], "allow"],
      [["challenge"], "challenge"],
      [["block"], "block"],
      [["allow", "challenge"], "challenge"],
      [["allow", "block"], "block"],
      [["challenge", "block"], "block"],
      [["allow", "challenge", "block"], "block"]
    ]
    for (const [verdicts, strictest] of table) {
      for (const order of [verdicts, verdicts.toReversed()]) {
        const assessment = Risk.assess(order.map(saying), subject(), none)
        assert.strictEqual(assessment.verdict, strictest, order.join())
      }
    }
  })

  it("gives every reason, in the order of the rules, those of milder rules included", () => {
    const assessment = Risk.assess(
      [
        listed("tok_*"),
        large,
        rule.AmountAtLeast.make({ name: "huge", limit: eur(9_000_00n), verdict: "block" }),
        busy
      ],
      subject({ amount: eur(500_00n) }),
      counted(9)
    )
    assert.strictEqual(assessment.verdict, "block")
    assert.deepStrictEqual(
      assessment.reasons.map((reason) => [reason._tag, "rule" in reason ? reason.rule : undefined]),
      [
        ["MethodListed", "listed"],
        ["AmountAtLeast", "large"],
        ["VelocityAbove", "busy"]
      ]
    )
  })

  it.prop("gives reasons that can be stored", [Schema.Array(Risk.Rule)], ([rules]) => {
    const codec = Schema.toCodecJson(Schema.Array(Risk.Reason))
    const { reasons } = Risk.assess(rules, subject(), counted(1))
    const text = JSON.stringify(Schema.encodeSync(codec)(reasons))
    const restored = Schema.decodeUnknownSync(codec)(JSON.parse(text))
    assert.strictEqual(JSON.stringify(Schema.encodeSync(codec)(restored)), text)
  })
})

describe("Risk.windows", () => {
  it("names each window that a rule counts, once", () => {
    const daily = rule.VelocityAbove.make({
      name: "daily",
      payments: 10,
      windowMillis: 24 * hour,
      verdict: "challenge"
    })
    const again = rule.VelocityAbove.make({ name: "again", payments: 5, windowMillis: hour, verdict: "challenge" })
    assert.deepStrictEqual(Risk.windows([large, busy, daily, listed("*"), again]), [hour, 24 * hour])
    assert.deepStrictEqual(Risk.windows([large]), [])
  })
})

describe("Risk.unavailable", () => {
  it("blocks when it fails closed, allows when it fails open, and says so", () => {
    assert.deepStrictEqual(Risk.unavailable("failClosed"), {
      verdict: "block",
      reasons: [{ _tag: "ScreenUnavailable", policy: "failClosed" }]
    })
    assert.deepStrictEqual(Risk.unavailable("failOpen"), {
      verdict: "allow",
      reasons: [{ _tag: "ScreenUnavailable", policy: "failOpen" }]
    })
  })
})
