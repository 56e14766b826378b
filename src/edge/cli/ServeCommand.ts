/** `florin serve`: the payment service, until it is told to end. */
import { Console, Effect, Layer, Option } from "effect"
import { Command } from "effect/cli"
import * as Settings from "../Settings.ts"
import * as SettingFlags from "./SettingFlags.ts"

const load = Effect.promise(() =>
  Promise.all([
    import("effect/http/HttpServer"),
    import("../../infra/telemetry/RedactingLogger.ts"),
    import("../Database.ts"),
    import("../Gateways.ts"),
    import("../Service.ts")
  ])
)

export const command = Command.make("serve", { settings: SettingFlags.of("service") }, ({ settings }) =>
  Effect.gen(function* () {
    const service = yield* Settings.service
    const database = yield* Settings.database
    const [HttpServer, RedactingLogger, Database, Gateways, Service] = yield* load
    /**
     * Where it is; and over the sandbox three things to try: a payment, one whose
     * answer is lost on the way, the gateway's own books.
     */
    const welcome = Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const url = HttpServer.formatAddress(address)
      const pages = yield* Gateways.SandboxPages
      const pay = (key: string, token: string) => {
        const body = JSON.stringify({ amount: 1099, currency: "EUR", paymentMethods: [token] })
        return `curl -s ${url}/v1/payments -H 'Idempotency-Key: ${key}' -H 'Content-Type: application/json' -d '${body}'`
      }
      const toTry = Option.match(pages, {
        onNone: () => [],
        onSome: (sandbox) => [
          "",
          pay("order-1", "tok_visa"),
          pay("order-2", "tok_lost_answer"),
          `curl -s ${sandbox}/v1/charges`
        ]
      })
      yield* Console.log([`florin is listening on ${url}`, ...toTry].join("\n"))
    })
    return yield* Layer.effectDiscard(welcome).pipe(
      Layer.provide(Service.layer(service)),
      Layer.provide(Database.layer(database, Service.migrate)),
      Layer.provide(RedactingLogger.layer),
      Layer.launch
    )
  }).pipe(SettingFlags.provide(settings))
).pipe(
  Command.withDescription("Run the payment service, on the embedded database or on a PostgreSQL server"),
  Command.withExamples([
    { command: "florin serve", description: "On port 8080, with its database in .florin/" },
    { command: "florin serve --port 9000 --data-dir /var/lib/florin", description: "Elsewhere" },
    { command: "DATABASE_URL=postgres://florin@db/florin florin serve", description: "On a PostgreSQL server" }
  ])
)
