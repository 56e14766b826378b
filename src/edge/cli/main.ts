#!/usr/bin/env node
/**
 * The `florin` command.
 *
 * Exit codes: 0 when it did what was asked, or was told to end; 1 when it
 * could not, with one line on standard error that says why.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit } from "effect"
import { CliError, Command } from "effect/cli"
import * as AuditCommand from "./AuditCommand.ts"
import * as Complaint from "./Complaint.ts"
import * as DemoCommand from "./DemoCommand.ts"
import * as EventsCommand from "./EventsCommand.ts"
import * as SandboxCommand from "./SandboxCommand.ts"
import * as ServeCommand from "./ServeCommand.ts"
import * as SimulateCommand from "./SimulateCommand.ts"
import { version } from "./Version.ts"

const florin = Command.make("florin").pipe(
  Command.withDescription("Payments that are charged at most once, and every charge known"),
  Command.withSubcommands([
    ServeCommand.command,
    SandboxCommand.command,
    DemoCommand.command,
    SimulateCommand.command,
    EventsCommand.command,
    AuditCommand.command
  ])
)

NodeRuntime.runMain(
  Command.run(florin, { version }).pipe(
    Effect.tapCause((cause) =>
      // What was wrong with the words of the command is said by the command itself.
      Cause.hasInterruptsOnly(cause) || CliError.isCliError(Cause.squash(cause))
        ? Effect.void
        : Effect.sync(() => process.stderr.write(`${Complaint.of(cause)}\n`))
    ),
    Effect.provide(NodeServices.layer)
  ),
  {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  }
)
