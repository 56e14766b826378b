/** Every saga that florin comes with, dying before and after every crossing of a boundary; and whether that would show a bug. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as SagaExplorer from "../../../src/testing/saga/SagaExplorer.ts"
import * as SagaStories from "../../../src/testing/saga/SagaStories.ts"
import { withoutStacks } from "../WithoutStacks.ts"

withoutStacks()

/** `florin simulate sagas --pairs` tells them all. */
const oneIn = 100

/** Name, crossings, runs and violations, as the guide shows them. */
const shown = [...readFileSync("docs/guides/sagas.md", "utf8").matchAll(/^([a-z-]+) +(\d+) +(\d+) +(\d+)$/gm)]

describe("docs/guides/sagas.md", () => {
  it("shows what the explorer finds", () => {
    assert.strictEqual(shown.length, 3)
    for (const [, name, ...numbers] of shown) {
      const story = SagaStories.all.find((each) => each.name === name)!
      const { crossings, runs, violations } = SagaExplorer.explore(story, { pairs: false })
      assert.deepStrictEqual(numbers.map(Number), [crossings, runs, violations.length], name)
    }
  })
})

describe("a process that dies at any crossing", () => {
  for (const story of SagaStories.all) {
    it(`${story.name}: ends as it has to, and nothing is done twice or by halves`, { timeout: 30_000 }, () => {
      const { crossings, runs, violations } = SagaExplorer.explore(story, { pairs: true, oneIn, seed: 1 })
      assert.deepStrictEqual(violations, [])
      assert.isAbove(crossings, 10)
      assert.isAbove(runs, 1 + 2 * crossings)
    })

    for (const bug of story.bugs) {
      it(`${story.name}: ${bug} shows`, { timeout: 30_000 }, () => {
        const { found, runs } = SagaExplorer.hunt(story, bug)
        assert.isDefined(found, `nothing in ${runs} tellings`)
      })
    }
  }
})
