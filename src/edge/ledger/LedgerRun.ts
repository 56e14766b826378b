/**
 * Transaction files into accounts: `florin process`.
 *
 *     open books, and the file of refused rows if there is one
 *     for each file, chunk by chunk: into the books, refused rows to their file
 *     all accounts to the output, and only now
 *
 * The books are in memory, or in memory and in a journal (`JournaledLedger`):
 * then each file is taken up where the journal says that it was left.
 *
 * A run that cannot go on leaves neither output nor a file of refused rows.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import { ColumnarBooks, randomSeed } from "../../infra/ledger/ColumnarBooks.ts"
import * as RowCode from "../../infra/ledger/RowCode.ts"
import { TransactionReader } from "../../infra/ledger/TransactionReader.ts"
import type * as OutputFile from "../cli/OutputFile.ts"
import * as AccountsCsv from "./AccountsCsv.ts"
import type { JournaledLedger } from "./JournaledLedger.ts"
import { SourceChanged } from "./JournaledSources.ts"
import * as RejectsCsv from "./RejectsCsv.ts"
import type { JournalSummary, Refused, RunSummary } from "./RunSummary.ts"
import { openSource, SourceUnreadable, standardInput } from "./TransactionSource.ts"

export interface Options {
  readonly files: ReadonlyArray<string>
  readonly policy: LedgerPolicy
  readonly wideClients: boolean
  /** Writes the accounts, whole or not at all. */
  readonly output: Write
  readonly rejects: Option.Option<Write>
  /** Where each event is kept; without it, nowhere. */
  readonly journal?: Journaling | undefined
  /** Hears now and then how far the files are. */
  readonly onProgress: (progress: Progress) => Effect.Effect<void>
}

export interface Journaling {
  readonly ledger: JournaledLedger
  /** What each file is called in the journal, in their order. */
  readonly names: ReadonlyArray<string>
}

export type Write = <A, E, R>(
  body: (put: OutputFile.Put) => Effect.Effect<A, E, R>
) => Effect.Effect<A | undefined, E | OutputFile.OutputFileError, R>

export interface Progress {
  readonly file: string
  /** Bytes of the file as it is stored; `size` is 0 where nobody knows. */
  readonly read: number
  readonly size: number
  readonly rows: number
}

/** The file does not begin with a line that names the columns. */
export class BadHeader extends Schema.TaggedError<BadHeader>()("BadHeader", {
  path: Schema.String,
  line: Schema.Int
}) {
  override get message() {
    const name = this.path === "-" ? "standard input" : this.path
    return `${name}: line ${this.line}: expected a header that names type, client, tx and amount, each once; got something else`
  }
}

/** So many refused rows are told; all of them are in the file of refused rows. */
const maxTold = 10

export const run = Effect.fn("LedgerRun.run")(function* (options: Options) {
  const clock = yield* Clock.Clock
  const started = clock.currentTimeNanosUnsafe()
  const { journal, policy, wideClients } = options
  const books = journal?.ledger.books ?? new ColumnarBooks({ policy, wideClients, seed: yield* randomSeed })
  const firstRefused: Array<Refused> = []
  const counts = new Float64Array(RowCode.count)
  let pending = Option.isSome(options.rejects) ? RejectsCsv.header : ""

  const take = Effect.fnUntraced(function* (path: string, put: OutputFile.Put | undefined, name: string) {
    const source = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => openSource(path), catch: asUnreadable(path) }),
      ({ close }) => Effect.promise(close)
    )
    const reader = new TransactionReader({
      books,
      ...(journal !== undefined && {
        packed: (group) => journal.ledger.take(name, group),
        from: journal.ledger.positionOf(name)
      }),
      refused: (line, code) => {
        if (put === undefined && firstRefused.length >= maxTold) return
        const refused = { file: path, line, reason: RowCode.text(code) }
        if (firstRefused.length < maxTold) firstRefused.push(refused)
        if (put !== undefined) pending += RejectsCsv.row(refused)
      }
    })
    const before = books.entries.size
    const next = Effect.tryPromise({ try: source.next, catch: asUnreadable(path) })
    // What a pipe has sent may be all for long, and is not kept back for a full group.
    const isLive = path === standardInput
    const keep = Effect.suspend(() => {
      if (journal === undefined) return Effect.void
      if (isLive) reader.cut()
      return journal.ledger.flush(() => reader.cut())
    })
    let chunk = yield* next
    while (chunk !== undefined && reader.take(chunk)) {
      yield* keep
      if (put !== undefined && pending !== "") {
        yield* put(Buffer.from(pending))
        pending = ""
      }
      // What is left of the file will be like what was read of it.
      const read = source.bytesRead()
      if (read > 0) books.entries.expect(before + (books.entries.size - before) * Math.max(source.size / read, 1))
      yield* options.onProgress({ file: path, read, size: source.size, rows: reader.line })
      chunk = yield* next
    }
    const isWhole = reader.end()
    yield* keep
    if (reader.fault?._tag === "SourceChanged") {
      return yield* new SourceChanged({ path, source: name, line: reader.fault.from.line })
    }
    if (!isWhole)
      return yield* new BadHeader({ path, line: reader.fault?._tag === "BadHeader" ? reader.fault.line : 1 })
    reader.counts.forEach((count, code) => (counts[code]! += count))
  }, Effect.scoped)

  const takeAll = Effect.fnUntraced(function* (put: OutputFile.Put | undefined) {
    for (const [index, path] of options.files.entries()) yield* take(path, put, journal?.names[index] ?? path)
    if (journal !== undefined) yield* journal.ledger.finish
    if (put !== undefined) yield* put(Buffer.from(pending))
    let accounts = 0
    yield* options.output(
      Effect.fnUntraced(function* (put) {
        for (const part of AccountsCsv.parts(counted(books.accounts(), () => (accounts += 1)))) yield* put(part)
      })
    )
    return accounts
  })
  const accounts = yield* Option.match(options.rejects, {
    onNone: () => takeAll(undefined),
    onSome: (write) => write(takeAll)
  })

  const seconds = Number(clock.currentTimeNanosUnsafe() - started) / 1e9
  const rows = counts.reduce((sum, count) => sum + count, 0)
  return {
    files: options.files.length,
    rows,
    applied: counts[RowCode.applied]!,
    refused: Object.fromEntries(
      Array.from(counts, (count, code) => [RowCode.text(code), count] as const).filter(
        ([reason, count]) => reason !== "" && count > 0
      )
    ),
    accounts: accounts ?? 0,
    seconds,
    rowsPerSecond: rows / seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    firstRefused,
    ...(journal !== undefined && { journal: summaryOf(journal.ledger) })
  } satisfies RunSummary
})

const summaryOf = ({ cut, restored, sequence }: JournaledLedger): JournalSummary => ({
  restored: restored.sequence,
  snapshot: restored.snapshot,
  sequence: sequence(),
  cutBytes: cut?.bytes ?? 0
})

const asUnreadable = (path: string) => (cause: unknown) =>
  cause instanceof SourceUnreadable ? cause : new SourceUnreadable({ path, what: String(cause) })

function* counted<A>(all: Iterable<A>, tell: () => void): Generator<A> {
  for (const one of all) {
    tell()
    yield one
  }
}
