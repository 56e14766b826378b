import { assert, describe, it } from "@effect/vitest"
import * as Seed from "../../../src/testing/Seed.ts"
import * as Postings from "../../../src/testing/ledger/Postings.ts"

/** Takes all that is there. */
const drain = (postings: Postings.Postings) =>
  Array.from({ length: postings.size() }, () => postings.take()).toSorted((a, b) => a.tx - b.tx)

describe("Postings", () => {
  it("are all there up to the capacity, and each is taken once", () => {
    const postings = Postings.make(3, Seed.make(1))
    for (const tx of [1, 2, 3]) postings.add(tx, tx + 10, tx + 20)
    assert.include([1, 2, 3], postings.any().tx)
    assert.deepStrictEqual(drain(postings), [
      { tx: 1, client: 11, amount: 21 },
      { tx: 2, client: 12, amount: 22 },
      { tx: 3, client: 13, amount: 23 }
    ])
    assert.strictEqual(postings.size(), 0)
  })

  it("are a fair sample of all that came, when there are more", () => {
    const postings = Postings.make(1000, Seed.make(1))
    for (let tx = 0; tx < 20_000; tx++) postings.add(tx, 0, 0)
    const kept = drain(postings).map(({ tx }) => tx)
    assert.strictEqual(new Set(kept).size, 1000)
    // 500 of the first half are expected, with a standard deviation of 16.
    const early = kept.filter((tx) => tx < 10_000).length
    assert.isTrue(early > 420 && early < 580, `${early} of 1000`)
  })
})
