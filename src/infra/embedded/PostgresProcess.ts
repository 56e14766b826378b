/**
 * PostgreSQL's programs as processes: short ones that are waited for, and the
 * server, which may not outlive the Node process that started it.
 *
 * - User: PostgreSQL refuses to run as root, so root runs it as `nobody`. Any
 *   other number fails too, because initdb looks the name up.
 * - Lifeline: a shell stands between Node and the server and holds the end of
 *   a pipe from Node. However Node ends, SIGKILL included, the pipe closes and
 *   the shell tells the server to shut down. An orphan would keep its data
 *   directory locked.
 * - Environment: none of ours. It may hold secrets, and PostgreSQL reads its
 *   settings and its language from there.
 */
import { Effect, Option } from "effect"
import type { Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import { execFile, spawn } from "node:child_process"
import { closeSync, fchownSync, openSync } from "node:fs"
import { complaintOf, DidNotStart, EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** Whom the programs run as; `undefined` is whoever runs Node. */
export type User = { readonly uid: number; readonly gid: number } | undefined

/** `nobody` and its group, on Linux whatever the distribution. */
const nobody = { uid: 65534, gid: 65534 }

export const user: Effect.Effect<User> = Effect.sync(() => (process.getuid?.() === 0 ? nobody : undefined))

/** English, because we read the messages. Any directory that every user may stand in. */
const surroundings = { env: { LC_ALL: "C", PATH: "/usr/bin:/bin" }, cwd: "/" }

// --- Programs that end ------------------------------------------------------

/** How a program ended. `exitCode` is the system's word for it when it could not be started, as "ENOENT". */
export interface Ended {
  readonly exitCode: number | string
  readonly output: string
}

/** Runs a program to its end; interruption kills it. */
export const run = (program: string, args: ReadonlyArray<string>, user: User): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const child = execFile(program, args, { ...surroundings, ...user }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : (error.code ?? error.signal ?? 1)
      const said = stderr + stdout
      resume(Effect.succeed({ exitCode, output: said === "" && error !== null ? error.message : said }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

// --- The server -------------------------------------------------------------

export interface Server {
  /** The postmaster's own process id, which it writes into `postmaster.pid`. */
  readonly pid: number
  readonly exited: Effect.Effect<void>
}

/**
 * Runs the server, asks it to shut down once the pipe on standard input
 * closes, and prints its process id.
 *
 * - A shell gives its background jobs /dev/null to read, so the pipe moves to
 *   descriptor 3 first; the server must not inherit it.
 * - SIGINT is a fast shutdown: sessions are ended, nothing is lost. It is
 *   repeated because a server in its first milliseconds still ignores it.
 * - Printing comes last, and its SIGPIPE is ignored: Node may be dead already,
 *   and a shell that died of it before the lifeline was there left an orphan.
 */
const script = `
exec 3<&0
"$0" "$@" 3<&- </dev/null >&2 &
server=$!
(cat <&3; while kill -INT "$server"; do sleep 1; done) >/dev/null 2>&1 &
lifeline=$!
exec 3<&-
trap "" PIPE
echo "$server" 2>/dev/null
wait "$server"
kill "$lifeline" 2>/dev/null
`

/**
 * A fast shutdown writes a last checkpoint: milliseconds here, seconds on a
 * slow disk. Killing it instead loses nothing either, the next start recovers.
 */
const shutdown = "10 seconds"

/** Starts the server; closing the scope shuts it down. Fails with why it could not be spawned. */
export const serve = (options: {
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Takes what the server writes, at its end. */
  readonly log: string
  readonly user: User
}): Effect.Effect<Server, EmbeddedPostgresError, Scope.Scope> =>
  Effect.map(Effect.acquireRelease(spawnServer(options), stop), ({ exited, pid }) => ({
    pid,
    exited: Effect.promise(() => exited)
  }))

interface Spawned {
  readonly shell: ChildProcess
  readonly pid: number
  readonly exited: Promise<void>
}

const spawnServer = ({
  args,
  log,
  program,
  user
}: Parameters<typeof serve>[0]): Effect.Effect<Spawned, EmbeddedPostgresError> =>
  Effect.callback((resume) => {
    const fail = (cause: unknown) => {
      const reason = new DidNotStart({ detail: complaintOf(cause), log })
      resume(Effect.fail(new EmbeddedPostgresError({ reason })))
    }
    let written: number
    try {
      written = openSync(log, "a", 0o600)
      if (user !== undefined) fchownSync(written, user.uid, user.gid)
    } catch (cause) {
      return fail(cause)
    }
    const shell = spawn("/bin/sh", ["-c", script, program, ...args], {
      ...surroundings,
      ...user,
      // A session of its own: Ctrl-C in a terminal is for Node, which still has requests to finish.
      detached: true,
      stdio: ["pipe", "pipe", written]
    })
    closeSync(written)
    shell.on("error", fail)
    // The server ends first when it cannot start; then there is nobody to tell.
    shell.stdin?.on("error", () => {})
    const exited = new Promise<void>((resolve) => {
      // Not "exit", which may come before what was printed.
      shell.once("close", () => {
        resolve()
        fail("the shell around the server ended before it")
      })
    })
    shell.stdout?.once("data", (pid) => resume(Effect.succeed({ shell, pid: Number(pid), exited })))
  })

const stop = Effect.fnUntraced(function* ({ exited, shell }: Spawned) {
  shell.stdin?.end()
  const ended = yield* Effect.promise(() => exited).pipe(Effect.timeoutOption(shutdown))
  const group = shell.pid
  if (Option.isSome(ended) || group === undefined) return
  // The shell, its lifeline and the server, whose sessions end when they miss it. It may just have ended by itself.
  yield* Effect.ignore(Effect.try(() => process.kill(-group, "SIGKILL")))
  yield* Effect.promise(() => exited)
})
