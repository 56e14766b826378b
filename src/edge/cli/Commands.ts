/**
 * `florin`'s commands by name, each in a module of its own that is loaded when
 * it is asked for: a command that is named does not wait for the others, which
 * take longer to load than most of them take to run.
 */
import * as Command from "effect/cli/Command"

const modules = {
  serve: () => import("./ServeCommand.ts"),
  payments: () => import("./PaymentsCommand.ts"),
  recover: () => import("./RecoverCommand.ts"),
  rebuild: () => import("./RebuildCommand.ts"),
  verify: () => import("./VerifyCommand.ts"),
  "dead-letters": () => import("./DeadLettersCommand.ts"),
  webhooks: () => import("./WebhooksCommand.ts"),
  events: () => import("./EventsCommand.ts"),
  flows: () => import("./FlowsCommand.ts"),
  sagas: () => import("./SagasCommand.ts"),
  subscriptions: () => import("./SubscriptionsCommand.ts"),
  inventory: () => import("./InventoryCommand.ts"),
  audit: () => import("./AuditCommand.ts"),
  accounts: () => import("./AccountsCommand.ts"),
  journal: () => import("./JournalCommand.ts"),
  config: () => import("./ConfigCommand.ts"),
  process: () => import("./ProcessCommand.ts"),
  generate: () => import("./GenerateCommand.ts"),
  sandbox: () => import("./SandboxCommand.ts"),
  demo: () => import("./DemoCommand.ts"),
  simulate: () => import("./SimulateCommand.ts")
}

type Name = keyof typeof modules
type Named = Awaited<ReturnType<(typeof modules)[Name]>>["command"]

const isName = (word: string | undefined): word is Name => word !== undefined && Object.hasOwn(modules, word)

/** Those that the words of a command line may be about: the one that they name, or all. */
export const load = async (words: ReadonlyArray<string>): Promise<ReadonlyArray<Named>> => {
  const [first] = words
  // Completions are of all commands, wherever they are asked for.
  const isOne = isName(first) && !words.some((word) => word.startsWith("--completions"))
  const names = isOne ? [first] : Object.keys(modules).filter(isName)
  return Promise.all(names.map(async (name) => (await modules[name]()).command))
}

/** `florin` with some of its commands. */
export const florin = (commands: ReadonlyArray<Named>) =>
  Command.make("florin").pipe(
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
    Command.withSubcommands(commands)
  )
