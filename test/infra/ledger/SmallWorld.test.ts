/**
 * The fast engine beside the specification in small worlds: every sequence of
 * transactions there is, up to a length.
 *
 * - Two clients, three ids, the least and the largest amount, so 42 transactions:
 *   every sequence of up to three, under the usual policy.
 * - The same world, under every policy; and every sequence of four, where
 *   withdrawals can be disputed too.
 * - One client, two ids, one amount, so 10 transactions: every sequence of up to
 *   five, under every policy.
 * - The same without withdrawals, so 8 transactions: every sequence of six, where
 *   frozen accounts are disputed on and where they are not.
 *
 * In all but the first, sequences that differ by nothing but which client and
 * which id is called which count as one. No two sequences are run under the same
 * clients and ids: those are drawn from all 32 bits.
 *
 * Of each sequence every row's answer is compared, and at its end all accounts
 * and all transactions. What that reaches is checked below: every event, every
 * refusal of every type of transaction, and for each policy that its other choice
 * made a difference.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Account, Decision, Entry } from "../../../src/domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import { LedgerEvent } from "../../../src/domain/ledger/LedgerEvent.ts"
import * as Policies from "../../../src/domain/ledger/LedgerPolicy.ts"
import type { LedgerPolicy } from "../../../src/domain/ledger/LedgerPolicy.ts"
import { Refusal } from "../../../src/domain/ledger/LedgerRefusal.ts"
import type { Transaction } from "../../../src/domain/ledger/Transaction.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import type { ColumnarBooks } from "../../../src/infra/ledger/ColumnarBooks.ts"
import * as RowBlock from "../../../src/infra/ledger/RowBlock.ts"
import * as RowCode from "../../../src/infra/ledger/RowCode.ts"
import * as FastLedger from "./FastLedger.ts"

// --- Worlds -----------------------------------------------------------------

interface World {
  readonly clients: number
  readonly ids: number
  readonly amounts: ReadonlyArray<bigint>
  readonly withdrawals?: false
}

/** Everything that can be asked there. */
const moves = ({ amounts, clients, ids, withdrawals }: World): ReadonlyArray<Transaction> =>
  Array.from({ length: clients }, (_, index) => ClientId.make(index)).flatMap((client) =>
    Array.from({ length: ids }, (_, index) => TxId.make(index)).flatMap((tx): ReadonlyArray<Transaction> => [
      ...amounts.flatMap((amount): ReadonlyArray<Transaction> => [
        { _tag: "Deposit", client, tx, amount },
        ...(withdrawals === false ? [] : [{ _tag: "Withdrawal", client, tx, amount } as const])
      ]),
      { _tag: "Dispute", client, tx },
      { _tag: "Resolve", client, tx },
      { _tag: "Chargeback", client, tx }
    ])
  )

/** Sequences lie beside each other in one pair of books: the n-th has clients and ids of its own, all over the 32 bits. */
const scattered = (index: number) => Math.imul(index, 0x9e37_79b1) | 0

/** The books are begun anew after so many rows, so that they stay in the processor's cache. */
const rowsOfBooks = 50_000

// --- Both engines -----------------------------------------------------------

interface Seen {
  sequences: number
  readonly events: Set<string>
  /** Of which type of transaction: `Dispute UnknownTx`. */
  readonly refusals: Set<string>
  /** A digest of all decisions: two policies that never differ have the same. */
  digest: number
}

/** Of one transaction: its code, and what the event moves where there is one. */
interface Answer {
  readonly code: number
  readonly amount: bigint | undefined
}

/** What a sequence came to by the rules. */
interface Expected {
  readonly path: ReadonlyArray<number>
  readonly answers: ReadonlyArray<Answer>
  readonly accounts: ReadonlyArray<Account | undefined>
  readonly entries: ReadonlyArray<Entry | undefined>
}

const refusalCodes = new Map(Refusal.literals.map((refusal) => [refusal, RowCode.of(refusal)]))

const answerOf = (decision: Decision): Answer =>
  decision._tag === "Refused"
    ? { code: refusalCodes.get(decision.refusal)! | (decision.opens ? RowCode.opens : 0), amount: undefined }
    : { code: 0, amount: decision.event._tag === "Opened" ? undefined : decision.event.amount }

/** Runs sequences that are handed to it through the fast engine, and throws at the first that differs. */
const comparison = (policy: LedgerPolicy, world: World, length: number) => {
  const all = moves(world)
  const words = all.map((move) => {
    const { words } = RowBlock.make(1)
    RowBlock.write(words, 0, move)
    return words
  })
  const block = RowBlock.make(RowBlock.capacity)
  const held = Math.floor(RowBlock.capacity / length)
  let pending: Array<Expected> = []
  let fast = FastLedger.books(policy, true)
  let nth = 0
  let rows = 0

  const check = (books: ColumnarBooks, expected: Expected, first: number, at: number): void => {
    const { accounts, answers, entries, path } = expected
    const wrong = (what: string, actual: unknown) => {
      const text = (value: unknown) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part))
      throw new Error(
        `${Policies.toText(policy)}: ${text(path.map((index) => all[index]))}: ${what} is ${text(actual)}, not ${text(expected)}`
      )
    }
    for (let index = 0; index < answers.length; index++) {
      const { amount, code } = answers[index]!
      const row = (at + index) * RowBlock.wordsPerRow
      if (block.words[row + RowBlock.code] !== code) wrong(`code ${index}`, block.words[row + RowBlock.code])
      if (amount === undefined) continue
      const moved = RowBlock.amount(block.words, row)
      if (moved !== amount) wrong(`amount ${index}`, moved)
    }
    for (let client = 0; client < world.clients; client++) {
      const [account, actual] = [accounts[client], books.account(scattered(first * world.clients + client) >>> 0)]
      const isSame =
        account?.available === actual?.available && account?.held === actual?.held && account?.locked === actual?.locked
      if (!isSame) wrong(`account ${client}`, actual)
    }
    for (let tx = 0; tx < world.ids; tx++) {
      const [entry, actual] = [entries[tx], books.entry(scattered(first * world.ids + tx) >>> 0)]
      const owner = entry === undefined ? undefined : scattered(first * world.clients + entry.client) >>> 0
      const isSame =
        entry?.amount === actual?.amount &&
        entry?.dispute === actual?.dispute &&
        entry?.kind === actual?.kind &&
        owner === actual?.client
      if (!isSame) wrong(`transaction ${tx}`, actual)
    }
  }

  const flush = (): void => {
    let row = 0
    for (const [index, { path }] of pending.entries()) {
      for (const move of path) {
        const at = row * RowBlock.wordsPerRow
        block.words.set(words[move]!, at)
        block.words[at + RowBlock.client] = scattered((nth + index) * world.clients + words[move]![RowBlock.client]!)
        block.words[at + RowBlock.tx] = scattered((nth + index) * world.ids + words[move]![RowBlock.tx]!)
        row += 1
      }
    }
    block.count = row
    fast.applyRows(block)
    let at = 0
    for (const [index, expected] of pending.entries()) {
      check(fast, expected, nth + index, at)
      at += expected.path.length
    }
    nth += pending.length
    rows += row
    pending = []
    if (rows < rowsOfBooks) return
    rows = 0
    fast = FastLedger.books(policy, true)
  }

  return {
    add: (expected: Expected) => {
      pending.push(expected)
      if (pending.length === held) flush()
    },
    flush
  }
}

/** Which sequences are run: all of them, or one of those that differ by names alone, where names come in their order. */
type Naming = "all" | "inOrder"

/** Every sequence of 1 to `length` transactions, or only those of exactly that many. */
const exhaust = (
  policy: LedgerPolicy,
  world: World,
  { length, naming = "all", shortest = 1 }: { length: number; naming?: Naming; shortest?: number }
): Seen => {
  const all = moves(world)
  const seen: Seen = { sequences: 0, events: new Set(), refusals: new Set(), digest: 0 }
  const { add, flush } = comparison(policy, world, length)
  const book = LedgerBook.make(policy)
  const path: Array<number> = []
  const answers: Array<Answer> = []

  const clients = Array.from({ length: world.clients }, (_, client) => client)
  const ids = Array.from({ length: world.ids }, (_, tx) => tx)

  const descend = (namedClients: number, namedIds: number): void => {
    for (const [index, move] of all.entries()) {
      if (naming === "inOrder" && (move.client > namedClients || move.tx > namedIds)) continue
      const [account, entry] = [book.accounts.get(move.client), book.entries.get(move.tx)]
      const decision = LedgerBook.apply(book, move)
      path.push(index)
      const answer = answerOf(decision)
      answers.push(answer)
      seen.digest = (Math.imul(seen.digest, 31) + answer.code) | 0
      if (decision._tag === "Refused") seen.refusals.add(`${move._tag} ${decision.refusal}`)
      seen.events.add(decision._tag === "Applied" ? decision.event._tag : decision.opens ? "Opened" : "")
      if (path.length >= shortest) {
        seen.sequences += 1
        add({
          path: path.slice(),
          answers: answers.slice(),
          accounts: clients.map((client) => book.accounts.get(client)),
          entries: ids.map((tx) => book.entries.get(tx))
        })
      }
      if (path.length < length) {
        descend(Math.max(namedClients, move.client + 1), Math.max(namedIds, move.tx + 1))
      }
      path.pop()
      answers.pop()
      putBack(book.accounts, move.client, account)
      putBack(book.entries, move.tx, entry)
    }
  }
  descend(0, 0)
  flush()
  return seen
}

const putBack = <A>(map: Map<number, A>, key: number, value: A | undefined): void => {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

// --- What is exhausted ------------------------------------------------------

/** The usual policy, each other choice alone, all together, and two that meet in one rule. */
const others = [...Policies.choices].map(([name, [, other]]) => `${name}=${other}`)
const furthest = others.join(",")
const policies = ["", ...others, furthest, "disputable=all,spent-disputes=refuse"]
const policyOf = (text: string): LedgerPolicy => Result.getOrThrow(Policies.parse(text))

const wide: World = { clients: 2, ids: 3, amounts: [1n, LedgerAmount.max] }
const narrow: World = { clients: 1, ids: 2, amounts: [2n] }

/** Some hundred thousand sequences, on a machine that has other things to do. */
const patience = 60_000

describe("ColumnarBooks decides as the rules do", { timeout: patience }, () => {
  const events = new Set<string>()
  const refusals = new Set<string>()
  const see = (seen: Seen) => {
    for (const event of seen.events) events.add(event)
    for (const refusal of seen.refusals) refusals.add(refusal)
    return seen
  }

  it("in every sequence of up to three, two clients, three ids, the least and the largest amount", () => {
    const { sequences } = see(exhaust(Policies.standard, wide, { length: 3 }))
    assert.strictEqual(sequences, 42 + 42 ** 2 + 42 ** 3)
  })

  it("in every such sequence under every policy, up to the names of clients and ids, and in every one of four", () => {
    const count = (length: number) => 7 ** length * named(length, 2) * named(length, 3)
    for (const text of policies) {
      const { sequences } = see(exhaust(policyOf(text), wide, { length: 3, naming: "inOrder" }))
      assert.strictEqual(sequences, count(1) + count(2) + count(3), text)
    }
    const four = see(exhaust(policyOf("disputable=all"), wide, { length: 4, shortest: 4, naming: "inOrder" }))
    assert.strictEqual(four.sequences, count(4))
  })

  it("in every sequence of up to five, one client, two ids, one amount, every policy", () => {
    const count = (length: number) => 5 ** length * named(length, 2)
    const digests = new Map<string, number>()
    for (const text of policies) {
      const { digest, sequences } = see(exhaust(policyOf(text), narrow, { length: 5, naming: "inOrder" }))
      assert.strictEqual(
        sequences,
        [1, 2, 3, 4, 5].map(count).reduce((sum, one) => sum + one),
        text
      )
      digests.set(text, digest)
    }
    // Each choice alone has led to decisions that the usual policy has not.
    for (const text of others) assert.notStrictEqual(digests.get(text), digests.get(""), text)
    assert.strictEqual(new Set(digests.values()).size, policies.length)
  })

  it("in every sequence of six, one client, two ids, one amount, no withdrawals, an account that may be frozen", () => {
    for (const text of ["", "frozen-disputes=refuse"]) {
      const world: World = { ...narrow, withdrawals: false }
      const { sequences } = see(exhaust(policyOf(text), world, { length: 6, shortest: 6, naming: "inOrder" }))
      assert.strictEqual(sequences, 4 ** 6 * named(6, 2), text)
    }
  })

  it("and so, above, every event, every refusal of every type and every choice of a policy was reached", () => {
    assert.sameMembers(
      [...events].filter((event) => event !== ""),
      Object.keys(LedgerEvent.cases)
    )
    const settling = ["UnknownTx", "ClientMismatch", "NotDisputed", "AccountFrozen"]
    const expected = {
      Deposit: ["DuplicateTx", "AccountFrozen", "AmountOutOfRange"],
      Withdrawal: ["DuplicateTx", "AccountFrozen", "InsufficientFunds"],
      Dispute: [
        "UnknownTx",
        "ClientMismatch",
        "NotDisputable",
        "AlreadyDisputed",
        "ChargedBack",
        "AccountFrozen",
        "InsufficientFunds",
        "AmountOutOfRange"
      ],
      Resolve: settling,
      Chargeback: settling
    }
    assert.sameMembers(
      [...refusals],
      Object.entries(expected).flatMap(([type, reasons]) => reasons.map((reason) => `${type} ${reason}`))
    )
    assert.sameMembers([...new Set(Object.values(expected).flat())], [...Refusal.literals])
    assert.strictEqual(others.length, Object.keys(Policies.standard).length)
  })
})

/** In how many ways a row of so many names is written with at most so many different ones, each new one the next. */
const named = (length: number, most: number, known = 0): number =>
  length === 0 ? 1 : known * named(length - 1, most, known) + (known < most ? named(length - 1, most, known + 1) : 0)
