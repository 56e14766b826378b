/**
 * The fast engine beside the specification in small worlds, exhaustively: from
 * every state that so many steps lead to, every transaction that there is.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as Policies from "../../../src/domain/ledger/LedgerPolicy.ts"
import type { LedgerPolicy } from "../../../src/domain/ledger/LedgerPolicy.ts"
import type { Transaction } from "../../../src/domain/ledger/Transaction.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import type { ColumnarBooks } from "../../../src/infra/ledger/ColumnarBooks.ts"
import * as RowBlock from "../../../src/infra/ledger/RowBlock.ts"
import * as RowCode from "../../../src/infra/ledger/RowCode.ts"
import * as FastLedger from "./FastLedger.ts"

/** The usual policy, each other choice alone, all together, and two that meet in one rule. */
const policies: ReadonlyArray<LedgerPolicy> = (() => {
  const others = [...Policies.choices].map(([name, [, other]]) => `${name}=${other}`)
  return ["", ...others, others.join(","), "disputable=all,spent-disputes=refuse"].map((text) =>
    Result.getOrThrow(Policies.parse(text))
  )
})()

interface World {
  readonly clients: number
  readonly ids: number
  readonly amounts: ReadonlyArray<bigint>
}

/** Everything that can be asked there. */
const moves = ({ amounts, clients, ids }: World): ReadonlyArray<Transaction> =>
  Array.from({ length: clients }, (_, index) => ClientId.make(index)).flatMap((client) =>
    Array.from({ length: ids }, (_, index) => TxId.make(index)).flatMap((tx): ReadonlyArray<Transaction> => [
      ...amounts.flatMap((amount): ReadonlyArray<Transaction> => [
        { _tag: "Deposit", client, tx, amount },
        { _tag: "Withdrawal", client, tx, amount }
      ]),
      { _tag: "Dispute", client, tx },
      { _tag: "Resolve", client, tx },
      { _tag: "Chargeback", client, tx }
    ])
  )

const copy = ({ accounts, entries, policy }: LedgerBook.LedgerBook): LedgerBook.LedgerBook => ({
  policy,
  accounts: new Map(accounts),
  entries: new Map(entries)
})

const inText = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value)
const stateOf = (accounts: Iterable<unknown>, entries: Iterable<unknown>) =>
  JSON.stringify([[...accounts], [...entries]], inText)

const stateOfBook = (world: World, { accounts, entries }: LedgerBook.LedgerBook) =>
  stateOf(
    Array.from({ length: world.clients }, (_, client) => accounts.get(client)),
    Array.from({ length: world.ids }, (_, tx) => entries.get(tx))
  )

/** Worlds lie beside each other in one pair of books: the n-th has clients and ids of its own, all over the 32 bits. */
const scattered = (index: number) => Math.imul(index, 0x9e37_79b1) >>> 0
const placed = (transaction: Transaction, world: World, nth: number): Transaction => ({
  ...transaction,
  client: ClientId.make(scattered(nth * world.clients + transaction.client)),
  tx: TxId.make(scattered(nth * world.ids + transaction.tx))
})

const stateOfFast = (world: World, fast: ColumnarBooks, nth: number) =>
  stateOf(
    Array.from({ length: world.clients }, (_, client) => fast.account(scattered(nth * world.clients + client))),
    Array.from({ length: world.ids }, (_, tx) => {
      const entry = fast.entry(scattered(nth * world.ids + tx))
      if (entry === undefined) return undefined
      const client = Array.from({ length: world.clients }, (_, index) => index).find(
        (index) => scattered(nth * world.clients + index) === entry.client
      )
      return { ...entry, client }
    })
  )

interface Explored {
  readonly states: number
  readonly refusals: ReadonlySet<string>
  /** How the first that differs comes about. */
  readonly different: string | undefined
}

/** From every state that at most `steps` steps lead to, one step more. */
const explore = (policy: LedgerPolicy, world: World, steps: number): Explored => {
  const all = moves(world)
  const fast = FastLedger.books(policy, true)
  const block = RowBlock.make(steps + 1)
  const seen = new Set<string>()
  const refusals = new Set<string>()
  let nth = 0
  let states: ReadonlyArray<{ readonly book: LedgerBook.LedgerBook; readonly path: ReadonlyArray<Transaction> }> = [
    { book: LedgerBook.make(policy), path: [] }
  ]
  for (let step = 0; step <= steps; step++) {
    const next: Array<(typeof states)[number]> = []
    for (const { book, path } of states) {
      for (const move of all) {
        const after = copy(book)
        const decision = LedgerBook.apply(after, move)
        const expected =
          decision._tag === "Applied" ? 0 : RowCode.of(decision.refusal) | (decision.opens ? RowCode.opens : 0)

        nth += 1
        const rows = [...path, move]
        rows.forEach((row, index) => RowBlock.write(block.words, index * RowBlock.wordsPerRow, placed(row, world, nth)))
        block.count = rows.length
        fast.applyRows(block)
        const at = path.length * RowBlock.wordsPerRow
        const code = block.words[at + RowBlock.code]!
        const moved =
          decision._tag === "Applied" && decision.event._tag !== "Opened" ? decision.event.amount : undefined
        const state = stateOfBook(world, after)
        if (
          code !== expected ||
          (moved !== undefined && moved !== RowBlock.amount(block.words, at)) ||
          state !== stateOfFast(world, fast, nth)
        ) {
          const told = JSON.stringify(rows, inText)
          return {
            states: seen.size,
            refusals,
            different: `${told}: ${code} ${stateOfFast(world, fast, nth)}, not ${expected} ${state}`
          }
        }
        if (decision._tag === "Refused") refusals.add(decision.refusal)
        if (seen.has(state)) continue
        seen.add(state)
        next.push({ book: after, path: rows })
      }
    }
    states = next
  }
  return { states: seen.size, refusals, different: undefined }
}

/** Many small worlds, on a machine that has other things to do. */
const patience = 60_000

/** Where doubles stop to be exact, and where 64 bits end. */
const edges = [1n, 2n ** 53n - 1n, 2n ** 63n - 1n]

describe("ColumnarBooks", () => {
  it("tries every choice of every policy", () => {
    assert.strictEqual(new Set(policies.map(Policies.toText)).size, 10)
  })

  it(
    "decides as the rules do: two clients, three transactions, amounts at the edges, three steps",
    { timeout: patience },
    () => {
      const refusals = new Set<string>()
      for (const policy of policies) {
        // The third step under the usual policy and under the one that is furthest from it.
        const steps = policy === policies[0] || policy === policies[8] ? 2 : 1
        const explored = explore(policy, { clients: 2, ids: 3, amounts: edges }, steps)
        assert.strictEqual(explored.different, undefined, Policies.toText(policy))
        assert.isAbove(explored.states, steps === 2 ? 500 : 100)
        for (const refusal of explored.refusals) refusals.add(refusal)
      }
      assert.deepStrictEqual([...refusals].toSorted(), [
        "AlreadyDisputed",
        "AmountOutOfRange",
        "ClientMismatch",
        "DuplicateTx",
        "InsufficientFunds",
        "NotDisputable",
        "NotDisputed",
        "UnknownTx"
      ])
    }
  )

  it("decides as the rules do: one client, two transactions, eight steps", { timeout: patience }, () => {
    const refusals = new Set<string>()
    for (const policy of policies) {
      const explored = explore(policy, { clients: 1, ids: 2, amounts: [2n, 2n ** 53n - 1n] }, 7)
      assert.strictEqual(explored.different, undefined, Policies.toText(policy))
      assert.isAbove(explored.states, 50)
      for (const refusal of explored.refusals) refusals.add(refusal)
    }
    for (const refusal of ["AccountFrozen", "AlreadyDisputed", "ChargedBack", "NotDisputed", "InsufficientFunds"]) {
      assert.isTrue(refusals.has(refusal), refusal)
    }
  })
})
