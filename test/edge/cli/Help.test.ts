/** What every command says of itself, and what shells are told of all of them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Completions } from "effect/cli"
import { spawnSync } from "node:child_process"
import * as FlorinCommand from "../../../src/edge/cli/FlorinCommand.ts"
import * as Terminal from "./Terminal.ts"

const described = Completions.fromCommand(FlorinCommand.command)

/** The words of every command, from the whole tree. */
const paths = (
  of: Completions.CommandDescriptor,
  above: ReadonlyArray<string> = []
): ReadonlyArray<ReadonlyArray<string>> =>
  of.subcommands.flatMap((sub) => [[...above, sub.name], ...paths(sub, [...above, sub.name])])
const commands = paths(described)

describe("florin --help", () => {
  it("knows the commands that there are", () => {
    const said = commands.map((words) => words.join(" "))
    for (const expected of [
      "serve",
      "payments list",
      "payments show",
      "recover",
      "rebuild",
      "verify",
      "dead-letters list",
      "dead-letters show",
      "dead-letters replay",
      "config"
    ]) {
      assert.include(said, expected)
    }
  })

  it.effect.each(commands.map((words) => words.join(" ")))("%s says what it is for, with examples", (name) =>
    Effect.gen(function* () {
      const { complaint, stderr, stdout } = yield* Terminal.run(FlorinCommand.command, [...name.split(" "), "--help"])
      assert.deepStrictEqual([complaint, stderr], ["", ""])
      assert.match(stdout, /^DESCRIPTION\n {2}\S/)
      const examples = stdout.split("\nEXAMPLES\n")[1] ?? ""
      const shown = examples.split("\n").filter((line) => /^ {2}[^# ]/.test(line))
      assert.isAbove(shown.length, 0)
      assert.isTrue(shown.some((line) => line.includes(`florin ${name.split(" ")[0]!}`)))
    })
  )

  it.effect("says what was meant by words that are wrong", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["sevre"], 'Unknown subcommand "sevre" for "florin"; did you mean serve? (florin --help says more)'],
        [
          ["verify", "--jsn"],
          "Unrecognized flag: --jsn in command florin verify; did you mean --json? (florin verify --help says more)"
        ],
        [
          ["payments", "list", "--limit", "0"],
          'Invalid value for flag --limit: "0". Expected a whole number from 1 to 1000, got 0 (florin payments list --help says more)'
        ]
      ]
      for (const [words, expected] of cases) {
        const { stderr, stdout } = yield* Terminal.run(FlorinCommand.command, words)
        assert.deepStrictEqual([stdout, stderr], ["", `florin: ${expected}\n`])
      }
    })
  )
})

describe("florin --completions", () => {
  const shells = [
    ["bash", ["-n"]],
    ["zsh", ["-n"]],
    ["fish", ["--no-execute"]]
  ] as const

  it.effect.each(shells)(
    "prints a script for %s that has every command, and that the shell can read",
    ([shell, args]) =>
      Effect.gen(function* () {
        const { complaint, stdout } = yield* Terminal.run(FlorinCommand.command, ["--completions", shell])
        assert.strictEqual(complaint, "")
        for (const words of commands) assert.include(stdout, words.at(-1)!)
        for (const flag of ["database-url", "until-done", "json"]) assert.include(stdout, flag)
        const parsed = spawnSync(shell, [...args], { input: stdout, encoding: "utf8" })
        // A shell that is not installed can read nothing; bash is wherever these tests run.
        if (parsed.error === undefined || shell === "bash")
          assert.deepStrictEqual([parsed.status, parsed.stderr], [0, ""])
      })
  )

  it.effect("completes commands and flags when bash asks", () =>
    Effect.gen(function* () {
      const { stdout } = yield* Terminal.run(FlorinCommand.command, ["--completions", "bash"])
      const complete = (...words: ReadonlyArray<string>) => {
        const script = `${stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
COMP_LINE='${words.join(" ")}'
COMP_POINT=\${#COMP_LINE}
handler=$(complete -p florin | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$handler florin '${words.at(-1)}' '${words.at(-2)}'
printf '%s\\n' "\${COMPREPLY[@]}"`
        const { status, stderr, stdout: said } = spawnSync("bash", ["-c", script], { encoding: "utf8" })
        assert.deepStrictEqual([status, stderr], [0, ""])
        return said.trim().split(/\s+/)
      }
      assert.include(complete("florin", "ver"), "verify")
      assert.include(complete("florin", "payments", "sh"), "show")
      assert.include(complete("florin", "verify", "--js"), "--json")
    })
  )
})
