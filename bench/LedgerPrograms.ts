/**
 * The programs that turn a transaction file into accounts, each as a process:
 * florin, the peer in C++ (`bench/peer/ledger.cpp`), and the program one would
 * first write in Node (`NaiveLedger`).
 *
 * A program's own seconds go from opening the file to the output's last byte;
 * the wall's from starting the process to its end. Its peak memory is what the
 * system says of the process.
 */
import { Effect, Option, Schema } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Program {
  readonly name: string
  readonly file: string
  readonly args: ReadonlyArray<string>
}

export interface Measured {
  readonly rows: number
  /** The program's own. */
  readonly seconds: number
  readonly wallSeconds: number
  readonly peakBytes: number
}

/** It ended badly, or did not say what it measured. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", {
  program: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.program} failed: ${this.detail}`
  }
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export const florin: Program = {
  name: "florin",
  file: process.execPath,
  args: [here("../src/edge/cli/main.js"), "process", "--json"]
}

/** Into a journal: its place, and flags about it. */
export const journaled = (words: ReadonlyArray<string>): Program => ({
  ...florin,
  args: [...florin.args, "--journal", ...words]
})

export const naive: Program = { name: "NaiveLedger", file: process.execPath, args: [here("NaiveLedger.ts")] }

/** C++ compilers, the first of which that is there is taken. */
const compilers = ["g++", "clang++", "c++"]

export interface Peer extends Program {
  readonly compiler: string
}

/** The peer, compiled into the directory; none where there is no compiler. */
export const peer = (directory: string): Effect.Effect<Option.Option<Peer>, ProgramFailed> =>
  Effect.suspend(() => {
    const compiler = compilers.find((name) => spawnSync(name, ["--version"]).status === 0)
    if (compiler === undefined) return Effect.succeed(Option.none())
    const file = join(directory, "ledger")
    const { status, stderr } = spawnSync(compiler, ["-O2", "-std=c++17", "-o", file, here("peer/ledger.cpp")], {
      encoding: "utf8"
    })
    if (status !== 0) return new ProgramFailed({ program: compiler, detail: stderr.split("\n")[0] ?? "" })
    const [version = compiler] = spawnSync(compiler, ["--version"], { encoding: "utf8" }).stdout.split("\n")
    return Effect.succeed(Option.some({ name: "peer", file, args: [], compiler: `${version}, -O2` }))
  })

const Said = Schema.fromJsonString(
  Schema.Struct({ rows: Schema.Finite, seconds: Schema.Finite, peakBytes: Schema.Finite })
)

/** Runs it over the file, its output into another one. */
export const run = ({ args, file, name }: Program, input: string, output: string) =>
  Effect.gen(function* () {
    const { code, stderr, wallSeconds } = yield* Effect.scoped(
      Effect.gen(function* () {
        const started = performance.now()
        const { ended } = yield* Effect.acquireRelease(
          Effect.sync(() => start(file, [...args, input], output)),
          ({ child, ended }) => {
            child.kill("SIGKILL")
            return Effect.promise(() => ended)
          }
        )
        const { code, stderr } = yield* Effect.promise(() => ended)
        return { code, stderr, wallSeconds: (performance.now() - started) / 1000 }
      })
    )
    const last = stderr.trim().split("\n").at(-1) ?? ""
    if (code !== 0) return yield* new ProgramFailed({ program: name, detail: last })
    const said = yield* Effect.mapError(
      Schema.decodeEffect(Said)(last),
      () => new ProgramFailed({ program: name, detail: "it did not say what it measured" })
    )
    return { ...said, wallSeconds } satisfies Measured
  })

const start = (file: string, args: ReadonlyArray<string>, output: string) => {
  const into = openSync(output, "w")
  const child = spawn(file, args, { stdio: ["ignore", into, "pipe"] })
  closeSync(into)
  let stderr = ""
  child.stderr?.on("data", (chunk) => (stderr += chunk))
  const ended = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => {
    child.once("error", (cause) => resolve({ code: null, stderr: cause.message }))
    child.once("close", (code) => resolve({ code, stderr }))
  })
  return { child, ended }
}
