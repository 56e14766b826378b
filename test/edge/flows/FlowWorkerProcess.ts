/**
 * A worker of `billing` in a process of its own, for a test that kills it. Its
 * handler says that it runs, and then waits for ever.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Redacted } from "effect"
import * as FlowCore from "../../../src/edge/flows/FlowCore.ts"
import * as StripeFlows from "../../../src/edge/flows/StripeFlows.ts"
import { policy, worker } from "./FlowTimes.ts"

const { DATABASE = "", SOCKET_DIR = "", STRIPE_PORT = "", USERNAME = "" } = process.env

const product = StripeFlows.createProduct({
  onResponse: () =>
    Effect.andThen(
      Effect.sync(() => process.stdout.write("handling\n")),
      Effect.never
    )
})

const layer = FlowCore.layer([product], {
  workers: ["billing"],
  policy,
  worker
}).pipe(
  Layer.provide(
    StripeFlows.gateway({
      secretKey: Redacted.make("sk_test_x"),
      host: "127.0.0.1",
      port: Number(STRIPE_PORT),
      protocol: "http"
    })
  ),
  Layer.provide(FlowCore.sql({ pollMillis: 50, lockMillis: 1000 })),
  Layer.provide(PgClient.layer({ host: SOCKET_DIR, username: USERNAME, database: DATABASE, maxConnections: 4 }))
)

await Effect.runPromise(
  Effect.andThen(
    Effect.sync(() => process.stdout.write("ready\n")),
    Layer.launch(layer)
  )
)
