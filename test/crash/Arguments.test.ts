import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Arguments from "./Arguments.ts"

describe("the words after npm run test:crash --", () => {
  it("are the length and the seed, in either order", () => {
    const asked = Result.succeed({ size: "short", seed: 42 } as const)
    assert.deepStrictEqual(Arguments.parse(["--short", "--seed", "42"]), asked)
    assert.deepStrictEqual(Arguments.parse(["--seed", "42", "--short"]), asked)
  })

  it("may be left out: then it is the long run, from any seed", () => {
    const parsed = Result.getOrThrow(Arguments.parse([]))
    assert.strictEqual(parsed.size, "long")
    assert.isTrue(Number.isSafeInteger(parsed.seed))
  })

  it("are refused when they are anything else, and named", () => {
    for (const [words, named] of [
      [["--quick"], "--quick"],
      [["--seed"], "--seed "],
      [["--seed", "-1"], "--seed -1"],
      [["--seed", "--short"], "--seed --short"]
    ] as const) {
      const { message } = Result.getOrThrow(Result.flip(Arguments.parse(words)))
      assert.strictEqual(
        message,
        `expected --short or --seed N, N a whole number of at most nine digits, got: ${named}`
      )
    }
  })
})
