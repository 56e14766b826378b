/**
 * Clients' accounts over PostgreSQL or memory, and the handlers of their events.
 *
 * Each merchant has a ledger of their own, by their name. The books are the
 * columnar ones: all accounts and transactions are in memory for as long as the
 * service runs, and they take the least of it.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql/SqlClient"
import { LedgerBooks } from "../adapters/LedgerBooks.ts"
import type { LedgerJournal, LedgerJournalError } from "../adapters/LedgerJournal.ts"
import type { LedgerSubscriptions } from "../adapters/LedgerSubscriptions.ts"
import type { Lock } from "../adapters/Lock.ts"
import { ColumnarBooks } from "../infra/ledger/ColumnarBooks.ts"
import * as MemoryLedgerJournal from "../infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSubscriptions from "../infra/memory/MemoryLedgerSubscriptions.ts"
import * as SqlLedgerJournal from "../infra/sql/SqlLedgerJournal.ts"
import * as SqlLedgerSubscriptions from "../infra/sql/SqlLedgerSubscriptions.ts"
import * as ClientAccounts from "../orchestration/ClientAccounts.ts"
import type { Handler } from "../orchestration/LedgerHandlers.ts"
import * as LedgerHandlers from "../orchestration/LedgerHandlers.ts"

export type Stores = LedgerJournal | LedgerSubscriptions

/** The ledger of that name in a database. */
export const sql = (ledger: string): Layer.Layer<Stores, LedgerJournalError, SqlClient> =>
  Layer.merge(SqlLedgerJournal.layer({ ledger }), SqlLedgerSubscriptions.layer)

/** Gone with the process. */
export const memory: Layer.Layer<Stores> = Layer.merge(MemoryLedgerJournal.layer, MemoryLedgerSubscriptions.layer)

/** Hashed with a seed that nobody outside can know, so that nobody can choose ids that collide. */
const books: Layer.Layer<LedgerBooks, never, SecureRandom.SecureRandom> = Layer.effect(
  LedgerBooks,
  Effect.map(SecureRandom.SecureRandom, (random) =>
    LedgerBooks.of({
      open: (policy) =>
        Effect.map(random.randomBytes(4), (bytes) => {
          const seed = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0)
          return new ColumnarBooks({ policy, wideClients: true, seed })
        })
    })
  )
)

export const accounts = (
  settings: Partial<ClientAccounts.Settings> = {}
): Layer.Layer<ClientAccounts.ClientAccounts, LedgerJournalError, LedgerJournal> =>
  ClientAccounts.layer(settings).pipe(Layer.provide(books), Layer.provide(SecureRandom.layerWebCrypto))

/** Each handler by its name, for as long as the layer lives. */
export const handlers = (
  ledger: string,
  all: Readonly<Record<string, Handler>>
): Layer.Layer<never, never, Stores | Lock> =>
  Layer.effectDiscard(
    Effect.forEach(
      Object.entries(all),
      ([handler, handle]) => Effect.forkScoped(LedgerHandlers.daemon({ ledger, handler }, handle)),
      { discard: true }
    )
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
