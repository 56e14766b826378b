/** A ledger's journal that fails as it is told to, and services over it that start, die and start again. */
import { Context, Deferred, Effect, Layer, Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import type { Block } from "../../src/adapters/LedgerJournal.ts"
import { LedgerJournal, LedgerJournalError } from "../../src/adapters/LedgerJournal.ts"
import type { LedgerSnapshots } from "../../src/adapters/LedgerSnapshots.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import { IdempotencyKey } from "../../src/domain/Idempotency.ts"
import type { Transaction } from "../../src/domain/ledger/Transaction.ts"
import { ClientId, TxId } from "../../src/domain/ledger/Transaction.ts"
import * as MemoryLedgerBooks from "../../src/infra/memory/MemoryLedgerBooks.ts"
import * as MemoryLedgerJournal from "../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../../src/infra/memory/MemoryLedgerSnapshots.ts"
import * as ClientAccounts from "../../src/orchestration/ClientAccounts.ts"
import type { Answer, Command } from "../../src/orchestration/LedgerDraft.ts"

// --- Commands ---------------------------------------------------------------

export const client = (id: number) => ClientId.make(id)
export const tx = (id: number) => TxId.make(id)
export const key = (text: string) => IdempotencyKey.make(text)

const moves = (_tag: "Deposit" | "Withdrawal") => (of: number, id: number, amount: bigint) => ({
  client: client(of),
  tx: tx(id),
  amount,
  _tag
})
const isAbout = (_tag: "Dispute" | "Resolve" | "Chargeback") => (of: number, id: number) => ({
  client: client(of),
  tx: tx(id),
  _tag
})
export const deposit = moves("Deposit")
export const withdrawal = moves("Withdrawal")
export const dispute = isAbout("Dispute")
export const resolve = isAbout("Resolve")
export const chargeback = isAbout("Chargeback")

export const asked = (transaction: Transaction, named?: string): Command => ({
  transaction,
  key: named === undefined ? undefined : key(named)
})

// --- Journals ---------------------------------------------------------------

/**
 * What becomes of a call: it is carried out, is not carried out and fails, is
 * carried out and fails, fails and is carried out just before the next append,
 * or its process dies before or after it.
 */
export type Fate = "done" | "lost" | "unanswered" | "late" | "diesBefore" | "diesAfter"

export type Plan = (call: { readonly what: "append" | "read" | "head"; readonly count: number }) => Fate

export interface Observed {
  readonly appends: Array<Block>
  /** Calls so far. */
  calls: number
  /** Done when the process has died. */
  readonly died: Deferred.Deferred<void>
}

const away = new LedgerJournalError({ reason: new StorageUnavailable({ operation: "test", cause: "away" }) })

/** Each call of the journal meets the fate that the plan has for it; `gate` is passed before each append. */
export const journal = (
  store: MemoryLedgerJournal.Store,
  plan: Plan = () => "done",
  gate: Effect.Effect<void> = Effect.void
) => {
  const observed: Observed = { appends: [], calls: 0, died: Deferred.makeUnsafe() }
  const die = Effect.andThen(Deferred.succeed(observed.died, undefined), Effect.never)
  const layer = Layer.effect(
    LedgerJournal,
    Effect.map(LedgerJournal, (real) => {
      let late: Effect.Effect<unknown> = Effect.void
      const meet = <A>(what: "append" | "read" | "head", call: Effect.Effect<A, LedgerJournalError>) =>
        Effect.suspend((): Effect.Effect<A, LedgerJournalError> => {
          const fate = plan({ what, count: ++observed.calls })
          const before = what === "append" ? late : Effect.void
          if (what === "append") late = fate === "late" ? Effect.ignore(call) : Effect.void
          const met = {
            done: call,
            lost: away,
            late: away,
            unanswered: Effect.andThen(Effect.ignore(call), away),
            diesBefore: die,
            diesAfter: Effect.andThen(Effect.ignore(call), die)
          }[fate]
          return Effect.andThen(before, met)
        })
      return LedgerJournal.of({
        head: meet("head", real.head),
        append: (block) =>
          Effect.andThen(
            gate,
            Effect.suspend(() => {
              observed.appends.push(block)
              return meet("append", real.append(block))
            })
          ),
        read: (range) =>
          Stream.unwrap(
            meet(
              "read",
              Effect.sync(() => real.read(range))
            )
          )
      })
    })
  ).pipe(Layer.provide(MemoryLedgerJournal.layerOver(store)))
  return { layer, observed }
}

// --- Services ---------------------------------------------------------------

/** Under a clock that stands still, tries follow each other at once. */
export const hasty: Partial<ClientAccounts.Settings> = {
  settling: { maxAttempts: 4, baseMillis: 0, factor: 1, capMillis: 0 }
}

export const layer = (
  journal: Layer.Layer<LedgerJournal>,
  settings: Partial<ClientAccounts.Settings> = hasty,
  snapshots: Layer.Layer<LedgerSnapshots> = MemoryLedgerSnapshots.layer
): Layer.Layer<ClientAccounts.ClientAccounts, LedgerJournalError> =>
  ClientAccounts.layer({ ...hasty, ...settings }).pipe(
    Layer.provide([journal, snapshots, MemoryLedgerBooks.layer, SecureRandom.layerWebCrypto])
  )

export type Accounts = ClientAccounts.ClientAccounts["Service"]

/** A service that ends with the test's scope. */
export const start = Effect.fnUntraced(function* (
  journal: Layer.Layer<LedgerJournal>,
  settings?: Partial<ClientAccounts.Settings>,
  snapshots?: Layer.Layer<LedgerSnapshots>
) {
  // A test begins at the one moment that is no instant.
  yield* TestClock.adjust(1)
  const context = yield* Layer.buildWithScope(layer(journal, settings, snapshots), yield* Effect.scope)
  return Context.get(context, ClientAccounts.ClientAccounts)
})

/** A service that nobody will end: one that dies stays where it is. */
export const startDoomed = (...given: Parameters<typeof start>) => Scope.provide(start(...given), Scope.makeUnsafe())

export const submit = (accounts: Accounts, { key, transaction }: Command) =>
  accounts.submit(transaction, key === undefined ? undefined : IdempotencyKey.make(key))

/** `client available held locked`, in 10^-4. */
export const books = (accounts: Accounts) =>
  Effect.map(accounts.accounts({ limit: 100 }), (page) =>
    page.accounts.map(({ account, client }) => `${client} ${account.available} ${account.held} ${account.locked}`)
  )

/** An answer in one word, and whether it was a repeat's. */
export const said = (answer: Answer): string =>
  answer._tag === "Refused" ? answer.refusal : `${answer.event._tag}${answer.replayed ? " again" : ""}`

export const pass = (millis: number) => TestClock.adjust(millis)
