/**
 * From starting the process to its first answer: `florin serve` on a database
 * that is there already, its server included, until `GET /readyz` is answered.
 * The peer is Node with an HTTP server that says "ok" to everything.
 */
import { Effect, Schema } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Pace, Subject } from "./Contest.ts"

const main = fileURLToPath(new URL("../src/edge/cli/main.js", import.meta.url))

const bare = `
  const server = require("node:http").createServer((request, response) => response.end("ok"))
  server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port))`

/** It ended before it said where it listens, or does not answer there. */
export class DidNotAnswer extends Schema.TaggedError<DidNotAnswer>()("DidNotAnswer", {
  process: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.process} did not answer: ${this.detail}`
  }
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  readonly address: Promise<string>
}

/** Whoever has a server for other work is measured with the embedded one too. */
const { DATABASE_URL: _, ...withoutDatabase } = process.env

const start = (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>>): Started => {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...withoutDatabase, ...environment }
  })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const address = new Promise<string>((resolve, reject) => {
    let written = ""
    child.stdout.on("data", (chunk) => {
      written += chunk
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(written)
      if (found !== null) resolve(found[0])
    })
    child.once("error", reject)
    child.once("close", (exitCode) => reject(new Error(`ended with ${exitCode ?? "a signal"}`)))
  })
  return { child, ended, address }
}

/** Milliseconds until it answers; then it is told to end, and has ended. */
const untilAnswer = (name: string, args: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const started = performance.now()
      const { address } = yield* Effect.acquireRelease(
        Effect.sync(() => start(args, environment)),
        ({ child, ended }) => {
          child.kill("SIGTERM")
          return Effect.promise(() => ended)
        }
      )
      const { ok } = yield* Effect.tryPromise({
        try: async () => fetch(`${await address}/readyz`),
        catch: (cause) => new DidNotAnswer({ process: name, detail: String(cause) })
      })
      if (!ok) return yield* new DidNotAnswer({ process: name, detail: "it is not ready" })
      return performance.now() - started
    })
  )

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-start-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
)

export const subject = Effect.fnUntraced(function* ({ coldStart: { rounds } }: Pace) {
  const dataDir = yield* directory
  const florin = untilAnswer("florin serve", [main, "serve"], { PORT: "0", FLORIN_DATA_DIR: dataDir })
  return {
    contests: [
      {
        name: "cold start",
        unit: "millis",
        rounds,
        // The first start makes the database.
        warmUp: true,
        florin,
        peer: untilAnswer("node", ["-e", bare])
      }
    ],
    notes: [
      "cold start: `florin serve` on a database that exists, to its first answer; peer is Node with a bare HTTP server"
    ]
  } satisfies Subject<never>
})
