/**
 * A real PostgreSQL without an installation: the first start makes a database
 * in a directory, later ones go on with it.
 *
 * - One process owns the server: its scope's end shuts the server down, and so
 *   does its death, however it dies. Another process that starts on the same
 *   directory meanwhile shares that server, for as long as the owner lives.
 * - It listens on a unix socket in a directory that only its user may enter,
 *   and on no port; there is no password.
 * - A server that is being started or shut down by somebody else, or was left
 *   by one that crashed just now, is waited for, within bounds.
 * - A server that ends while it is needed, ours or the shared one, is started
 *   again on the same socket: clients connect anew and go on.
 * - It is a process, so time is the machine's: starting under a `TestClock`
 *   waits forever.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Layer, Option, Schedule } from "effect"
import type { Duration, Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { open as openFile, rename, stat } from "node:fs/promises"
import * as DataDirectory from "./DataDirectory.ts"
import {
  DataDirectoryInUse,
  DidNotStart,
  EmbeddedPostgresError,
  firstComplaint,
  NoDatabase
} from "./EmbeddedPostgresError.ts"
import * as PostgresBinaries from "./PostgresBinaries.ts"
import * as PostgresProcess from "./PostgresProcess.ts"

export interface Options {
  /** Made if it does not exist; the database is kept below it. */
  readonly dataDir: string
  /** Fail with `NoDatabase` instead of making one. */
  readonly mustExist?: boolean | undefined
  /** `false` for tests only: a commit no longer waits for the disk, and a crash of the machine may lose all. */
  readonly durable?: boolean | undefined
  /** How long to wait for somebody else's server on the same directory to answer or to end; 15 seconds. */
  readonly patience?: Duration.Input | undefined
  /** How many connections a server that is started here admits; PostgreSQL's default of 100, some pools of tens each. */
  readonly maxConnections?: number | undefined
}

/** How to connect, in `PgClient`'s words but for the host, which is this directory. */
export interface Server {
  readonly socketDir: string
  readonly username: string
  readonly database: string
  /** `false` when another process started it, and will end it. */
  readonly owned: boolean
}

/** A server on the directory: the one that runs there, or one that lives as long as the scope. */
export const start = Effect.fn("EmbeddedPostgres.start")(function* ({
  dataDir,
  durable = true,
  mustExist = false,
  maxConnections = 100,
  patience = "15 seconds"
}: Options): Effect.fn.Return<Server, EmbeddedPostgresError, Scope.Scope> {
  if (mustExist && !DataDirectory.holdsDatabase(dataDir)) {
    return yield* new EmbeddedPostgresError({ reason: new NoDatabase({ path: dataDir }) })
  }
  const user = yield* PostgresProcess.user
  const binaries = yield* PostgresBinaries.find(user)
  const directory = yield* DataDirectory.open(dataDir, user)
  yield* DataDirectory.initialise(directory, { binaries, durable, user })
  const obtain = shared(directory, durable).pipe(
    Effect.flatMap(
      Option.match({
        onSome: Effect.succeed,
        onNone: () => owned(directory, { binaries, durable, maxConnections, user })
      })
    ),
    Effect.retry({
      while: ({ reason }) => reason._tag === "DataDirectoryInUse",
      schedule: Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: patience }))
    })
  )
  const running = yield* obtain
  yield* Effect.forkScoped(keep(running, obtain))
  return running.server
})

/** A server, and the moment when it is no more. */
interface Running {
  readonly server: Server
  readonly gone: Effect.Effect<void>
}

/** Starts the server again whenever it is gone, for as long as the scope is open. */
const keep = Effect.fnUntraced(function* (
  first: Running,
  obtain: Effect.Effect<Running, EmbeddedPostgresError, Scope.Scope>
) {
  let running = first
  while (true) {
    yield* running.gone
    yield* Effect.logWarning("the database server has ended; starting it again")
    running = yield* obtain.pipe(
      Effect.tapError((error) => Effect.logError("the database server cannot be started", error)),
      Effect.retry(Schedule.spaced("1 second"))
    )
  }
})

/** `start`, and a client connected to it; of `pool` only the pool's own settings are taken. */
export const layer = (
  options: Options,
  pool: Omit<PgClient.PgPoolConfig, "url" | "host" | "port" | "path" | "username" | "database" | "password"> = {}
): Layer.Layer<PgClient.PgClient | SqlClient, EmbeddedPostgresError | SqlError> =>
  Layer.unwrap(
    Effect.map(start(options), ({ database, socketDir, username }) =>
      PgClient.layer({ ...pool, host: socketDir, username, database })
    )
  )

// --- Somebody else's server -------------------------------------------------

/**
 * The server that runs on the directory, if it answers and is that one.
 *
 * Asking is the only proof: the file that names it outlives a crash, its
 * process id may be another process's by now, and a directory that was copied
 * while in use names the server of the original.
 */
const shared = Effect.fnUntraced(function* (directory: DataDirectory.DataDirectory, durable: boolean) {
  const named = yield* DataDirectory.postmaster(directory)
  if (Option.isNone(named) || !named.value.ready) return Option.none()
  const { socketDir } = named.value
  const { database, username } = DataDirectory
  const answer = yield* PgConnection.make({ host: socketDir, username, database }).pipe(
    Effect.flatMap((connection) =>
      connection.queryValues("select current_setting('data_directory'), current_setting('fsync')")
    ),
    Effect.scoped,
    // Milliseconds, unless it is stopped or starved.
    Effect.timeout("2 seconds"),
    Effect.option
  )
  const [cluster, fsync] = Option.getOrUndefined(answer)?.[0] ?? []
  if (cluster !== directory.cluster) return Option.none()
  if (durable && fsync !== "on") {
    return yield* inUse(directory, "by a server that was started for tests and does not wait for the disk")
  }
  return Option.some<Running>({ server: { socketDir, username, database, owned: false }, gone: ended(named.value.pid) })
})

/** Somebody else's process can only be looked at; a second later is soon enough to take its place. */
const ended = (pid: number): Effect.Effect<void> =>
  Effect.sync(() => isAlive(pid)).pipe(
    Effect.repeat({ until: (alive) => !alive, schedule: Schedule.spaced("1 second") }),
    Effect.asVoid
  )

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, but another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

// --- Our own ----------------------------------------------------------------

/**
 * How long a start may take: after a crash the server first replays what it
 * wrote since its last checkpoint, at most 1 GB (`max_wal_size`).
 */
const recovery = "60 seconds"

const owned = Effect.fnUntraced(function* (
  directory: DataDirectory.DataDirectory,
  {
    binaries,
    durable,
    maxConnections,
    user
  }: {
    readonly binaries: PostgresBinaries.Binaries
    readonly durable: boolean
    readonly maxConnections: number
    readonly user: PostgresProcess.User
  }
) {
  const { log } = directory
  yield* Effect.promise(() => rotate(log))
  const server = yield* PostgresProcess.serve({
    program: binaries.postgres,
    args: serverArgs(directory, { durable, maxConnections }),
    log,
    user
  })

  const ready = DataDirectory.postmaster(directory).pipe(
    Effect.map(Option.exists((named) => named.pid === server.pid && named.ready)),
    Effect.repeat({ until: (ready) => ready, schedule: Schedule.spaced("10 millis") }),
    Effect.as(true)
  )
  const started = yield* Effect.raceFirst(ready, Effect.as(server.exited, false)).pipe(
    Effect.timeoutOrElse({
      duration: recovery,
      orElse: () => Effect.fail(didNotStart(`it was not ready within ${recovery}`, log))
    })
  )
  if (!started) {
    const complaint = yield* Effect.promise(() => lastWords(server.pid, log))
    return yield* isLock(complaint) ? locked(directory) : didNotStart(complaint, log)
  }
  const { database, username } = DataDirectory
  const running: Running = {
    server: { socketDir: directory.socketDir, username, database, owned: true },
    gone: server.exited
  }
  return running
})

const serverArgs = (
  { cluster, socketDir }: DataDirectory.DataDirectory,
  { durable, maxConnections }: { readonly durable: boolean; readonly maxConnections: number }
): ReadonlyArray<string> => {
  const settings = {
    listen_addresses: "",
    // A list: quoted, a comma is part of the name.
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    max_connections: String(maxConnections),
    timezone: "UTC",
    log_timezone: "UTC",
    // A conflict is an everyday answer here, and the values in it are not for a file.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" })
  }
  return ["-D", cluster, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])]
}

/** What PostgreSQL says when another server has, or just had, its directory or its socket. */
const isLock = (complaint: string) =>
  /^lock file .* (already exists|is empty)|^bogus data in lock file|^pre-existing shared memory/.test(complaint)

const locked = Effect.fnUntraced(function* (directory: DataDirectory.DataDirectory) {
  const holder = Option.match(yield* DataDirectory.postmaster(directory), {
    onSome: ({ pid }) => `process ${pid}`,
    onNone: () => "another process"
  })
  const lock = `${directory.cluster}/postmaster.pid`
  return yield* inUse(directory, `${holder} holds it and did not answer; end it, or remove ${lock} if it is no server`)
})

const inUse = ({ path }: DataDirectory.DataDirectory, detail: string) =>
  new EmbeddedPostgresError({ reason: new DataDirectoryInUse({ path, detail }) })

const didNotStart = (detail: string, log: string) =>
  new EmbeddedPostgresError({ reason: new DidNotStart({ detail, log }) })

// --- The log ----------------------------------------------------------------

/** Kept twice, so 20 MB: weeks of checkpoints, at a line each. */
const maxLogBytes = 10 * 1024 * 1024

const rotate = async (log: string): Promise<void> => {
  const { size } = await stat(log).catch(() => ({ size: 0 }))
  if (size > maxLogBytes) await rename(log, `${log}.1`)
}

/** More than the lines of one failed start. */
const tailBytes = 16 * 1024

/** What the server with this process id said last before it ended; others may write to the same log. */
const lastWords = async (pid: number, log: string): Promise<string> => {
  const handle = await openFile(log)
  try {
    const { size } = await handle.stat()
    const position = Math.max(0, size - tailBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(tailBytes), 0, tailBytes, position)
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n")
    return firstComplaint(lines.filter((line) => line.includes(` [${pid}] `)).join("\n"))
  } finally {
    await handle.close()
  }
}
