/** `florin accounts`: the ledger's accounts as they stand or stood, and the history of one. */
import { Console, Effect, Option, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Account } from "../../domain/ledger/Ledger.ts"
import * as Ledger from "../../domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"
import * as LedgerPolicy from "../../domain/ledger/LedgerPolicy.ts"
import { ClientId } from "../../domain/ledger/Transaction.ts"
import type { Chapter } from "../ledger/AccountHistory.ts"
import * as JournalFlags from "./JournalFlags.ts"
import * as Operator from "./Operator.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as StandardOutput from "./StandardOutput.ts"

const at = Flag.String("at").pipe(
  Flag.withMetavar("<time|sequence>"),
  Flag.withDescription("As of then: a moment such as 2026-11-21 or 2026-11-21T12:00:00Z, or the sequence of an event"),
  Flag.optional
)

const load = Effect.promise(() =>
  Promise.all([
    import("../ledger/LedgerMoment.ts"),
    import("../ledger/PastBooks.ts"),
    import("../../domain/ledger/TransactionText.ts"),
    import("../ledger/AccountHistory.ts"),
    import("../ledger/EventLine.ts")
  ])
)

/** Snapshots bring their own; it only has to be something. Nobody feeds these books with rows. */
const seed = 1

const balances = (account: Account) => ({
  available: LedgerAmount.format(account.available),
  held: LedgerAmount.format(account.held),
  total: LedgerAmount.format(Ledger.total(account)),
  locked: account.locked
})

// --- All --------------------------------------------------------------------

/** Lines that are printed at a time. */
const pageLines = 4096

const list = (given: JournalFlags.Given, isJson: boolean, moment: string | undefined) =>
  JournalFlags.overReading(given)(
    Effect.fnUntraced(function* (opened) {
      const [LedgerMoment, PastBooks, TransactionText, , EventLine] = yield* load
      const bound = yield* LedgerMoment.parse(moment, (yield* opened.journal.head).sequence)
      const show = yield* ProgressBar.make("events")
      const options = { policy: LedgerPolicy.standard, wideClients: true, seed }
      const { at, books, sequence } = yield* PastBooks.restore(opened, options, bound, (done, total) =>
        show({ done, total, note: "replayed" })
      )
      if (isJson) {
        const accounts = Array.from(books.accounts(), ([client, account]) => ({ client, ...balances(account) }))
        const time = at === undefined ? {} : { time: EventLine.timeOf(at) }
        return yield* Console.log(JSON.stringify({ sequence, ...time, accounts }, null, 2))
      }
      yield* Console.log(TransactionText.accountsHeading)
      const lines = Stream.map(Stream.fromIterable(books.accounts()), ([client, account]) =>
        TransactionText.accountRow(client, account)
      )
      yield* printed(Stream.rechunk(lines, pageLines))
    })
  )

/** Chunk by chunk, as long as somebody reads. */
const printed = <E, R>(lines: Stream.Stream<string, E, R>) =>
  lines.pipe(
    Stream.chunks,
    Stream.mapEffect((some) => Effect.andThen(Console.log(some.join("\n")), StandardOutput.isRead)),
    Stream.takeWhile((isRead) => isRead),
    Stream.runDrain
  )

// --- One --------------------------------------------------------------------

/** Nothing ever happened to this client. */
export class ClientUnknown extends Schema.TaggedError<ClientUnknown>()("ClientUnknown", { client: Schema.Int }) {
  override get message() {
    return `the journal has no client ${this.client}`
  }
}

const widths = [-10, 24, 24, 11, -10, -12, -13, -13, -13, -13]
const heading = ["event", "time", "from", "what", "tx", "amount", "available", "held", "balance", "held"]

const signed = (value: bigint) => (value === 0n ? "" : `${value > 0n ? "+" : ""}${LedgerAmount.format(value)}`)

const row = ({ after, before, event, line, sequence, source }: Chapter, time: string, type: string): string =>
  Operator.row(widths, [
    String(sequence),
    time,
    `${source}:${line}`,
    type,
    event._tag === "Opened" ? "" : String(event.tx),
    event._tag === "Opened" ? "" : LedgerAmount.format(event.amount),
    signed(after.available - before.available),
    signed(after.held - before.held),
    LedgerAmount.format(after.available),
    LedgerAmount.format(after.held)
  ]) + (after.locked && !before.locked ? "  frozen" : "")

const show = (client: ClientId, given: JournalFlags.Given, isJson: boolean, moment: string | undefined) =>
  JournalFlags.overReading(given)(
    Effect.fnUntraced(function* ({ journal }) {
      const [LedgerMoment, , , AccountHistory, EventLine] = yield* load
      const head = yield* journal.head
      const bound = yield* LedgerMoment.parse(moment, head.sequence)
      const upTo = bound.sequence ?? head.sequence
      const progress = yield* ProgressBar.make("events")
      const blocks = journal.read({ after: 0, upTo }).pipe(
        Stream.takeWhile((block) => bound.at === undefined || block.at <= bound.at),
        Stream.tap(({ count, first }) =>
          progress({ done: Math.min(upTo, first + count - 1), total: upTo, note: "looked through" })
        )
      )
      const chapters = yield* Stream.runCollect(AccountHistory.of(client, blocks, upTo))
      const last = chapters.at(-1)
      if (last === undefined) return yield* new ClientUnknown({ client })
      const value = {
        client,
        ...balances(last.after),
        history: chapters.map(({ after, at, before, event, line, sequence, source }) => ({
          sequence,
          time: EventLine.timeOf(at),
          source,
          line,
          type: EventLine.typeOf[event._tag],
          ...(event._tag !== "Opened" && { tx: event.tx, amount: LedgerAmount.format(event.amount) }),
          moved: {
            available: LedgerAmount.format(after.available - before.available),
            held: LedgerAmount.format(after.held - before.held)
          },
          balance: balances(after)
        }))
      }
      yield* Operator.answer(isJson, value, () =>
        [
          Operator.row(widths, heading),
          ...chapters.map((chapter) =>
            row(chapter, EventLine.timeOf(chapter.at), EventLine.typeOf[chapter.event._tag])
          ),
          `client ${client}: available ${value.available}, held ${value.held}, total ${value.total}, ${value.locked ? "frozen" : "open"}`
        ].join("\n")
      )
    })
  )

const showCommand = Command.make(
  "show",
  {
    client: Argument.Int("client").pipe(Argument.withSchema(ClientId), Argument.withDescription("The client's id")),
    at,
    json: Operator.json,
    ...JournalFlags.reading
  },
  ({ at, client, json, ...given }) => show(client, given, json, Option.getOrUndefined(at))
).pipe(
  Command.withDescription(
    "The history of one account: each event, what it moved, and the balance after it. Exits with 1 when the journal has no such client"
  ),
  Command.withShortDescription("The history of one account"),
  Command.withExamples([
    { command: "florin accounts show 7 --journal ledger", description: "All that happened to client 7" },
    { command: "florin accounts show 7 --journal ledger --at 2026-11-21", description: "Up to that moment" }
  ])
)

export const command = Command.make("accounts", { at, json: Operator.json, ...JournalFlags.reading }, (flags) => {
  const { at, json, ...given } = flags
  return list(given, json, Option.getOrUndefined(at))
}).pipe(
  Command.withDescription(
    "The accounts of a ledger as CSV: client, available, held, total, locked; now, or as of a moment or an event. Looks, and changes nothing; may run beside whoever writes"
  ),
  Command.withShortDescription("The accounts of a ledger, now or then"),
  Command.withExamples([
    {
      command: "florin accounts --journal ledger > accounts.csv",
      description: "Of the journal in the directory ledger"
    },
    { command: "florin accounts --journal ledger --at 1000000", description: "As they were after event 1,000,000" },
    {
      command: "florin accounts --at 2026-11-21T12:00:00Z --json",
      description: "As of a moment, in the database of the settings"
    }
  ]),
  Command.withSubcommands([showCommand])
)
