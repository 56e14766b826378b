/** `florin payments`: which there are, and the story of one. */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Instant } from "../../domain/Instant.ts"
import * as Money from "../../domain/Money.ts"
import { Event, MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import { Status } from "../../domain/payment/PaymentView.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"

// --- List -------------------------------------------------------------------

const maxPage = 1000

/** A moment as people write it, `2026-11-21` or `2026-11-21T12:00:00Z`. */
const moment = (name: string, description: string) =>
  Flag.Date(name).pipe(
    Flag.map((date) => date.getTime()),
    Flag.withSchema(Instant),
    Flag.withMetavar("<moment>"),
    Flag.withDescription(description),
    Flag.optional
  )

const filters = {
  status: Flag.Literals("status", Status.literals).pipe(Flag.withDescription("Only these"), Flag.optional),
  from: moment("from", "Created at or after, as 2026-11-21 or 2026-11-21T12:00:00Z"),
  until: moment("until", "Created before"),
  customer: Flag.String("customer").pipe(Flag.withDescription("Of this customer"), Flag.optional),
  merchant: Flag.String("merchant").pipe(
    Flag.withSchema(MerchantId),
    Flag.withDescription("Of this merchant; without it, of all"),
    Flag.optional
  )
}

type Filters = {
  readonly [Name in keyof typeof filters]: (typeof filters)[Name] extends Flag.Flag<infer A> ? A : never
}

const widths = [30, 16, -16, -12, -12, 14]
const heading = Operator.row(widths, ["id", "status", "amount", "captured", "refunded", "gateway", "created"])

const line = ({ amountMinor, capturedMinor, createdAt, currency, gateway, id, refundedMinor, status }: PaymentView) => {
  const written = (minor: bigint) => Money.format(Money.of(currency, minor))
  const created = DateTime.formatIso(DateTime.makeUnsafe(createdAt))
  const amounts = [`${written(amountMinor)} ${currency}`, written(capturedMinor), written(refundedMinor)]
  return Operator.row(widths, [id, status, ...amounts, gateway ?? "", created])
}

/** Page by page as they come, so that memory stays the same however many there are. */
const list = Effect.fnUntraced(function* (
  chosen: Filters,
  page: { readonly limit: number; readonly cursor: Option.Option<PaymentId>; readonly all: boolean },
  isJson: boolean
) {
  const [{ PaymentRepository }, PaymentJson] = yield* Effect.promise(() =>
    Promise.all([import("../../adapters/PaymentRepository.ts"), import("../http/PaymentJson.ts")])
  )
  const repository = yield* PaymentRepository
  const filter = {
    status: Option.getOrUndefined(chosen.status),
    from: Option.getOrUndefined(chosen.from),
    until: Option.getOrUndefined(chosen.until),
    customer: Option.getOrUndefined(chosen.customer),
    merchant: Option.getOrUndefined(chosen.merchant)
  }
  let cursor = Option.getOrUndefined(page.cursor)
  let isFirst = true
  while (true) {
    const found = yield* repository.list(filter, { limit: page.limit, cursor })
    const { payments } = found
    cursor = found.cursor
    const isLast = cursor === undefined || !page.all
    if (isJson) {
      const items = payments.map((view) => JSON.stringify(PaymentJson.fromView(view)))
      const rest = isLast && cursor !== undefined ? `,"cursor":${JSON.stringify(cursor)}` : ""
      const comma = isLast ? `]${rest}}` : ","
      yield* Console.log(`${isFirst ? '{"payments":[' : ""}${items.join(",\n")}${comma}`)
    } else {
      const lines = payments.map(line)
      if (isFirst) yield* Console.log(payments.length === 0 ? "no payments" : heading)
      if (lines.length > 0) yield* Console.log(lines.join("\n"))
      if (isLast && cursor !== undefined) yield* Console.log(`and more: --cursor ${cursor}, or --all`)
    }
    if (isLast || !(yield* StandardOutput.isRead)) return
    isFirst = false
  }
})

const listCommand = Command.make(
  "list",
  {
    ...filters,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`How many, from 1 to ${maxPage}`),
      Flag.withDefault(50),
      Flag.filter(
        (value) => value >= 1 && value <= maxPage,
        (value) => `Expected a whole number from 1 to ${maxPage}, got ${value}`
      )
    ),
    cursor: Flag.String("cursor").pipe(
      Flag.withSchema(PaymentId),
      Flag.withDescription("Where a page before this one ended"),
      Flag.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("All of them, page after page of --limit"),
      Flag.withDefault(false)
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ all, cursor, json, limit, settings, ...chosen }) =>
    list(chosen, { all, cursor, limit }, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List payments, newest first"),
  Command.withExamples([
    { command: "florin payments list --status in_doubt", description: "What nobody knows yet" },
    { command: "florin payments list --from 2026-11-01 --until 2026-12-01 --all --json", description: "A month" }
  ])
)

// --- Show -------------------------------------------------------------------

const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))

const show = Effect.fnUntraced(function* (id: PaymentId, isJson: boolean) {
  const [{ PaymentRepository }, { PaymentNotFound }, { PaymentPolicy }, Clocks, PaymentJson, Story] =
    yield* Effect.promise(() =>
      Promise.all([
        import("../../adapters/PaymentRepository.ts"),
        import("../../orchestration/PaymentProcess.ts"),
        import("../../orchestration/PaymentPolicy.ts"),
        import("../../orchestration/Clocks.ts"),
        import("../http/PaymentJson.ts"),
        import("./PaymentStory.ts")
      ])
    )
  const repository = yield* PaymentRepository
  const { history } = yield* repository.load(id)
  if (history.length === 0) return yield* new PaymentNotFound({ payment: id })
  const at = yield* Clocks.now
  const policy = { ...(yield* PaymentPolicy), runner: yield* Clocks.newRun, health: () => "up" as const }
  const story = Story.of(history, at, policy)
  const value = {
    payment: PaymentJson.fromView(story.view),
    events: history.map((event, index) => ({
      version: index + 1,
      at: Story.iso(event.at),
      afterMillis: index === 0 ? 0 : event.at - history[index - 1]!.at,
      event: encodeEvent(event)
    })),
    operations: story.operations.map((operation) => ({
      id: operation.call.operation,
      kind: operation.call._tag,
      gateway: operation.call.gateway,
      begunAt: Story.iso(operation.begunAt),
      sends: operation.sends,
      doubts: operation.doubts.map(({ asked, at, reason }) => ({ asked, reason, at: Story.iso(at) })),
      standing: operation.end._tag === "Open" ? operation.end.operation.standing._tag : operation.end._tag,
      detail: Story.standing(operation)
    })),
    owed:
      story.owed === undefined
        ? null
        : {
            what: story.owed.what,
            since: story.owed.since === undefined ? null : Story.iso(story.owed.since),
            until: story.owed.until === undefined ? null : Story.iso(story.owed.until)
          }
  }
  yield* Operator.answer(isJson, value, () => Story.toText(story, at))
})

const showCommand = Command.make(
  "show",
  {
    id: Argument.String("id").pipe(Argument.withSchema(PaymentId), Argument.withDescription("The payment's id")),
    json: Operator.json,
    settings: SettingFlags.of("gateways")
  },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overGateways(settings))
).pipe(
  Command.withDescription(
    "Show one payment: its timeline with durations and evidence, what was asked of its gateways, and what is owed next"
  ),
  Command.withShortDescription("Show one payment's timeline, evidence, and what is owed next"),
  Command.withExamples([
    { command: "florin payments show pay_01jd8m2r6v", description: "For a person" },
    { command: "florin payments show pay_01jd8m2r6v --json | jq .owed", description: "For a program" }
  ])
)

export const command = Command.make("payments").pipe(
  Command.withDescription("The payments that there are: list them, or look at one"),
  Command.withExamples([
    { command: "florin payments list", description: "The newest fifty" },
    { command: "florin payments show pay_01jd8m2r6v", description: "The story of one" }
  ]),
  Command.withSubcommands([listCommand, showCommand])
)
