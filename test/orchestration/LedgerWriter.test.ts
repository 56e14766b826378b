import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Stream } from "effect"
import { JournalDamaged, LedgerJournal, LedgerJournalError } from "../../src/adapters/LedgerJournal.ts"
import { unpack } from "../../src/domain/ledger/PackedEvents.ts"
import * as MemoryLedgerJournal from "../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../../src/infra/memory/MemoryLedgerSnapshots.ts"
import type { Fate, Plan } from "./LedgerWorld.ts"
import * as World from "./LedgerWorld.ts"

const { asked, chargeback, client, deposit, dispute, key, resolve, said, withdrawal } = World

/** The first append, or the first ones, meet these fates; all else is carried out. */
const appends = (...fates: ReadonlyArray<Fate>): Plan => {
  let count = 0
  return ({ what }) => (what === "append" ? (fates[count++] ?? "done") : "done")
}

const recordedIn = (store: MemoryLedgerJournal.Store) =>
  store.blocks.flatMap(({ events, line }) =>
    unpack(events, line).map(({ event }) => (event._tag === "Opened" ? "Opened" : `${event._tag} ${event.tx}`))
  )

describe("an append without an answer", () => {
  const once = (...fates: ReadonlyArray<Fate>) =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const { layer } = World.journal(store, appends(...fates))
      const accounts = yield* World.start(layer)
      const answer = yield* accounts.submit(deposit(1, 1, 5n))
      assert.deepStrictEqual(yield* World.books(accounts), ["1 5 0 false"])
      assert.deepStrictEqual(yield* World.books(yield* World.start(layer)), ["1 5 0 false"])
      return [said(answer), recordedIn(store)]
    })

  it.effect("that was carried out is found in the journal, and not appended again", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* once("unanswered"), ["Deposited", ["Deposited 1"]])
    })
  )

  it.effect("that was not is made again", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* once("lost", "lost"), ["Deposited", ["Deposited 1"]])
    })
  )

  it.effect("that gets there late is not recorded twice", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* once("late"), ["Deposited", ["Deposited 1"]])
      assert.deepStrictEqual(yield* once("late", "late", "unanswered"), ["Deposited", ["Deposited 1"]])
    })
  )

  it.effect("is no refusal and no failure: it may be recorded, and the repeat finds out", () =>
    Effect.gen(function* () {
      for (const last of ["unanswered", "lost"] as const) {
        const store = MemoryLedgerJournal.store()
        let isAway = false
        // Everything fails from the append on, until the journal is back.
        const { layer } = World.journal(store, ({ what }) => {
          if (what === "append" && !isAway && store.sequence === 0) {
            isAway = true
            return last
          }
          return isAway ? "lost" : "done"
        })
        const accounts = yield* World.start(layer)
        const { reason } = yield* Effect.flip(accounts.submit(deposit(1, 1, 5n)))
        assert.deepInclude(reason, { _tag: "Unavailable", mayBeRecorded: true })
        const refused = yield* Effect.flip(accounts.submit(dispute(1, 9)))
        assert.deepInclude(refused.reason, { _tag: "Unavailable", mayBeRecorded: false })
        isAway = false
        assert.strictEqual(store.sequence, last === "unanswered" ? 1 : 0)
        if (store.sequence === 0) store.sources.clear()
        const plan = World.journal(store)
        const again = yield* (yield* World.start(plan.layer)).submit(deposit(1, 1, 5n))
        assert.strictEqual(said(again), last === "unanswered" ? "Deposited again" : "Deposited")
        assert.deepStrictEqual(recordedIn(store), ["Deposited 1"])
      }
    })
  )

  it.effect("that gets there when its group was given up is not taken for the next group's", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const { layer } = World.journal(store, appends("lost", "lost", "lost", "late"))
      const accounts = yield* World.start(layer)
      const { reason } = yield* Effect.flip(accounts.submit(deposit(1, 1, 5n)))
      assert.deepInclude(reason, { _tag: "Unavailable", mayBeRecorded: true })
      // Its last try is carried out just before the append of this one, which so is a conflict.
      assert.strictEqual(said(yield* accounts.submit(withdrawal(1, 2, 5n))), "Withdrawn")
      assert.deepStrictEqual(recordedIn(store), ["Deposited 1", "Withdrawn 2"])
      assert.deepStrictEqual(yield* World.books(accounts), ["1 0 0 false"])
    })
  )

  it.effect("is given up after its time", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      let count = 0
      const gate = Effect.suspend(() => (++count === 1 ? Effect.never : Effect.void))
      const { layer } = World.journal(store, undefined, gate)
      const accounts = yield* World.start(layer, { appendMillis: 500 })
      const asking = yield* Effect.forkChild(accounts.submit(deposit(1, 1, 5n)))
      yield* World.pass(0)
      yield* World.pass(499)
      assert.isUndefined(asking.pollUnsafe())
      yield* World.pass(1)
      assert.strictEqual(said(yield* Fiber.join(asking)), "Deposited")
      assert.strictEqual(count, 2)
    })
  )
})

describe("two services on one journal", () => {
  const two = Effect.gen(function* () {
    const store = MemoryLedgerJournal.store()
    const layer = MemoryLedgerJournal.layerOver(store)
    return { store, one: yield* World.start(layer), other: yield* World.start(layer) }
  })

  it.effect("decide on what both have recorded", () =>
    Effect.gen(function* () {
      const { one, other, store } = yield* two
      yield* one.submit(deposit(1, 1, 5n))
      assert.strictEqual(said(yield* other.submit(withdrawal(1, 2, 5n))), "Withdrawn")
      assert.strictEqual(said(yield* one.submit(withdrawal(1, 3, 1n))), "InsufficientFunds")
      assert.strictEqual(said(yield* other.submit(deposit(1, 1, 5n))), "Deposited again")
      assert.strictEqual(said(yield* other.submit(deposit(1, 1, 6n))), "DuplicateTx")
      yield* other.submit(deposit(1, 4, 7n))
      assert.deepStrictEqual(yield* one.balance(client(1)), Option.some({ available: 7n, held: 0n, locked: false }))
      assert.strictEqual(store.sequence, 3)
    })
  )

  it.effect("refuse nobody for what the other has changed", () =>
    Effect.gen(function* () {
      const { one, other } = yield* two
      yield* one.submit(deposit(1, 1, 5n))
      assert.strictEqual(said(yield* one.submit(withdrawal(1, 2, 9n))), "InsufficientFunds")
      yield* other.submit(deposit(1, 3, 5n))
      // On what this one knew, it would be refused.
      assert.strictEqual(said(yield* one.submit(withdrawal(1, 2, 9n))), "Withdrawn")
    })
  )

  it.effect("know each other's keys", () =>
    Effect.gen(function* () {
      const { one, other, store } = yield* two
      yield* one.submit(deposit(1, 1, 5n))
      yield* one.submit(dispute(1, 1), key("d"))
      assert.strictEqual(said(yield* other.submit(dispute(1, 1), key("d"))), "Disputed again")
      assert.strictEqual((yield* Effect.flip(other.submit(resolve(1, 1), key("d")))).reason._tag, "KeyReused")
      assert.strictEqual(store.sequence, 2)
    })
  )

  it.effect("asked for the same at the same time record it once, and spend nothing twice", () =>
    Effect.gen(function* () {
      const { one, other, store } = yield* two
      const ids = Array.from({ length: 20 }, (_, index) => index)
      const all = (make: (id: number) => ReturnType<typeof one.submit>) =>
        Effect.forEach(ids, make, { concurrency: "unbounded" })
      yield* Effect.all(
        [all((id) => one.submit(deposit(id % 3, id, 1n))), all((id) => other.submit(deposit(id % 3, id, 1n)))],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(store.sequence, 20)
      const spent = yield* Effect.all(
        [all((id) => one.submit(withdrawal(0, 100 + id, 1n))), all((id) => other.submit(withdrawal(0, 200 + id, 1n)))],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(spent.flat().filter((answer) => said(answer) === "Withdrawn").length, 7)
      for (const each of [one, other]) {
        assert.deepStrictEqual(yield* World.books(each), ["0 0 0 false", "1 7 0 false", "2 6 0 false"])
      }
    })
  )
})

describe("a journal that is damaged", () => {
  it.effect("stops the start, and the commands that meet it", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const damage = new LedgerJournalError({ reason: new JournalDamaged({ after: 0, detail: "checksum" }) })
      let isDamaged = false
      const layer = Layer.effect(
        LedgerJournal,
        Effect.map(LedgerJournal, (real) => ({
          ...real,
          append: (block: Parameters<typeof real.append>[0]) =>
            Effect.suspend(() => (isDamaged ? damage : real.append(block))),
          read: (range: Parameters<typeof real.read>[0]) =>
            Stream.suspend(() => (isDamaged ? Stream.fail(damage) : real.read(range)))
        }))
      ).pipe(Layer.provide(MemoryLedgerJournal.layerOver(store)))
      const accounts = yield* World.start(layer)
      isDamaged = true
      const { reason } = yield* Effect.flip(accounts.submit(deposit(1, 1, 5n)))
      assert.strictEqual(reason._tag, "JournalDamaged")
      assert.strictEqual((yield* Effect.flip(World.start(layer))).reason._tag, "JournalDamaged")
      isDamaged = false
      assert.strictEqual(said(yield* accounts.submit(deposit(1, 1, 5n))), "Deposited")
    })
  )

  it.effect("with a gap is told as such", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const accounts = yield* World.start(MemoryLedgerJournal.layerOver(store))
      for (const id of [1, 2, 3]) yield* accounts.submit(deposit(1, id, 5n))
      store.blocks.splice(1, 1)
      const { reason } = yield* Effect.flip(World.start(MemoryLedgerJournal.layerOver(store)))
      assert.deepInclude(reason, { _tag: "JournalDamaged", after: 1 })
    })
  )
})

describe("a process that dies at any call of its journal", () => {
  // Each is refused or applied alike however often what comes before it was asked.
  const script = [
    asked(deposit(1, 1, 100n), "a"),
    asked(withdrawal(2, 2, 1_000_000n)),
    asked(deposit(2, 3, 40n)),
    asked(dispute(1, 1), "b"),
    asked(withdrawal(2, 4, 15n)),
    asked(resolve(1, 1), "c"),
    asked(dispute(1, 1), "d"),
    asked(chargeback(1, 1), "e"),
    asked(deposit(2, 3, 41n))
  ]

  const tell = (accounts: World.Accounts, concurrency: 1 | "unbounded") =>
    Effect.forEach(script, (command) => World.submit(accounts, command), { concurrency })

  interface Kept {
    readonly store: MemoryLedgerJournal.Store
    readonly snapshots: MemoryLedgerSnapshots.Store
  }
  const kept = (): Kept => ({ store: MemoryLedgerJournal.store(), snapshots: new Map() })
  const often = { ...World.hasty, snapshotEvery: 2 }

  /** How many lives began with a snapshot. */
  let restored = 0
  const snapshotsOf = (store: MemoryLedgerSnapshots.Store) => {
    restored += Number(store.size > 0)
    return MemoryLedgerSnapshots.layerOver(store)
  }

  /** One life: to the end of the script, or to its death. */
  const live = Effect.fnUntraced(function* ({ snapshots, store }: Kept, fate: Fate, at: number) {
    const { layer, observed } = World.journal(store, ({ count }) => (count === at ? fate : "done"))
    const running = yield* Effect.forkDetach(
      Effect.flatMap(World.startDoomed(layer, often, snapshotsOf(snapshots)), (accounts) =>
        tell(accounts, at % 2 === 0 ? 1 : "unbounded")
      )
    )
    yield* Effect.raceFirst(Deferred.await(observed.died), Fiber.await(running))
    return observed
  })

  const expected = ["1 0 0 true", "2 25 0 false"]

  it.effect("leaves what its successor, told all again, makes the same books of", () =>
    Effect.gen(function* () {
      const whole = kept()
      const { calls } = yield* live(whole, "done", 0)
      assert.isAbove(calls, 9)
      let deaths = 0
      for (const fate of ["diesBefore", "diesAfter"] as const) {
        for (let first = 1; first <= calls; first++) {
          // A second life dies as well, at each of its own calls, and a third one lives.
          for (let second = 1; second <= calls; second++) {
            const world = kept()
            const one = yield* live(world, fate, first)
            const two = yield* live(world, fate, second)
            deaths += Number(yield* Deferred.isDone(one.died)) + Number(yield* Deferred.isDone(two.died))
            const { layer } = World.journal(world.store)
            const accounts = yield* World.startDoomed(layer, often, snapshotsOf(world.snapshots))
            const answers = yield* tell(accounts, 1)
            assert.deepStrictEqual(
              answers.map((answer) => said(answer).replace(" again", "")),
              [
                "Deposited",
                "InsufficientFunds",
                "Deposited",
                "Disputed",
                "Withdrawn",
                "Resolved",
                "Disputed",
                "ChargedBack",
                "DuplicateTx"
              ]
            )
            assert.deepStrictEqual(yield* World.books(accounts), expected)
            assert.deepStrictEqual(recordedIn(world.store).toSorted(), recordedIn(whole.store).toSorted())
          }
        }
      }
      assert.isAbove(deaths, calls * calls)
      assert.isAbove(restored, calls * calls)
    })
  )
})
