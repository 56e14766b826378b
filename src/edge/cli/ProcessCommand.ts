/** `florin process`: clients' accounts from files of transactions. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as LedgerPolicy from "../../domain/ledger/LedgerPolicy.ts"
import type * as LedgerRun from "../ledger/LedgerRun.ts"
import * as JournalFlags from "./JournalFlags.ts"
import * as ProgressBar from "./ProgressBar.ts"

const loaded = Effect.promise(() =>
  Promise.all([import("../ledger/LedgerRun.ts"), import("../ledger/RunSummary.ts"), import("./OutputFile.ts")])
)

const policy = Flag.String("policy").pipe(
  Flag.withDescription(
    `A choice that is not the usual one, NAME=CHOICE, as often as needed: ${[...LedgerPolicy.choices]
      .map(([name, choices]) => `${name}=${choices.join("|")}`)
      .join(", ")}`
  ),
  Flag.atLeast(0),
  Flag.mapEffect((choices) =>
    Effect.mapError(
      Effect.fromResult(LedgerPolicy.parse(choices.join(","))),
      ({ message }) =>
        new CliError.InvalidValue({
          option: "policy",
          value: choices.join(","),
          expected: message.replace(/^policy: expected /, ""),
          kind: "flag"
        })
    )
  )
)

const say = (text: string) => Effect.sync(() => process.stderr.write(`${text}\n`))

/** How often a terminal is told. */
const showMillis = 100
const bytesPerMegabyte = 1_000_000

/** Bytes of all files, and at what rate rows go by; nothing off a terminal, where a file takes a second. */
const progress = Effect.fnUntraced(function* (isJson: boolean) {
  if (isJson || !process.stderr.isTTY) return () => Effect.void
  const show = yield* ProgressBar.make("MB")
  const started = yield* Clock.currentTimeMillis
  let shown = started
  return ({ file, read, rows, size }: LedgerRun.Progress) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const isLast = size > 0 && read === size
      if (now - shown < showMillis && !isLast) return Effect.void
      shown = now
      const seconds = Math.max(now - started, 1) / 1000
      const left = read === 0 ? 0 : (Math.max(size - read, 0) / read) * seconds
      const note = `${Math.round(rows / seconds)} rows/s${size > 0 && !isLast ? `, ${left.toFixed(0)}s left` : ""} ${file}`
      const total = Math.max(Math.ceil(size / bytesPerMegabyte), 1)
      return show({ done: isLast ? total : Math.min(Math.floor(read / bytesPerMegabyte), total - 1), total, note })
    })
})

export const command = Command.make(
  "process",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription(
        "Files with type,client,tx,amount; - for standard input, unpacked if the name ends with .gz"
      ),
      Argument.variadic({ min: 1 })
    ),
    wideClients: Flag.Boolean("wide-clients").pipe(
      Flag.withDescription("Clients of up to 4294967295 instead of 65535"),
      Flag.withDefault(false)
    ),
    policy,
    rejects: Flag.String("rejects").pipe(
      Flag.optional,
      Flag.withMetavar("FILE"),
      Flag.withDescription("Write all refused rows to this file, as file,line,reason")
    ),
    output: Flag.String("output").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Where the accounts go, compressed if the name ends with .gz; - for standard output"),
      Flag.withDefault("-")
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the summary as one line of JSON, on standard error"),
      Flag.withDefault(false)
    ),
    ...JournalFlags.writing
  },
  Effect.fn(function* ({ files, json, output, policy, rejects, wideClients, ...given }) {
    const [LedgerRun, RunSummary, OutputFile] = yield* loaded
    const writeTo =
      (path: string): LedgerRun.Write =>
      (body) =>
        OutputFile.write(path, body)
    const onProgress = yield* progress(json)
    const run = (journal?: LedgerRun.Journaling) =>
      LedgerRun.run({
        files,
        policy,
        wideClients,
        output: writeTo(output),
        rejects: Option.map(rejects, writeTo),
        journal,
        onProgress
      })
    const summary = yield* JournalFlags.overWriting(given, { files, policy, wideClients, isJson: json }, run)
    yield* say(json ? RunSummary.toJson(summary) : RunSummary.toText(summary))
  })
).pipe(
  Command.withDescription(
    "Put transaction files through the ledger, one after the other, and print every client's account. A refused row stops nothing: its line and its reason are told"
  ),
  Command.withShortDescription("Accounts from files of transactions"),
  Command.withExamples([
    { command: "florin process transactions.csv > accounts.csv", description: "The accounts of one file" },
    {
      command: "florin process monday.csv.gz tuesday.csv.gz --output accounts.csv --rejects refused.csv",
      description: "Two files in order, and every row that was refused"
    },
    {
      command: "zcat *.gz | florin process - --policy frozen-deposits=refuse --policy disputable=all",
      description: "From a pipe, under other rules"
    },
    {
      command: "florin process november.csv --journal ledger > accounts.csv",
      description: "Into a journal: sent again, it goes on where it was left, however it ended"
    }
  ])
)
