/** `Testimony` of one history; of all that a small world can have, in `TestimonyInWorld`. */
import { assert, describe, it } from "@effect/vitest"
import { hear } from "../../src/testing/Testimony.ts"
import * as True from "./TrueBooks.ts"

describe("Testimony", () => {
  it("objects to one cent more captured than authorized, whatever any books say", () => {
    const { plain } = True.histories
    const more = plain.map((event) => (event._tag === "Captured" ? { ...event, amount: True.eur(10_01n) } : event))
    assert.deepStrictEqual(hear("pay_plain", plain).objections, [])
    assert.deepStrictEqual(hear("pay_plain", more).objections, [
      {
        rule: "CapturedWithinAuthorized",
        detail: "pay_plain/capture/1: expected at most 1000 EUR captured, actual 1001 EUR"
      }
    ])
  })
})
