import { assert, describe, it } from "@effect/vitest"
import { Instant } from "../../../src/domain/Instant.ts"
import * as DeliverySchedule from "../../../src/domain/webhook/DeliverySchedule.ts"

const start = Instant.make(1_700_000_000_000)

/** When each try is, in seconds after the first, if every one fails at once. */
const moments = (draw: number, retryAfterMillis = 0): ReadonlyArray<number> => {
  const found: Array<number> = []
  let now = start
  for (let attempts = 1; ; attempts++) {
    found.push((now - start) / 1000)
    const next = DeliverySchedule.next({ attempts, firstAt: start, now, draw, retryAfterMillis })
    if (next._tag === "Exhausted") return found
    now = next.at
  }
}

describe("DeliverySchedule", () => {
  it("is twelve tries over 24 hours", () => {
    const minute = 60
    const hour = 3600
    assert.deepStrictEqual(moments(0), [
      0,
      5,
      minute,
      5 * minute,
      15 * minute,
      30 * minute,
      hour,
      2 * hour,
      4 * hour,
      8 * hour,
      14 * hour,
      24 * hour
    ])
  })

  it("waits up to a fifth longer by chance, and never shorter", () => {
    const latest = moments(0.999_999)
    assert.strictEqual(latest.length, 12)
    for (const [index, moment] of moments(0).entries()) {
      assert.isAtLeast(latest[index]!, moment)
      assert.isAtMost(latest[index]!, moment * 1.2)
    }
    assert.closeTo(latest[1]!, 6, 0.01)
  })

  it("waits as long as it is asked to, and no longer than an hour for that", () => {
    assert.deepStrictEqual(moments(0, 120_000).slice(0, 4), [0, 120, 240, 480])
    assert.deepStrictEqual(moments(0, 1e9).slice(0, 3), [0, 3600, 7200])
  })

  it("ends after a day, however few tries there were in it", () => {
    const day = 24 * 3_600_000
    const at = (millis: number) =>
      DeliverySchedule.next({ attempts: 2, firstAt: start, now: Instant.make(start + millis), draw: 0 })._tag
    assert.strictEqual(at(day - 1), "At")
    assert.strictEqual(at(day), "Exhausted")
  })
})
