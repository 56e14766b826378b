/**
 * Clients' accounts over PostgreSQL, a directory or memory, and the handlers of their events.
 *
 * Each merchant has a ledger of their own, by their name. The books are the
 * columnar ones: all accounts and transactions are in memory for as long as the
 * service runs, and they take the least of it.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql/SqlClient"
import { join } from "node:path"
import type { LedgerBooks } from "../adapters/LedgerBooks.ts"
import type { LedgerJournal, LedgerJournalError } from "../adapters/LedgerJournal.ts"
import type { LedgerSnapshots } from "../adapters/LedgerSnapshots.ts"
import type { LedgerSubscriptions } from "../adapters/LedgerSubscriptions.ts"
import type { Lock } from "../adapters/Lock.ts"
import * as ColumnarLedgerBooks from "../infra/ledger/ColumnarLedgerBooks.ts"
import * as FileJournal from "../infra/ledger/FileJournal.ts"
import * as FileSnapshots from "../infra/ledger/FileSnapshots.ts"
import type { JournalInUse } from "../infra/ledger/WriterLock.ts"
import * as MemoryLedgerJournal from "../infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../infra/memory/MemoryLedgerSnapshots.ts"
import * as MemoryLedgerSubscriptions from "../infra/memory/MemoryLedgerSubscriptions.ts"
import * as SqlLedgerJournal from "../infra/sql/SqlLedgerJournal.ts"
import * as SqlLedgerSnapshots from "../infra/sql/SqlLedgerSnapshots.ts"
import * as SqlLedgerSubscriptions from "../infra/sql/SqlLedgerSubscriptions.ts"
import * as ClientAccounts from "../orchestration/ClientAccounts.ts"
import type { Handler } from "../orchestration/LedgerHandlers.ts"
import * as LedgerHandlers from "../orchestration/LedgerHandlers.ts"

export type Stores = LedgerJournal | LedgerSnapshots | LedgerSubscriptions

/** The ledger of that name in a database. */
export const sql = (ledger: string): Layer.Layer<Stores, LedgerJournalError, SqlClient> =>
  Layer.mergeAll(
    SqlLedgerJournal.layer({ ledger }),
    SqlLedgerSnapshots.layer({ ledger, kind: "accounts" }),
    SqlLedgerSubscriptions.layer
  )

/** Gone with the process. */
export const memory: Layer.Layer<Stores> = Layer.mergeAll(
  MemoryLedgerJournal.layer,
  MemoryLedgerSnapshots.layer,
  MemoryLedgerSubscriptions.layer
)

/** A ledger in a directory, for the one process that has it open. Where handlers have got is not kept there. */
export const directory = (
  path: string
): Layer.Layer<LedgerJournal | LedgerSnapshots, LedgerJournalError | JournalInUse> =>
  Layer.merge(FileJournal.layer({ directory: path }), FileSnapshots.layer(join(path, "accounts")))

/** Hashed with a seed that nobody outside can know, so that nobody can choose ids that collide. */
const books: Layer.Layer<LedgerBooks, never, SecureRandom.SecureRandom> = Layer.unwrap(
  Effect.map(SecureRandom.SecureRandom, (random) =>
    ColumnarLedgerBooks.layer(
      Effect.map(random.randomBytes(4), (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0))
    )
  )
)

export const accounts = (
  settings: Partial<ClientAccounts.Settings> = {}
): Layer.Layer<ClientAccounts.ClientAccounts, LedgerJournalError, LedgerJournal | LedgerSnapshots> =>
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
