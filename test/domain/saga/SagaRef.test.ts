import { assert, describe, it } from "@effect/vitest"
import type { Source } from "../../../src/domain/saga/SagaRef.ts"
import * as SagaRef from "../../../src/domain/saga/SagaRef.ts"

interface Charge {
  readonly reference: string
  readonly lines: ReadonlyArray<{ readonly amount: number }>
}

const input = SagaRef.refs<{ readonly card: string }>({ _tag: "Input" })
const charge = SagaRef.refs<Charge>({ _tag: "Result", step: "charge" })
const element = SagaRef.refs<number>({ _tag: "Element" })

const values = (source: Source): unknown => {
  switch (source._tag) {
    case "Input":
      return { card: "visa" }
    case "Result":
      return { reference: "r-1", lines: [{ amount: 5 }] }
    case "Element":
      return 7
  }
}

describe("a template", () => {
  it("names the steps whose results it takes, each once, however deep", () =>
    assert.deepStrictEqual(SagaRef.stepsOf({ a: charge.reference, b: [{ c: charge.lines }, input.card], d: 1 }), [
      "charge"
    ]))

  it("becomes the same with the values in their places", () => {
    const at = new Date(0)
    const template = { all: charge, first: charge.lines[0], deep: [{ card: input.card, one: element }], five: 5, at }
    assert.deepStrictEqual(SagaRef.resolve(template, values), {
      all: { reference: "r-1", lines: [{ amount: 5 }] },
      first: { amount: 5 },
      deep: [{ card: "visa", one: 7 }],
      five: 5,
      at
    })
  })

  it("may be one reference, or a value", () => {
    assert.strictEqual(SagaRef.resolve(charge.reference, values), "r-1")
    assert.strictEqual(SagaRef.resolve("literal", values), "literal")
  })

  it("throws where a path leads nowhere", () =>
    assert.throws(() => SagaRef.resolve(charge.reference, () => null), "there is no reference in null"))
})
