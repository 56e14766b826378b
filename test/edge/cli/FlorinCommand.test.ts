/** `florin` as a process: how it ends, what it prints where, and how it shares a running service's database. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as SqlDatabase from "../../../src/infra/sql/SqlDatabase.ts"
import * as Scratch from "../../postgres/Scratch.ts"
import { eventually, kill, pay, spawnFlorin, start } from "../FlorinProcess.ts"

const dataDir = Effect.acquireRelease(
  Effect.sync(() => Scratch.makeDirectory()),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const florin = (words: ReadonlyArray<string>, settings: Record<string, string> = {}) =>
  Effect.scoped(Effect.flatMap(spawnFlorin(words, settings), ({ ended }) => Effect.promise(() => ended)))

const deleteViews = (url: string) =>
  Effect.flatMap(SqlClient, (sql) => sql`delete from florin.payments`).pipe(
    Effect.provide(SqlDatabase.layer({ url: Redacted.make(url), maxConnections: 1 }))
  )

/** Several processes, one after the other, on a machine that has others to do. */
const patience = 60_000

describe("florin's words", () => {
  it.live(
    "are said to be wrong in one line on standard error, with what was meant; it ends with 2",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* florin(["payments", "lst"]), {
          code: 2,
          stdout: "",
          stderr:
            'florin: Unknown subcommand "lst" for "florin payments"; did you mean list? (florin payments --help says more)\n'
        })
        const nothing = yield* florin([])
        assert.deepStrictEqual(
          [nothing.code, nothing.stderr],
          [2, "florin: name a command; florin --help lists them\n"]
        )
        assert.include(nothing.stdout, "SUBCOMMANDS")
      }),
    patience
  )

  it.live(
    "say in one line what could not be done, and it ends with 1",
    () =>
      Effect.gen(function* () {
        const directory = yield* dataDir
        const nowhere = join(directory, "nothing")
        assert.deepStrictEqual(yield* florin(["payments", "list", "--json"], { FLORIN_DATA_DIR: nowhere }), {
          code: 1,
          stdout: "",
          stderr: `florin: there is no database in ${nowhere}; florin serve makes one\n`
        })
        assert.isFalse(existsSync(nowhere))
        const refused = yield* florin(["verify", "--database-url", "postgres://florin:hunter2@127.0.0.1:1/florin"])
        assert.deepStrictEqual(refused, {
          code: 1,
          stdout: "",
          stderr: "florin: the database cannot be used: connect ECONNREFUSED 127.0.0.1:1\n"
        })
      }),
    patience
  )

  it.live(
    "print help and completions on standard output, and it ends with 0",
    () =>
      Effect.gen(function* () {
        const help = yield* florin(["verify", "--help"])
        assert.deepStrictEqual([help.code, help.stderr], [0, ""])
        assert.match(help.stdout, /\nEXAMPLES\n/)
        const script = yield* florin(["--completions", "bash"])
        assert.deepStrictEqual([script.code, script.stderr], [0, ""])
        assert.match(script.stdout, /complete .*florin/)
      }),
    patience
  )
})

describe("a command beside a service", () => {
  it.live(
    "uses the service's database server and leaves it running; alone it starts one and stops it",
    () =>
      Effect.gen(function* () {
        const settings = { FLORIN_DATA_DIR: yield* dataDir }
        const pidFile = join(settings.FLORIN_DATA_DIR, "cluster", "postmaster.pid")
        const postmaster = () => readFileSync(pidFile, "utf8").split("\n")[0]
        const service = yield* start("serve", settings)
        const { body } = yield* pay(() => service, "before", "tok_visa")
        const server = postmaster()

        const listed = yield* florin(["payments", "list", "--json"], settings)
        assert.deepStrictEqual([listed.code, listed.stderr], [0, ""])
        assert.strictEqual((JSON.parse(listed.stdout) as { payments: [{ id: string }] }).payments[0].id, body.id)
        const verified = yield* florin(["verify", "--json"], settings)
        assert.strictEqual(verified.code, 0)
        assert.deepInclude(JSON.parse(verified.stdout), { payments: 1, operations: 2, differences: 0 })
        assert.strictEqual((yield* florin(["rebuild"], settings)).stdout, "rebuilt 1 payments from 5 events\n")
        assert.strictEqual(postmaster(), server)
        assert.deepInclude((yield* pay(() => service, "after", "tok_visa")).body, { status: "succeeded" })

        yield* kill(service, "SIGTERM")
        assert.isFalse(existsSync(pidFile))
        const alone = yield* florin(["verify", "--json"], settings)
        assert.strictEqual(alone.code, 0)
        assert.deepInclude(JSON.parse(alone.stdout), { payments: 2, operations: 4, differences: 0 })
        assert.isFalse(existsSync(pidFile))
      }),
    patience
  )

  it.live(
    "ends its list where nobody reads on, without a word",
    () =>
      Effect.gen(function* () {
        const settings = { FLORIN_DATA_DIR: yield* dataDir }
        const service = yield* start("serve", settings)
        for (const key of ["k1", "k2", "k3", "k4"]) yield* pay(() => service, key, "tok_visa")
        const list = yield* spawnFlorin(["payments", "list", "--all", "--limit", "1"], settings)
        list.child.stdout!.once("data", () => list.child.stdout!.destroy())
        const { code, stderr } = yield* Effect.promise(() => list.ended)
        assert.deepStrictEqual([code, stderr], [0, ""])
        // The service does not end with who read its first lines, either.
        service.child.stdout!.destroy()
        assert.deepInclude((yield* pay(() => service, "k5", "tok_visa")).body, { status: "succeeded" })
      }),
    patience
  )

  it.live(
    "goes on when the service that owned the server is killed",
    () =>
      Effect.gen(function* () {
        const settings = { FLORIN_DATA_DIR: yield* dataDir }
        const owner = yield* start("serve", settings)
        yield* pay(() => owner, "before", "tok_visa")
        // A second one shares the server, as every command does, and lives long enough to be watched.
        const sharer = yield* start("serve", settings)
        yield* kill(owner, "SIGKILL")
        const after = yield* pay(() => sharer, "after", "tok_visa")
        assert.deepInclude(after.body, { status: "succeeded" })
        yield* eventually("word of it", () =>
          /the database server has ended/.test(sharer.stderr()) ? true : undefined
        )
        const verified = yield* florin(["verify", "--json"], settings)
        assert.deepInclude(JSON.parse(verified.stdout), { payments: 2, differences: 0 })
      }),
    patience
  )

  it.live(
    "ends with 1 and one line when it finds a difference, the report on standard output",
    () =>
      Effect.gen(function* () {
        const settings = { FLORIN_DATA_DIR: yield* dataDir }
        const service = yield* start("serve", settings)
        const { body } = yield* pay(() => service, "k1", "tok_visa")
        const cluster = join(settings.FLORIN_DATA_DIR, "cluster")
        const [, , , , socketDir] = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")
        const url = `postgres:///postgres?host=${encodeURIComponent(socketDir!)}&user=postgres`
        yield* deleteViews(url)
        const { code, stderr, stdout } = yield* florin(["verify"], settings)
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout.split("\n")[0], `${String(body.id)}: has events and no view`)
        assert.match(stderr, /\nflorin: differences found: 1\n$/)
        assert.notMatch(stderr, / at .*\.ts/)
      }),
    patience
  )
})
