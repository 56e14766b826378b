/**
 * Why the embedded PostgreSQL cannot be had: one error, a tagged reason each.
 *
 * Each message is one line that a person who has just typed `npm start` can
 * act on. Whatever is wrong, `DATABASE_URL` with a server of one's own is the
 * other way to run florin, so the reasons that no command mends name it.
 */
import { Schema } from "effect"

const ownServer = "set DATABASE_URL to use a PostgreSQL server of your own"

/** npm installs it as an optional dependency, and leaves it out silently where it does not exist. */
export class PackageMissing extends Schema.TaggedError<PackageMissing>()("PackageMissing", {
  /** `process.platform` and `process.arch`, as in `linux-x64`. */
  platform: Schema.String,
  packageName: Schema.String
}) {
  override get message() {
    return (
      `no embedded PostgreSQL for ${this.platform}: the package ${this.packageName} is not installed; ` +
      `install with optional dependencies, or ${ownServer}`
    )
  }
}

/** Windows, where our sockets do not work, and Linux without glibc, as Alpine. */
export class PlatformUnsupported extends Schema.TaggedError<PlatformUnsupported>()("PlatformUnsupported", {
  platform: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the embedded PostgreSQL does not run on ${this.platform}: ${this.detail}; ${ownServer}`
  }
}

/** Neither where npm put them nor as a copy can the server's user run the binaries. */
export class BinariesNotReadable extends Schema.TaggedError<BinariesNotReadable>()("BinariesNotReadable", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `cannot run the embedded PostgreSQL's binaries in ${this.path}: ${this.detail}; ${ownServer}`
  }
}

/** It is no directory, may not be written or entered, or holds something else. */
export class DataDirectoryUnusable extends Schema.TaggedError<DataDirectoryUnusable>()("DataDirectoryUnusable", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `cannot keep a database in ${this.path}: ${this.detail}`
  }
}

/** Whoever asked wanted to find a database, not to make one. */
export class NoDatabase extends Schema.TaggedError<NoDatabase>()("NoDatabase", { path: Schema.String }) {
  override get message() {
    return `there is no database in ${this.path}; florin serve makes one`
  }
}

/** Another server holds it, and neither answered nor ended while we waited. */
export class DataDirectoryInUse extends Schema.TaggedError<DataDirectoryInUse>()("DataDirectoryInUse", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the database in ${this.path} is in use: ${this.detail}`
  }
}

/** `initdb` failed; nothing of it was kept. */
export class InitFailed extends Schema.TaggedError<InitFailed>()("InitFailed", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `could not create a database in ${this.path}: ${this.detail}`
  }
}

export class DidNotStart extends Schema.TaggedError<DidNotStart>()("DidNotStart", {
  detail: Schema.String,
  /** Where the server wrote the rest of the story. */
  log: Schema.String
}) {
  override get message() {
    return `PostgreSQL did not start: ${this.detail} (see ${this.log})`
  }
}

export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  reason: Schema.Union([
    PackageMissing,
    PlatformUnsupported,
    BinariesNotReadable,
    DataDirectoryUnusable,
    NoDatabase,
    DataDirectoryInUse,
    InitFailed,
    DidNotStart
  ])
}) {
  override get message() {
    return this.reason.message
  }
}

/** The one line of a program's output that says what went wrong, without its prefixes. */
export const firstComplaint = (output: string): string => {
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const complaint = lines.find((line) => /\b(FATAL|PANIC|error):/.test(line)) ?? lines.at(-1) ?? "it said nothing"
  return complaint.replace(/^.*?\b(FATAL|PANIC|error):\s*/, "").trim()
}

/** The same of whatever a library threw. */
export const complaintOf = (cause: unknown): string =>
  firstComplaint(cause instanceof Error ? cause.message : String(cause))
