import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Option, Redacted } from "effect"
import { Command } from "effect/cli"
import * as SettingFlags from "../../../src/edge/cli/SettingFlags.ts"
import * as Settings from "../../../src/edge/Settings.ts"
import * as Terminal from "./Terminal.ts"

/** Prints what a service would run with. */
const command = Command.make("settings", { settings: SettingFlags.of("service") }, ({ settings }) =>
  Effect.gen(function* () {
    const database = yield* Settings.database
    const { answerMillis, host, port, sandboxUrl } = yield* Settings.service
    const url = Option.getOrUndefined(Option.map(database.url, Redacted.value))
    yield* Console.log(JSON.stringify({ ...database, url, host, port, answerMillis, sandboxUrl }))
  }).pipe(SettingFlags.provide(settings))
)

const held = (words: ReadonlyArray<string>, variables: Record<string, string>) =>
  Effect.map(Terminal.run(command, words, variables), ({ complaint, stdout }) => {
    assert.strictEqual(complaint, "")
    return JSON.parse(stdout) as Record<string, unknown>
  })

describe("SettingFlags", () => {
  it.effect("takes the default, over it the environment, over both the flag", () =>
    Effect.gen(function* () {
      const variables = { PORT: "81", FLORIN_HOST: "::1", FLORIN_DATA_DIR: "" }
      assert.deepInclude(yield* held([], {}), { port: 8080, host: "127.0.0.1", answerMillis: 10_000 })
      assert.deepInclude(yield* held([], variables), { port: 81, host: "::1", dataDir: ".florin" })
      assert.deepInclude(yield* held(["--port", "82", "--answer-millis", "5"], variables), {
        port: 82,
        host: "::1",
        answerMillis: 5
      })
    })
  )

  it.effect("names what is wrong as it was given, with what was expected and what came", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, Record<string, string>, string]> = [
        [[], { PORT: "http" }, 'PORT: Expected a whole number from 0 to 65535, got "http"'],
        [["--port", "http"], { PORT: "80" }, '--port: Expected a whole number from 0 to 65535, got "http"'],
        [["--port", "-1"], {}, '--port: Expected a whole number from 0 to 65535, got "-1"'],
        [["--lease-millis", "0"], {}, '--lease-millis: Expected a whole number from 1 to 86400000, got "0"'],
        [["--merchant", "a b"], {}, '--merchant: Expected a token of visible ASCII characters, got "a b"'],
        [["--sandbox-url", "here"], {}, '--sandbox-url: Expected a URL such as http://127.0.0.1:8090, got "here"'],
        [["--risk-rules", "{"], {}, '--risk-rules: Expected a valid JSON string, got "{"'],
        [["--risk-rules", "[]"], {}, 'FLORIN_RISK_UNAVAILABLE: Expected "failClosed" | "failOpen", got nothing']
      ]
      for (const [words, variables, expected] of cases) {
        const { complaint } = yield* Terminal.run(command, words, variables)
        assert.strictEqual(complaint, `florin: ${expected}`)
      }
    })
  )

  it.effect("repeats no secret, whichever way it came", () =>
    Effect.gen(function* () {
      const url = "mysql://florin:hunter2@db/florin"
      const expected = "expected postgres:// or postgresql://, got mysql://"
      const flag = yield* Terminal.run(command, ["--database-url", url])
      assert.strictEqual(flag.complaint, `florin: --database-url: ${expected}`)
      const variable = yield* Terminal.run(command, [], { DATABASE_URL: url })
      assert.strictEqual(variable.complaint, `florin: DATABASE_URL: ${expected}`)
      const text = yield* Terminal.run(command, [], { DATABASE_URL: "hunter2" })
      assert.strictEqual(
        text.complaint,
        "florin: DATABASE_URL: expected a URL such as postgres://user:password@host:5432/database"
      )
    })
  )

  it.effect("points out a variable that nobody reads, and which one may have been meant", () =>
    Effect.gen(function* () {
      const { complaint, stderr } = yield* Terminal.run(command, [], {
        FLORIN_ANSWER_MILIS: "5",
        FLORIN_HOST: "::1",
        FLORIN_UNHEARD_OF: "1",
        FLORINA: "not ours"
      })
      assert.strictEqual(complaint, "")
      assert.deepStrictEqual(stderr.trim().split("\n"), [
        "florin: nobody reads FLORIN_ANSWER_MILIS; did you mean FLORIN_ANSWER_MILLIS?",
        "florin: nobody reads FLORIN_UNHEARD_OF"
      ])
    })
  )

  it.effect("says what was meant by a flag that does not exist", () =>
    Effect.gen(function* () {
      const { stderr } = yield* Terminal.run(command, ["--prot", "1"])
      assert.strictEqual(
        stderr.split("\n")[0],
        "florin: Unrecognized flag: --prot in command settings; did you mean --port? (settings --help says more)"
      )
    })
  )
})

describe("Settings.table", () => {
  it("gives each setting a variable and a flag of its own, and each group settings that there are", () => {
    const settings = Object.values(Settings.table)
    assert.strictEqual(new Set(settings.map(({ variable }) => variable)).size, settings.length)
    assert.strictEqual(new Set(settings.map(({ flag }) => flag)).size, settings.length)
    assert.deepStrictEqual([...Settings.groups.service].toSorted(), Object.keys(Settings.table).toSorted())
  })
})
