/**
 * A process of its own for a measurement: a heap that has grown, or code that
 * the compiler has learned, tells nothing of the next one. It prints what it
 * measured, and nothing else.
 */
import { Effect, Schema } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The process has printed nothing, or could not be started. */
export class NotMeasured extends Schema.TaggedError<NotMeasured>()("NotMeasured", {
  exitCode: Schema.NullOr(Schema.Int)
}) {
  override get message() {
    return `the process that measures ended with ${this.exitCode ?? "a signal"} and said nothing`
  }
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly exitCode: number | null; readonly stdout: string }>
}

const start = (program: URL, args: ReadonlyArray<string>): Running => {
  const child = spawn(process.execPath, ["--expose-gc", fileURLToPath(program), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let stdout = ""
  child.stdout.on("data", (chunk) => (stdout += chunk))
  const ended = new Promise<{ readonly exitCode: number | null; readonly stdout: string }>((resolve) => {
    child.once("error", () => resolve({ exitCode: null, stdout: "" }))
    child.once("close", (exitCode) => resolve({ exitCode, stdout }))
  })
  return { child, ended }
}

/** Runs the program with the arguments, and answers what it printed. */
export const run = (program: URL, args: ReadonlyArray<string>): Effect.Effect<string, NotMeasured> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { ended } = yield* Effect.acquireRelease(
        Effect.sync(() => start(program, args)),
        ({ child, ended }) => {
          child.kill("SIGKILL")
          return Effect.promise(() => ended)
        }
      )
      const { exitCode, stdout } = yield* Effect.promise(() => ended)
      return exitCode === 0 && stdout !== "" ? stdout : yield* new NotMeasured({ exitCode })
    })
  )
