import { assert, describe, it } from "@effect/vitest"
import type { StepRetry } from "../../../src/domain/saga/StepRetry.ts"
import * as Retry from "../../../src/domain/saga/StepRetry.ts"

const waits = (retry: StepRetry, lot = 0, isRetryable = true) =>
  [1, 2, 3, 4, 5].map((attempt) => {
    const verdict = Retry.decide(retry, isRetryable, attempt, lot)
    return verdict._tag === "Again" ? verdict.afterMillis : "give up"
  })

describe("a step's retries", () => {
  const table: ReadonlyArray<readonly [retry: StepRetry, waits: ReadonlyArray<number | "give up">]> = [
    [{ attempts: 4, backoff: "exponential", baseMillis: 1000 }, [1000, 2000, 4000, "give up", "give up"]],
    [{ attempts: 4, backoff: "linear", baseMillis: 5000 }, [5000, 10_000, 15_000, "give up", "give up"]],
    [{ attempts: 4, backoff: "fixed", baseMillis: 10_000 }, [10_000, 10_000, 10_000, "give up", "give up"]],
    [{ attempts: 5, backoff: "exponential", baseMillis: 1000, capMillis: 3000 }, [1000, 2000, 3000, 3000, "give up"]],
    [{ attempts: 1, backoff: "fixed", baseMillis: 1000 }, ["give up", "give up", "give up", "give up", "give up"]]
  ]
  for (const [retry, expected] of table) {
    it(`waits ${expected.join(", ")} with ${JSON.stringify(retry)}`, () =>
      assert.deepStrictEqual(waits(retry), expected))
  }

  it("draws a share of the wait by lot", () => {
    const retry: StepRetry = { attempts: 3, backoff: "fixed", baseMillis: 10_000, jitter: 0.2 }
    assert.deepStrictEqual(waits(retry, 0).slice(0, 2), [10_000, 10_000])
    assert.deepStrictEqual(waits(retry, 0.5).slice(0, 2), [9000, 9000])
    assert.deepStrictEqual(waits(retry, 0.9999).slice(0, 2), [8000, 8000])
  })

  it("ends at once when the error says so", () =>
    assert.strictEqual(waits({ attempts: 5, backoff: "fixed", baseMillis: 1 }, 0, false)[0], "give up"))
})
