import { assert, describe, it } from "@effect/vitest"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import type { Transaction } from "../../../src/domain/ledger/Transaction.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import * as BooksSnapshot from "../../../src/infra/ledger/BooksSnapshot.ts"
import { SnapshotUnreadable } from "../../../src/adapters/LedgerBooks.ts"
import type { ColumnarBooks } from "../../../src/infra/ledger/ColumnarBooks.ts"
import * as FastLedger from "./FastLedger.ts"

const client = (id: number) => ClientId.make(id)
const tx = (id: number) => TxId.make(id)
const policy = LedgerPolicy.standard

/** One of each: a spent, disputed, resolved and charged back deposit, a withdrawal, an opened account, the largest amount. */
const history: ReadonlyArray<Transaction> = [
  { _tag: "Deposit", client: client(1), tx: tx(1), amount: 1_000_000n },
  { _tag: "Withdrawal", client: client(1), tx: tx(2), amount: 800_000n },
  { _tag: "Dispute", client: client(1), tx: tx(1) },
  { _tag: "Deposit", client: client(2), tx: tx(4_294_967_295), amount: 9_223_372_036_854_775_807n },
  { _tag: "Deposit", client: client(3), tx: tx(3), amount: 50n },
  { _tag: "Dispute", client: client(3), tx: tx(3) },
  { _tag: "Chargeback", client: client(3), tx: tx(3) },
  { _tag: "Deposit", client: client(3), tx: tx(4), amount: 7n },
  { _tag: "Dispute", client: client(3), tx: tx(4) },
  { _tag: "Resolve", client: client(3), tx: tx(4) },
  { _tag: "Withdrawal", client: client(60_000), tx: tx(5), amount: 1n }
]

const full = (wideClients = false) => {
  const books = FastLedger.books(policy, wideClients)
  for (const transaction of history) books.apply(transaction)
  return books
}

const bytesOf = (books: ColumnarBooks) => Buffer.concat([...BooksSnapshot.parts(books)])

const restored = (bytes: Buffer, { size = bytes.length, wideClients = false } = {}) => {
  const restoration = new BooksSnapshot.Restoration(policy, { wideClients })
  for (let at = 0; at < bytes.length; at += size) restoration.take(bytes.subarray(at, at + size))
  return restoration.end()
}

const refusal = (bytes: Buffer, wideClients = false) => {
  try {
    restored(bytes, { wideClients })
    return "restored"
  } catch (error) {
    return error instanceof SnapshotUnreadable ? error.message : error
  }
}

const accounts = [
  "client,available,held,total,locked",
  "1,-80.0000,100.0000,20.0000,false",
  "2,922337203685477.5807,0.0000,922337203685477.5807,false",
  "3,0.0007,0.0000,0.0007,true",
  "60000,0.0000,0.0000,0.0000,false",
  ""
].join("\n")

describe("BooksSnapshot", () => {
  it("restores accounts and transactions, however its bytes are cut", () => {
    const bytes = bytesOf(full())
    for (const size of [1, 7, 1000, bytes.length]) {
      const books = restored(bytes, { size })
      assert.strictEqual(FastLedger.accountsOf(books), accounts)
      for (const id of [1, 2, 3, 4, 4_294_967_295]) assert.deepStrictEqual(books.entry(id), full().entry(id))
      assert.strictEqual(books.entry(5), undefined)
      assert.deepStrictEqual(bytesOf(books), bytes)
    }
  })

  it("goes on as if nothing had been between", () => {
    const books = restored(bytesOf(full()))
    assert.strictEqual(books.apply(history[0]!)._tag, "Refused")
    assert.deepStrictEqual(books.apply({ _tag: "Resolve", client: client(1), tx: tx(1) }), {
      _tag: "Applied",
      event: { _tag: "Resolved", client: client(1), tx: tx(1), amount: 1_000_000n }
    })
    assert.deepStrictEqual(books.account(1), { available: 200_000n, held: 0n, locked: false })
  })

  it("of narrow clients becomes books of wide ones; the other way only where all of them are narrow", () => {
    const books = restored(bytesOf(full()), { wideClients: true })
    assert.strictEqual(FastLedger.accountsOf(books), accounts)
    books.apply({ _tag: "Deposit", client: client(70_000), tx: tx(9), amount: 1n })
    assert.strictEqual(refusal(bytesOf(books)), "the snapshot cannot be used: client 70000 is wider than the books are")
    assert.strictEqual(FastLedger.accountsOf(restored(bytesOf(full(true)))), accounts)
  })

  it("keeps many transactions, in parts of some hundred kilobytes", () => {
    const books = FastLedger.books(policy)
    for (let id = 0; id < 100_000; id++) {
      books.apply({ _tag: "Deposit", client: client(id % 500), tx: tx((id * 2_654_435_761) % 2 ** 32), amount: 5n })
    }
    const parts = [...BooksSnapshot.parts(books)]
    assert.isAbove(parts.length, 4)
    for (const part of parts) assert.isBelow(part.byteLength, 400_000)
    const again = restored(Buffer.concat(parts), { size: 65_536 })
    assert.strictEqual(again.entries.size, 100_000)
    for (let id = 0; id < 100_000; id++) {
      assert.strictEqual(again.entry((id * 2_654_435_761) % 2 ** 32)?.client, id % 500)
    }
  })

  it("is refused where a bit has changed, bytes are missing or too many, or it is something else", () => {
    const bytes = bytesOf(full())
    for (let at = 0; at < bytes.length; at += at < 300 ? 3 : 97) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x10
      assert.match(String(refusal(damaged)), /^the snapshot cannot be used: (a checksum is wrong|it is cut short)$/)
    }
    for (const length of [0, 1, 100, bytes.length - 1]) {
      assert.strictEqual(refusal(bytes.subarray(0, length)), "the snapshot cannot be used: it is cut short")
    }
    const more = Buffer.concat([bytes, Buffer.of(0)])
    assert.strictEqual(refusal(more), "the snapshot cannot be used: more follows than belongs to it")
    assert.strictEqual(refusal(Buffer.alloc(1000, 255)), "the snapshot cannot be used: a checksum is wrong")
  })
})
