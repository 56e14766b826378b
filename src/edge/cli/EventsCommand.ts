/**
 * `florin events tail`: what happens, line by line, from the database that the
 * settings name, whoever writes to it.
 *
 * Each line ends with its cursor, and `--after` goes on behind it. A database
 * that does not answer is asked again; nothing is lost meanwhile.
 */
import { Console, DateTime, Effect, Layer, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import type { CursorRefused, Delivery } from "../../adapters/EventBus.ts"
import { beginning, Cursor, Envelope, EventBus } from "../../adapters/EventBus.ts"
import * as Settings from "../Settings.ts"
import * as SettingFlags from "./SettingFlags.ts"

const load = Effect.promise(() =>
  Promise.all([
    import("../../infra/sql/SqlEventBus.ts"),
    import("../../infra/telemetry/RedactingLogger.ts"),
    import("../Database.ts")
  ])
)

const encodeLine = Schema.encodeSync(
  Schema.fromJsonString(Schema.toCodecJson(Schema.Struct({ cursor: Cursor, ...Envelope.fields })))
)

const json = ({ cursor, envelope }: Delivery): string => encodeLine({ cursor, ...envelope })

/** As long as the longest kind of event, and the spaces around it. */
const kindWidth = 24

const line = ({ cursor, envelope: { event, id } }: Delivery): string =>
  [DateTime.formatIso(DateTime.makeUnsafe(event.at)), event._tag.padEnd(kindWidth), id, cursor].join("  ")

/** Every delivery behind `after`, over any number of interruptions. */
const deliveries = (after: Cursor | undefined): Stream.Stream<Delivery, CursorRefused, EventBus> => {
  let last = after
  const follow = Effect.gen(function* () {
    const bus = yield* EventBus
    const reading = yield* bus.follow({ after: last })
    last = reading.from
    return Stream.tap(reading.deliveries, ({ cursor }) => Effect.sync(() => (last = cursor)))
  })
  return Stream.catchTag(Stream.unwrap(follow), "StorageUnavailable", (error) =>
    Stream.unwrap(
      Effect.logWarning("the database did not answer, asking again in a second", error).pipe(
        Effect.andThen(Effect.sleep("1 second")),
        Effect.map(() => deliveries(last))
      )
    )
  )
}

/** Waits for whoever reads, so that lines do not pile up here; `false` when nobody reads any more. */
const print = (text: string) =>
  Effect.callback<boolean>((resume) => {
    process.stdout.write(`${text}\n`, (error) => resume(Effect.succeed(error === undefined || error === null)))
  })

/** A reader that leaves (`| head`) is no error: the write's callback tells of it, and this keeps it from being thrown. */
const leaving = Effect.sync(() => process.stdout.on("error", () => {}))

const tail = Command.make(
  "tail",
  {
    after: Flag.String("after").pipe(
      Flag.withSchema(Cursor),
      Flag.withMetavar("<cursor>"),
      Flag.withDescription(`Go on behind this event's cursor; ${beginning} shows all; from now on without it`),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print each event as a line of JSON, its cursor with it"),
      Flag.withDefault(false)
    ),
    settings: SettingFlags.of("database")
  },
  (flags) =>
    Effect.gen(function* () {
      const settings = yield* Settings.database
      const [SqlEventBus, RedactingLogger, Database] = yield* load
      yield* Effect.gen(function* () {
        yield* leaving
        if (Option.isNone(flags.after) && !flags.json) yield* Console.error("florin: following, until Ctrl-C")
        yield* deliveries(Option.getOrUndefined(flags.after)).pipe(
          Stream.mapEffect((delivery) => print(flags.json ? json(delivery) : line(delivery))),
          Stream.takeWhile((isRead) => isRead),
          Stream.runDrain
        )
      }).pipe(
        Effect.provide(
          SqlEventBus.layer.pipe(Layer.provide(Database.existing(settings)), Layer.provideMerge(RedactingLogger.layer))
        )
      )
    }).pipe(SettingFlags.provide(flags.settings))
).pipe(
  Command.withDescription("Show events as they are recorded, until Ctrl-C"),
  Command.withExamples([
    { command: "florin events tail", description: "From now on, a line each: when, what, which, and its cursor" },
    {
      command: "florin events tail --after beginning --json",
      description: "All that ever happened, then what happens"
    },
    { command: "florin events tail --after 7421p880", description: "What happened since that line, and on" }
  ])
)

export const command = Command.make("events").pipe(
  Command.withDescription("What happened to payments, as it happens"),
  Command.withExamples([{ command: "florin events tail", description: "From now on, a line each" }]),
  Command.withSubcommands([tail])
)
