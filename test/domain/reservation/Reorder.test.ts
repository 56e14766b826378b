import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Reorder from "../../../src/domain/reservation/Reorder.ts"

const policy = { reorderPoint: 10, maximum: 50 }
const quote = (available: number, minimum = 1, maximum = 1000) => ({ available, minimum, maximum, leadTimeMillis: 0 })

describe("Reorder", () => {
  const plans: ReadonlyArray<readonly [string, number, Reorder.Quote, string]> = [
    ["nothing above the reorder point", 11, quote(1000), "enough 0"],
    ["up to the maximum at the reorder point", 10, quote(1000), "order 40"],
    ["up to the maximum from an empty shelf", 0, quote(1000), "order 50"],
    ["more where more is promised than there is", -5, quote(1000), "order 55"],
    ["no more than the supplier has", 10, quote(39), "order 39"],
    ["no more than the supplier sells at once", 10, quote(1000, 1, 25), "order 25"],
    ["the smallest lot that just fits", 10, quote(1000, 40), "order 40"],
    ["nothing where the smallest lot does not fit", 10, quote(1000, 41), "noRoom 0"],
    ["all that the supplier has, when it is a lot", 10, quote(20, 20), "order 20"],
    ["nothing where the supplier has less than a lot", 10, quote(19, 20), "outOfStock 0"],
    ["nothing where the supplier has nothing", 10, quote(0, 0), "outOfStock 0"],
    ["nothing where the supplier sells none at once", 10, quote(1000, 0, 0), "outOfStock 0"]
  ]
  for (const [what, position, quoted, expected] of plans) {
    it(`orders ${what}`, () => {
      const { outcome, quantity } = Reorder.decide(policy, position, quoted)
      assert.strictEqual(`${outcome} ${quantity}`, expected)
    })
  }

  it("never orders past the maximum, below the lot, or more than there is to be had", () => {
    let ordered = 0
    for (let position = -2; position <= 5; position++) {
      for (let available = 0; available <= 6; available++) {
        for (let minimum = 0; minimum <= 4; minimum++) {
          for (let maximum = 0; maximum <= 4; maximum++) {
            const { outcome, quantity } = Reorder.decide(
              { reorderPoint: 3, maximum: 5 },
              position,
              quote(available, minimum, maximum)
            )
            assert.strictEqual(outcome === "order", quantity > 0)
            if (quantity === 0) continue
            ordered++
            assert.isAtMost(position, 3)
            assert.isAtMost(position + quantity, 5)
            assert.isAtLeast(quantity, minimum)
            assert.isAtMost(quantity, Math.min(available, maximum))
          }
        }
      }
    }
    assert.isAbove(ordered, 100)
  })

  it("takes no policy whose maximum is not above its reorder point", () => {
    const complaint = (input: unknown) => String(Schema.decodeUnknownResult(Reorder.ReorderPolicy)(input))
    assert.include(complaint({ reorderPoint: 10, maximum: 10 }), "a maximum above the reorder point")
    assert.isTrue(Schema.is(Reorder.ReorderPolicy)({ reorderPoint: 10, maximum: 11 }))
  })
})
