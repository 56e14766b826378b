/** `florin webhooks inbox`: what gateways delivered and could not be applied, and its way back. */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { DeadWebhook, WebhookInbox } from "../../adapters/WebhookInbox.ts"
import * as CardNumber from "../../domain/CardNumber.ts"
import type { Instant } from "../../domain/Instant.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

export class NoDeadWebhook extends Schema.TaggedError<NoDeadWebhook>()("NoDeadWebhook", { id: Schema.String }) {
  override get message() {
    return `there is no dead webhook ${this.id}`
  }
}

/** Neither one nor all of them. */
export class WhichWebhook extends Schema.TaggedError<WhichWebhook>()("WhichWebhook", {}) {
  override get message() {
    return "name one dead webhook, or all of them with --all"
  }
}

const WebhookId = Schema.String.check(
  Schema.isPattern(/^wh_[0-9a-z]{1,40}$/, { expected: 'a webhook\'s id such as "wh_01jd8m2r6v"' })
)

const id = Argument.String("id").pipe(
  Argument.withSchema(WebhookId),
  Argument.withDescription("As `inbox list` prints it")
)

const load = Effect.promise(() => import("../../adapters/WebhookInbox.ts"))

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))

const toJson = ({ at, diedAt, error, failures, gateway, id }: DeadWebhook) => ({
  id,
  gateway,
  receivedAt: iso(at),
  failures,
  error,
  at: iso(diedAt)
})

// --- List -------------------------------------------------------------------

const maxListed = 10_000

const list = Effect.fnUntraced(function* (limit: number, isJson: boolean) {
  const { WebhookInbox } = yield* load
  const inbox = yield* WebhookInbox
  const waiting = yield* inbox.pending
  const dead = yield* inbox.deadLetters(limit + 1)
  const isMore = dead.length > limit
  const listed = dead.slice(0, limit)
  const widths = [30, 16, -8, 24]
  yield* Operator.answer(isJson, { deadWebhooks: listed.map(toJson), more: isMore, waiting }, () =>
    [
      ...(listed.length === 0
        ? ["no dead webhooks"]
        : [Operator.row(widths, ["id", "gateway", "failures", "at", "error"])]),
      ...listed.map(({ diedAt, error, failures, gateway, id }) =>
        Operator.row(widths, [id, gateway, String(failures), iso(diedAt), error])
      ),
      ...(isMore ? [`and more; --limit ${maxListed} lists up to so many`] : []),
      `waiting to be applied: ${waiting}`
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
  Command.withDescription("List gateways' webhooks that could not be applied, and count those that wait"),
  Command.withExamples([{ command: "florin webhooks inbox list", description: "Which, and what stood in the way" }])
)

// --- Show -------------------------------------------------------------------

const show = Effect.fnUntraced(function* (id: string, isJson: boolean) {
  const { WebhookInbox } = yield* load
  const inbox = yield* WebhookInbox
  const found = yield* inbox.deadLetter(id)
  if (Option.isNone(found)) return yield* new NoDeadWebhook({ id })
  const { at, body, diedAt, error, failures, gateway } = found.value
  // It is signed as it is, so it is kept as it is; nobody has to see a card number in it.
  const text = CardNumber.mask(new TextDecoder().decode(body))
  yield* Operator.answer(isJson, { ...toJson(found.value), body: text }, () =>
    [
      `${id}: of ${gateway}, received at ${iso(at)}`,
      `given up at ${iso(diedAt)} after ${failures} ${failures === 1 ? "try" : "tries"}: ${error}`,
      text
    ].join("\n")
  )
})

const showCommand = Command.make(
  "show",
  { id, json: Operator.json, settings: SettingFlags.of("database") },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show one dead webhook, with its body"),
  Command.withExamples([{ command: "florin webhooks inbox show wh_01jd8m2r6v", description: "What came, and why not" }])
)

// --- Replay -----------------------------------------------------------------

/** So many at a time; each that is put back makes room for the next. */
const pageSize = 100

const replay = Effect.fnUntraced(function* (id: Option.Option<string>, all: boolean, isJson: boolean) {
  if (Option.isSome(id) === all) return yield* new WhichWebhook()
  const [{ WebhookInbox }, { now }, OperatorCaller] = yield* Effect.all([
    load,
    Effect.promise(() => import("../../orchestration/Clocks.ts")),
    Effect.promise(() => import("./OperatorCaller.ts"))
  ])
  const inbox = yield* WebhookInbox
  const started = yield* now
  const replaying = Option.match(id, {
    onNone: () => replayAll(inbox, started),
    onSome: (one) => Effect.map(inbox.replay(one, started), (isThere) => isThere && [one])
  })
  const what = `replay ${Option.getOrElse(id, () => "every dead webhook")}`
  const replayed = yield* OperatorCaller.onRecord(what, replaying)
  if (replayed === false) return yield* new NoDeadWebhook({ id: Option.getOrElse(id, () => "") })
  yield* Operator.answer(isJson, { replayed }, () => `put back to be applied: ${replayed.length}`)
  if (replayed.length > 0 && !isJson) yield* Console.log("a running service applies them")
})

/** Every one that is dead by now; what dies again meanwhile is left for the next time. */
const replayAll = Effect.fnUntraced(function* (inbox: WebhookInbox["Service"], now: Instant) {
  const replayed: Array<string> = []
  while (true) {
    const page = (yield* inbox.deadLetters(pageSize)).filter(({ diedAt }) => diedAt <= now)
    if (page.length === 0) return replayed
    for (const { id } of page) if (yield* inbox.replay(id, now)) replayed.push(id)
  }
})

const replayCommand = Command.make(
  "replay",
  {
    id: Argument.optional(id),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Every one that there is now"), Flag.withDefault(false)),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ all, id, json, settings }) => replay(id, all, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Put dead webhooks back to be applied"),
  Command.withExamples([
    { command: "florin webhooks inbox replay wh_01jd8m2r6v", description: "One" },
    { command: "florin webhooks inbox replay --all", description: "All of them, once what was wrong is mended" }
  ])
)

export const command = Command.make("inbox").pipe(
  Command.withDescription("Gateways' webhooks that could not be applied: list them, look at one, put them back"),
  Command.withExamples([{ command: "florin webhooks inbox list", description: "Which there are" }]),
  Command.withSubcommands([listCommand, showCommand, replayCommand])
)
