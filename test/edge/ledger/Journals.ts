/** Journals for tests: made of transaction files by the fast engine, and what the rules make of the same files. */
import { Effect } from "effect"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"
import * as JournaledLedger from "../../../src/edge/ledger/JournaledLedger.ts"
import type { Place } from "../../../src/edge/ledger/JournalPlace.ts"
import { TransactionReader } from "../../../src/infra/ledger/TransactionReader.ts"
import * as LedgerFile from "../../../src/testing/ledger/LedgerFile.ts"
import * as Mix from "../../../src/testing/ledger/Mix.ts"

/** A file of so many rows, with all kinds of them. */
export const file = (rows: number, seed: number, clients = 20): string =>
  [...LedgerFile.make({ rows, clients, seed, mix: Mix.usual })].map(({ bytes }) => Buffer.from(bytes)).join("")

/** The accounts that the specification makes of the files, one after the other. */
export const accountsOf = (...files: ReadonlyArray<string>): string => {
  const book = LedgerBook.make(LedgerPolicy.standard)
  for (const text of files) TransactionText.process(book, text)
  return TransactionText.accounts(book)
}

export interface Given {
  readonly snapshotEvery?: number | undefined
  readonly wideClients?: boolean
  /** Bytes that are read at a time. */
  readonly chunk?: number | undefined
}

/** Puts files through books with a journal, as one process does; how many rows of each were taken. */
export const keep = (
  place: Place,
  files: Readonly<Record<string, string>>,
  { chunk = 4096, snapshotEvery, wideClients = false }: Given = {}
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const ledger = yield* JournaledLedger.open({
        place,
        policy: LedgerPolicy.standard,
        wideClients,
        seed: 7,
        snapshotEvery
      })
      const rows: Array<number> = []
      for (const [source, text] of Object.entries(files)) {
        const reader = new TransactionReader({
          books: ledger.books,
          refused: () => {},
          packed: (group) => ledger.take(source, group),
          from: ledger.positionOf(source)
        })
        const bytes = Buffer.from(text)
        for (let at = 0; at < bytes.length; at += chunk) {
          reader.take(bytes.subarray(at, at + chunk))
          yield* ledger.flush(() => reader.cut())
        }
        reader.end()
        rows.push(reader.counts.reduce((sum, count) => sum + count, 0))
      }
      yield* ledger.finish
      return { rows, restored: ledger.restored, sequence: ledger.sequence() }
    })
  )
