/**
 * The database server of both services: the embedded PostgreSQL with fsync, but
 * started and killed by hand.
 *
 * `kill -9` of the postmaster leaves its lock, its socket and its unfinished
 * transactions behind; the next start recovers from the log.
 */
import { Effect, Exit, Ref, Scope } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as EmbeddedPostgres from "../../src/infra/embedded/EmbeddedPostgres.ts"

export interface Postgres {
  readonly server: EmbeddedPostgres.Server
  /** As `DATABASE_URL`. */
  readonly url: string
  /** Kills it, waits, and starts it again; done when it is ready. */
  readonly crash: (downMillis: number) => Effect.Effect<void>
  /** Until when it was last away, in milliseconds: for ever while it is, 0 before the first time. */
  readonly awayUntil: () => number
}

/** Ends with the scope, and not before: nobody else starts it again. */
export const start = Effect.fnUntraced(function* (dataDir: string) {
  const outer = yield* Effect.scope
  const begin = Effect.gen(function* () {
    const life = yield* Scope.fork(outer)
    const server = yield* Scope.provide(EmbeddedPostgres.start({ dataDir }), life)
    return { life, server }
  })
  const running = yield* Ref.make(yield* begin)
  const { server } = yield* Ref.get(running)
  let awayUntil = 0
  const crash = (downMillis: number) =>
    Effect.gen(function* () {
      const { life } = yield* Ref.get(running)
      const postmaster = yield* Effect.promise(() => postmasterOf(dataDir))
      awayUntil = Number.POSITIVE_INFINITY
      process.kill(postmaster, "SIGKILL")
      // Its keeper ends with it, or would start it again at once.
      yield* Scope.close(life, Exit.void)
      yield* Effect.sleep(downMillis)
      yield* Ref.set(running, yield* Effect.orDie(begin))
      awayUntil = Date.now()
    })
  const { database, socketDir, username } = server
  const url = `postgres:///${database}?host=${encodeURIComponent(socketDir)}&user=${username}`
  return { server, url, crash, awayUntil: () => awayUntil } satisfies Postgres
})

const postmasterOf = async (dataDir: string): Promise<number> =>
  Number((await readFile(join(dataDir, "cluster", "postmaster.pid"), "utf8")).split("\n")[0])
