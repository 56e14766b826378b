import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as CardNumber from "../../src/domain/CardNumber.ts"

/** Numbers that the schemes and their acquirers publish for tests. */
const published: Record<string, string> = {
  "Visa, 13 digits": "4222222222222",
  "Diners Club, 14 digits": "30569309025904",
  "American Express, 15 digits": "378282246310005",
  "Visa, 16 digits": "4111111111111111",
  "Mastercard, 16 digits": "5555555555554444",
  "Mastercard, two-series": "2223003122003222",
  "Discover, 16 digits": "6011111111111117",
  "JCB, 16 digits": "3530111333300000",
  "UnionPay, 16 digits": "6200000000000005",
  "UnionPay, 19 digits": "6205500000000000004"
}
const visa = "4111111111111111"
const ending = (lastFour: string) => `[card number ending ${lastFour}]`

/** What a doubled digit counts, digits of the double added, as annex B of ISO/IEC 7812-1 tabulates it. */
const doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]

/** `payload` and its check digit: its digits alternate between doubled and plain, the rightmost being doubled. */
const withCheckDigit = (payload: string): string => {
  const counts = payload
    .split("")
    .map((digit, index) => ((payload.length - index) % 2 === 1 ? doubled[Number(digit)]! : Number(digit)))
  const sum = counts.reduce((total, count) => total + count, 0)
  return `${payload}${(10 - (sum % 10)) % 10}`
}

const digits = (length: number) => Schema.String.check(Schema.isPattern(new RegExp(`^\\d{${length}}$`)))
const payloadLength = Schema.Int.check(Schema.isBetween({ minimum: 12, maximum: 18 }))
const beside = Schema.String.check(Schema.isPattern(/^\d{0,8}$/))

describe("CardNumber.isIn", () => {
  it("finds the published test numbers of every length", () => {
    for (const [scheme, number] of Object.entries(published)) assert.isTrue(CardNumber.isIn(number), scheme)
  })

  it("looks through groups, however they are cut", () => {
    const grouped = [
      "4111 1111 1111 1111",
      "4111-1111-1111-1111",
      "4111 1111-1111 1111",
      "3782 822463 10005",
      "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
      "411111 1111111111"
    ]
    for (const text of grouped) assert.isTrue(CardNumber.isIn(text), text)
  })

  it("finds a number inside text, with letters right beside it", () => {
    const texts = [`card ${visa}, please`, `PAN${visa}X`, `(${visa})`, `a\n${visa}\nb`, `tok_${visa}`, `${visa}.00`]
    for (const text of texts) assert.isTrue(CardNumber.isIn(text), text)
  })

  it("finds a number beside other numbers: a code, an expiry, another card", () => {
    const texts = [
      "4111 1111 1111 1111 12/27",
      "4111 1111 1111 1111 123",
      `order 1234-${visa}`,
      `7 ${visa} 99`,
      "4111 1111 1111 1111 5555 5555 5555 4444"
    ]
    for (const text of texts) assert.isTrue(CardNumber.isIn(text), text)
  })

  it("lets near misses pass: one digit off, too short, too long, cut by something else", () => {
    const misses = [
      "4111111111111112",
      "4111111111111110",
      "4111 1111 1111 1112",
      withCheckDigit("42424242424"),
      `${withCheckDigit("42424242424")} 1`,
      withCheckDigit("4242424242424242424"),
      withCheckDigit("424242424242424242424242"),
      "4111  1111  1111  1111",
      "4111.1111.1111.1111",
      "",
      "2026-11-03 09:00:00"
    ]
    for (const text of misses) assert.isFalse(CardNumber.isIn(text), text)
  })

  it.prop(
    "finds every number with its check digit, and none with another",
    [digits(18), payloadLength],
    ([all, cut]) => {
      const number = withCheckDigit(all.slice(0, cut))
      assert.isTrue(CardNumber.isIn(number))
      for (const off of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        assert.isFalse(CardNumber.isIn(`${number.slice(0, -1)}${(Number(number.at(-1)) + off) % 10}`))
      }
    }
  )

  it.prop(
    "finds every number in any text, beside any digits, and masks it",
    [digits(18), payloadLength, Schema.String, beside],
    ([all, cut, text, other]) => {
      const number = withCheckDigit(all.slice(0, cut))
      for (const hidden of [`${text} ${number} ${text}`, `${other} ${number}-${other}`, `x${number}x`]) {
        assert.isTrue(CardNumber.isIn(hidden), hidden)
        assert.isFalse(CardNumber.isIn(CardNumber.mask(hidden)), hidden)
        assert.notInclude(CardNumber.mask(hidden), number)
      }
    }
  )
})

describe("CardNumber.mask", () => {
  it("leaves the last four digits and nothing else of the number", () => {
    for (const number of Object.values(published)) {
      assert.strictEqual(CardNumber.mask(number), ending(number.slice(-4)))
    }
  })

  it("leaves the text around it, and numbers that are none", () => {
    assert.strictEqual(CardNumber.mask("pay 3782 822463 10005 now"), `pay ${ending("0005")} now`)
    assert.strictEqual(CardNumber.mask(`${visa}, 5555-5555-5555-4444`), `${ending("1111")}, ${ending("4444")}`)
    assert.strictEqual(CardNumber.mask(`${visa} 5555555555554444`), `${ending("1111")} ${ending("4444")}`)
    assert.strictEqual(CardNumber.mask("4111 1111 1111 1111 12/27"), `${ending("1111")} 12/27`)
    assert.strictEqual(CardNumber.mask("order 4111111111111112"), "order 4111111111111112")
    assert.strictEqual(CardNumber.mask(""), "")
  })

  it("leaves four digits when groups cut them", () => {
    assert.strictEqual(CardNumber.mask("4111 1111 1111 11 11"), ending("1111"))
    assert.strictEqual(CardNumber.mask("5555-5555-5555-444-4"), ending("4444"))
  })

  it("leaves no more when digits beside the number pass for one with a part of it", () => {
    assert.isTrue(CardNumber.isIn("105 4111 1111 1111"))
    assert.strictEqual(CardNumber.mask("105 4111 1111 1111 1111"), ending("1111"))
  })
})

describe("CardNumber.find", () => {
  const table: ReadonlyArray<readonly [json: unknown, path: ReadonlyArray<string | number> | undefined]> = [
    [visa, []],
    [4_111_111_111_111_111, []],
    [6_205_500_000_000_000_004n, []],
    [{ metadata: { note: `card ${visa}` } }, ["metadata", "note"]],
    [{ methods: ["tok_1", { number: 378_282_246_310_005 }] }, ["methods", 1, "number"]],
    [
      [[], [["a", visa]]],
      [1, 0, 1]
    ],
    [{ a: null, b: true, c: 12, d: [{}, ""], e: undefined }, undefined],
    [{ first: "4111111111111112", second: visa }, ["second"]],
    [{ a: ["x", visa], b: visa }, ["a", 1]],
    [null, undefined],
    [4_111_111_111_111_112, undefined]
  ]

  it("names the first place that holds a card number", () => {
    for (const [json, path] of table) assert.deepStrictEqual(CardNumber.find(json), path)
  })

  it("finds a number used as a key, and does not repeat it in the path", () => {
    assert.deepStrictEqual(CardNumber.find({ metadata: { [visa]: "x" } }), ["metadata", ending("1111")])
  })
})

describe("CardNumber.passesLuhn", () => {
  it("accepts the textbook numbers and refuses a swapped pair", () => {
    assert.isTrue(CardNumber.passesLuhn("79927398713"))
    assert.isTrue(CardNumber.passesLuhn("49927398716"))
    assert.isFalse(CardNumber.passesLuhn("49927398717"))
    assert.isFalse(CardNumber.passesLuhn("94927398716"))
  })
})
