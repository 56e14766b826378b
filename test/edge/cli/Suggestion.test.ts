import { assert, describe, it } from "@effect/vitest"
import * as Suggestion from "../../../src/edge/cli/Suggestion.ts"

const names = ["serve", "sandbox", "simulate", "FLORIN_ANSWER_MILLIS"]

describe("Suggestion.nearest", () => {
  it.for([
    ["serv", "serve"],
    ["sevre", "serve"],
    ["sandbix", "sandbox"],
    ["FLORIN_ANSWER_MILIS", "FLORIN_ANSWER_MILLIS"],
    ["FLORIN_ANSWERMILLIS", "FLORIN_ANSWER_MILLIS"],
    ["serve", "serve"]
  ] as const)("takes %s for %s", ([given, meant]) => {
    assert.strictEqual(Suggestion.nearest(given, names), meant)
  })

  it.for(["x", "list", "FLORIN_TOKEN", ""])("takes %s for no name that there is", (given) => {
    assert.isUndefined(Suggestion.nearest(given, names))
  })

  it("says so as the end of a sentence", () => {
    assert.strictEqual(Suggestion.didYouMean("serv", names), "; did you mean serve?")
    assert.strictEqual(Suggestion.didYouMean("list", names), "")
  })
})
