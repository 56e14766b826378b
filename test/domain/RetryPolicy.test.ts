import { assert, describe, it } from "@effect/vitest"
import * as RetryPolicy from "../../src/domain/RetryPolicy.ts"

const doubling = { maxAttempts: 7, baseMillis: 200, factor: 2, capMillis: 5_000 }
const fixed = { maxAttempts: 4, baseMillis: 1_000, factor: 1, capMillis: 1_000 }
const transient = { retryable: true }

/** The waits after attempts 1 to `attempts`, in milliseconds; `undefined` for giving up. */
const waits = (policy: RetryPolicy.RetryPolicy, failure: RetryPolicy.Failure, attempts: number) =>
  Array.from({ length: attempts }, (_, index) => {
    const verdict = RetryPolicy.decide(policy, failure, index + 1)
    return verdict._tag === "Wait" ? verdict.millis : undefined
  })

describe("RetryPolicy.decide", () => {
  it("doubles the wait up to the cap, then gives up after the last attempt", () => {
    assert.deepStrictEqual(waits(doubling, transient, 9), [
      200,
      400,
      800,
      1_600,
      3_200,
      5_000,
      undefined,
      undefined,
      undefined
    ])
  })

  it("waits the same each time when the factor is one", () => {
    assert.deepStrictEqual(waits(fixed, transient, 5), [1_000, 1_000, 1_000, undefined, undefined])
  })

  it("caps the first wait too, and waits that overflow", () => {
    assert.deepStrictEqual(waits({ ...doubling, baseMillis: 9_000 }, transient, 1), [5_000])
    const patient = { ...doubling, maxAttempts: 5_000 }
    assert.deepStrictEqual(RetryPolicy.decide(patient, transient, 4_999), { _tag: "Wait", millis: 5_000 })
  })

  it("never comes back before Retry-After, and not sooner for it either", () => {
    assert.deepStrictEqual(
      waits(doubling, { retryable: true, retryAfterMillis: 1_000 }, 6),
      [1_000, 1_000, 1_000, 1_600, 3_200, 5_000]
    )
    assert.deepStrictEqual(waits(doubling, { retryable: true, retryAfterMillis: 0 }, 2), [200, 400])
    assert.deepStrictEqual(waits(doubling, { retryable: true, retryAfterMillis: undefined }, 2), [200, 400])
  })

  it("waits for Retry-After beyond its own cap", () => {
    assert.deepStrictEqual(waits(doubling, { retryable: true, retryAfterMillis: 60_000 }, 1), [60_000])
  })

  it("gives up when the same request would be refused again, whatever Retry-After says", () => {
    assert.deepStrictEqual(waits(doubling, { retryable: false }, 2), [undefined, undefined])
    assert.deepStrictEqual(RetryPolicy.decide(doubling, { retryable: false, retryAfterMillis: 1 }, 1), {
      _tag: "GiveUp"
    })
  })

  it("does not add attempts for Retry-After", () => {
    assert.deepStrictEqual(waits(fixed, { retryable: true, retryAfterMillis: 1 }, 4), [1_000, 1_000, 1_000, undefined])
  })

  it("tries once under `once`", () => {
    assert.deepStrictEqual(waits(RetryPolicy.once, transient, 2), [undefined, undefined])
  })
})
