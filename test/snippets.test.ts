/** Every TypeScript snippet of README.md and docs/ is a program: it type-checks, runs, and prints what stands below it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Snippet {
  readonly name: string
  readonly code: string
  /** The `text` block after it, if it is the next one. */
  readonly printed: string | undefined
}

/** A snippet that is a whole test file is run as such. */
const testFiles = new Set(globSync("test/**/*.test.ts").map((path) => readFileSync(path, "utf8")))

const snippets: ReadonlyArray<Snippet> = ["README.md", ...globSync("docs/**/*.md").toSorted()].flatMap((path) => {
  const blocks = [...readFileSync(path, "utf8").matchAll(/^```(\w*)\n(.*?)^```$/gms)]
  return blocks.flatMap(([, language, code], index) => {
    const [, nextLanguage, next] = blocks[index + 1] ?? []
    return language === "ts" && !testFiles.has(code!)
      ? [{ name: `${path} ${index + 1}`, code: code!, printed: nextLanguage === "text" ? next : undefined }]
      : []
  })
})

/** Inside the package, so that `florin/node` is this florin. */
const directory = join("test", `.snippets-${process.pid}`)
const fileOf = (index: number) => join(directory, `snippet-${index}.ts`)

/** Most of a program's time is florin's compilation, which is the same for all of them. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") }

/** What differs from run to run. */
const anonymous = (text: string) => text.replaceAll(/\bpay_\w{26}\b/g, "pay_…").trimEnd()

describe("snippets", () => {
  beforeAll(() => {
    mkdirSync(directory)
    for (const [index, { code }] of snippets.entries()) writeFileSync(fileOf(index), code)
    const tsconfig = { extends: "../../tsconfig.json", compilerOptions: { plugins: [] }, include: ["*.ts"] }
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(tsconfig))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it("are found", () => {
    assert.isAbove(snippets.length, 4)
  })

  it("type-check", { timeout: 60_000 }, () => {
    const { status, stdout } = spawnSync("node_modules/.bin/tsc", ["--project", directory], { encoding: "utf8" })
    assert.strictEqual(status, 0, stdout)
  })

  for (const [index, { name, printed }] of snippets.entries()) {
    it(`${name} prints what it is said to print`, () => {
      const { status, stderr, stdout } = spawnSync(process.execPath, [fileOf(index)], { encoding: "utf8", env })
      assert.strictEqual(status, 0, stderr)
      if (printed !== undefined) assert.strictEqual(anonymous(stdout), anonymous(printed))
    })
  }
})
