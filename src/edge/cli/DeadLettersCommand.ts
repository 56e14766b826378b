/** `florin dead-letters`: events that could not be published, and their way back. */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { DeadLetter, Outbox } from "../../adapters/Outbox.ts"
import type { Instant } from "../../domain/Instant.ts"
import { Event } from "../../domain/payment/PaymentEvent.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

export class NoDeadLetter extends Schema.TaggedError<NoDeadLetter>()("NoDeadLetter", { id: Schema.String }) {
  override get message() {
    return `there is no dead letter ${this.id}`
  }
}

/** Neither one nor all of them. */
export class WhichLetter extends Schema.TaggedError<WhichLetter>()("WhichLetter", {}) {
  override get message() {
    return "name one dead letter, or all of them with --all"
  }
}

/** `<payment>/<version>`, as events are named wherever they are published. */
const LetterId = Schema.String.check(
  Schema.isPattern(/^pay_[0-9a-z]{1,40}\/\d{1,9}$/, { expected: 'an event\'s id such as "pay_01jd8m2r6v/3"' })
)

const load = Effect.promise(() => import("../../adapters/Outbox.ts"))

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))
const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))

const toJson = ({ at, envelope, error, failures }: DeadLetter) => ({
  id: envelope.id,
  payment: envelope.payment,
  version: envelope.version,
  type: envelope.event._tag,
  failures,
  error,
  at: iso(at)
})

// --- List -------------------------------------------------------------------

const maxListed = 10_000

const list = Effect.fnUntraced(function* (limit: number, isJson: boolean) {
  const { Outbox } = yield* load
  const outbox = yield* Outbox
  const letters = yield* outbox.deadLetters(limit + 1)
  const isMore = letters.length > limit
  const listed = letters.slice(0, limit)
  const widths = [42, 22, -8, 24]
  yield* Operator.answer(isJson, { deadLetters: listed.map(toJson), more: isMore }, () =>
    [
      ...(listed.length === 0
        ? ["no dead letters"]
        : [Operator.row(widths, ["id", "event", "failures", "at", "error"])]),
      ...listed.map(({ at, envelope, error, failures }) =>
        Operator.row(widths, [envelope.id, envelope.event._tag, String(failures), iso(at), error])
      ),
      ...(isMore ? [`and more; --limit ${maxListed} lists up to so many`] : [])
    ].join("\n")
  )
})

const listCommand = Command.make(
  "list",
  {
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`How many, from 1 to ${maxListed}; the longest dead first`),
      Flag.withDefault(100),
      Flag.filter(
        (value) => value >= 1 && value <= maxListed,
        (value) => `Expected a whole number from 1 to ${maxListed}, got ${value}`
      )
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, limit, settings }) => list(limit, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List events that could not be published, the longest dead first"),
  Command.withExamples([{ command: "florin dead-letters list", description: "Which, and what publishing them said" }])
)

// --- Show -------------------------------------------------------------------

const show = Effect.fnUntraced(function* (id: string, isJson: boolean) {
  const { Outbox } = yield* load
  const outbox = yield* Outbox
  const letter = yield* outbox.deadLetter(id)
  if (Option.isNone(letter)) return yield* new NoDeadLetter({ id })
  const { at, envelope, error, failures } = letter.value
  const event = encodeEvent(envelope.event)
  yield* Operator.answer(isJson, { ...toJson(letter.value), merchant: envelope.merchant, event }, () =>
    [
      `${id}: ${envelope.event._tag}, of merchant ${envelope.merchant}`,
      `given up at ${iso(at)} after ${failures} tries: ${error}`,
      JSON.stringify(event, null, 2)
    ].join("\n")
  )
})

const showCommand = Command.make(
  "show",
  {
    id: Argument.String("id").pipe(Argument.withSchema(LetterId), Argument.withDescription("As `list` prints it")),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show one dead letter, with its event"),
  Command.withExamples([
    { command: "florin dead-letters show pay_01jd8m2r6v/3", description: "The third event of a payment" }
  ])
)

// --- Replay -----------------------------------------------------------------

/** So many at a time; each that is put back makes room for the next. */
const pageSize = 100

const replay = Effect.fnUntraced(function* (id: Option.Option<string>, all: boolean, isJson: boolean) {
  if (Option.isSome(id) === all) return yield* new WhichLetter()
  const [{ Outbox }, { now }, OperatorCaller] = yield* Effect.all([
    load,
    Effect.promise(() => import("../../orchestration/Clocks.ts")),
    Effect.promise(() => import("./OperatorCaller.ts"))
  ])
  const outbox = yield* Outbox
  const started = yield* now
  const replaying = Option.match(id, {
    onNone: () => replayAll(outbox, started),
    onSome: (one) => Effect.map(outbox.replay(one, started), (isThere) => isThere && [one])
  })
  const what = `replay ${Option.getOrElse(id, () => "every dead letter")}`
  const replayed = yield* OperatorCaller.onRecord(what, replaying)
  if (replayed === false) return yield* new NoDeadLetter({ id: Option.getOrElse(id, () => "") })
  yield* Operator.answer(isJson, { replayed }, () => `put back to be published: ${replayed.length}`)
  if (replayed.length > 0 && !isJson) yield* Console.log("a running service publishes them")
})

/** Every one that is dead by now; what dies again meanwhile is left for the next time. */
const replayAll = Effect.fnUntraced(function* (outbox: Outbox["Service"], now: Instant) {
  const replayed: Array<string> = []
  while (true) {
    const page = (yield* outbox.deadLetters(pageSize)).filter(({ at }) => at <= now)
    if (page.length === 0) return replayed
    for (const { envelope } of page) if (yield* outbox.replay(envelope.id, now)) replayed.push(envelope.id)
  }
})

const replayCommand = Command.make(
  "replay",
  {
    id: Argument.String("id").pipe(
      Argument.withSchema(LetterId),
      Argument.withDescription("As `list` prints it"),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Every one that there is now"), Flag.withDefault(false)),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ all, id, json, settings }) => replay(id, all, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Put dead letters back to be published, later than the events that followed them"),
  Command.withExamples([
    { command: "florin dead-letters replay pay_01jd8m2r6v/3", description: "One" },
    { command: "florin dead-letters replay --all", description: "All of them, once what was wrong is mended" }
  ])
)

export const command = Command.make("dead-letters").pipe(
  Command.withDescription("Events that could not be published: list them, look at one, put them back"),
  Command.withExamples([{ command: "florin dead-letters list", description: "Which there are" }]),
  Command.withSubcommands([listCommand, showCommand, replayCommand])
)
