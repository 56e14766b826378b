/**
 * The settings as flags of a command, over the environment.
 *
 * ```ts
 * Command.make("list", { settings: SettingFlags.of("database") }, ({ settings }) =>
 *   Effect.gen(function* () {
 *     const database = yield* Settings.database
 *   }).pipe(SettingFlags.provide(settings))
 * )
 * ```
 *
 * A setting that is wrong is named as it was given: `--port`, or `PORT`.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Flag from "effect/cli/Flag"
import { DatabaseUrlError } from "../../infra/sql/DatabaseUrl.ts"
import * as Settings from "../Settings.ts"
import * as Suggestion from "./Suggestion.ts"

// --- Flags ------------------------------------------------------------------

type Group = keyof typeof Settings.groups
type Flags<Name extends Settings.Name> = { readonly [Key in Name]: Flag.Flag<Option.Option<string>> }

/** What was given on the command line. */
export type Given = { readonly [Key in Settings.Name]?: Option.Option<string> }

/** Values are text, because `Settings` checks them whichever way they come. */
const flagOf = ({ byDefault, flag, is, metavar, variable }: Settings.Setting) =>
  Flag.String(flag).pipe(
    Flag.withMetavar(`<${metavar}>`),
    Flag.withDescription(`${is.replaceAll("`", "")} [${variable}; ${byDefault}]`),
    Flag.optional
  )

export const of = <const G extends Group>(group: G): Flags<(typeof Settings.groups)[G][number]> =>
  Object.fromEntries(Settings.groups[group].map((name) => [name, flagOf(Settings.table[name])])) as Flags<
    (typeof Settings.groups)[G][number]
  >

// --- Providing --------------------------------------------------------------

/** A setting that florin cannot work with. */
export class SettingRefused extends Schema.TaggedError<SettingRefused>()("SettingRefused", {
  /** As it was given: a flag or a variable. */
  name: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.name}: ${this.detail}`
  }
}

/** Runs a command with its flags before the environment, and warns of variables that nobody reads. */
export const provide =
  (given: Given) =>
  <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | SettingRefused, R> =>
    Effect.gen(function* () {
      const environment = yield* ConfigProvider.ConfigProvider
      for (const stranger of yield* strangers(environment)) {
        const hint = Suggestion.didYouMean(stranger, variables)
        yield* Console.error(`florin: nobody reads ${stranger}${hint}`)
      }
      const provider = ConfigProvider.orElse(ConfigProvider.fromEnvRecord(variablesOf(given)), environment)
      return yield* command.pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, provider),
        Effect.catch((error) => Effect.flatMap(named(error, given, provider), Effect.fail))
      )
    })

const variables = Object.values(Settings.table).map(({ variable }) => variable)

/** Flags under the names of their variables. */
const variablesOf = (given: Given): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      Option.isSome(value) ? [[Settings.table[name as Settings.Name].variable, value.value]] : []
    )
  )

/** As a person gave it: by its flag, or else by its variable. */
const nameOf = (variable: string, given: Given): string => {
  const isOfFlag = ([name, setting]: [string, Settings.Setting]) =>
    setting.variable === variable && Option.isSome(given[name as Settings.Name] ?? Option.none())
  const found = Object.entries(Settings.table).find(isOfFlag)
  return found === undefined ? variable : `--${found[1].flag}`
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segmentOf = (segment: PropertyKey | { readonly key: PropertyKey }) =>
  String(typeof segment === "object" ? segment.key : segment)

/** More of a value than this says no more about what is wrong with it. */
const maxShown = 60

/** What came, where the message does not say so yet and it is no secret. */
const cameAs = ({ secret }: Settings.Setting, message: string, value: string | undefined): string => {
  if (secret || message.includes(", got ")) return ""
  return `, got ${value === undefined ? "nothing" : JSON.stringify(value).slice(0, maxShown)}`
}

/** The first setting that is wrong, by its name: the next one is told when it is mended. */
const named = <E>(error: E, given: Given, provider: ConfigProvider.ConfigProvider): Effect.Effect<E | SettingRefused> =>
  Effect.gen(function* () {
    if (error instanceof DatabaseUrlError) {
      return new SettingRefused({ name: nameOf(Settings.table.databaseUrl.variable, given), detail: error.detail })
    }
    if (!(error instanceof Config.ConfigError) || !Schema.isSchemaError(error.cause)) return error
    const [issue] = format(error.cause.issue).issues
    const [variable = "", ...within] = (issue?.path ?? []).map(segmentOf)
    const message = issue?.message ?? ""
    const setting = Object.values(Settings.table).find((one) => one.variable === variable)
    const node = yield* Effect.orElseSucceed(provider.load([variable]), () => undefined)
    const came = setting === undefined || within.length > 0 ? "" : cameAs(setting, message, node?.value)
    const detail = `${[...within, message].join(": ")}${came}`
    return new SettingRefused({ name: nameOf(variable, given), detail })
  })

// --- Variables that are no settings -----------------------------------------

const prefix = "FLORIN"

/** Every variable under florin's prefix that is not in the table. */
const strangers = Effect.fnUntraced(function* (environment: ConfigProvider.ConfigProvider) {
  const found: Array<string> = []
  const visit = (path: ReadonlyArray<string>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const node = yield* Effect.orElseSucceed(environment.load(path), () => undefined)
      if (node?.value !== undefined) found.push(path.join("_"))
      if (node?._tag === "Record") for (const key of node.keys) yield* visit([...path, key])
    })
  yield* visit([prefix])
  return found.filter((name) => !variables.includes(name)).toSorted()
})

// --- What holds -------------------------------------------------------------

export type Source = "flag" | "environment" | "default"

/** A setting as it holds now, and where it comes from; the text is as it was given, secrets included. */
export interface Effective extends Settings.Setting {
  readonly value: string
  readonly source: Source
}

/** Every setting, whichever command it is for. */
export const effective = Effect.fnUntraced(function* (given: Given) {
  const provider = yield* ConfigProvider.ConfigProvider
  return yield* Effect.forEach(Object.entries(Settings.table), ([name, setting]) =>
    Effect.gen(function* () {
      const node = yield* Effect.orElseSucceed(provider.load([setting.variable]), () => undefined)
      const isFlag = Option.isSome(given[name as Settings.Name] ?? Option.none())
      const source: Source = node?.value === undefined ? "default" : isFlag ? "flag" : "environment"
      return { ...setting, value: node?.value ?? setting.byDefault, source } satisfies Effective
    })
  )
})
