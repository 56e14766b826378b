import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Text, Token } from "../../src/domain/Text.ts"

const refusal = (schema: Schema.Codec<string>, text: string) => {
  const decoded = Schema.decodeUnknownResult(schema)(text)
  return Result.isFailure(decoded) ? String(decoded.failure) : undefined
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Every UTF-16 unit, by its number, that `schema` accepts alone. */
const acceptedUnits = (schema: Schema.Codec<string>) => {
  const is = Schema.is(schema)
  return range(0, 0xffff).filter((unit) => is(String.fromCharCode(unit)))
}

describe("Text", () => {
  it("refuses controls, surrogates and separators of lines, and no other unit", () => {
    assert.deepStrictEqual(acceptedUnits(Text(1)), [
      ...range(0x20, 0x7e),
      ...range(0xa0, 0x2027),
      ...range(0x202a, 0xd7ff),
      ...range(0xe000, 0xffff)
    ])
  })

  it("refuses a bad character anywhere in the text", () => {
    for (const bad of ["\0", "\n", "\r", "\u2028", "\u2029", "\u0085", "\ud800", "\udc00", "\udc00\ud800"]) {
      for (const text of [bad, `${bad}a`, `a${bad}`, `a${bad}b`, `😀${bad}`]) {
        assert.match(refusal(Text(10), text) ?? "accepted", /printable text without control characters/)
      }
    }
  })

  it("accepts emoji, combining marks and every script", () => {
    for (const text of ["😀", "👩‍👩‍👧", "e\u0301", "Łódź", "東京", "שלום", "two words", "a\u00a0b", '"\\']) {
      assert.isUndefined(refusal(Text(10), text), text)
    }
  })

  it("has 1 to `maxLength` units, an emoji counting as two", () => {
    assert.match(refusal(Text(3), "")!, /text that is not empty/)
    assert.isUndefined(refusal(Text(3), "abc"))
    assert.match(refusal(Text(3), "abcd")!, /text of at most 3 characters/)
    assert.isUndefined(refusal(Text(4), "😀😀"))
    assert.match(refusal(Text(3), "😀😀")!, /text of at most 3 characters/)
  })

  it.prop("survives UTF-8, which is how it is stored", [Text(50)], ([text]) => {
    assert.strictEqual(new TextDecoder().decode(new TextEncoder().encode(text)), text)
  })
})

describe("Token", () => {
  it("accepts visible ASCII and no other unit", () => {
    assert.deepStrictEqual(acceptedUnits(Token(1)), range(0x21, 0x7e))
  })

  it("refuses a bad character anywhere in the token", () => {
    for (const text of [" a", "a ", "a b", "a\n", "\na", "tok_é", "a\u0000", "a\u007f", "😀"]) {
      assert.match(refusal(Token(10), text) ?? "accepted", /a token of visible ASCII characters/)
    }
  })

  it("has 1 to `maxLength` characters", () => {
    assert.match(refusal(Token(3), "")!, /a token that is not empty/)
    assert.isUndefined(refusal(Token(3), "tok"))
    assert.match(refusal(Token(3), "toke")!, /a token of at most 3 characters/)
  })
})
