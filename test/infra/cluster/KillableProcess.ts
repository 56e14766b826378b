/** A process on the test's own database, which can be killed at any moment, and is dead when the scope is closed. */
import { Effect, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"

/** `program` stands in this folder; it is told where the database is, and then these words. */
export const start = (program: string, ...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [found] = yield* sql<{ readonly database: string }>`select current_database() as database`
    const { socketDir, username } = inject("postgres")
    const file = fileURLToPath(new URL(program, import.meta.url))
    const args = [file, socketDir, username, found!.database, ...words]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const ended = new Promise((resolve) => child.once("close", resolve))
    const kill = Effect.promise(() => {
      child.kill("SIGKILL")
      return ended
    })
    return { kill }
  })

/** Longer than a start on a machine that is busy; a crash is taken over in two seconds. */
const patience = "40 seconds"

export const until = <R>(isSo: Effect.Effect<boolean, unknown, R>) =>
  Effect.repeat(isSo, { schedule: Schedule.spaced("50 millis"), until: (is) => is }).pipe(Effect.timeout(patience))
