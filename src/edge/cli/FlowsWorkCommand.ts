/**
 * `florin flows work`: a worker of florin's own flows at Stripe, until it is told to end.
 *
 * Its handlers are florin's: they set the context, and dispatch nothing. A
 * program with handlers of its own works under names of its own, with `FlowCore`.
 */
import { Console, Effect, Layer, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { WorkerName } from "../../domain/flow/FlowName.ts"
import * as GatewaySettings from "../GatewaySettings.ts"
import * as Settings from "../Settings.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** Nobody would perform them. */
export class StripeNotConfigured extends Schema.TaggedError<StripeNotConfigured>()("StripeNotConfigured", {}) {
  override get message() {
    const { flag, variable } = Settings.table.stripeSecretKey
    return `flows are performed by Stripe, and there is no key of it: set ${variable} or --${flag}`
  }
}

const load = Effect.promise(() =>
  Promise.all([
    import("../../infra/sql/SqlMigrations.ts"),
    import("../../infra/telemetry/RedactingLogger.ts"),
    import("../Database.ts"),
    import("../flows/FlowCore.ts"),
    import("../flows/StripeFlows.ts")
  ])
)

const work = Effect.fnUntraced(function* (workers: ReadonlyArray<WorkerName>) {
  const stripe = yield* GatewaySettings.stripe
  if (Option.isNone(stripe)) return yield* new StripeNotConfigured()
  const database = yield* Settings.database
  const [SqlMigrations, RedactingLogger, Database, FlowCore, StripeFlows] = yield* load
  const welcome = Console.log(`florin works on flows as ${workers.join(", ")}`)
  return yield* Layer.effectDiscard(welcome).pipe(
    Layer.provide(FlowCore.layer(StripeFlows.all, { workers })),
    Layer.provide(StripeFlows.gateway(GatewaySettings.sdkOf(stripe.value))),
    Layer.provide(FlowCore.sql()),
    Layer.provide(Database.layer(database, SqlMigrations.migrate)),
    Layer.provide(RedactingLogger.layer),
    Layer.launch
  )
})

export const command = Command.make(
  "work",
  {
    worker: Flag.String("worker").pipe(
      Flag.withSchema(WorkerName),
      Flag.withMetavar("<name>"),
      Flag.withDescription("The name to work under; it may be given several times"),
      Flag.atLeast(1)
    ),
    settings: SettingFlags.of("flows")
  },
  ({ settings, worker }) => work(worker).pipe(SettingFlags.provide(settings))
).pipe(
  Command.withDescription("Perform flows at Stripe under a name, with florin's own handlers, until told to end"),
  Command.withExamples([
    { command: "florin flows work --worker billing", description: "Flows that were dispatched to billing" },
    {
      command: "florin flows work --worker billing --stripe-url http://127.0.0.1:12111",
      description: "Against a simulator"
    }
  ])
)
