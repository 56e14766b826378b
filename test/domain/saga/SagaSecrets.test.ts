import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as SagaSecrets from "../../../src/domain/saga/SagaSecrets.ts"

const secrets = (value: unknown): ReadonlySet<string> => {
  const found = new Set<string>()
  SagaSecrets.collect(value, found)
  return found
}

describe("the secrets of a run", () => {
  it("are what is redacted, however deep, and nothing beside it", () => {
    const value = { card: Redacted.make({ number: "4111", cvc: 123 }), name: "Ada", list: [Redacted.make("tok_1")] }
    assert.deepStrictEqual([...secrets(value)], ["4111", "123", "tok_1"])
  })

  it("are taken out of texts, a short one only where it is all there is", () => {
    const found = secrets([Redacted.make("tok_1"), Redacted.make("12")])
    assert.strictEqual(SagaSecrets.maskText("no such token: tok_1", found), "no such token: <redacted>")
    assert.strictEqual(SagaSecrets.maskText("12", found), "<redacted>")
    assert.strictEqual(SagaSecrets.maskText("line 1234", found), "line 1234")
  })

  it("are taken out of JSON, as texts and as numbers, and the rest stays", () => {
    const found = secrets([Redacted.make("tok_1"), Redacted.make(123)])
    assert.deepStrictEqual(SagaSecrets.mask({ a: ["tok_1", 123, 12, null], b: true }, found), {
      a: ["<redacted>", "<redacted>", 12, null],
      b: true
    })
  })
})
