/**
 * `florin` and all of its commands. Each loads what it needs when it runs, so
 * that `--help` and `--completions` answer at once.
 */
import { Command } from "effect/cli"
import * as AccountsCommand from "./AccountsCommand.ts"
import * as AuditCommand from "./AuditCommand.ts"
import * as ConfigCommand from "./ConfigCommand.ts"
import * as DeadLettersCommand from "./DeadLettersCommand.ts"
import * as DemoCommand from "./DemoCommand.ts"
import * as EventsCommand from "./EventsCommand.ts"
import * as GenerateCommand from "./GenerateCommand.ts"
import * as JournalCommand from "./JournalCommand.ts"
import * as FlowsCommand from "./FlowsCommand.ts"
import * as PaymentsCommand from "./PaymentsCommand.ts"
import * as ProcessCommand from "./ProcessCommand.ts"
import * as RebuildCommand from "./RebuildCommand.ts"
import * as RecoverCommand from "./RecoverCommand.ts"
import * as SandboxCommand from "./SandboxCommand.ts"
import * as ServeCommand from "./ServeCommand.ts"
import * as SimulateCommand from "./SimulateCommand.ts"
import * as VerifyCommand from "./VerifyCommand.ts"
import * as WebhooksCommand from "./WebhooksCommand.ts"

export const command = Command.make("florin").pipe(
  Command.withDescription(
    "Payments that are charged at most once, and every charge known. Exit codes: 0 done; 1 not done, or a difference found; 2 the words were wrong"
  ),
  Command.withExamples([
    { command: "florin serve", description: "Run the payment service" },
    {
      command: 'eval "$(florin --completions bash)"',
      description: "Complete commands and flags in this shell; zsh and fish too"
    }
  ]),
  Command.withSubcommands([
    ServeCommand.command,
    PaymentsCommand.command,
    RecoverCommand.command,
    RebuildCommand.command,
    VerifyCommand.command,
    DeadLettersCommand.command,
    WebhooksCommand.command,
    EventsCommand.command,
    FlowsCommand.command,
    AuditCommand.command,
    AccountsCommand.command,
    JournalCommand.command,
    ConfigCommand.command,
    ProcessCommand.command,
    GenerateCommand.command,
    SandboxCommand.command,
    DemoCommand.command,
    SimulateCommand.command
  ])
)
