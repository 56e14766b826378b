/**
 * One writer at a time for a directory, by a file that says which process it
 * is: `writer-0000000007.lock`.
 *
 * A process that was killed leaves its file behind. It is known to be gone by
 * its id and the moment when it started, because ids are used again. Whoever
 * comes next makes the file of the next number, which only one can (a link is
 * made or not), and is the writer if no higher one is there then: so two that
 * find the same file abandoned never both have it. Who leaves says so in the
 * file and lets it lie, because numbers must not begin anew.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { StorageUnavailable } from "../../adapters/Storage.ts"

/** Another process writes there. */
export class JournalInUse extends Schema.TaggedError<JournalInUse>()("JournalInUse", {
  path: Schema.String,
  pid: Schema.Int
}) {
  override get message() {
    return `the journal in ${this.path} is in use: process ${this.pid} writes to it, and only one may at a time`
  }
}

/** Holds the directory, which has to be there, until the scope closes. */
export const hold = (directory: string): Effect.Effect<void, JournalInUse | StorageUnavailable, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.try({
        try: () => acquire(directory),
        catch: (cause) =>
          cause instanceof JournalInUse
            ? cause
            : new StorageUnavailable({ operation: `take the journal in ${directory}`, cause })
      }),
      (generation) => Effect.ignore(Effect.try(() => write(directory, generation, { isFree: true })))
    )
  )

const Holder = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({ isFree: Schema.Literal(true) }),
    Schema.Struct({ pid: Schema.Int, started: Schema.String })
  ])
)
type Holder = typeof Holder.Type
const encodeHolder = Schema.encodeSync(Holder)
const decodeHolder = Schema.decodeUnknownSync(Holder)

const pattern = /^writer-(\d{10})\.lock$/
const nameOf = (generation: number) => `writer-${String(generation).padStart(10, "0")}.lock`

const generations = (directory: string): ReadonlyArray<number> =>
  readdirSync(directory)
    .flatMap((name) => Number(pattern.exec(name)?.[1] ?? []))
    .filter((generation) => generation > 0)
    .toSorted((a, b) => a - b)

const acquire = (directory: string): number => {
  while (true) {
    const last = generations(directory).at(-1) ?? 0
    const holder = last === 0 ? undefined : read(directory, last)
    if (holder !== undefined && "pid" in holder && startOf(holder.pid) === holder.started) {
      throw new JournalInUse({ path: directory, pid: holder.pid })
    }
    const mine = last + 1
    if (!create(directory, mine)) continue
    const all = generations(directory)
    if (all.at(-1) === mine) {
      for (const old of all.slice(0, -1)) rmSync(join(directory, nameOf(old)), { force: true })
      return mine
    }
    // Somebody was faster by a whole lifetime, and had cleared away what we saw.
    rmSync(join(directory, nameOf(mine)), { force: true })
  }
}

/** `undefined` when it was cleared away meanwhile. */
const read = (directory: string, generation: number): Holder | undefined => {
  try {
    return decodeHolder(readFileSync(join(directory, nameOf(generation)), "utf8"))
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}

/** Whole or not at all, so that nobody reads half of it. */
const create = (directory: string, generation: number): boolean => {
  const draft = join(directory, `writer-${randomUUID()}.draft`)
  try {
    writeFileSync(draft, encodeHolder({ pid: process.pid, started: startOf(process.pid) ?? "" }))
    linkSync(draft, join(directory, nameOf(generation)))
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

const write = (directory: string, generation: number, holder: Holder) => {
  const draft = join(directory, `writer-${randomUUID()}.draft`)
  writeFileSync(draft, encodeHolder(holder))
  renameSync(draft, join(directory, nameOf(generation)))
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined

/** When the process started, in words that differ from one process of this id to the next; `undefined` without such a process. */
const startOf = (pid: number): string | undefined => {
  if (process.platform === "linux") {
    try {
      // The name in parentheses may hold anything; the start is the 22nd field, the 20th behind it, in ticks since the boot.
      const [, fields = ""] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? []
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
      return `${fields.split(" ")[19]}@${boot}`
    } catch {
      return undefined
    }
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim()
  } catch {
    return undefined
  }
}
