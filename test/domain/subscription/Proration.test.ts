import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Instant } from "../../../src/domain/Instant.ts"
import { TimeZone } from "../../../src/domain/subscription/BillingAnchor.ts"
import * as Proration from "../../../src/domain/subscription/Proration.ts"

const at = (iso: string) => Instant.make(Date.parse(iso))
const berlin = TimeZone.make("Europe/Berlin")
const utc = TimeZone.make("UTC")
const april = { start: at("2027-04-01T00:00:00Z"), end: at("2027-05-01T00:00:00Z") }

describe("proration", () => {
  it("by second, as a table of moments and amounts", () => {
    const table: ReadonlyArray<readonly [price: bigint, moment: string, used: bigint, unused: bigint]> = [
      [30_00n, "2027-04-01T00:00:00Z", 0n, 30_00n],
      [30_00n, "2027-04-16T00:00:00Z", 15_00n, 15_00n],
      [30_00n, "2027-04-01T07:12:00Z", 30n, 29_70n],
      [30_00n, "2027-04-30T23:59:59Z", 30_00n, 0n],
      [10_00n, "2027-04-11T00:00:00Z", 3_33n, 6_67n],
      [10_00n, "2027-04-21T00:00:00Z", 6_67n, 3_33n],
      [1n, "2027-04-15T23:59:59Z", 0n, 1n],
      [1n, "2027-04-16T00:00:00Z", 1n, 0n],
      [30_00n, "2027-03-01T00:00:00Z", 0n, 30_00n],
      [30_00n, "2027-06-01T00:00:00Z", 30_00n, 0n]
    ]
    for (const [price, moment, used, unused] of table) {
      assert.strictEqual(Proration.used(price, april, at(moment), "second", utc), used, moment)
      assert.strictEqual(Proration.unused(price, april, at(moment), "second", utc), unused, moment)
    }
  })

  it("by day, where a day counts from its midnight in the subscription's zone", () => {
    const used = (moment: string) => Proration.used(30_00n, april, at(moment), "day", utc)
    assert.deepStrictEqual([used("2027-04-16T00:00:00Z"), used("2027-04-16T23:59:59Z")], [15_00n, 15_00n])
    assert.deepStrictEqual([used("2027-04-01T23:59:59Z"), used("2027-04-02T00:00:00Z")], [0n, 1_00n])
    // 31 days of Berlin, one of them of 23 hours; 15 March has begun there at 23:00Z.
    const march = { start: at("2027-02-28T23:00:00Z"), end: at("2027-03-31T22:00:00Z") }
    assert.strictEqual(Proration.used(31_00n, march, at("2027-03-14T23:00:00Z"), "day", berlin), 14_00n)
    assert.strictEqual(Proration.used(31_00n, march, at("2027-03-28T22:00:00Z"), "day", berlin), 28_00n)
    assert.strictEqual(Proration.used(31_00n, march, at("2027-03-14T22:59:59Z"), "day", berlin), 13_00n)
  })

  it("is exact where a double would round", () => {
    const price = 999_999_999_999n
    assert.strictEqual(Proration.used(price, april, at("2027-04-11T00:00:00Z"), "second", utc), 333_333_333_333n)
    assert.strictEqual(Proration.unused(price, april, at("2027-04-11T00:00:00Z"), "second", utc), 666_666_666_666n)
  })

  const moments = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: april.start, maximum: april.end })))
  const prices = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_000_000_000_000n }))

  for (const by of ["second", "day"] as const) {
    it.prop(
      `by ${by}: however a period is split, its parts sum to its price, and none is below zero`,
      [prices, moments],
      ([price, cuts]) => {
        const bounds = [april.start, ...cuts.toSorted((a, b) => a - b), april.end].map((millis) => Instant.make(millis))
        const parts = bounds
          .slice(1)
          .map(
            (end, index) =>
              Proration.used(price, april, end, by, berlin) - Proration.used(price, april, bounds[index]!, by, berlin)
          )
        assert.strictEqual(
          parts.reduce((sum, part) => sum + part, 0n),
          price
        )
        assert.isTrue(parts.every((part) => part >= 0n))
      }
    )
  }
})

describe("dividing half up", () => {
  it("rounds to the nearest, and halves up", () => {
    const table: ReadonlyArray<readonly [bigint, bigint, bigint]> = [
      [0n, 3n, 0n],
      [1n, 3n, 0n],
      [2n, 3n, 1n],
      [1n, 2n, 1n],
      [3n, 2n, 2n],
      [5n, 10n, 1n],
      [4n, 10n, 0n],
      [10n, 5n, 2n]
    ]
    for (const [dividend, divisor, quotient] of table) {
      assert.strictEqual(Proration.divideHalfUp(dividend, divisor), quotient, `${dividend} / ${divisor}`)
    }
  })
})
