/** The promise over Stripe: under a death at every crossing, and under every failure of every request. */
import { assert, describe, it } from "@effect/vitest"
import * as FaultPlan from "../../../src/testing/FaultPlan.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"
import type { Fault } from "../../simulators/stripe/StripeFaults.ts"
import { stories, tell } from "./StripeWorld.ts"

withoutStacks()

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** What may become of a request, and whether florin can be left without an answer that proves anything. */
const failures: ReadonlyArray<readonly [fault: Fault, mayEscalate: boolean]> = [
  [{ _tag: "closeBefore" }, false],
  [{ _tag: "closeAfter" }, false],
  [{ _tag: "hangBefore" }, false],
  [{ _tag: "hangAfter" }, false],
  [{ _tag: "unreadable" }, false],
  [{ _tag: "inUse" }, false],
  [{ _tag: "throttle", retryAfterSeconds: 2 }, false],
  [{ _tag: "slow", millis: 45_000 }, false],
  [{ _tag: "errorAfter" }, false],
  [{ _tag: "errorAfter", shouldRetry: false }, false],
  [{ _tag: "errorAfter", shouldRetry: true, stored: false }, false],
  [{ _tag: "errorBefore", status: 503 }, false],
  // The key repeats it for a day, and no lookup of Stripe's proves that nothing happened.
  [{ _tag: "errorBefore", stored: true }, true]
]

describe("StripeGateway, explored", () => {
  for (const story of stories) {
    it(`${story.name}: keeps the promise through a death at every crossing`, { timeout: 60_000 }, () => {
      const undisturbed = tell(story)
      assert.deepStrictEqual(undisturbed.findings, [])
      assert.isFalse(undisturbed.escalated)
      assert.isAbove(undisturbed.crossings, 5)
      for (const crossing of numbers(undisturbed.crossings)) {
        for (const point of ["before", "after"] as const) {
          const faults = FaultPlan.planned([{ crossing, point, fault: { _tag: "Die" } }])
          const { charges, escalated, findings, struck } = tell(story, { faults })
          assert.deepStrictEqual(findings, [], `${crossing} ${point}`)
          assert.strictEqual(struck, 1)
          assert.isFalse(escalated)
          assert.strictEqual(charges, undisturbed.charges)
        }
      }
    })

    it(`${story.name}: keeps the promise through every failure of every request`, { timeout: 60_000 }, () => {
      const undisturbed = tell(story)
      assert.isAbove(undisturbed.requests, 0)
      for (const nth of numbers(undisturbed.requests)) {
        for (const [fault, mayEscalate] of failures) {
          const { charges, escalated, findings, struck } = tell(story, { wire: { nth, fault } })
          const where = `request ${nth}, ${JSON.stringify(fault)}`
          assert.deepStrictEqual(findings, [], where)
          assert.strictEqual(struck, 1, where)
          assert.isTrue(mayEscalate || !escalated, `${where}: escalated`)
          assert.isAtMost(charges, 1, where)
        }
      }
    })
  }
})
