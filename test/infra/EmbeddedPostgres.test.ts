/** Real servers, real processes, real time; nothing sleeps for a fixed time, everything waited for has a bound. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Schedule, Scope } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { ChildProcess } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { rmSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as EmbeddedPostgres from "../../src/infra/embedded/EmbeddedPostgres.ts"
import * as PostgresBinaries from "../../src/infra/embedded/PostgresBinaries.ts"
import * as PostgresProcess from "../../src/infra/embedded/PostgresProcess.ts"
import * as Scratch from "../postgres/Scratch.ts"
import {
  isRoot,
  nobody,
  one,
  packageWith,
  refusal,
  sayingVersion,
  scratch,
  serverUser,
  withServer
} from "./EmbeddedPostgresFixture.ts"

const until = <A>(what: string, probe: () => A | undefined | false) =>
  Effect.sync(probe).pipe(
    Effect.repeat({ until: (found) => found !== undefined && found !== false, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOrElse({ duration: "8 seconds", orElse: () => Effect.die(new Error(`waited in vain: ${what}`)) }),
    Effect.map((found) => found as A)
  )

/** A database that was made before the tests, because making one takes longer than all the rest. */
const seed = join(Scratch.makeDirectory(), "seed")
beforeAll(() => Effect.runPromise(Effect.scoped(EmbeddedPostgres.start({ dataDir: seed, durable: false }))))
afterAll(() => rmSync(dirname(seed), { recursive: true }))

const copy = (from: string, to: string) => assert.strictEqual(spawnSync("cp", ["-a", from, to]).status, 0)

const existing = Effect.map(scratch, (root) => {
  const dataDir = join(root, "data")
  copy(seed, dataDir)
  return dataDir
})

const connectedTo = <A, E>(
  { database, socketDir, username }: EmbeddedPostgres.Server,
  use: Effect.Effect<A, E, SqlClient>
) => Effect.provide(use, Layer.fresh(PgClient.layer({ host: socketDir, username, database, maxConnections: 1 })))

const write = Effect.flatMap(SqlClient, (sql) => sql`create table kept as select 42 as n`)
const read = Effect.flatMap(SqlClient, (sql) => sql<{ n: number }>`select n from kept`)
const postmasterOf = (dataDir: string) => {
  const file = join(dataDir, "cluster", "postmaster.pid")
  return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) || undefined : undefined
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const ownerScript = fileURLToPath(new URL("EmbeddedPostgresOwner.ts", import.meta.url))

interface Owner {
  readonly child: ChildProcess
  readonly printed: () => string
  readonly exited: () => boolean
}

/** Another Node process with a server on the directory; killed at the end if it still lives. */
const startOwner = (dataDir: string, user?: PostgresProcess.User) =>
  Effect.acquireRelease(
    Effect.sync((): Owner => {
      const child = spawn(process.execPath, [ownerScript, dataDir], { stdio: ["ignore", "pipe", "inherit"], ...user })
      let printed = ""
      let exited = false
      child.stdout.on("data", (chunk) => (printed += chunk))
      child.once("exit", () => (exited = true))
      return { child, printed: () => printed, exited: () => exited }
    }),
    (owner) => kill(owner)
  )

const kill = ({ child, exited }: Owner) =>
  Effect.andThen(
    Effect.sync(() => child.kill("SIGKILL")),
    until("the owner's end", exited)
  )

const serverOf = ({ printed }: Owner) =>
  Effect.map(
    until("the owner's line", () => printed().includes("\n") && printed()),
    (line) => JSON.parse(line) as EmbeddedPostgres.Server & { readonly message?: string }
  )

// --- The tests --------------------------------------------------------------

describe("EmbeddedPostgres", () => {
  it.live("makes a database on the first start, and goes on with it on the next", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* scratch, "below", "data")
      const settings = Effect.flatMap(
        SqlClient,
        (sql) => sql<{ name: string; setting: string }>`select name, setting from pg_settings
          where name in ('data_checksums', 'fsync', 'listen_addresses', 'server_encoding', 'TimeZone') order by name`
      )
      const first = yield* withServer(dataDir, Effect.andThen(write, settings))
      assert.deepStrictEqual(Object.fromEntries(first.map(({ name, setting }) => [name, setting])), {
        TimeZone: "UTC",
        data_checksums: "on",
        fsync: "on",
        listen_addresses: "",
        server_encoding: "UTF8"
      })
      assert.isUndefined(postmasterOf(dataDir))
      assert.deepStrictEqual(yield* withServer(dataDir, read), [{ n: 42 }])
    })
  )

  it.live("ends the server when its owner is killed, and the next start has the data", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      const owner = yield* startOwner(dataDir)
      yield* connectedTo(yield* serverOf(owner), write)
      const pid = postmasterOf(dataDir)!
      assert.isTrue(isAlive(pid))
      yield* kill(owner)
      // At once, without waiting for the old server to end.
      assert.deepStrictEqual(yield* withServer(dataDir, read), [{ n: 42 }])
      assert.isFalse(isAlive(pid))
    })
  )

  it.live("leaves no server behind when its owner is killed while it starts", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      const owner = yield* startOwner(dataDir)
      const pid = yield* until("the lock file", () => postmasterOf(dataDir))
      yield* kill(owner)
      yield* until("the server's end", () => !isAlive(pid))
      assert.deepStrictEqual(yield* withServer(dataDir, one), [{ n: 1 }])
    })
  )

  it.live("leaves nothing half made when it is killed during the first start", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const owner = yield* startOwner(dataDir)
      const unfinished = () => readdirSync(dataDir).filter((entry) => entry.startsWith("initdb-"))
      yield* until("initdb", () => unfinished().length > 0)
      yield* kill(owner)
      assert.isFalse(existsSync(join(dataDir, "cluster")))
      const interrupted = yield* Effect.forkChild(withServer(dataDir, one))
      yield* until("another initdb", () => unfinished().length > 1)
      yield* Fiber.interrupt(interrupted)
      assert.isFalse(existsSync(join(dataDir, "cluster")))
      // What the killed one left stays for some minutes, because it could belong to one that still runs.
      const [left] = unfinished()
      assert.deepStrictEqual(yield* withServer(dataDir, one), [{ n: 1 }])
      assert.deepStrictEqual(unfinished(), [left])
      // The killed initdb's own children write to their end, and leave shared memory behind if they lose their files.
      yield* until("their end", () => spawnSync("pgrep", ["-f", dataDir]).status !== 0)
      utimesSync(join(dataDir, left!), 1, 1)
      assert.deepStrictEqual(yield* withServer(dataDir, one), [{ n: 1 }])
      assert.deepStrictEqual(unfinished(), [])
    })
  )

  it.live("shares the server of another process, and leaves it running", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      const owner = yield* startOwner(dataDir)
      const theirs = yield* serverOf(owner)
      assert.isTrue(theirs.owned)
      yield* connectedTo(theirs, write)
      const ours = yield* Effect.scoped(
        Effect.tap(EmbeddedPostgres.start({ dataDir }), (server) =>
          Effect.map(connectedTo(server, read), (rows) => assert.deepStrictEqual(rows, [{ n: 42 }]))
        )
      )
      assert.deepStrictEqual(ours, { ...theirs, owned: false })
      assert.deepStrictEqual(yield* connectedTo(theirs, read), [{ n: 42 }])
      // Told to end, the owner stops its server before it goes.
      const pid = postmasterOf(dataDir)!
      owner.child.kill("SIGTERM")
      yield* until("the owner's end", owner.exited)
      assert.isFalse(isAlive(pid))
    })
  )

  it.live("starts a server again that was killed while it is needed, its own or another's", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      const answers = (server: EmbeddedPostgres.Server) =>
        connectedTo(server, read).pipe(
          Effect.retry(Schedule.spaced("20 millis")),
          Effect.timeoutOrElse({ duration: "8 seconds", orElse: () => Effect.die(new Error("it did not come back")) })
        )
      const owner = yield* EmbeddedPostgres.start({ dataDir })
      const sharer = yield* EmbeddedPostgres.start({ dataDir })
      assert.deepStrictEqual([owner.owned, sharer.owned], [true, false])
      yield* connectedTo(owner, write)
      const first = yield* until("a postmaster", () => postmasterOf(dataDir))
      process.kill(first, "SIGKILL")
      yield* until("another postmaster", () => {
        const next = postmasterOf(dataDir)
        return next !== undefined && next !== first && next
      })
      assert.deepStrictEqual(yield* answers(owner), [{ n: 42 }])
      assert.deepStrictEqual(yield* answers(sharer), [{ n: 42 }])
    })
  )

  it.live("takes over when the process that shared its server ends", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      const scope = yield* Scope.make()
      yield* Scope.provide(EmbeddedPostgres.start({ dataDir, durable: false }), scope)
      const sharer = yield* EmbeddedPostgres.start({ dataDir, durable: false })
      assert.isFalse(sharer.owned)
      yield* Scope.close(scope, Exit.void)
      const came = yield* connectedTo(sharer, one).pipe(
        Effect.retry(Schedule.spaced("20 millis")),
        Effect.timeoutOption("8 seconds")
      )
      assert.deepStrictEqual(Option.getOrUndefined(came), [{ n: 1 }])
    })
  )

  it.live("of starts at the same moment, one owns the server and all use it", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* scratch, "new")
      const servers = yield* Effect.scoped(
        Effect.gen(function* () {
          const start = EmbeddedPostgres.start({ dataDir, durable: false })
          const servers = yield* Effect.all([start, start, start], { concurrency: "unbounded" })
          yield* Effect.forEach(servers, (server) => connectedTo(server, one))
          return servers
        })
      )
      assert.strictEqual(servers.filter(({ owned }) => owned).length, 1)
      assert.isUndefined(postmasterOf(dataDir))
      assert.deepStrictEqual(readdirSync(dataDir).toSorted(), ["cluster", "server.log", "socket"])
    })
  )

  it.live("refuses to share a server that does not wait for the disk", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      yield* EmbeddedPostgres.start({ dataDir, durable: false })
      const durable = yield* refusal(EmbeddedPostgres.start({ dataDir, patience: "100 millis" }))
      assert.strictEqual(durable.tag, "DataDirectoryInUse")
      assert.match(durable.message, /does not wait for the disk/)
    })
  )

  it.live("does not take the server of the original for that of a copied directory", () =>
    Effect.gen(function* () {
      const root = yield* scratch
      const original = join(root, "original")
      copy(seed, original)
      yield* EmbeddedPostgres.start({ dataDir: original, durable: false })
      copy(original, join(root, "copy"))
      const start = EmbeddedPostgres.start({ dataDir: join(root, "copy"), durable: false, patience: "100 millis" })
      const { tag } = yield* refusal(start)
      assert.strictEqual(tag, "DataDirectoryInUse")
    })
  )

  it.live("takes a path of any length and with any characters", () =>
    Effect.gen(function* () {
      const root = yield* scratch
      const dataDir = join(root, "a, b", 'c"d', "é".repeat(40))
      mkdirSync(dirname(dataDir), { recursive: true })
      copy(seed, dataDir)
      const started = Effect.flatMap(EmbeddedPostgres.start({ dataDir, durable: false }), (server) =>
        Effect.as(connectedTo(server, one), server)
      )
      const { socketDir } = yield* Effect.scoped(started)
      assert.isAtMost(Buffer.byteLength(socketDir), 89)
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(socketDir, { recursive: true })))
      const short = join(root, "a, b", 'e"f')
      copy(seed, short)
      assert.deepStrictEqual(yield* withServer(short, one, { durable: false }), [{ n: 1 }])
    })
  )

  it.live("waits for a lock that another process still holds, within bounds", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      yield* withServer(dataDir, write, { durable: false })
      const holder = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("sleep", ["60"], { stdio: "ignore", ...serverUser })),
        (child) => Effect.sync(() => child.kill())
      )
      const lock = join(dataDir, "cluster", "postmaster.pid")
      writeFileSync(lock, `${holder.pid}\n${dataDir}/cluster\n1\n5432\n${dataDir}/socket\n\n1 1\nstopping\n`)
      if (isRoot) chownSync(lock, nobody.uid, nobody.gid)

      const impatient = yield* refusal(EmbeddedPostgres.start({ dataDir, patience: "100 millis" }))
      assert.strictEqual(impatient.tag, "DataDirectoryInUse")
      assert.include(impatient.message, `process ${holder.pid} `)

      const attempts = () =>
        readFileSync(join(dataDir, "server.log"), "utf8").split('lock file "postmaster.pid"').length
      const before = attempts()
      const waiting = yield* Effect.forkChild(withServer(dataDir, read))
      yield* until("an attempt", () => attempts() > before)
      holder.kill()
      assert.deepStrictEqual(yield* Fiber.join(waiting), [{ n: 42 }])
    })
  )

  it.live("makes nothing where a database was to be found", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* scratch, "nothing")
      const { message, tag } = yield* refusal(EmbeddedPostgres.start({ dataDir, mustExist: true }))
      assert.strictEqual(tag, "NoDatabase")
      assert.strictEqual(message, `there is no database in ${dataDir}; florin serve makes one`)
      assert.isFalse(existsSync(dataDir))
      const found = yield* existing
      assert.deepStrictEqual(yield* withServer(found, one, { durable: false, mustExist: true }), [{ n: 1 }])
    })
  )

  it.live("says in one line what is wrong with a directory", () =>
    Effect.gen(function* () {
      const root = yield* scratch
      const at = (name: string) => join(root, name)
      writeFileSync(at("file"), "")
      mkdirSync(at("bare"))
      writeFileSync(join(at("bare"), "PG_VERSION"), "18\n")
      mkdirSync(join(at("older"), "cluster"), { recursive: true })
      writeFileSync(join(at("older"), "cluster", "PG_VERSION"), "17\n")
      if (isRoot) chownSync(join(at("older"), "cluster"), nobody.uid, nobody.gid)
      mkdirSync(at("closed"), { mode: 0o700 })
      if (!isRoot) chmodSync(at("closed"), 0o500)
      cpSync(at("older"), at("foreign"), { recursive: true })

      const cases: ReadonlyArray<readonly [dataDir: string, message: RegExp]> = [
        [at("file"), /EEXIST|ENOTDIR/],
        [join(at("file"), "below"), /ENOTDIR/],
        [at("bare"), /is a PostgreSQL data directory itself/],
        [at("older"), /PostgreSQL 17 wrote it, and this is PostgreSQL 18/],
        // Root may write anywhere, but the server is not root and may not enter.
        [join(at("closed"), "below"), isRoot ? /EACCES|may not enter it/ : /EACCES/],
        ...(isRoot ? [[at("foreign"), /belongs to user 0, and the server would run as user 65534/] as const] : [])
      ]
      yield* Effect.forEach(cases, ([dataDir, expected]) =>
        Effect.map(refusal(Effect.scoped(EmbeddedPostgres.start({ dataDir }))), ({ message, tag }) => {
          assert.strictEqual(tag, "DataDirectoryUnusable", message)
          assert.match(message, expected)
        })
      )
    })
  )

  it.live("says why the server did not start", () =>
    Effect.gen(function* () {
      const dataDir = yield* existing
      writeFileSync(join(dataDir, "cluster", "postgresql.conf"), "no_such_setting = 1\n")
      const { message, tag } = yield* refusal(EmbeddedPostgres.start({ dataDir }))
      assert.strictEqual(tag, "DidNotStart")
      assert.match(message, /^PostgreSQL did not start: .*configuration file.* \(see .*server\.log\)$/)
    })
  )

  it.live("says why there is no database, and keeps nothing of it", () =>
    Effect.gen(function* () {
      const initdb = '#!/bin/sh\necho "initdb: error: no room" >&2\necho "initdb: removing contents" >&2\nexit 1\n'
      const { location, root } = yield* packageWith({ postgres: sayingVersion, initdb })
      const dataDir = join(root, "data")
      const started = Effect.provideService(
        EmbeddedPostgres.start({ dataDir }),
        PostgresBinaries.PackageLocation,
        location
      )
      const { message, tag } = yield* refusal(started)
      assert.strictEqual(tag, "InitFailed")
      assert.strictEqual(message, `could not create a database in ${dataDir}: no room`)
      assert.deepStrictEqual(readdirSync(dataDir), ["socket"])
    })
  )

  it.live("leaves no server behind when its owner is killed as soon as it has started one", () =>
    Effect.gen(function* () {
      const log = join(yield* scratch, "log")
      const args = ["-c", 'echo $$ >&2; exec "$0" -e "setTimeout(() => {}, 15_000)"', process.execPath]
      const options = { program: "/bin/sh", args, log }
      // A dead process's pipes close some milliseconds after its end; here they do at once, before the shell prints.
      const owner = `
        import childProcess from "node:child_process"
        import { syncBuiltinESMExports } from "node:module"
        const { spawn } = childProcess
        childProcess.spawn = (...args) => {
          const { stdin, stdout } = spawn(...args)
          stdin.destroy()
          stdout.destroy()
          process.kill(process.pid, "SIGKILL")
        }
        syncBuiltinESMExports()
        const { Effect } = await import("effect")
        const { serve } = await import(${JSON.stringify(new URL("../../src/infra/embedded/PostgresProcess.ts", import.meta.url))})
        Effect.runFork(Effect.scoped(serve(${JSON.stringify(options)})))`
      const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", owner], { stdio: "inherit" })
      assert.strictEqual(signal, "SIGKILL")
      const pid = Number(yield* until("its start", () => /^\d+\n/.exec(readFileSync(log, "utf8"))?.[0]))
      yield* until("its end", () => !isAlive(pid))
    })
  )

  it.live("asks a server again to end that was too young to hear it", () =>
    Effect.gen(function* () {
      const log = join(yield* scratch, "log")
      const program = `
        let hears = false
        process.on("SIGINT", () => hears && (console.error("heard"), process.exit()))
        setTimeout(() => (hears = true), 500)
        setTimeout(() => {}, 60_000)
        console.error("deaf")`
      yield* Effect.scoped(
        Effect.andThen(
          PostgresProcess.serve({ program: process.execPath, args: ["-e", program], log, user: undefined }),
          until("its start", () => readFileSync(log, "utf8") === "deaf\n")
        )
      )
      assert.strictEqual(readFileSync(log, "utf8"), "deaf\nheard\n")
    })
  )

  it.live.runIf(isRoot && spawnSync("/bin/cat", [ownerScript], nobody).status === 0)("runs for an ordinary user", () =>
    Effect.gen(function* () {
      const fresh = yield* scratch
      chownSync(fresh, nobody.uid, nobody.gid)
      chmodSync(fresh, 0o700)
      // A new one, and one that root has made and used.
      yield* Effect.forEach([fresh, yield* existing], (dataDir) =>
        Effect.gen(function* () {
          const owner = yield* startOwner(dataDir, nobody)
          const server = yield* serverOf(owner)
          assert.isUndefined(server.message)
          assert.deepStrictEqual(yield* connectedTo(server, one), [{ n: 1 }])
          owner.child.kill("SIGTERM")
          yield* until("the owner's end", owner.exited)
        })
      )
      assert.deepStrictEqual(yield* withServer(fresh, one), [{ n: 1 }])
      const unwritable = yield* startOwner("/usr/florin", nobody)
      assert.match((yield* serverOf(unwritable)).message ?? "", /^cannot keep a database in \/usr\/florin: EACCES/)
    })
  )
})
