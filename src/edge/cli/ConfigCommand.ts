/** `florin config`: the settings that hold, where each comes from, and no secret. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import * as DatabaseUrl from "../../infra/sql/DatabaseUrl.ts"
import * as Settings from "../Settings.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** URLs lose their passwords, wherever they are; of another secret nothing is left. A default is none. */
const shown = ({ metavar, secret, source, value }: SettingFlags.Effective): string => {
  if (source === "default") return value
  if (metavar === "url") return DatabaseUrl.masked(value)
  return secret ? "***" : value
}

const config = Effect.fnUntraced(function* (given: SettingFlags.Given, isJson: boolean) {
  // What is wrong is named here, too.
  yield* Settings.database
  yield* Settings.service
  const settings = (yield* SettingFlags.effective(given)).map((setting) => ({
    variable: setting.variable,
    flag: `--${setting.flag}`,
    value: shown(setting),
    source: setting.source,
    secret: setting.secret,
    is: setting.is
  }))
  const widest = (of: (setting: (typeof settings)[number]) => string) =>
    Math.max(...settings.map((setting) => of(setting).length))
  const widths = [widest(({ variable }) => variable), widest(({ flag }) => flag), "environment".length]
  yield* Operator.answer(isJson, { settings }, () =>
    [
      Operator.row(widths, ["variable", "flag", "source", "value"]),
      ...settings.map(({ flag, source, value, variable }) => Operator.row(widths, [variable, flag, source, value]))
    ].join("\n")
  )
})

export const command = Command.make(
  "config",
  { json: Operator.json, settings: SettingFlags.of("service") },
  ({ json, settings }) => config(settings, json).pipe(SettingFlags.provide(settings))
).pipe(
  Command.withDescription(
    "Print the effective settings: each value, and whether it comes from a flag, from the environment or is the default. Passwords are masked"
  ),
  Command.withShortDescription("Print the effective settings, secrets masked"),
  Command.withExamples([
    { command: "florin config", description: "What a service would run with" },
    { command: "PORT=9000 florin config --json", description: "The same for a program" }
  ])
)
