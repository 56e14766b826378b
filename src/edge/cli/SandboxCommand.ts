/** `florin sandbox`: the sandbox gateway as a process of its own, with books of its own. */
import { Console, Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { join } from "node:path"
import * as Settings from "../Settings.ts"
import * as SettingFlags from "./SettingFlags.ts"

const load = Effect.promise(() =>
  Promise.all([
    import("effect/http/HttpServer"),
    import("../../infra/simulated/SandboxServer.ts"),
    import("../../infra/simulated/SqlSandboxBooks.ts"),
    import("../../infra/telemetry/RedactingLogger.ts"),
    import("../Database.ts")
  ])
)

export const command = Command.make("sandbox", { settings: SettingFlags.of("sandbox") }, ({ settings }) =>
  Effect.gen(function* () {
    const { port } = yield* Settings.sandbox
    const database = yield* Settings.database
    const [HttpServer, SandboxServer, SqlSandboxBooks, RedactingLogger, Database] = yield* load
    const welcome = Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const url = HttpServer.formatAddress(address)
      yield* Console.log(
        [
          `the sandbox is listening on ${url}`,
          "",
          `FLORIN_SANDBOX_URL=${url} npm start`,
          `curl -s ${url}/v1/charges`
        ].join("\n")
      )
    })
    // Beside florin's own database, not in it: a gateway's books are its own.
    const own = { ...database, dataDir: join(database.dataDir, "sandbox") }
    return yield* Layer.effectDiscard(welcome).pipe(
      Layer.provide(SandboxServer.layer({ port })),
      Layer.provide(SqlSandboxBooks.layer),
      Layer.provide(Database.layer(own, SqlSandboxBooks.migrate)),
      Layer.provide(RedactingLogger.layer),
      Layer.launch
    )
  }).pipe(SettingFlags.provide(settings))
).pipe(
  Command.withDescription("Run the sandbox gateway as a process of its own"),
  Command.withExamples([
    { command: "florin sandbox", description: "On port 8090, with its books in .florin/sandbox/" },
    { command: "florin serve --sandbox-url http://127.0.0.1:8090", description: "A service that pays through it" }
  ])
)
