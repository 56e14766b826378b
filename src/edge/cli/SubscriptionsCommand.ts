/** `florin subscriptions`: a merchant's subscriptions, and one with its invoices. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import * as Settings from "../Settings.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

export class NoSuchSubscription extends Schema.TaggedError<NoSuchSubscription>()("NoSuchSubscription", {
  id: Schema.String
}) {
  override get message() {
    return `there is no subscription ${this.id}`
  }
}

const load = Effect.promise(() =>
  Promise.all([import("../../adapters/SubscriptionRepository.ts"), import("../http/SubscriptionJson.ts")])
)

const maxListed = 10_000

const list = Effect.fnUntraced(function* (limit: number, isJson: boolean) {
  const [{ SubscriptionRepository }, SubscriptionJson] = yield* load
  const merchant = yield* Settings.merchant
  const repository = yield* SubscriptionRepository
  const all = (yield* repository.list({ merchant, limit })).map(SubscriptionJson.fromView)
  const widths = [44, 10, 20, 16]
  yield* Operator.answer(isJson, { subscriptions: all }, () =>
    all.length === 0
      ? "no subscriptions"
      : [
          Operator.row(widths, ["id", "status", "customer", "plan", "paid until"]),
          ...all.map(({ customer, id, period, plan, status, trialEndsAt }) =>
            Operator.row(widths, [id, status, customer, plan.id, trialEndsAt ?? period?.end ?? ""])
          )
        ].join("\n")
  )
})

const show = Effect.fnUntraced(function* (id: SubscriptionId, isJson: boolean) {
  const [{ SubscriptionRepository }, SubscriptionJson] = yield* load
  const repository = yield* SubscriptionRepository
  const view = yield* repository.find(id)
  if (Option.isNone(view)) return yield* new NoSuchSubscription({ id })
  const { merchant } = view.value
  const invoices = yield* repository.invoices({ merchant, subscription: id, limit: maxListed })
  const shown = {
    ...SubscriptionJson.fromView(view.value),
    invoices: invoices.map(SubscriptionJson.fromInvoice)
  }
  yield* Operator.answer(isJson, shown, () => {
    const { customer, openInvoice, period, plan, status } = shown
    return [
      `${id}: ${status}, ${customer} on ${plan.name}, ${plan.amount} ${plan.currency} a period`,
      ...(period === undefined ? [] : [`paid for ${period.start} to ${period.end}`]),
      ...(openInvoice === undefined ? [] : [`open: ${openInvoice.due}, after ${openInvoice.attempts} tries`]),
      ...shown.invoices.map(({ at, due, number, total }) =>
        Operator.row([8, 24], [`no. ${number}`, at, `total ${total}, due ${due}`])
      )
    ].join("\n")
  })
})

const listCommand = Command.make(
  "list",
  {
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxListed }))),
      Flag.withDescription(`How many, from 1 to ${maxListed}; by id`),
      Flag.withDefault(100)
    ),
    json: Operator.json,
    settings: SettingFlags.of("subscriptions")
  },
  ({ json, limit, settings }) =>
    // `provide` again, for the merchant is read where the command runs.
    list(limit, json).pipe(SettingFlags.provide(settings), Operator.overStores(settings))
).pipe(
  Command.withDescription("List a merchant's subscriptions"),
  Command.withExamples([{ command: "florin subscriptions list", description: "Of the merchant of the settings" }])
)

const showCommand = Command.make(
  "show",
  {
    id: Argument.String("id").pipe(
      Argument.withSchema(SubscriptionId),
      Argument.withDescription("As `subscriptions list` prints it")
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show one subscription with its invoices"),
  Command.withExamples([{ command: "florin subscriptions show sub_01jd8m2r6v", description: "One" }])
)

export const command = Command.make("subscriptions").pipe(
  Command.withDescription("Subscriptions: list them, look at one with its invoices"),
  Command.withExamples([{ command: "florin subscriptions list", description: "Which there are" }]),
  Command.withSubcommands([listCommand, showCommand])
)
