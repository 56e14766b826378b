/** What a command loads before it runs: its own module, and of its libraries what it uses. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as Commands from "../../../src/edge/cli/Commands.ts"

/** Tells on standard error, at its end, which modules a process has loaded. */
const watcher = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module"
  const loaded = []
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
  process.on("exit", () => process.stderr.write("loaded " + JSON.stringify(loaded)))
`)}`

const loadedBy = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { stderr } = spawnSync(process.execPath, ["--import", watcher, "src/edge/cli/main.js", ...words], {
    encoding: "utf8",
    input: "type,client,tx,amount\n",
    timeout: 30_000
  })
  return JSON.parse(stderr.split("loaded ")[1] ?? "[]")
}

describe("florin's commands", () => {
  it("are loaded by the name that a command line begins with, and all where it names none or asks for completions", async () => {
    const namesFor = async (words: ReadonlyArray<string>) => (await Commands.load(words)).map(({ name }) => name)
    const all = await namesFor([])
    assert.isAbove(all.length, 15)
    for (const name of all) assert.deepStrictEqual(await namesFor([name, "--help"]), [name])
    for (const words of [["proces"], ["toString"], ["--help"], ["process", "--completions", "bash"]]) {
      assert.deepStrictEqual(await namesFor(words), all)
    }
  })

  it("process transactions without the other commands, the barrel of effect, and without a database", () => {
    const loaded = loadedBy(["process", "-"])
    const has = (part: string) => loaded.some((url) => url.includes(part))
    for (const used of ["/ProcessCommand.ts", "/LedgerRun.ts", "/ColumnarBooks.ts", "effect/dist/Effect.js"]) {
      assert.isTrue(has(used), used)
    }
    for (const unused of [
      "/ServeCommand.ts",
      "/PaymentsCommand.ts",
      "effect/dist/index.js",
      "dist/cli/index.js",
      "/sql/Sql"
    ]) {
      assert.isFalse(has(unused), unused)
    }
  }, 60_000)
})
