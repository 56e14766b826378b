/** Checks of the code itself: which ring may import which, and what is banned where. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const mayImport: Record<string, ReadonlyArray<string>> = {
  domain: ["domain"],
  adapters: ["domain", "adapters"],
  orchestration: ["domain", "adapters", "orchestration"],
  infra: ["domain", "adapters", "infra"],
  testing: ["domain", "adapters", "orchestration", "infra", "testing"],
  edge: ["domain", "adapters", "orchestration", "infra", "testing", "edge"],
  entry: ["domain", "adapters", "orchestration", "infra", "testing", "edge"]
}

/** Packages that a ring may use; a name stands for its subpaths. Domain and adapters know only `effect`. */
const mayUse: Record<string, RegExp> = {
  domain: /^effect(\/|$)/,
  adapters: /^effect(\/|$)/,
  orchestration: /^effect(\/|$)/,
  infra: /^(effect|@effect\/[a-z-]+|node:[a-z_/]+|stripe|nodemailer)(\/|$)/,
  testing: /^effect(\/|$)/,
  edge: /^(effect|@effect\/[a-z-]+|node:[a-z_/]+)(\/|$)/,
  entry: /^$/
}

const banned: ReadonlyArray<readonly [where: RegExp, what: RegExp, why: string]> = [
  [/^src\//, /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/, "take time and randomness from Clock and Random"],
  [
    /^(src|bench)\//,
    /\bas any\b|: any\b|as unknown as|@ts-ignore|@ts-expect-error/,
    "decode with Schema instead of asserting"
  ],
  [/^src\/domain\//, /\bEffect\./, "domain functions are plain values in, plain values out"],
  [/^src\//, /\bconsole\./, "log with Effect's Logger, print with Console or Terminal"],
  [/^src\/(domain|adapters|orchestration)\//, /\bprocess\./, "only infra and edge know the process"],
  [
    /^(src|test|bench)\//,
    /from "@effect\/platform-node"/,
    "the barrel loads Redis and the cluster: import the module itself"
  ],
  [/^test\//, /\b(it|describe|test)(\.\w+)*\.(only|skip|todo)\b/, "a skipped test asserts nothing"]
]
const junkDrawer = /(^|\/)(utils?|helpers?|common|misc|types|constants|index)\.ts$/

/** Contract suites are tests for other people's adapters; nothing else in src knows a test runner. */
const isContract = (path: string) => path.startsWith("src/testing/contract/")
const isTestRunner = (target: string) => target === "vitest" || target === "@effect/vitest"

const read = (pattern: string) =>
  globSync(pattern)
    .toSorted()
    .map((path) => ({ path, text: readFileSync(path, "utf8") }))
const sources = read("src/**/*.ts")
const tests = read("test/**/*.ts").filter(({ path }) => path !== "test/tidy.test.ts")
const benches = read("bench/**/*.ts")
const ringOf = (path: string) => path.split("/")[1]!
const importsOf = (text: string) =>
  [...text.matchAll(/(?:from|import) "([^"]+)"|import\("([^"]+)"\)/g)].map(([, from, dynamic]) => (from ?? dynamic)!)

describe("tidy", () => {
  it("reads the sources it checks", () => {
    assert.isAbove(sources.length, 15)
    assert.isAbove(tests.length, 10)
    assert.isAbove(benches.length, 5)
  })

  it("imports point inwards", () => {
    const outward = sources.flatMap(({ path, text }) =>
      importsOf(text)
        .filter((target) => target.startsWith("."))
        .map((target) => join(dirname(path), target))
        .filter((target) => target !== "package.json")
        .filter((target) => !mayImport[ringOf(path)]?.includes(ringOf(target)))
        .map((target) => `${path} -> ${target}`)
    )
    assert.deepStrictEqual(outward, [])
  })

  it("each ring uses only the packages it may", () => {
    const foreign = sources.flatMap(({ path, text }) =>
      importsOf(text)
        .filter((target) => !target.startsWith("."))
        .filter((target) => !mayUse[ringOf(path)]?.test(target) && !(isContract(path) && isTestRunner(target)))
        .map((target) => `${path} -> ${target}`)
    )
    assert.deepStrictEqual(foreign, [])
  })

  it("nothing banned, no junk drawers", () => {
    const found = [...sources, ...tests, ...benches].flatMap(({ path, text }) => [
      ...banned.filter(([where, what]) => where.test(path) && what.test(text)).map(([, , why]) => `${path}: ${why}`),
      ...(junkDrawer.test(path) ? [`${path}: name the concept, not the drawer`] : [])
    ])
    assert.deepStrictEqual(found, [])
  })

  it("entry points name what is public, and hold nothing", () => {
    const lines = sources
      .filter(({ path }) => ringOf(path) === "entry")
      .flatMap(({ text }) => text.replaceAll(/\/\*\*.*?\*\/|^\/\/.*$/gms, "").split("\n"))
      .filter((line) => line !== "" && !/^export \* as (\w+) from "\.\.\/[\w/]+\/\1\.ts"$/.test(line))
    assert.deepStrictEqual(lines, [])
  })

  it("every source file says what it is", () => {
    const silent = [...sources, ...benches].filter(({ text }) => !text.startsWith("/**") && !text.startsWith("#!"))
    assert.deepStrictEqual(
      silent.map(({ path }) => path),
      []
    )
  })
})
