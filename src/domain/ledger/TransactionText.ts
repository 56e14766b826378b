/**
 * A whole transaction file, as the specification reads it: its text in, what
 * happened and what was refused out, and a book's accounts as text.
 *
 * A file is UTF-8. A byte order mark may stand before it; lines end with LF or
 * CRLF, the last of them also with the file. Blank lines are skipped and
 * counted as lines, the first of which is 1. The first line that is not blank
 * is the header; each after it is a row. Without a header nothing else is read.
 *
 * Several files are several calls with one book. The fast engine is held to
 * what this answers.
 */
import { Result } from "effect"
import * as Ledger from "./Ledger.ts"
import * as LedgerAmount from "./LedgerAmount.ts"
import * as LedgerBook from "./LedgerBook.ts"
import * as LedgerRefusal from "./LedgerRefusal.ts"
import type * as PackedEvents from "./PackedEvents.ts"
import * as TransactionRow from "./TransactionRow.ts"

export interface Rejection {
  readonly line: number
  readonly reason: LedgerRefusal.Refusal | LedgerRefusal.RowFault | { readonly _tag: "BadHeader" }
}

export interface Outcome {
  /** Lines after the header that are not blank. */
  readonly rows: number
  readonly applied: number
  /** In the order of lines; one for each row that was not applied. */
  readonly rejections: ReadonlyArray<Rejection>
  /** In the order of lines; one for each row that was applied, and for each account that a refused one opened. */
  readonly events: ReadonlyArray<PackedEvents.Lined>
}

/** Puts each row of the file through the book. */
export const process = (
  book: LedgerBook.LedgerBook,
  text: string,
  maxClient: number = TransactionRow.narrow
): Outcome => {
  const lines = text.replace(/^\u{feff}/u, "").split("\n")
  const first = lines.findIndex((line) => !TransactionRow.isBlank(line))
  const header = TransactionRow.header(lines[first] ?? "")
  if (header === undefined) {
    const line = first === -1 ? 1 : first + 1
    return { rows: 0, applied: 0, rejections: [{ line, reason: { _tag: "BadHeader" } }], events: [] }
  }
  const rejections: Array<Rejection> = []
  const events: Array<PackedEvents.Lined> = []
  let rows = 0
  lines.forEach((row, index) => {
    const line = index + 1
    if (index <= first || TransactionRow.isBlank(row)) return
    rows += 1
    const parsed = TransactionRow.parse(row, { header, maxClient })
    if (Result.isFailure(parsed)) return rejections.push({ line, reason: parsed.failure })
    const decision = LedgerBook.apply(book, parsed.success)
    if (decision._tag === "Applied") return events.push({ event: decision.event, line })
    if (decision.opens) events.push({ event: { _tag: "Opened", client: parsed.success.client }, line })
    return rejections.push({ line, reason: decision.refusal })
  })
  return { rows, applied: rows - rejections.length, rejections, events }
}

/** As in reports and in the given cases: `3:DuplicateTx`, `4:MalformedRow:amount`. */
export const rejection = ({ line, reason }: Rejection): string =>
  `${line}:${typeof reason !== "string" && reason._tag === "BadHeader" ? reason._tag : LedgerRefusal.text(reason)}`

/** What stands above accounts. */
export const accountsHeading = "client,available,held,total,locked"

/** The accounts as CSV, by client. */
export const accounts = (book: LedgerBook.LedgerBook): string =>
  [
    accountsHeading,
    ...[...book.accounts].toSorted(([a], [b]) => a - b).map(([client, account]) => accountRow(client, account))
  ]
    .map((line) => `${line}\n`)
    .join("")

/** An account as a line of CSV. */
export const accountRow = (client: number, account: Ledger.Account): string =>
  [
    client,
    LedgerAmount.format(account.available),
    LedgerAmount.format(account.held),
    LedgerAmount.format(Ledger.total(account)),
    account.locked
  ].join(",")
