import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import * as BillingAnchor from "../../../src/domain/subscription/BillingAnchor.ts"
import type { Interval } from "../../../src/domain/subscription/BillingPlan.ts"
import { Instant } from "../../../src/domain/Instant.ts"

const zone = (name: string) => BillingAnchor.TimeZone.make(name)
const at = (iso: string) => Instant.make(Date.parse(iso))
const iso = (instant: Instant) => new Date(instant).toISOString().replace(":00.000Z", "Z")

const month = { unit: "month", count: 1 } as const
const boundaries = (anchor: string, name: string, interval: Interval, indexes: ReadonlyArray<number>) =>
  indexes.map((index) => iso(BillingAnchor.boundary(at(anchor), zone(name), interval, index)))

describe("a billing anchor", () => {
  it("on the 31st is billed on the last day of shorter months, and on the 31st again after them", () => {
    assert.deepStrictEqual(boundaries("2027-01-31T12:00:00Z", "UTC", month, [0, 1, 2, 3, 4, 5]), [
      "2027-01-31T12:00Z",
      "2027-02-28T12:00Z",
      "2027-03-31T12:00Z",
      "2027-04-30T12:00Z",
      "2027-05-31T12:00Z",
      "2027-06-30T12:00Z"
    ])
  })

  it("on the 30th meets the leap day of a leap year, and 2100 has none", () => {
    assert.deepStrictEqual(boundaries("2027-11-30T00:00:00Z", "UTC", month, [3, 4]), [
      "2028-02-29T00:00Z",
      "2028-03-30T00:00Z"
    ])
    assert.deepStrictEqual(boundaries("2099-12-31T00:00:00Z", "UTC", month, [2]), ["2100-02-28T00:00Z"])
    assert.deepStrictEqual(boundaries("2399-12-31T00:00:00Z", "UTC", month, [2]), ["2400-02-29T00:00Z"])
  })

  it("on a leap day is billed on 28 February, and on the next leap day", () => {
    assert.deepStrictEqual(boundaries("2028-02-29T08:00:00Z", "UTC", { unit: "year", count: 1 }, [1, 2, 3, 4]), [
      "2029-02-28T08:00Z",
      "2030-02-28T08:00Z",
      "2031-02-28T08:00Z",
      "2032-02-29T08:00Z"
    ])
  })

  it("keeps the time of day on the zone's clocks over both changes of them", () => {
    assert.deepStrictEqual(boundaries("2027-03-15T08:00:00Z", "Europe/Berlin", month, [0, 1, 7, 8]), [
      "2027-03-15T08:00Z",
      "2027-04-15T07:00Z",
      "2027-10-15T07:00Z",
      "2027-11-15T08:00Z"
    ])
    assert.deepStrictEqual(boundaries("2027-03-27T08:00:00Z", "Europe/Berlin", { unit: "day", count: 1 }, [1, 2]), [
      "2027-03-28T07:00Z",
      "2027-03-29T07:00Z"
    ])
  })

  it("is as much later as clocks skip, and the first of two where they repeat an hour; the next is as ever", () => {
    // 02:30 in Berlin: skipped on 2027-03-28, shown twice on 2027-10-31.
    assert.deepStrictEqual(boundaries("2027-02-28T01:30:00Z", "Europe/Berlin", month, [1, 2]), [
      "2027-03-28T01:30Z",
      "2027-04-28T00:30Z"
    ])
    assert.deepStrictEqual(boundaries("2027-08-31T00:30:00Z", "Europe/Berlin", month, [2, 3]), [
      "2027-10-31T00:30Z",
      "2027-11-30T01:30Z"
    ])
  })

  it("is the first boundary itself, in the second of two hours as well", () => {
    // 01:30Z is 02:30 in Berlin for the second time on 2027-10-31, and 00:30Z was for the first.
    const anchor = "2027-10-31T01:30:00Z"
    for (const unit of ["day", "week", "month", "year"] as const) {
      assert.deepStrictEqual(boundaries(anchor, "Europe/Berlin", { unit, count: 1 }, [0]), ["2027-10-31T01:30Z"], unit)
    }
    assert.deepStrictEqual(boundaries(anchor, "Europe/Berlin", month, [1]), ["2027-11-30T01:30Z"])
  })

  it("goes by the date of its zone, and not by that of UTC", () => {
    // 31 January in Auckland, 30 January in UTC.
    assert.deepStrictEqual(boundaries("2027-01-30T20:00:00Z", "Pacific/Auckland", month, [1, 2]), [
      "2027-02-27T20:00Z",
      "2027-03-30T20:00Z"
    ])
  })

  it("counts weeks and quarters", () => {
    assert.deepStrictEqual(boundaries("2027-12-29T10:00:00Z", "UTC", { unit: "week", count: 2 }, [1, 2]), [
      "2028-01-12T10:00Z",
      "2028-01-26T10:00Z"
    ])
    assert.deepStrictEqual(boundaries("2027-11-30T10:00:00Z", "UTC", { unit: "month", count: 3 }, [1, 2, 5]), [
      "2028-02-29T10:00Z",
      "2028-05-30T10:00Z",
      "2029-02-28T10:00Z"
    ])
  })

  it.prop(
    "never drifts: every boundary has the anchor's day, or its month's last, and comes after the one before",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 946_684_800_000, maximum: 4_102_444_800_000 })),
      Schema.Literals(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))
    ],
    ([millis, name, count]) => {
      const anchor = Instant.make(millis)
      const parts = (instant: number) => DateTime.toParts(DateTime.makeZonedUnsafe(instant, { timeZone: name }))
      const wanted = parts(anchor)
      let before = anchor
      for (let index = 1; index <= 14; index++) {
        const boundary = BillingAnchor.boundary(anchor, zone(name), { unit: "month", count }, index)
        const got = parts(boundary)
        assert.isAbove(boundary, before)
        assert.strictEqual(got.year * 12 + got.month, wanted.year * 12 + wanted.month + count * index)
        const next = parts(boundary + 86_400_000)
        if (got.day !== wanted.day) assert.isTrue(got.day < wanted.day && next.month !== got.month)
        assert.isAtMost(Math.abs(got.hour * 60 + got.minute - (wanted.hour * 60 + wanted.minute)), 60)
        before = boundary
      }
    },
    { arbitrary: { runs: 60 } }
  )

  it("counts days by the calendar, however long they are", () => {
    const between = (from: string, to: string) => BillingAnchor.daysBetween(at(from), at(to), zone("Europe/Berlin"))
    assert.strictEqual(between("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"), 1)
    assert.strictEqual(between("2027-03-28T21:59:00Z", "2027-03-28T22:00:00Z"), 1)
    assert.strictEqual(between("2027-02-10T12:00:00Z", "2028-02-10T12:00:00Z"), 365)
    assert.strictEqual(iso(BillingAnchor.daysAfter(at("2028-02-20T12:00:00Z"), zone("UTC"), 14)), "2028-03-05T12:00Z")
  })

  it("is refused in a zone that there is not", () => {
    const decoded = Schema.decodeUnknownResult(BillingAnchor.TimeZone)("Mars/Olympus")
    assert.match(String(decoded), /an IANA time zone such as "Europe\/Berlin"/)
  })
})
