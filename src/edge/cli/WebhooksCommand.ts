/** `florin webhooks`: what gateways told, and what merchants are told: looked at, and put back. */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Logged } from "../../adapters/WebhookDeliveries.ts"
import { Instant } from "../../domain/Instant.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { EndpointId } from "../../domain/webhook/WebhookEndpoint.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"
import * as WebhookInboxCommand from "./WebhookInboxCommand.ts"

export class NoEndpoint extends Schema.TaggedError<NoEndpoint>()("NoEndpoint", { id: Schema.String }) {
  override get message() {
    return `there is no webhook endpoint ${this.id}`
  }
}

export class NoEvent extends Schema.TaggedError<NoEvent>()("NoEvent", { id: Schema.String }) {
  override get message() {
    return `the endpoint's merchant has no event ${this.id}`
  }
}

/** Neither one nor a time. */
export class WhichEvents extends Schema.TaggedError<WhichEvents>()("WhichEvents", {}) {
  override get message() {
    return "name one event with --event, or a moment with --since"
  }
}

const EventId = Schema.String.check(
  Schema.isPattern(/^pay_[0-9a-z]{1,40}\/\d{1,9}$/, { expected: 'an event\'s id such as "pay_01jd8m2r6v/3"' })
)

const endpoint = Argument.String("endpoint").pipe(
  Argument.withSchema(EndpointId),
  Argument.withDescription("As `endpoints` prints it")
)

const load = Effect.promise(() =>
  Promise.all([
    import("../../adapters/WebhookEndpoints.ts"),
    import("../../adapters/WebhookDeliveries.ts"),
    import("../http/WebhookEndpointJson.ts")
  ])
)

const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))

const known = Effect.fnUntraced(function* (id: EndpointId) {
  const [{ WebhookEndpoints }] = yield* load
  const endpoints = yield* WebhookEndpoints
  const found = yield* endpoints.find(id)
  return Option.isSome(found) ? found.value : yield* new NoEndpoint({ id })
})

// --- Endpoints --------------------------------------------------------------

const endpointsCommand = Command.make(
  "endpoints",
  {
    merchant: Flag.String("merchant").pipe(
      Flag.withSchema(MerchantId),
      Flag.withDescription("Of this merchant; without it, of all"),
      Flag.optional
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, merchant, settings }) =>
    Effect.gen(function* () {
      const [{ WebhookEndpoints }, , { fromEndpoint }] = yield* load
      const endpoints = yield* WebhookEndpoints
      const all = yield* endpoints.list(Option.getOrUndefined(merchant))
      const widths = [30, 16, 8]
      yield* Operator.answer(
        json,
        { endpoints: all.map((one) => ({ merchant: one.merchant, ...fromEndpoint(one) })) },
        () =>
          [
            ...(all.length === 0
              ? ["no webhook endpoints"]
              : [Operator.row(widths, ["id", "merchant", "enabled", "url"])]),
            ...all.flatMap(({ enabled, id, merchant, notice, url }) => [
              Operator.row(widths, [id, merchant, enabled ? "yes" : "no", url]),
              ...(notice === undefined ? [] : [`  disabled at ${iso(notice.at)}: ${notice.because}`])
            ])
          ].join("\n")
      )
    }).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List where merchants want to hear of events, and why florin disabled one"),
  Command.withExamples([{ command: "florin webhooks endpoints", description: "All of them" }])
)

// --- Deliveries -------------------------------------------------------------

const maxListed = 1000

const lineOf = ({ attempts, event, nextAt, state, type }: Logged): string => {
  const last = attempts.at(-1)
  const said =
    last === undefined
      ? ""
      : `${iso(last.at)} ${last.error ?? `it answered ${last.status}`} in ${last.latencyMillis} ms`
  return Operator.row(
    [42, 22, 10, -5, 24],
    [event, type, state, String(attempts.length), nextAt === undefined ? "" : iso(nextAt), said]
  )
}

const deliveriesCommand = Command.make(
  "deliveries",
  {
    endpoint,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`How many, from 1 to ${maxListed}; the newest event first`),
      Flag.withDefault(25),
      Flag.filter(
        (value) => value >= 1 && value <= maxListed,
        (value) => `Expected a whole number from 1 to ${maxListed}, got ${value}`
      )
    ),
    before: Flag.String("before").pipe(
      Flag.withSchema(EventId),
      Flag.withDescription("Only those behind this event, the last of the page before"),
      Flag.optional
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ before, endpoint, json, limit, settings }) =>
    Effect.gen(function* () {
      const [, { WebhookDeliveries }, { fromLogged }] = yield* load
      const { id } = yield* known(endpoint)
      const deliveries = yield* WebhookDeliveries
      const all = yield* deliveries.list(id, { limit, before: Option.getOrUndefined(before) })
      yield* Operator.answer(json, { deliveries: all.map(fromLogged) }, () =>
        all.length === 0 ? "no deliveries" : all.map(lineOf).join("\n")
      )
    }).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription(
    "List what was or is to be delivered to an endpoint: tries, next try, and what came of the last"
  ),
  Command.withExamples([{ command: "florin webhooks deliveries we_01jd8m2r6v", description: "The newest" }])
)

// --- Replay -----------------------------------------------------------------

const replay = Effect.fnUntraced(function* (
  id: EndpointId,
  event: Option.Option<string>,
  since: Option.Option<Instant>,
  isJson: boolean
) {
  if (Option.isSome(event) === Option.isSome(since)) return yield* new WhichEvents()
  const [[, { WebhookDeliveries }], { now }, OperatorCaller] = yield* Effect.all([
    load,
    Effect.promise(() => import("../../orchestration/Clocks.ts")),
    Effect.promise(() => import("./OperatorCaller.ts"))
  ])
  const { enabled } = yield* known(id)
  const deliveries = yield* WebhookDeliveries
  const started = yield* now
  const count = yield* Option.match(since, {
    onSome: (moment) =>
      OperatorCaller.onRecord(
        `replay to webhook endpoint ${id} all since ${iso(moment)}`,
        deliveries.replaySince(id, moment, started)
      ),
    onNone: () => {
      const one = Option.getOrElse(event, () => "")
      return OperatorCaller.onRecord(
        `replay ${one} to webhook endpoint ${id}`,
        Effect.map(deliveries.replay({ endpoint: id, event: one }, started), Number)
      )
    }
  })
  if (Option.isSome(event) && count === 0) return yield* new NoEvent({ id: event.value })
  yield* Operator.answer(isJson, { replayed: count }, () => `to be delivered: ${count}`)
  if (count > 0 && !isJson) {
    yield* Console.log(
      enabled ? "a running service delivers them" : "the endpoint is disabled: they wait until it is not"
    )
  }
})

const replayCommand = Command.make(
  "replay",
  {
    endpoint,
    event: Flag.String("event").pipe(
      Flag.withSchema(EventId),
      Flag.withDescription("One event, whatever became of it"),
      Flag.optional
    ),
    since: Flag.Date("since").pipe(
      Flag.map((date) => date.getTime()),
      Flag.withSchema(Instant),
      Flag.withMetavar("<moment>"),
      Flag.withDescription("All that it wants and that happened since, as 2026-11-21 or 2026-11-21T12:00:00Z"),
      Flag.optional
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ endpoint, event, json, settings, since }) =>
    replay(endpoint, event, since, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Deliver events to an endpoint again, or at last: one, or all since a moment"),
  Command.withExamples([
    { command: "florin webhooks replay we_01jd8m2r6v --event pay_01jd8m2r6v/3", description: "One" },
    { command: "florin webhooks replay we_01jd8m2r6v --since 2026-11-21T12:00:00Z", description: "After an outage" }
  ])
)

export const command = Command.make("webhooks").pipe(
  Command.withDescription("Webhooks: what gateways told and could not be applied, and what merchants are told"),
  Command.withExamples([{ command: "florin webhooks endpoints", description: "Where merchants are told" }]),
  Command.withSubcommands([WebhookInboxCommand.command, endpointsCommand, deliveriesCommand, replayCommand])
)
