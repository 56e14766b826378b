/** Clients' accounts that start from snapshots, over each kind of journal. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Logger, Option, Queue, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LedgerJournal } from "../../src/adapters/LedgerJournal.ts"
import type { Snapshot } from "../../src/adapters/LedgerSnapshots.ts"
import { LedgerSnapshots } from "../../src/adapters/LedgerSnapshots.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import * as AccountCore from "../../src/edge/AccountCore.ts"
import * as MemoryLedgerJournal from "../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../../src/infra/memory/MemoryLedgerSnapshots.ts"
import * as ClientAccounts from "../../src/orchestration/ClientAccounts.ts"
import { directories } from "../infra/ledger/Directory.ts"
import * as FlorinDatabase from "../infra/sql/FlorinDatabase.ts"
import type { Accounts } from "../orchestration/LedgerWorld.ts"
import { books, chargeback, client, deposit, dispute, key, said, withdrawal } from "../orchestration/LedgerWorld.ts"

// --- Places -----------------------------------------------------------------

interface Place {
  readonly stores: Layer.Layer<LedgerJournal | LedgerSnapshots, unknown, SqlClient>
  /** Changes a byte of the newest snapshot, past the adapter. */
  readonly damage: Effect.Effect<unknown, unknown, SqlClient>
}

const directory = directories()

const places: Record<string, () => Place> = {
  memory: () => {
    const journal = MemoryLedgerJournal.store()
    const snapshots: MemoryLedgerSnapshots.Store = new Map()
    return {
      stores: Layer.merge(MemoryLedgerJournal.layerOver(journal), MemoryLedgerSnapshots.layerOver(snapshots)),
      // Memory has no checksums of its own: the bytes of the books do.
      damage: Effect.sync(() => {
        const newest = snapshots.get(Math.max(...snapshots.keys()))!
        const books = newest.parts.reduce((left, right) => (left.byteLength > right.byteLength ? left : right))
        books[50]! ^= 1
      })
    }
  },
  files: () => {
    const path = directory()
    return {
      stores: AccountCore.directory(path),
      damage: Effect.sync(() => {
        const kept = join(path, "accounts")
        const newest = join(kept, readdirSync(kept).toSorted().at(-1)!)
        const bytes = readFileSync(newest)
        bytes[300]! ^= 1
        writeFileSync(newest, bytes)
      })
    }
  },
  PostgreSQL: () => {
    const ledger = randomUUID()
    return {
      stores: AccountCore.sql(ledger),
      damage: Effect.flatMap(
        SqlClient,
        (sql) => sql`
          update florin.ledger_snapshot_parts set bytes = set_byte(bytes, 3, 255 - get_byte(bytes, 3))
          where ledger = ${ledger} and part = 1 and kind = 'accounts'
            and sequence = (select max(sequence) from florin.ledger_snapshots where ledger = ${ledger})`
      )
    }
  }
}

// --- A life of the service --------------------------------------------------

interface Life {
  readonly accounts: Accounts
  readonly snapshots: LedgerSnapshots["Service"]
  /** One for each snapshot that was saved, or could not be. */
  readonly saves: Queue.Dequeue<Snapshot>
  /** Events that a read of the journal has handed over. */
  readonly read: () => number
  readonly said: ReadonlyArray<string>
}

interface Given {
  readonly snapshotEvery?: number
  /** Around each save of a snapshot. */
  readonly saving?: (save: Effect.Effect<void, StorageUnavailable>) => Effect.Effect<void, StorageUnavailable>
}

const live = <A, E, R>(
  { stores }: Place,
  { saving = (save) => save, snapshotEvery = 10 }: Given,
  run: (life: Life) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const saves = yield* Queue.unbounded<Snapshot>()
      const lines: Array<string> = []
      let events = 0
      const observed = Layer.effectContext(
        Effect.gen(function* () {
          const [journal, snapshots] = [yield* LedgerJournal, yield* LedgerSnapshots]
          return Context.make(LedgerJournal, {
            ...journal,
            read: (range) => Stream.tap(journal.read(range), ({ count }) => Effect.sync(() => (events += count)))
          }).pipe(
            Context.add(LedgerSnapshots, {
              ...snapshots,
              save: (snapshot, parts) =>
                Effect.ensuring(saving(snapshots.save(snapshot, parts)), Queue.offer(saves, snapshot))
            })
          )
        })
      ).pipe(Layer.provide(stores))
      const logger = Logger.layer([Logger.make(({ message }) => lines.push([message].flat().map(String).join(" ")))])
      const context = yield* Layer.build(
        Layer.fresh(
          AccountCore.accounts({ snapshotEvery }).pipe(Layer.provideMerge(observed), Layer.provideMerge(logger))
        )
      )
      const accounts = Context.get(context, ClientAccounts.ClientAccounts)
      const snapshots = Context.get(context, LedgerSnapshots)
      return yield* run({ accounts, snapshots, saves, said: lines, read: () => events })
    })
  )

/** So many deposits, from an id on, one after the other: each is a block. */
const pay = (accounts: Accounts, from: number, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => from + index),
    (id) => accounts.submit(deposit(id % 3, id, 2n)),
    { discard: true }
  )

for (const [name, make] of Object.entries(places)) {
  describe(`accounts that start from a snapshot: ${name}`, () => {
    const test = (sentence: string, body: (place: Place) => Effect.Effect<void, unknown, SqlClient>) =>
      it.live(sentence, () => Effect.suspend(() => body(make())).pipe(Effect.provide(FlorinDatabase.layer)))

    test("know what they knew, and read no more of the journal than is behind it", (place) =>
      Effect.gen(function* () {
        const before = yield* live(place, {}, ({ accounts, saves }) =>
          Effect.gen(function* () {
            yield* accounts.submit(deposit(1, 1, 100n))
            yield* accounts.submit(withdrawal(1, 2, 80n))
            yield* accounts.submit(dispute(1, 1), key("first"))
            assert.strictEqual(said(yield* accounts.submit(withdrawal(4_294_967_295, 3, 1n))), "InsufficientFunds")
            yield* accounts.submit(deposit(9, 4, 922_337_203_685_477_5807n))
            yield* pay(accounts, 10, 5)
            assert.strictEqual((yield* Queue.take(saves)).sequence, 10)
            yield* accounts.submit(deposit(7, 100, 5n), key("behind"))
            return yield* books(accounts)
          })
        )
        yield* live(place, {}, (life) =>
          Effect.gen(function* () {
            const { accounts } = life
            assert.include(life.said.join("\n"), "restored from the snapshot after event 10 and 1 events behind it")
            // The block that the snapshot ends with, which is looked at, and the one behind it.
            assert.strictEqual(life.read(), 2)
            assert.deepStrictEqual(yield* books(accounts), before)
            assert.strictEqual(said(yield* accounts.submit(dispute(1, 1), key("first"))), "Disputed again")
            assert.strictEqual(said(yield* accounts.submit(deposit(7, 100, 5n), key("behind"))), "Deposited again")
            const { reason } = yield* Effect.flip(accounts.submit(chargeback(1, 1), key("first")))
            assert.strictEqual(reason._tag, "KeyReused")
            assert.strictEqual(said(yield* accounts.submit(deposit(1, 2, 80n))), "DuplicateTx")
            assert.strictEqual(said(yield* accounts.submit(chargeback(1, 1))), "ChargedBack")
            const history = Option.getOrThrow(yield* accounts.history(client(1), { after: 0, limit: 3 }))
            assert.deepStrictEqual(
              history.events.map(({ event, sequence }) => [sequence, event._tag]),
              [
                [1, "Deposited"],
                [2, "Withdrawn"],
                [3, "Disputed"]
              ]
            )
          })
        )
      }))

    test("go on answering while one is written, and write one at a time", (place) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        let writing = 0
        const saving: Given["saving"] = (save) =>
          Effect.suspend(() => {
            writing += 1
            return Effect.andThen(Deferred.await(gate), save)
          })
        const last = yield* live(place, { saving }, ({ accounts, saves, snapshots }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 0, 35)
            assert.strictEqual(writing, 1)
            yield* Deferred.succeed(gate, undefined)
            assert.strictEqual((yield* Queue.take(saves)).sequence, 10)
            // It is of the tenth event, though it was written after the thirty-fifth.
            assert.strictEqual(Option.getOrThrow(yield* snapshots.latest({})).sequence, 10)
            yield* pay(accounts, 35, 1)
            // Due long since: taken behind the first group that finds nobody writing.
            return (yield* Queue.take(saves)).sequence
          })
        )
        yield* live(place, {}, ({ accounts, said }) =>
          Effect.gen(function* () {
            assert.isAtLeast(last, 35)
            assert.include(said.join("\n"), `the snapshot after event ${last} and ${36 - last} events`)
            assert.deepStrictEqual(yield* books(accounts), ["0 24 0 false", "1 24 0 false", "2 24 0 false"])
          })
        )
      }))

    test("pass over a damaged one, and say so", (place) =>
      Effect.gen(function* () {
        yield* live(place, {}, ({ accounts, saves }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 0, 10)
            yield* Queue.take(saves)
            yield* pay(accounts, 10, 12)
            yield* Queue.take(saves)
          })
        )
        yield* place.damage
        yield* live(place, {}, ({ accounts, said }) =>
          Effect.gen(function* () {
            assert.match(said.join("\n"), /snapshot after event 20 is (damaged and is )?passed over/)
            assert.include(said.join("\n"), "restored from the snapshot after event 10 and 12 events")
            assert.deepStrictEqual(yield* books(accounts), ["0 16 0 false", "1 14 0 false", "2 14 0 false"])
          })
        )
      }))

    test("pass over one of another journal, or of something else, and say so", (place) =>
      Effect.gen(function* () {
        const foreign = yield* live(make(), {}, ({ accounts, saves, snapshots }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 500, 10)
            yield* Queue.take(saves)
            const { parts, ...snapshot } = Option.getOrThrow(yield* snapshots.latest({}))
            return { snapshot, parts: yield* Stream.runCollect(parts) }
          })
        )
        yield* live(place, { snapshotEvery: 1000 }, ({ accounts, snapshots }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 0, 12)
            const { at } = foreign.snapshot
            yield* snapshots.save({ sequence: 9, at }, foreign.parts)
            yield* snapshots.save(foreign.snapshot, foreign.parts)
            yield* snapshots.save({ sequence: 11, at }, [new Uint8Array(1000)])
          })
        )
        yield* live(place, {}, ({ accounts, said }) =>
          Effect.gen(function* () {
            const lines = said.join("\n")
            assert.include(lines, "the snapshot after event 11 is passed over: it is not one of this version")
            assert.include(lines, "the snapshot after event 10 is passed over: it is of another journal")
            assert.include(lines, "the snapshot after event 9 is passed over: it says that it is of event 10")
            assert.include(lines, "restored from the journal's beginning and 12 events")
            assert.deepStrictEqual(yield* books(accounts), ["0 8 0 false", "1 8 0 false", "2 8 0 false"])
          })
        )
      }))

    test("do not start where one is newer than the journal: events have gone", (place) =>
      Effect.gen(function* () {
        const kept = yield* live(make(), {}, ({ accounts, saves, snapshots }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 0, 10)
            yield* Queue.take(saves)
            const { parts, ...snapshot } = Option.getOrThrow(yield* snapshots.latest({}))
            return { snapshot, parts: yield* Stream.runCollect(parts) }
          })
        )
        yield* live(place, { snapshotEvery: 1000 }, ({ accounts, snapshots }) =>
          Effect.andThen(pay(accounts, 0, 9), snapshots.save(kept.snapshot, kept.parts))
        )
        const error = yield* Effect.flip(live(place, {}, () => Effect.void))
        assert.include(String(error), "a snapshot was made after event 10, which the journal does not have")
      }))

    test("do without one that cannot be saved", (place) =>
      Effect.gen(function* () {
        const saving = () => Effect.fail(new StorageUnavailable({ operation: "save", cause: "full" }))
        yield* live(place, { saving }, ({ accounts, said, saves }) =>
          Effect.gen(function* () {
            yield* pay(accounts, 0, 10)
            yield* Queue.take(saves)
            yield* pay(accounts, 10, 10)
            yield* Queue.take(saves)
            assert.include(said.join("\n"), "the snapshot after event 10 could not be saved")
            assert.deepStrictEqual(yield* books(accounts), ["0 14 0 false", "1 14 0 false", "2 12 0 false"])
          })
        )
      }))
  })
}
