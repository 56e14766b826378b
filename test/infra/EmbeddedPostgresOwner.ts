/**
 * A process of its own that keeps a server on the directory it is given.
 * Prints the server, or the error, as one line of JSON; ends when it is told to.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import * as EmbeddedPostgres from "../../src/infra/embedded/EmbeddedPostgres.ts"

const print = (value: unknown) => Effect.sync(() => process.stdout.write(`${JSON.stringify(value)}\n`))

EmbeddedPostgres.start({ dataDir: process.argv[2]! }).pipe(
  Effect.matchEffect({
    onFailure: ({ message }) => print({ message }),
    onSuccess: (server) => Effect.andThen(print(server), Effect.never)
  }),
  Effect.scoped,
  NodeRuntime.runMain
)
