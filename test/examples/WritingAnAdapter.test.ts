import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

it("the guide to adapters shows the example's test as it is", () => {
  const guide = readFileSync("docs/guides/writing-an-adapter.md", "utf8")
  const shown = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)
  assert.deepStrictEqual(shown, [readFileSync("test/examples/AcmeGateway.test.ts", "utf8")])
})
