import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { LedgerBooks } from "../../../src/adapters/LedgerBooks.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import type { LedgerEvent } from "../../../src/domain/ledger/LedgerEvent.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import type { Transaction } from "../../../src/domain/ledger/Transaction.ts"
import * as ColumnarLedgerBooks from "../../../src/infra/ledger/ColumnarLedgerBooks.ts"
import * as ColumnarBooks from "../../../src/infra/ledger/ColumnarBooks.ts"
import * as FastLedger from "./FastLedger.ts"

const client = (id: number) => ClientId.make(id)
const tx = (id: number) => TxId.make(id)
const disputeAll = Result.getOrThrow(LedgerPolicy.parse("disputable=all"))

/**
 * In groups of six: a deposit, its dispute, how that ends, a withdrawal, its dispute, how that ends. Amounts are beyond 2^53 now and
 * then, and every twentieth dispute ends as a chargeback.
 */
const transactions: ReadonlyArray<Transaction> = Array.from({ length: 3000 }, (_, index) => {
  const group = Math.floor(index / 6)
  const owner = client((group * 7) % 113)
  const [deposited, withdrawn] = [tx(Math.imul(group, 0x9e37_79b1) >>> 0), tx(group)]
  const amount = group % 41 === 0 ? 2n ** 53n : BigInt(100 + ((group * 31) % 1000))
  const all: ReadonlyArray<Transaction> = [
    { _tag: "Deposit", client: owner, tx: deposited, amount },
    { _tag: "Dispute", client: owner, tx: deposited },
    { _tag: group % 20 === 0 ? "Chargeback" : "Resolve", client: owner, tx: deposited },
    { _tag: "Withdrawal", client: owner, tx: withdrawn, amount: BigInt(1 + (group % 50)) },
    { _tag: "Dispute", client: owner, tx: withdrawn },
    { _tag: group % 20 === 7 ? "Chargeback" : "Resolve", client: owner, tx: withdrawn }
  ]
  return all[index % 6]!
})

/** Every event of a book of these transactions. */
const history = (policy: LedgerPolicy.LedgerPolicy) => {
  const book = LedgerBook.make(policy)
  const events: Array<LedgerEvent> = []
  for (const transaction of transactions) {
    const decision = LedgerBook.apply(book, transaction)
    if (decision._tag === "Applied") events.push(decision.event)
    else if (decision.opens) events.push({ _tag: "Opened", client: transaction.client })
  }
  return { book, events }
}

describe("ColumnarBooks", () => {
  it("answers as the specification when it is asked one by one, through the service", () =>
    Effect.gen(function* () {
      const { open } = yield* LedgerBooks
      const books = yield* open(disputeAll)
      const book = LedgerBook.make(disputeAll)
      const tags = new Set<string>()
      for (const transaction of transactions) {
        const decision = LedgerBook.apply(book, transaction)
        assert.deepStrictEqual(books.apply(transaction), decision)
        assert.deepStrictEqual(books.account(transaction.client), book.accounts.get(transaction.client))
        assert.deepStrictEqual(books.entry(transaction.tx), book.entries.get(transaction.tx))
        tags.add(decision._tag === "Applied" ? decision.event._tag : decision.refusal)
      }
      for (const tag of ["Deposited", "Withdrawn", "Disputed", "Resolved", "ChargedBack", "AccountFrozen"]) {
        assert.isTrue(tags.has(tag), tag)
      }
      assert.deepStrictEqual(
        [...books.accounts()],
        [...book.accounts].toSorted(([a], [b]) => a - b).map(([id, account]) => [client(id), account])
      )
    }).pipe(Effect.provide(ColumnarLedgerBooks.layer(ColumnarBooks.randomSeed)), Effect.runPromise))

  it("is the same after a replay: event by event, and packed, wherever the bytes begin", () => {
    const { book, events } = history(disputeAll)
    assert.isAbove(events.length, 1000)
    const packed = PackedEvents.pack(
      events.map((event, index) => ({ event, line: index + 1 })),
      0
    )
    const shifted = new Uint8Array(packed.length + 3)
    shifted.set(packed, 3)
    const one = FastLedger.books(LedgerPolicy.standard, true)
    for (const event of events) one.replay(event)
    const many = FastLedger.books(LedgerPolicy.standard)
    many.replayPacked(packed)
    const odd = FastLedger.books(LedgerPolicy.standard)
    odd.replayPacked(shifted.subarray(3))
    for (const books of [one, many, odd]) {
      assert.deepStrictEqual(
        [...books.accounts()],
        [...book.accounts].toSorted(([a], [b]) => a - b).map(([id, account]) => [client(id), account])
      )
      for (const [id, entry] of book.entries) assert.deepStrictEqual(books.entry(id), entry)
    }
  })

  it("follows the policy of today over what was accepted under another", () => {
    const books = FastLedger.books(Result.getOrThrow(LedgerPolicy.parse("disputable=all,spent-disputes=refuse")))
    const [first, second, amount] = [{ client: client(1), tx: tx(1) }, { client: client(1), tx: tx(2) }, 5n]
    for (const event of [
      { _tag: "Deposited", ...first, amount },
      { _tag: "Withdrawn", ...second, amount },
      { _tag: "Disputed", ...first, amount }
    ] as const) {
      books.replay(event)
    }
    assert.deepStrictEqual(books.account(1), { available: -5n, held: 5n, locked: false })
    // What a withdrawal's dispute holds was not spent.
    assert.strictEqual(books.apply({ _tag: "Dispute", ...second })._tag, "Applied")
  })

  it("takes no history that the rules cannot have written", () => {
    const about = { client: client(1), tx: tx(1), amount: 5n }
    const impossible: ReadonlyArray<ReadonlyArray<LedgerEvent>> = [
      [
        { _tag: "Deposited", ...about },
        { _tag: "Deposited", ...about }
      ],
      [
        { _tag: "Deposited", ...about },
        { _tag: "Withdrawn", ...about }
      ],
      [{ _tag: "Disputed", ...about }],
      [
        { _tag: "Deposited", ...about },
        { _tag: "Resolved", ...about }
      ],
      [
        { _tag: "Deposited", ...about },
        { _tag: "ChargedBack", ...about }
      ],
      [
        { _tag: "Deposited", ...about },
        { _tag: "Disputed", ...about },
        { _tag: "Disputed", ...about }
      ],
      [
        { _tag: "Deposited", ...about },
        { _tag: "Disputed", ...about, client: client(2) }
      ],
      [
        { _tag: "Deposited", ...about },
        { _tag: "Disputed", ...about, amount: 6n }
      ]
    ]
    for (const events of impossible) {
      const books = FastLedger.books(LedgerPolicy.standard)
      for (const event of events.slice(0, -1)) books.replay(event)
      assert.throws(() => books.replay(events.at(-1)!), /^corrupt journal: an event of kind [1-5] of transaction 1 /)
    }
  })

  it("finds a hundred thousand transactions again, with ids that follow each other and with scattered ones", () => {
    for (const scatter of [1, 0x9e37_79b1, 1 << 16]) {
      const books = FastLedger.books(LedgerPolicy.standard)
      const id = (index: number) => tx(Math.imul(index, scatter) >>> 0)
      const distinct = new Set(Array.from({ length: 100_000 }, (_, index) => id(index))).size
      let applied = 0
      for (let index = 0; index < 100_000; index++) {
        const decision = books.apply({ _tag: "Deposit", client: client(index % 1000), tx: id(index), amount: 1n })
        if (decision._tag === "Applied") applied += 1
      }
      assert.strictEqual(applied, distinct)
      assert.strictEqual(books.entries.size, distinct)
      assert.isAtLeast(books.entries.bytes, (distinct * 16) / 0.75)
      // Sixteen bytes each, and never more than twice that but for what an empty table takes.
      assert.isBelow(books.entries.bytes, distinct * 32 + 1_200_000)
    }
  })
})
