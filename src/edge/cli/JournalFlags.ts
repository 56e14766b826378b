/** Which journal a command is about, and how it comes to it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Flag from "effect/cli/Flag"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import * as JournalPlace from "../ledger/JournalPlace.ts"
import type * as LedgerRun from "../ledger/LedgerRun.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SettingFlags from "./SettingFlags.ts"

const ledger = Flag.String("ledger").pipe(
  Flag.withMetavar("<name>"),
  Flag.withDescription(`Which ledger of a database, where it keeps several [${JournalPlace.standardLedger}]`),
  Flag.optional
)

/** Of a command that writes to a journal where one is named. */
export const writing = {
  journal: Flag.String("journal").pipe(
    Flag.withMetavar("<place>"),
    Flag.withDescription(
      "Keep every event in a journal, and take up each file where it was left: a directory, a postgres:// URL, or `embedded` for the database under --data-dir"
    ),
    Flag.optional
  ),
  source: Flag.String("source").pipe(
    Flag.withMetavar("<name>"),
    Flag.withDescription(
      "What the file is called in the journal; without it, its base name without .gz, and stdin for standard input"
    ),
    Flag.optional
  ),
  snapshotEvery: Flag.Int("snapshot-every").pipe(
    Flag.withMetavar("<events>"),
    Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1, { expected: "a number of events, 1 or more" }))),
    Flag.withDescription(
      "Events between two snapshots [1000000, and the more the larger a snapshot is: they never take more room than the journal]"
    ),
    Flag.optional
  ),
  ledger,
  settings: SettingFlags.of("ledger")
}

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

/** A journal was not named, but what only has a meaning with one. */
export class JournalNotNamed extends Schema.TaggedError<JournalNotNamed>()("JournalNotNamed", { flag: Schema.String }) {
  override get message() {
    return `--${this.flag} is about a journal: name one with --journal`
  }
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

interface Writing extends Given {
  readonly source: Option.Option<string>
  readonly snapshotEvery: Option.Option<number>
}

interface Run {
  readonly files: ReadonlyArray<string>
  readonly policy: LedgerPolicy
  readonly wideClients: boolean
  readonly isJson: boolean
}

/** Runs a command over a journal that is written to, or over none where none is named. */
export const overWriting = <A, E, R>(
  { journal, ledger, settings, snapshotEvery, source }: Writing,
  { files, isJson, policy, wideClients }: Run,
  command: (journaling?: LedgerRun.Journaling) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    if (Option.isNone(journal)) {
      const [flag] =
        Object.entries({ source, "snapshot-every": Option.map(snapshotEvery, String), ledger }).find(([, value]) =>
          Option.isSome(value)
        ) ?? []
      return flag === undefined ? yield* command() : yield* new JournalNotNamed({ flag })
    }
    const [JournaledLedger, JournaledSources, RedactingLogger] = yield* loadWriting
    const names = yield* JournaledSources.namesOf(files, Option.getOrUndefined(source))
    const place = yield* JournalPlace.parse(journal.value, Option.getOrUndefined(ledger))
    // Off a terminal nobody waits for a start of a second.
    const show = isJson || !process.stderr.isTTY ? () => Effect.void : yield* ProgressBar.make("events")
    return yield* Effect.gen(function* () {
      const opened = yield* JournaledLedger.open({
        place,
        policy,
        wideClients,
        seed: yield* Random.nextIntBetween(-0x8000_0000, 0x7fff_ffff),
        snapshotEvery: Option.getOrUndefined(snapshotEvery),
        onRestore: (done, total) => show({ done, total, note: "restored" })
      })
      return yield* command({ ledger: opened, names })
    }).pipe(Effect.provide(RedactingLogger.layer))
  }).pipe(Effect.scoped, SettingFlags.provide(settings))

const loadWriting = Effect.promise(() =>
  Promise.all([
    import("../ledger/JournaledLedger.ts"),
    import("../ledger/JournaledSources.ts"),
    import("../../infra/telemetry/RedactingLogger.ts")
  ])
)
