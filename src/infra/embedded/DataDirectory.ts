/**
 * The directory that florin is given for its database, and what is in it.
 *
 * ```
 * <dataDir>/cluster      PostgreSQL's own data directory
 *          /initdb-XXXX  one that is being made; renamed to `cluster` when it is whole
 *          /socket       where the server listens, if the path is short enough
 *          /server.log   what the server says
 * ```
 *
 * The cluster is one level down so that `dataDir` may be a mount point, which
 * can neither be renamed over nor hold a sibling.
 */
import { Clock, Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { chmod, chown, lstat, mkdir, mkdtemp, open as openFile, readdir, readFile } from "node:fs/promises"
import { realpath, rename, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import {
  complaintOf,
  DataDirectoryUnusable,
  EmbeddedPostgresError,
  firstComplaint,
  InitFailed
} from "./EmbeddedPostgresError.ts"
import type { Binaries } from "./PostgresBinaries.ts"
import type { User } from "./PostgresProcess.ts"
import { run } from "./PostgresProcess.ts"

export interface DataDirectory {
  readonly path: string
  readonly cluster: string
  readonly log: string
  /** Where our server listens; one that somebody else started says for itself. */
  readonly socketDir: string
}

/** The superuser, and the database that every cluster has. Only who may enter the socket's directory gets that far. */
export const username = "postgres"
export const database = "postgres"

/**
 * The longest a socket's directory may be, in bytes. `sun_path` holds 104 bytes
 * with its end on macOS (108 on Linux), and the socket is named `/.s.PGSQL.5432`.
 */
const maxSocketDirBytes = 104 - 1 - "/.s.PGSQL.5432".length

/** Makes the directory if it is not there, and sees that `user` can work in it. */
export const open = Effect.fn("DataDirectory.open")(function* (
  dataDir: string,
  user: User
): Effect.fn.Return<DataDirectory, EmbeddedPostgresError> {
  const path = yield* attempt(dataDir, () => makeDirectory(dataDir, user))
  const directory = {
    path,
    cluster: join(path, "cluster"),
    log: join(path, "server.log"),
    socketDir: socketDirOf(path)
  }
  if (existsSync(join(path, "PG_VERSION"))) {
    return yield* unusable(path, "it is a PostgreSQL data directory itself; name the directory to keep one in")
  }
  const entered = yield* run("/bin/sh", ["-c", 'cd "$0"', path], user)
  if (entered.exitCode !== 0) {
    const who = user === undefined ? "this user" : `the server's user, ${user.uid} (PostgreSQL refuses to run as root),`
    return yield* unusable(path, `${who} may not enter it; move it to where every user may go, as below /var/lib`)
  }
  yield* attempt(path, () => makeSocketDir(directory.socketDir, user))
  return directory
})

/** Whether there is a database in it already; looks, and makes nothing. */
export const holdsDatabase = (dataDir: string): boolean => existsSync(join(dataDir, "cluster"))

/** Everything that a directory of ours holds. */
const ours = /^(cluster|initdb-\w+|socket|server\.log(\.1)?)$/

const makeDirectory = async (dataDir: string, user: User): Promise<string> => {
  const created = await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const path = await realpath(dataDir)
  // Throws unless it is a directory that may be read.
  const entries = await readdir(path)
  if (user === undefined) return path
  // Root's own directory becomes the server's, unless there is something else in it, as in a home.
  const own = (await stat(path)).uid === 0 && entries.every((entry) => ours.test(entry))
  const made = created === undefined ? (own ? [path] : []) : upTo(await realpath(created), path)
  await Promise.all(made.map((each) => chown(each, user.uid, user.gid)))
  return path
}

/** `path` and what is above it, up to and including `top`. */
const upTo = (top: string, path: string): ReadonlyArray<string> =>
  path.length <= top.length ? [path] : [path, ...upTo(top, dirname(path))]

const socketDirOf = (path: string): string => {
  const name = `florin-${createHash("sha256").update(path).digest("hex").slice(0, 16)}`
  return [join(path, "socket"), join(tmpdir(), name)].find(fitsSocket) ?? join("/tmp", name)
}

const fitsSocket = (directory: string) => Buffer.byteLength(directory) <= maxSocketDirBytes

const makeSocketDir = async (socketDir: string, user: User): Promise<void> => {
  await mkdir(socketDir, { recursive: true, mode: 0o700 })
  const found = await lstat(socketDir)
  // In /tmp anybody may have made it before us, and would then be sent our data.
  if (!found.isDirectory() || (found.uid !== process.getuid?.() && found.uid !== user?.uid)) {
    throw new Error(`the socket's directory ${socketDir} belongs to somebody else`)
  }
  if (user !== undefined) await chown(socketDir, user.uid, user.gid)
  await chmod(socketDir, 0o700)
}

// --- The cluster ------------------------------------------------------------

/** Runs `initdb` unless there is a cluster. Killed at any moment, it leaves a whole cluster or none. */
export const initialise = Effect.fn("DataDirectory.initialise")(function* (
  { cluster, path }: DataDirectory,
  options: { readonly binaries: Binaries; readonly durable: boolean; readonly user: User }
): Effect.fn.Return<void, EmbeddedPostgresError> {
  const { binaries, durable, user } = options
  if (!existsSync(cluster)) {
    yield* Effect.acquireUseRelease(
      attempt(path, () => makeUnfinished(path, user)),
      (unfinished) =>
        Effect.gen(function* () {
          const { exitCode, output } = yield* run(binaries.initdb, initdbArgs(unfinished, durable), user)
          if (exitCode !== 0) {
            const reason = new InitFailed({ path, detail: firstComplaint(output) })
            return yield* new EmbeddedPostgresError({ reason })
          }
          yield* attempt(path, () => keep(unfinished, cluster, durable))
        }),
      (unfinished) => Effect.promise(() => discard(unfinished))
    )
  }
  yield* check(cluster, binaries, user)
  yield* Effect.ignore(tidy(path))
})

const check = Effect.fnUntraced(function* (cluster: string, binaries: Binaries, user: User) {
  const { uid } = yield* attempt(cluster, () => stat(cluster))
  const version = (yield* attempt(cluster, () => readFile(join(cluster, "PG_VERSION"), "utf8"))).trim()
  const runsAs = user?.uid ?? process.getuid?.()
  if (uid !== runsAs) {
    return yield* unusable(cluster, `it belongs to user ${uid}, and the server would run as user ${runsAs}`)
  }
  if (version !== binaries.majorVersion) {
    const detail = `PostgreSQL ${version} wrote it, and this is PostgreSQL ${binaries.majorVersion}; dump and restore it`
    return yield* unusable(cluster, detail)
  }
})

const makeUnfinished = async (path: string, user: User): Promise<string> => {
  const unfinished = await mkdtemp(join(path, "initdb-"))
  if (user !== undefined) await chown(unfinished, user.uid, user.gid)
  return unfinished
}

/**
 * Every user of the socket is trusted, and none comes over the network. Text
 * sorts by code point, with PostgreSQL's own tables, so that an index made on
 * one machine is right on every other.
 */
const initdbArgs = (cluster: string, durable: boolean): ReadonlyArray<string> => [
  `--pgdata=${cluster}`,
  `--username=${username}`,
  "--auth-local=trust",
  "--auth-host=reject",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--data-checksums",
  ...(durable ? [] : ["--no-sync"])
]

const keep = async (unfinished: string, cluster: string, durable: boolean): Promise<void> => {
  try {
    await rename(unfinished, cluster)
  } catch (error) {
    // Of two processes that made one, the first one's stays.
    if (existsSync(cluster)) return
    throw error
  }
  // initdb synced what is inside; the names of it and of our directory are left to us.
  if (durable) await Promise.all([dirname(cluster), dirname(dirname(cluster))].map(sync))
}

const sync = async (path: string): Promise<void> => {
  const handle = await openFile(path).catch(() => undefined)
  await handle?.sync()
  await handle?.close()
}

const discard = (unfinished: string): Promise<void> =>
  // What it killed may write for a moment longer; what is left then goes at the next start.
  rm(unfinished, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})

/**
 * An `initdb-` directory this old is nobody's any more: it takes a second, on
 * slow disks a minute. Younger ones may be in use, and initdb that loses its
 * directory leaves shared memory behind.
 */
const abandonedAfterMillis = 10 * 60 * 1000

/** Removes what first starts that were killed left behind. */
const tidy = Effect.fnUntraced(function* (path: string) {
  const now = yield* Clock.currentTimeMillis
  yield* attempt(path, async () => {
    const unfinished = (await readdir(path)).filter((entry) => entry.startsWith("initdb-"))
    await Promise.all(
      unfinished.map(async (entry) => {
        const { mtimeMs } = await stat(join(path, entry))
        if (mtimeMs < now - abandonedAfterMillis) await discard(join(path, entry))
      })
    )
  })
})

// --- Its server -------------------------------------------------------------

/** `postmaster.pid`, which a running server keeps in its cluster, and a crashed one leaves there. */
export interface Postmaster {
  readonly pid: number
  readonly socketDir: string
  readonly ready: boolean
}

export const postmaster = ({ cluster }: DataDirectory): Effect.Effect<Option.Option<Postmaster>> =>
  Effect.promise(async () => {
    const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => "")
    const [pid, , , , socketDir, , , status] = text.split("\n")
    if (pid === undefined || socketDir === undefined) return Option.none()
    return Option.some({ pid: Number(pid), socketDir, ready: status?.trim() === "ready" })
  })

const unusable = (path: string, detail: string) =>
  new EmbeddedPostgresError({ reason: new DataDirectoryUnusable({ path, detail }) })

const attempt = <A>(path: string, evaluate: () => Promise<A>) =>
  Effect.tryPromise({ try: evaluate, catch: (cause) => unusable(path, complaintOf(cause)) })
