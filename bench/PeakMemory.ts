/**
 * How far a process grows while it makes payments, sixteen at a time: the
 * highest resident set, less what it was when all was ready and no payment had
 * begun. Each turn is a process of its own (`PeakMemoryProcess`) on the same
 * database, because a heap that has grown tells nothing of the next one.
 */
import { Effect, Schema } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Side } from "./Checkout.ts"
import type { Pace, Subject } from "./Contest.ts"

export const concurrency = 16

const program = fileURLToPath(new URL("PeakMemoryProcess.ts", import.meta.url))

/** The process has printed no number, or could not be started. */
export class NotMeasured extends Schema.TaggedError<NotMeasured>()("NotMeasured", {
  exitCode: Schema.NullOr(Schema.Int)
}) {
  override get message() {
    return `the process that measures memory ended with ${this.exitCode ?? "a signal"} and said nothing`
  }
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly exitCode: number | null; readonly stdout: string }>
}

const start = (args: ReadonlyArray<string>): Running => {
  const child = spawn(process.execPath, ["--expose-gc", program, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  let stdout = ""
  child.stdout.on("data", (chunk) => (stdout += chunk))
  const ended = new Promise<{ readonly exitCode: number | null; readonly stdout: string }>((resolve) => {
    child.once("error", () => resolve({ exitCode: null, stdout: "" }))
    child.once("close", (exitCode) => resolve({ exitCode, stdout }))
  })
  return { child, ended }
}

/** Bytes that a process of its own grew by. */
const grow = (side: Side, dataDir: string, payments: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { ended } = yield* Effect.acquireRelease(
        Effect.sync(() => start([side, dataDir, String(payments)])),
        ({ child, ended }) => {
          child.kill("SIGKILL")
          return Effect.promise(() => ended)
        }
      )
      const { exitCode, stdout } = yield* Effect.promise(() => ended)
      const bytes = Number(stdout)
      if (exitCode !== 0 || stdout === "" || Number.isNaN(bytes)) return yield* new NotMeasured({ exitCode })
      return bytes
    })
  )

export const subject = Effect.fnUntraced(function* ({ memory: { madePayments, rounds } }: Pace) {
  const dataDir = yield* BenchDatabase.DataDir
  return {
    contests: [
      {
        name: `peak x${concurrency}`,
        unit: "bytes",
        rounds,
        warmUp: false,
        florin: grow("florin", dataDir, madePayments),
        peer: grow("naive", dataDir, madePayments)
      }
    ],
    notes: [
      `peak: growth of the resident set over ${madePayments} payments in a new process, in all; peer as in payment`
    ]
  } satisfies Subject<never>
})
