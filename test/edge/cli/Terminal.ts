/** A command of `florin` in this process: its words in, what it prints and how it ends out. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, ConfigProvider, Console, Effect, Exit, Layer } from "effect"
import { CliOutput, Command } from "effect/cli"
import { format } from "node:util"
import * as Complaint from "../../../src/edge/cli/Complaint.ts"

export interface Said {
  readonly stdout: string
  readonly stderr: string
  /** What `florin` would say on standard error of a failure; empty when there was none. */
  readonly complaint: string
}

/** A console that keeps what is printed. */
const recording = () => {
  const said = { stdout: "", stderr: "" }
  const out = (...args: ReadonlyArray<unknown>) => void (said.stdout += `${format(...args)}\n`)
  const err = (...args: ReadonlyArray<unknown>) => void (said.stderr += `${format(...args)}\n`)
  return { said, console: { ...globalThis.console, log: out, error: err } }
}

/** Runs `command` with the words that come after its name, in an environment that has only `settings`. */
export const run = <Name extends string, Input, Context, E, R>(
  command: Command.Command<Name, Input, Context, E, R>,
  words: ReadonlyArray<string>,
  settings: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const { console, said } = recording()
    const presenter = CliOutput.layerPresenter({
      present: (event) =>
        event._tag === "InvalidInvocation"
          ? Console.error(Complaint.ofWords(event.commandPath, event.errors))
          : CliOutput.defaultPresenter.present(event)
    })
    const exit = yield* Command.runWith(command, { version: "0" })(words).pipe(
      Effect.provideService(Console.Console, console),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(settings)),
      Effect.provide(Layer.mergeAll(NodeServices.layer, presenter)),
      Effect.exit
    )
    const complaint = Exit.isFailure(exit) ? Complaint.of(exit.cause) : ""
    if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return yield* Effect.failCause(exit.cause)
    return { ...said, complaint } satisfies Said
  })
