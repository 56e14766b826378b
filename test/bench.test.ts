import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Arguments from "../bench/Arguments.ts"
import * as Statistics from "../bench/Statistics.ts"

const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url))
const bench = (...words: ReadonlyArray<string>) => spawnSync(process.execPath, [main, ...words], { encoding: "utf8" })

describe("Statistics", () => {
  it("takes the middle value, or the mean of the two in the middle", () => {
    assert.strictEqual(Statistics.median([30, 1, 2]), 2)
    assert.strictEqual(Statistics.median([100, 1, 3, 2]), 2.5)
    assert.strictEqual(Statistics.median([7]), 7)
    assert.isNaN(Statistics.median([]))
  })

  it("compares within a round, and only then over the rounds", () => {
    // The machine is ten times slower in the second round, for both.
    const rounds = [
      { florin: 100, peer: 200 },
      { florin: 10, peer: 40 },
      { florin: 300, peer: 300 }
    ]
    assert.deepStrictEqual(Statistics.summarize(rounds), {
      rounds: 3,
      florin: 100,
      peer: 200,
      ratio: { median: 0.5, min: 0.25, max: 1 }
    })
    // The quotient of the medians would be 1; in most rounds the peer did twice as much.
    const uneven = [
      { florin: 4, peer: 8 },
      { florin: 2, peer: 4 },
      { florin: 8, peer: 2 }
    ]
    assert.deepStrictEqual(Statistics.summarize(uneven), {
      rounds: 3,
      florin: 4,
      peer: 4,
      ratio: { median: 0.5, min: 0.5, max: 4 }
    })
  })
})

describe("Arguments", () => {
  const all = ["money", "decider", "peak"]

  it("measures all subjects unless some are named, always in the same order", () => {
    assert.deepStrictEqual(Arguments.parse([], all), Result.succeed({ json: false, quick: false, subjects: all }))
    assert.deepStrictEqual(
      Arguments.parse(["peak", "--json", "money", "--quick"], all),
      Result.succeed({ json: true, quick: true, subjects: ["money", "peak"] })
    )
  })

  it("refuses every other word, naming those that it knows", () => {
    for (const word of ["--fast", "mone", ""]) {
      const refused = Arguments.parse(["--quick", word], all)
      assert.strictEqual(
        Result.isFailure(refused) && refused.failure.message,
        `unknown argument "${word}", expected any of: --json --quick money decider peak`
      )
    }
  })
})

describe("npm run bench", () => {
  it("prints a table of what was asked for, and ends well", () => {
    const { status, stdout } = bench("--quick", "money")
    assert.strictEqual(status, 0)
    const names = [...stdout.matchAll(/^(money \w+) +[\d,.]+ +[\d,.]+ +[\d,.]+ +[\d,.]+\.\.[\d,.]+$/gm)].map(
      ([, name]) => name
    )
    assert.deepStrictEqual(names, ["money add", "money split", "money parse", "money print"])
    assert.match(stdout, /cores .*, node v\d+/)
  })

  it("prints the same as JSON, and nothing else on standard output", () => {
    const { status, stdout } = bench("--quick", "--json", "decider")
    assert.strictEqual(status, 0)
    const { rows } = JSON.parse(stdout)
    assert.deepStrictEqual(Object.keys(rows[0]), ["name", "unit", "rounds", "florin", "peer", "ratio"])
  })

  it("says in one line what it does not know", () => {
    const { status, stderr, stdout } = bench("--quick", "monye")
    assert.strictEqual(status, 1)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^florin: unknown argument "monye", expected any of: [^\n]*\n$/)
  })
})
