/**
 * `florin dead-letters`: events that could not be published or handled, and
 * their way back. Those of payments are in the outbox's keeping, those of
 * clients' accounts belong to one handler each; an id says which it is.
 */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { DeadLetter as HandlerLetter } from "../../adapters/LedgerSubscriptions.ts"
import type { DeadLetter } from "../../adapters/Outbox.ts"
import type { Instant } from "../../domain/Instant.ts"
import { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"
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
const ofPayment = /^pay_[0-9a-z]{1,40}\/\d{1,9}$/

const LetterId = Schema.String.check(
  Schema.makeFilter(
    (id) =>
      ofPayment.test(id) ||
      /^.+\/[^/]+\/[1-9]\d{0,14}$/.test(id) ||
      'an event\'s id such as "pay_01jd8m2r6v/3" or, of a ledger and its handler, "shop/mailer/17"'
  )
)

const load = Effect.promise(() =>
  Promise.all([import("../../adapters/Outbox.ts"), import("../../adapters/LedgerSubscriptions.ts")])
)

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))
const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))
const encodeLedgerEvent = Schema.encodeSync(Schema.toCodecJson(LedgerEvent))

/** A letter of either kind, as an operator sees it. */
interface Letter {
  readonly id: string
  readonly failures: number
  readonly error: string
  readonly at: Instant
  readonly type: string
  /** What names it in JSON. */
  readonly names: Readonly<Record<string, unknown>>
  /** Whose it is, in text and in JSON. */
  readonly owner: readonly [text: string, json: Readonly<Record<string, unknown>>]
  readonly event: unknown
}

const fromOutbox = ({ at, envelope, error, failures }: DeadLetter): Letter => ({
  id: envelope.id,
  failures,
  error,
  at,
  type: envelope.event._tag,
  names: { payment: envelope.payment, version: envelope.version },
  owner: [`merchant ${envelope.merchant}`, { merchant: envelope.merchant }],
  event: encodeEvent(envelope.event)
})

const fromHandler = (letter: HandlerLetter): Letter => {
  const { at, error, event, failures, handler, ledger, recordedAt, sequence } = letter
  return {
    id: `${ledger}/${handler}/${sequence}`,
    failures,
    error,
    at,
    type: event._tag,
    names: { ledger, handler, sequence },
    owner: [`ledger ${ledger} for ${handler}`, { recordedAt: iso(recordedAt) }],
    event: encodeLedgerEvent(event)
  }
}

const toJson = ({ at, error, failures, id, names, type }: Letter) => ({
  id,
  ...names,
  type,
  failures,
  error,
  at: iso(at)
})

/** All kinds of letters as one. */
const lettersOf = Effect.map(
  Effect.flatMap(load, ([{ Outbox }, { LedgerSubscriptions, parseId }]) =>
    Effect.all([Outbox, LedgerSubscriptions, Effect.succeed(parseId)])
  ),
  ([outbox, subscriptions, parseId]) => ({
    list: (limit: number) =>
      Effect.map(Effect.all([outbox.deadLetters(limit), subscriptions.deadLetters(limit)]), ([events, handled]) =>
        [...events.map(fromOutbox), ...handled.map(fromHandler)].toSorted((a, b) => a.at - b.at).slice(0, limit)
      ),
    get: (id: string) =>
      ofPayment.test(id)
        ? Effect.map(outbox.deadLetter(id), Option.map(fromOutbox))
        : Effect.map(subscriptions.deadLetter(parseId(id)!), Option.map(fromHandler)),
    replay: (id: string, now: Instant) =>
      ofPayment.test(id) ? outbox.replay(id, now) : subscriptions.replay(parseId(id)!)
  })
)

// --- List -------------------------------------------------------------------

const maxListed = 10_000

const list = Effect.fnUntraced(function* (limit: number, isJson: boolean) {
  const letters = yield* Effect.flatMap(lettersOf, ({ list }) => list(limit + 1))
  const isMore = letters.length > limit
  const listed = letters.slice(0, limit)
  const widths = [42, 22, -8, 24]
  yield* Operator.answer(isJson, { deadLetters: listed.map(toJson), more: isMore }, () =>
    [
      ...(listed.length === 0
        ? ["no dead letters"]
        : [Operator.row(widths, ["id", "event", "failures", "at", "error"])]),
      ...listed.map(({ at, error, failures, id, type }) =>
        Operator.row(widths, [id, type, String(failures), iso(at), error])
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
  Command.withDescription("List events that could not be published or handled, the longest dead first"),
  Command.withExamples([{ command: "florin dead-letters list", description: "Which, and what publishing them said" }])
)

// --- Show -------------------------------------------------------------------

const show = Effect.fnUntraced(function* (id: string, isJson: boolean) {
  const letter = yield* Effect.flatMap(lettersOf, ({ get }) => get(id))
  if (Option.isNone(letter)) return yield* new NoDeadLetter({ id })
  const { at, error, event, failures, owner, type } = letter.value
  yield* Operator.answer(isJson, { ...toJson(letter.value), ...owner[1], event }, () =>
    [
      `${id}: ${type}, of ${owner[0]}`,
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
  const [letters, { now }, OperatorCaller] = yield* Effect.all([
    lettersOf,
    Effect.promise(() => import("../../orchestration/Clocks.ts")),
    Effect.promise(() => import("./OperatorCaller.ts"))
  ])
  const started = yield* now
  const replaying = Option.match(id, {
    onNone: () => replayAll(letters, started),
    onSome: (one) => Effect.map(letters.replay(one, started), (isThere) => isThere && [one])
  })
  const what = `replay ${Option.getOrElse(id, () => "every dead letter")}`
  const replayed = yield* OperatorCaller.onRecord(what, replaying)
  if (replayed === false) return yield* new NoDeadLetter({ id: Option.getOrElse(id, () => "") })
  yield* Operator.answer(isJson, { replayed }, () => `put back: ${replayed.length}`)
  if (replayed.length > 0 && !isJson) yield* Console.log("a running service publishes or handles them")
})

/** Every one that is dead by now; what dies again meanwhile is left for the next time. */
const replayAll = Effect.fnUntraced(function* (letters: Effect.Success<typeof lettersOf>, now: Instant) {
  const replayed: Array<string> = []
  while (true) {
    const page = (yield* letters.list(pageSize)).filter(({ at }) => at <= now)
    if (page.length === 0) return replayed
    for (const { id } of page) if (yield* letters.replay(id, now)) replayed.push(id)
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
  Command.withDescription("Put dead letters back to be published or handled, later than the events that followed them"),
  Command.withExamples([
    { command: "florin dead-letters replay pay_01jd8m2r6v/3", description: "One" },
    { command: "florin dead-letters replay --all", description: "All of them, once what was wrong is mended" }
  ])
)

export const command = Command.make("dead-letters").pipe(
  Command.withDescription("Events that could not be published or handled: list them, look at one, put them back"),
  Command.withExamples([{ command: "florin dead-letters list", description: "Which there are" }]),
  Command.withSubcommands([listCommand, showCommand, replayCommand])
)
