/** `florin sandbox`: the sandbox gateway as a process of its own, with books of its own. */
import { Console, Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { HttpServer } from "effect/http"
import { join } from "node:path"
import * as SandboxServer from "../../infra/simulated/SandboxServer.ts"
import * as SqlSandboxBooks from "../../infra/simulated/SqlSandboxBooks.ts"
import * as RedactingLogger from "../../infra/telemetry/RedactingLogger.ts"
import * as Database from "../Database.ts"
import * as Settings from "../Settings.ts"

const welcome = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const url = HttpServer.formatAddress(address)
  yield* Console.log(
    [`the sandbox is listening on ${url}`, "", `FLORIN_SANDBOX_URL=${url} npm start`, `curl -s ${url}/v1/charges`].join(
      "\n"
    )
  )
})

export const command = Command.make("sandbox", {}, () =>
  Effect.gen(function* () {
    const { port } = yield* Settings.sandbox
    const database = yield* Settings.database
    // Beside florin's own database, not in it: a gateway's books are its own.
    const own = { ...database, dataDir: join(database.dataDir, "sandbox") }
    return yield* Layer.effectDiscard(welcome).pipe(
      Layer.provide(SandboxServer.layer({ port })),
      Layer.provide(SqlSandboxBooks.layer),
      Layer.provide(Database.layer(own, SqlSandboxBooks.migrate)),
      Layer.provide(RedactingLogger.layer),
      Layer.launch
    )
  })
).pipe(
  Command.withDescription("Run the sandbox gateway as a process of its own"),
  Command.withExamples([
    { command: "florin sandbox", description: "On port 8090, with its books in .florin/sandbox/" },
    { command: "FLORIN_SANDBOX_URL=http://127.0.0.1:8090 florin serve", description: "A service that pays through it" }
  ])
)
