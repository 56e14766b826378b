/** Which journal a command is about, and how it comes to it. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import * as JournalPlace from "../ledger/JournalPlace.ts"
import * as SettingFlags from "./SettingFlags.ts"

const ledger = Flag.String("ledger").pipe(
  Flag.withMetavar("<name>"),
  Flag.withDescription(`Which ledger of a database, where it keeps several [${JournalPlace.standardLedger}]`),
  Flag.optional
)

/** Of a command that looks into a journal. */
export const reading = {
  journal: Flag.String("journal").pipe(
    Flag.withMetavar("<place>"),
    Flag.withDescription(
      "A directory, a postgres:// URL, or `embedded` for the database under --data-dir; without it, the database of the settings"
    ),
    Flag.optional
  ),
  ledger,
  settings: SettingFlags.of("ledger")
}

export interface Given {
  readonly journal: Option.Option<string>
  readonly ledger: Option.Option<string>
  readonly settings: SettingFlags.Given
}

/** Runs a command over a journal that is only looked at. Its log goes to standard error. */
export const overReading =
  ({ journal, ledger, settings }: Given) =>
  <A, E, R>(command: (opened: JournalPlace.Opened) => Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const RedactingLogger = yield* Effect.promise(() => import("../../infra/telemetry/RedactingLogger.ts"))
      const place = yield* JournalPlace.parse(Option.getOrUndefined(journal), Option.getOrUndefined(ledger))
      return yield* Effect.flatMap(JournalPlace.read(place), command).pipe(Effect.provide(RedactingLogger.layer))
    }).pipe(Effect.scoped, SettingFlags.provide(settings))
