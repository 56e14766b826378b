/** The demo as a process, with a file of orders of our own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Scratch from "../../postgres/Scratch.ts"
import { spawnFlorin } from "../FlorinProcess.ts"

/** Runs `florin demo` over a file of these lines, to its end. */
const demo = Effect.fnUntraced(function* (lines: ReadonlyArray<unknown>) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => Scratch.makeDirectory()),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const path = join(directory, "orders.ndjson")
  writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"))
  const florin = yield* spawnFlorin(["demo", path], {})
  return yield* Effect.promise(() => florin.ended)
})

const order = (token: string, amount: number) => ({ amount, currency: "EUR", paymentMethods: [token] })

describe("florin demo", () => {
  it.live(
    "takes its orders through a kill -9 and lost answers, and finds the books equal",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* demo([
          { key: "1", order: order("tok_visa", 1000), twice: true },
          { key: "2", order: order("tok_lost_answer", 200) },
          { key: "3", order: order("tok_declined_stolen", 30) },
          { key: "4", order: { ...order("tok_visa", 4), capture: "manual" } },
          { key: "5", order: order("tok_slow", 500), steps: [{ refund: { amount: 100 } }] }
        ])
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /\n6 requests to pay, one kill -9 in the middle:\n/)
        assert.match(stdout, /\npayments with money +4 +4\n/)
        assert.match(stdout, /\nholds that stand +1 +1\n/)
        assert.match(stdout, /\ncaptured, EUR +17\.00 +17\.00\n/)
        assert.match(stdout, /\nrefunded, EUR +1\.00 +1\.00\n/)
        assert.match(stdout, /\n0 differences, 0 in doubt/)
      }),
    60_000
  )

  it.live("names the line of its file that is wrong, and the field, and starts nothing", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* demo([
        { key: "1", order: order("tok_visa", 1000) },
        "",
        { key: "2", order: { ...order("tok_visa", 1000), currency: "EURO" } }
      ])
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /^florin: \S+orders\.ndjson, line 3: .*ISO 4217.*\["order"\]\["currency"\]\n$/)
    })
  )
})
