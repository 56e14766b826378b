/** What README.md and docs/ show and say, held to what is so. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { inject } from "vitest"
import { SqlClient } from "effect/sql/SqlClient"
import type { Command } from "effect/cli"
import { OpenApi } from "effect/http-api"
import * as Exports from "../scripts/exports.ts"
import * as Timeline from "../scripts/timeline.ts"
import packageJson from "../package.json" with { type: "json" }
import * as Settings from "../src/edge/Settings.ts"
import * as FlorinCommand from "../src/edge/cli/FlorinCommand.ts"
import { PaymentsApi } from "../src/edge/http/PaymentsApi.ts"
import { Status } from "../src/domain/payment/PaymentView.ts"
import * as Explorer from "../src/testing/Explorer.ts"
import * as Mutant from "../src/testing/Mutant.ts"
import * as MutantHunt from "../src/testing/MutantHunt.ts"
import * as Scenario from "../src/testing/Scenario.ts"
import * as SandboxToken from "../src/infra/simulated/SandboxToken.ts"
import { start } from "./edge/FlorinProcess.ts"
import * as TestDatabase from "./postgres/TestDatabase.ts"

const pages = ["README.md", "CHANGELOG.md", ...globSync("docs/**/*.md")].map((path) => ({
  path,
  text: readFileSync(path, "utf8")
}))
const readme = pages[0]!.text

interface Block {
  readonly path: string
  readonly language: string
  readonly lines: ReadonlyArray<string>
}

/** Fenced blocks, in order. */
const blocks: ReadonlyArray<Block> = pages.flatMap(({ path, text }) =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, body]) => ({
    path,
    language: language!,
    lines: body!.trimEnd().split("\n")
  }))
)
const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ lines }) => lines)

/** A page, or what stands in it under a heading. */
const textOf = (path: string, heading?: string): string => {
  const { text } = pages.find((page) => page.path === path)!
  return heading === undefined ? text : text.split(/^## /m).find((section) => section.startsWith(heading))!
}

/** The first cells of a table, their `code` without its ticks. */
const firstCells = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!))

const sorted = (list: Iterable<string>) => [...list].toSorted()

describe("the tables of README.md and docs/", () => {
  it("list every setting: its variable, its flag, what holds without it, and what it is", () => {
    const code = (text: string) => `\`${text}\``
    const isProse = (text: string) => /[ ;]|^none$/.test(text) || /^\d/.test(text)
    const rows = Object.values(Settings.table).map(({ byDefault, flag, is, variable }) => {
      const holds = isProse(byDefault) && !/^\d+\./.test(byDefault) ? byDefault : code(byDefault)
      return `| ${code(variable)} | ${code(`--${flag}`)} | ${holds} | ${is} |`
    })
    assert.deepStrictEqual(
      textOf("docs/settings.md")
        .split("\n")
        .filter((line) => line.startsWith("| `")),
      rows
    )
  })

  it("list every token of the sandbox", () => {
    assert.deepStrictEqual(
      sorted(firstCells(textOf("docs/guides/sandbox.md"))),
      sorted(Object.keys(SandboxToken.table))
    )
  })

  it("list every route, and every status", () => {
    const routes = Object.entries(OpenApi.fromApi(PaymentsApi).paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
    )
    assert.deepStrictEqual(
      sorted(firstCells(textOf("docs/api.md"))),
      sorted([...routes, "GET /openapi.json", "GET /docs"])
    )
    for (const status of Status.literals) assert.include(textOf("docs/api.md"), `\`${status}\``)
  })

  it("list every command", () => {
    const leaves = (command: Command.Command.Any, above: string): ReadonlyArray<string> => {
      const name = `${above} ${command.name}`.trim()
      const below = command.subcommands.flatMap((group) => group.commands)
      // `simulate` is one row: its own commands are shown above it.
      return below.length === 0 || name === "simulate" ? [name] : below.flatMap((one) => leaves(one, name))
    }
    const all = FlorinCommand.command.subcommands.flatMap((group) => group.commands.flatMap((one) => leaves(one, "")))
    assert.deepStrictEqual(sorted(firstCells(textOf("docs/commands.md"))), sorted(all))
  })

  it("list every dependency that is installed with florin", () => {
    const names = Object.keys({ ...packageJson.dependencies, ...packageJson.optionalDependencies })
    const listed = firstCells(textOf("README.md", "What it is made of")).filter(
      (name) => !/^@effect\/(schema|platform)$|^effect\//.test(name)
    )
    const isListed = (name: string) => listed.includes(name) || listed.includes(name.replace(/\/.*/, "/*"))
    assert.deepStrictEqual(
      names.filter((name) => !isListed(name)),
      []
    )
    assert.deepStrictEqual(
      listed.filter((name) => !names.some((other) => other === name || other.startsWith(name.replace(/\*$/, "")))),
      []
    )
  })
})

describe("README.md and docs/", () => {
  it("name files that are there", () => {
    const named = pages.flatMap(({ path, text }) => [
      ...[...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => join(dirname(path), link!)),
      ...[...text.matchAll(/`((?:src|test|docs|examples|bench|scripts)\/[^`*]*)`/g)].map(([, file]) => file!)
    ])
    assert.isAbove(named.length, 20)
    assert.deepStrictEqual(
      named.filter((file) => !existsSync(file)),
      []
    )
  })

  it("show no command that nobody runs: npm's are in .ci/run, requests in the test below", () => {
    const ci = readFileSync(".ci/run", "utf8").split("\n")
    const runs = (command: string) =>
      ci.some((line) => line.trim().startsWith(command) || line.includes(` ${command} `)) ||
      (command === "npm test" && packageJson.scripts.check.endsWith("npm test"))
    const unrun = commands
      .filter((line) => !/^(curl|PAYMENT=)/.test(line))
      .flatMap((line) => line.split(" && "))
      .filter((command) => !runs(command))
    assert.deepStrictEqual(unrun, [])
    assert.deepStrictEqual(
      [...readme.matchAll(/`npm run (?:-s )?([a-z:]+)/g)]
        .map(([, name]) => name!)
        .filter((name) => !(name in packageJson.scripts)),
      []
    )
  })

  it("show the exports that there are", () => {
    assert.strictEqual(readFileSync("docs/exports.md", "utf8"), Exports.generate())
  })

  it("show the timeline that the simulation gives", () => {
    assert.strictEqual(readFileSync("docs/timeline.svg", "utf8"), Timeline.generate())
  })

  it("show what the simulations print", () => {
    const shown = readme.split("\n").map((line) => line.split(/ {2,}/))
    const explored = Scenario.all.flatMap((scenario) =>
      shown.filter(([name]) => name === scenario.name).map((cells) => ({ scenario, cells }))
    )
    assert.isAbove(explored.length, 2)
    for (const { cells, scenario } of explored) {
      const { crossings, runs, slowestMillis, violations } = Explorer.explore(scenario, { seed: 1, pairs: false })
      const seconds = `${(slowestMillis / 1000).toFixed(1)} s`
      assert.deepStrictEqual(cells, [scenario.name, ...[crossings, runs, violations.length].map(String), seconds])
    }
    const hunted = Mutant.all.flatMap((mutant) =>
      shown.filter(([name]) => name === mutant.name).map((cells) => ({ mutant, cells }))
    )
    assert.isAbove(hunted.length, 1)
    for (const { cells, mutant } of hunted) {
      const { found, name, rules, runs, scenario } = MutantHunt.hunt(mutant, 1)
      assert.deepStrictEqual(cells, [name, found ? "yes" : "no", String(runs), scenario!, rules.join(", ")])
    }
  })

  it.live("show requests that work, and what is answered", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      const { url } = yield* start("serve", {
        DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`
      })
      let payment = ""
      const run = (line: string) => {
        const here = line.replace("http://127.0.0.1:8080", url).replace("$PAYMENT", payment)
        const said = execFileSync("bash", ["-c", here], { encoding: "utf8" })
        payment = /"id":"(pay_\w+)"/.exec(said)?.[1] ?? payment
        return said
      }
      let last = ""
      let compared = 0
      for (const { language, lines, path } of blocks) {
        if (path !== "README.md") continue
        if (language === "sh") for (const line of lines.filter((one) => one.startsWith("curl"))) last = run(line)
        if (language === "json") {
          assert.deepStrictEqual(anonymous(last), anonymous(lines.join("\n")))
          compared += 1
        }
      }
      assert.strictEqual(compared, 3)
      // What the last request is said to answer.
      assert.include(last, '"status":"succeeded"')
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer()))
  )
})

/** JSON without what differs from run to run: ids and moments. */
const anonymous = (json: string): unknown =>
  JSON.parse(json.replaceAll(/pay_\w{26}/g, "pay_").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "at"))
