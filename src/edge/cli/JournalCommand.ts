/** `florin journal`: whether a ledger's journal still holds, and all that is in it. */
import { Console, Effect, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import * as PackedEvents from "../../domain/ledger/PackedEvents.ts"
import * as JournalFlags from "./JournalFlags.ts"
import * as Operator from "./Operator.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as StandardOutput from "./StandardOutput.ts"

// --- Verify -----------------------------------------------------------------

const verify = (given: JournalFlags.Given, isJson: boolean) =>
  JournalFlags.overReading(given)(
    Effect.fnUntraced(function* (opened) {
      const JournalVerification = yield* Effect.promise(() => import("../ledger/JournalVerification.ts"))
      const show = yield* ProgressBar.make("events")
      const report = yield* JournalVerification.verify(opened, undefined, (done, total) =>
        show({ done, total, note: "" })
      )
      yield* Operator.answer(isJson, report, () => {
        const { accounts, blocks, events, snapshots, sources } = report
        const compared = snapshots.length === 0 ? "none" : snapshots.join(", ")
        return [
          `events ${events}, in blocks ${blocks}, from sources ${sources}: every one follows from those before it`,
          `accounts ${accounts}`,
          `snapshots that agree: ${compared}`
        ].join("\n")
      })
    })
  )

const verifyCommand = Command.make("verify", { json: Operator.json, ...JournalFlags.reading }, ({ json, ...given }) =>
  verify(given, json)
).pipe(
  Command.withDescription(
    "Read the journal from its first event to its last: checksums, that none is missing, that the rules can have written each, and that snapshots say the same. Exits with 1 at the first that is wrong, and names it"
  ),
  Command.withShortDescription("Hold every event against the rules"),
  Command.withExamples([
    { command: "florin journal verify --journal ledger", description: "Of the journal in the directory ledger" },
    {
      command: "florin journal verify --json",
      description: "Of the database of the settings; its report for a program"
    }
  ])
)

// --- Export -----------------------------------------------------------------

const sequence = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "the sequence of an event" }))),
    Flag.withDescription(description)
  )

const print = (lines: ReadonlyArray<string>) =>
  Effect.callback<void>((resume) => {
    process.stdout.write(`${lines.join("\n")}\n`, () => resume(Effect.void))
  })

const exportCommand = Command.make(
  "export",
  {
    after: sequence("after", "Only events after this one").pipe(Flag.withDefault(0)),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Each event as a line of JSON instead of CSV"),
      Flag.withDefault(false)
    ),
    ...JournalFlags.reading
  },
  ({ after, json, ...given }) =>
    JournalFlags.overReading(given)(
      Effect.fnUntraced(function* ({ journal }) {
        const EventLine = yield* Effect.promise(() => import("../ledger/EventLine.ts"))
        const line = json ? EventLine.json : EventLine.csv
        const { sequence: head } = yield* journal.head
        const show = yield* ProgressBar.make("events")
        if (!json) yield* Console.log(EventLine.heading)
        yield* journal.read({ after, upTo: head }).pipe(
          Stream.mapEffect(
            Effect.fnUntraced(function* ({ at, count, events, first, line: from, source }) {
              const lines = PackedEvents.unpack(events, from)
                .map((lined, index) => ({ ...lined, sequence: first + index, at, source }))
                .filter(({ sequence }) => sequence > after && sequence <= head)
                .map(line)
              yield* print(lines)
              yield* show({ done: Math.min(head, first + count - 1) - after, total: head - after, note: "" })
              return yield* StandardOutput.isRead
            })
          ),
          Stream.takeWhile((isRead) => isRead),
          Stream.runDrain
        )
      })
    )
).pipe(
  Command.withDescription(
    "Every event, the oldest first: sequence, time, source, line, type, client, tx, amount. `opened` is an account that a refused withdrawal made"
  ),
  Command.withShortDescription("Every event, as CSV or JSON"),
  Command.withExamples([
    { command: "florin journal export --journal ledger > events.csv", description: "All of them" },
    { command: "florin journal export --after 1000000 --json", description: "Those after event 1,000,000, a line each" }
  ])
)

export const command = Command.make("journal").pipe(
  Command.withDescription("The journal of a ledger: every transaction that was applied"),
  Command.withExamples([{ command: "florin journal verify --journal ledger", description: "Whether it still holds" }]),
  Command.withSubcommands([verifyCommand, exportCommand])
)
