/**
 * PostgreSQL's own load generator, a C program, as the peer: what the same
 * server does with the same payments when nothing stands in front of it.
 *
 * The embedded binaries bring none; Debian has it in its package `postgresql`.
 */
import { PgClient } from "@effect/sql-pg/PgClient"
import { Effect, Option, Schema } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PgbenchScript from "./PgbenchScript.ts"

export class PgbenchFailed extends Schema.TaggedError<PgbenchFailed>()("PgbenchFailed", { detail: Schema.String }) {
  override get message() {
    return `pgbench failed: ${this.detail}`
  }
}

export interface Pgbench {
  /** As it says itself. */
  readonly version: string
  /** Lifecycles a second, with so many clients, each on a connection of its own. */
  readonly turn: (clients: number, seconds: number) => Effect.Effect<number, PgbenchFailed>
}

const versionOf = (program: string) => {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
  return status === 0 ? [{ program, version: stdout.trim() }] : []
}

/** On the PATH, or where Debian keeps it; the newest first. */
const find = Effect.sync(() =>
  Option.fromUndefinedOr(
    ["pgbench", ...globSync("/usr/lib/postgresql/*/bin/pgbench").toSorted().toReversed()].flatMap(versionOf).at(0)
  )
)

/** On the server and the database of the client; nothing, where there is no pgbench. */
export const make = Effect.gen(function* () {
  const { config } = yield* PgClient
  const found = yield* find
  if (Option.isNone(found)) return Option.none<Pgbench>()
  const { program, version } = found.value
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-pgbench-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const script = join(directory, "lifecycle.sql")
  writeFileSync(script, PgbenchScript.text())
  let runs = 0

  const turn = Effect.fnUntraced(function* (clients: number, seconds: number) {
    const variables = { ...PgbenchScript.variables(), run: `b${process.pid}r${runs++}x` }
    const stdout = yield* run(program, [
      "--no-vacuum",
      "--protocol=prepared",
      `--file=${script}`,
      `--client=${clients}`,
      `--jobs=${Math.min(clients, 2)}`,
      `--time=${seconds}`,
      `--host=${config.host}`,
      `--username=${config.username}`,
      ...Object.entries(variables).map(([name, value]) => `--define=${name}=${value}`),
      config.database ?? "postgres"
    ])
    const rate = /tps = ([\d.]+)/.exec(stdout)?.[1]
    return rate === undefined ? yield* new PgbenchFailed({ detail: stdout }) : Number(rate)
  })
  return Option.some<Pgbench>({ version, turn })
})

const run = (program: string, args: ReadonlyArray<string>): Effect.Effect<string, PgbenchFailed> =>
  Effect.callback((resume) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
    const written = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk) => (written.stdout += chunk))
    child.stderr.on("data", (chunk) => (written.stderr += chunk))
    child.once("error", ({ message }) => resume(new PgbenchFailed({ detail: message })))
    child.once("close", (exitCode) =>
      resume(
        exitCode === 0 ? Effect.succeed(written.stdout) : new PgbenchFailed({ detail: written.stderr.slice(-400) })
      )
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })
