import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Block } from "../../../src/adapters/LedgerJournal.ts"
import { LedgerJournal } from "../../../src/adapters/LedgerJournal.ts"
import { LedgerSnapshots } from "../../../src/adapters/LedgerSnapshots.ts"
import type { LedgerEvent } from "../../../src/domain/ledger/LedgerEvent.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import * as JournalVerification from "../../../src/edge/ledger/JournalVerification.ts"
import * as BooksSnapshot from "../../../src/infra/ledger/BooksSnapshot.ts"
import { ColumnarBooks } from "../../../src/infra/ledger/ColumnarBooks.ts"
import * as MemoryLedgerJournal from "../../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../../../src/infra/memory/MemoryLedgerSnapshots.ts"
import { at } from "../../../src/testing/contract/Samples.ts"

const event = (
  _tag: Exclude<LedgerEvent["_tag"], "Opened">,
  client: number,
  tx: number,
  amount: bigint
): LedgerEvent => ({
  _tag,
  client: ClientId.make(client),
  tx: TxId.make(tx),
  amount
})
const opened = (client: number): LedgerEvent => ({ _tag: "Opened", client: ClientId.make(client) })

/** A block of the events, a line each, behind `line`. */
const block = (
  first: number,
  events: ReadonlyArray<LedgerEvent>,
  line: number,
  changes: Partial<Block> = {}
): Block => ({
  first,
  count: events.length,
  at,
  source: "a.csv",
  line,
  to: { line: line + events.length, byte: 0, checksum: 0 },
  events: PackedEvents.pack(
    events.map((event, index) => ({ event, line: line + index + 1 })),
    line
  ),
  keys: [],
  ...changes
})

const sound = [
  event("Deposited", 1, 1, 100n),
  opened(2),
  event("Withdrawn", 1, 2, 40n),
  event("Disputed", 1, 1, 100n),
  event("Resolved", 1, 1, 100n),
  event("Disputed", 1, 1, 100n),
  event("ChargedBack", 1, 1, 100n)
]

/** What a snapshot of books with these events is, or another one in their place. */
const snapshotOf = (events: ReadonlyArray<LedgerEvent>) => {
  const books = new ColumnarBooks({ policy: LedgerPolicy.standard, wideClients: false, seed: 3 })
  for (const one of events) books.replay(one)
  return [...BooksSnapshot.parts(books)]
}

const verify = (
  blocks: ReadonlyArray<Block>,
  snapshots: Readonly<Record<number, ReadonlyArray<LedgerEvent>>> = {},
  policy?: LedgerPolicy.LedgerPolicy
) =>
  Effect.gen(function* () {
    const journal = yield* LedgerJournal
    const kept = yield* LedgerSnapshots
    // Past `append`: a journal that was damaged has what nobody appended.
    for (const [sequence, events] of Object.entries(snapshots)) {
      yield* kept.save({ sequence: Number(sequence), at }, snapshotOf(events))
    }
    return yield* JournalVerification.verify({ journal, snapshots: kept }, policy)
  }).pipe(
    Effect.provide([
      MemoryLedgerSnapshots.layer,
      MemoryLedgerJournal.layerOver({
        blocks: [...blocks],
        sources: new Map(),
        sequence: blocks.reduce((sum, { count }) => sum + count, 0)
      })
    ]),
    Effect.match({ onFailure: ({ message }) => message, onSuccess: (report) => report })
  )

const wrong = (sequence: number, detail: string) => `the journal is wrong at event ${sequence}: ${detail}`

describe("JournalVerification", () => {
  it.effect("passes what the rules can have written", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* verify([block(1, sound.slice(0, 4), 1), block(5, sound.slice(4), 5)], {
          4: sound.slice(0, 4),
          6: sound.slice(0, 6)
        }),
        { events: 7, blocks: 2, sources: 1, accounts: 2, snapshots: [4, 6] }
      )
      assert.deepStrictEqual(yield* verify([]), { events: 0, blocks: 0, sources: 0, accounts: 0, snapshots: [] })
    })
  )

  it.effect.each([
    ["Deposited of line 8 of a.csv: the rules refuse it as DuplicateTx", event("Deposited", 3, 1, 5n)],
    ["Withdrawn of line 8 of a.csv: the rules refuse it as InsufficientFunds", event("Withdrawn", 2, 9, 1n)],
    ["Disputed of line 8 of a.csv: the rules refuse it as UnknownTx", event("Disputed", 1, 9, 1n)],
    ["Disputed of line 8 of a.csv: the rules refuse it as ClientMismatch", event("Disputed", 2, 1, 100n)],
    ["Resolved of line 8 of a.csv: the rules refuse it as NotDisputed", event("Resolved", 1, 2, 40n)],
    ["ChargedBack of line 8 of a.csv: the rules refuse it as NotDisputed", event("ChargedBack", 1, 1, 100n)],
    [
      "Disputed of line 8 of a.csv: it moves 0.0041, and the transaction has another amount",
      event("Disputed", 1, 2, 41n)
    ],
    ["Opened of line 8 of a.csv: client 1 has an account", opened(1)]
  ] as const)("names an event that they cannot: %s", ([detail, bad]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* verify([block(1, [...sound, bad, bad], 0)]), wrong(8, detail))
    })
  )

  it.effect("holds events to a policy where one is given", () =>
    Effect.gen(function* () {
      const disputed = [event("Deposited", 1, 1, 9n), event("Withdrawn", 1, 2, 4n), event("Disputed", 1, 2, 4n)]
      assert.isObject(yield* verify([block(1, disputed, 0)]))
      assert.strictEqual(
        yield* verify([block(1, disputed, 0)], {}, LedgerPolicy.standard),
        wrong(3, "Disputed of line 3 of a.csv: the rules refuse it as NotDisputable")
      )
    })
  )

  it.effect("names a row that was taken twice", () =>
    Effect.gen(function* () {
      const [first, ...others] = sound
      assert.strictEqual(
        yield* verify([block(1, [first!], 1), block(2, others, 1)]),
        wrong(2, "it begins behind line 1 of a.csv, which was taken up to line 2")
      )
      // Another source may well have the same lines.
      assert.isObject(yield* verify([block(1, [first!], 1), block(2, others, 1, { source: "b.csv" })]))
      const beyond = block(1, sound, 0, { to: { line: 6, byte: 0, checksum: 0 } })
      assert.strictEqual(
        yield* verify([beyond]),
        wrong(7, "ChargedBack of line 7 of a.csv: it is of line 7, beyond its block")
      )
    })
  )

  it.effect("names a snapshot that is not what the events make", () =>
    Effect.gen(function* () {
      const differs = "the snapshot that was made there differs from the events"
      for (const [kept, detail] of [
        [sound.slice(0, 3), "client 1 has another account"],
        [[...sound.slice(0, 4), opened(3)], "client 3 has another account"],
        [sound.slice(0, 1).concat(sound.slice(2, 4)), "client 2 has another account"],
        // The same balances by other transactions.
        [[sound[0]!, opened(2), event("Withdrawn", 1, 9, 40n), sound[3]!], "transaction 2 stands otherwise"],
        [
          [...sound.slice(0, 4), event("Deposited", 2, 7, 5n), event("Withdrawn", 2, 8, 5n)],
          "it has other transactions"
        ]
      ] as const) {
        assert.strictEqual(yield* verify([block(1, sound, 0)], { 4: kept }), wrong(4, `${differs}: ${detail}`))
      }
      assert.strictEqual(
        yield* verify([block(1, sound, 0)], { 8: sound }),
        "the journal is damaged after event 7: a snapshot was made after event 8, which the journal does not have"
      )
    })
  )

  it.effect("names bytes that are no event, and an end that is missing", () =>
    Effect.gen(function* () {
      const bad = block(1, sound, 0)
      bad.events[0]! |= 7
      assert.match(JSON.stringify(yield* verify([bad])), /^"the journal is wrong at event 1: /)
      const store = { blocks: [block(1, sound, 0)], sources: new Map(), sequence: 9 }
      const error = yield* Effect.gen(function* () {
        const journal = yield* LedgerJournal
        assert.strictEqual(yield* Stream.runCount(journal.read({ after: 0 })), 1)
        return yield* JournalVerification.verify({ journal, snapshots: yield* LedgerSnapshots })
      }).pipe(Effect.provide([MemoryLedgerSnapshots.layer, MemoryLedgerJournal.layerOver(store)]), Effect.flip)
      assert.strictEqual(error.message, "the journal is damaged after event 7: it should end at 9")
    })
  )
})
