/**
 * The `florin` command as a program: what it says, where, and how it ends.
 *
 * Exit codes: 0 when it did what was asked, or was told to end; 1 when it could
 * not, or found what it looks for (a difference, a broken promise); 2 when it
 * did not understand the words of the command. With 1 and 2, one line on
 * standard error says why.
 *
 * The commands are in `Commands`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Commands from "./Commands.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { version } from "./Version.ts"

const complain = (text: string) => Effect.sync(() => process.stderr.write(`${text}\n`))
const complaint = Effect.promise(() => import("./Complaint.ts"))

/** Help goes to standard output when it was asked for; what was wrong is one line on standard error. */
const presenter = CliOutput.layerPresenter({
  present: (event) => {
    if (event._tag === "InvalidInvocation") {
      return Effect.flatMap(complaint, ({ ofWords }) => complain(ofWords(event.commandPath, event.errors)))
    }
    const presented = CliOutput.defaultPresenter.present(event)
    return event._tag === "Help" && event.reason === "Implicit"
      ? Effect.andThen(
          presented,
          Effect.flatMap(complaint, ({ ofWords }) => complain(ofWords(event.commandPath, [])))
        )
      : presented
  }
})

const isAboutWords = (cause: Cause.Cause<unknown>) => CliError.isCliError(Cause.squash(cause))

const command = Effect.promise(() => Commands.load(process.argv.slice(2)))

export const run = () =>
  NodeRuntime.runMain(
    StandardOutput.survive.pipe(
      Effect.andThen(command),
      Effect.flatMap((commands) => Command.run(Commands.florin(commands), { version })),
      Effect.tapCause((cause) =>
        // What was wrong with the words of the command is said by the presenter.
        Cause.hasInterruptsOnly(cause) || isAboutWords(cause)
          ? Effect.void
          : Effect.flatMap(complaint, ({ of }) => complain(of(cause)))
      ),
      Effect.provide(Layer.mergeAll(NodeServices.layer, presenter))
    ),
    {
      disableErrorReporting: true,
      teardown: (exit, onExit) => {
        if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return onExit(0)
        return onExit(isAboutWords(exit.cause) ? 2 : 1)
      }
    }
  )
