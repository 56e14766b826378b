/** The fast engine over bytes, and the specification over the same bytes as text: what both have to answer alike. */
import * as Ledger from "../../../src/domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import type { LedgerPolicy } from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import * as TransactionRow from "../../../src/domain/ledger/TransactionRow.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"
import { ColumnarBooks } from "../../../src/infra/ledger/ColumnarBooks.ts"
import type { EventGroup } from "../../../src/infra/ledger/EventPacker.ts"
import * as RowCode from "../../../src/infra/ledger/RowCode.ts"
import { TransactionReader } from "../../../src/infra/ledger/TransactionReader.ts"

export interface Outcome {
  readonly accounts: string
  readonly rejections: ReadonlyArray<string>
  readonly events: ReadonlyArray<PackedEvents.Lined>
  readonly rows: number
}

export const seed = 0x5eed

export const books = (policy: LedgerPolicy, wideClients = false) => new ColumnarBooks({ policy, wideClients, seed })

export const accountsOf = (fast: ColumnarBooks): string =>
  [
    "client,available,held,total,locked",
    ...Array.from(fast.accounts(), ([client, account]) =>
      [
        client,
        LedgerAmount.format(account.available),
        LedgerAmount.format(account.held),
        LedgerAmount.format(Ledger.total(account)),
        account.locked
      ].join(",")
    )
  ]
    .map((line) => `${line}\n`)
    .join("")

/** In chunks of `size` bytes; the last one as long as there are bytes. */
export const readAll = (reader: TransactionReader, bytes: Buffer, size: number): void => {
  for (let at = 0; at < bytes.length; at += size) {
    if (!reader.take(Buffer.from(bytes.subarray(at, at + size)))) return
  }
  reader.end()
}

export const fast = (bytes: Buffer, policy: LedgerPolicy, { size = bytes.length, wide = false } = {}): Outcome => {
  const rejections: Array<string> = []
  const groups: Array<EventGroup> = []
  const all = books(policy, wide)
  const reader = new TransactionReader({
    books: all,
    refused: (line, code) => rejections.push(`${line}:${RowCode.text(code)}`),
    packed: (group) => groups.push(group)
  })
  readAll(reader, bytes, Math.max(size, 1))
  if (reader.fault?._tag === "BadHeader") rejections.push(`${reader.fault.line}:BadHeader`)
  return {
    accounts: accountsOf(all),
    rejections,
    events: groups.flatMap(({ events, line }) => PackedEvents.unpack(events, line)),
    rows: reader.counts.reduce((sum, count) => sum + count, 0)
  }
}

export const specified = (bytes: Buffer, policy: LedgerPolicy, { wide = false } = {}): Outcome => {
  const book = LedgerBook.make(policy)
  const maxClient = wide ? TransactionRow.wide : TransactionRow.narrow
  const { events, rejections, rows } = TransactionText.process(book, bytes.toString("utf8"), maxClient)
  return {
    accounts: TransactionText.accounts(book),
    rejections: rejections.map(TransactionText.rejection),
    events,
    rows
  }
}
