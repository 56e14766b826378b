/**
 * vitest's global setup: one PostgreSQL for all test files, from before the
 * first to after the last. `TestDatabase` hands out databases on it.
 *
 * It does not wait for the disk, and what it held is gone afterwards. A test
 * run that is killed takes the server with it and leaves its files to a later
 * run.
 */
import { Effect, Exit, Scope } from "effect"
import { rm } from "node:fs/promises"
import type { TestProject } from "vitest/node"
import * as EmbeddedPostgres from "../../src/infra/embedded/EmbeddedPostgres.ts"
import * as Scratch from "./Scratch.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The server that all test files share. */
    readonly postgres: { readonly socketDir: string; readonly username: string; readonly database: string }
  }
}

export const setup = async ({ provide }: TestProject) => {
  Scratch.sweep()
  const dataDir = Scratch.makeDirectory()
  const scope = Scope.makeUnsafe()
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const server = EmbeddedPostgres.start({ dataDir, durable: false }).pipe(Scope.provide(scope))
    const { database, socketDir, username } = await Effect.runPromise(server)
    provide("postgres", { socketDir, username, database })
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}
