import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { unpack } from "../../src/domain/ledger/PackedEvents.ts"
import * as MemoryLedgerJournal from "../../src/infra/memory/MemoryLedgerJournal.ts"
import * as World from "./LedgerWorld.ts"

const { chargeback, client, deposit, dispute, key, resolve, said, tx, withdrawal } = World

const service = (settings?: Parameters<typeof World.start>[1]) =>
  Effect.gen(function* () {
    const store = MemoryLedgerJournal.store()
    const { layer, observed } = World.journal(store)
    return { store, observed, layer, accounts: yield* World.start(layer, settings) }
  })

describe("an answer", () => {
  it.effect("is what the rules say, with the books behind it", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service()
      const posting = { client: client(1), tx: tx(1), amount: 100n }
      assert.deepStrictEqual(yield* accounts.deposit(posting), {
        _tag: "Applied",
        event: { _tag: "Deposited", ...posting },
        replayed: false
      })
      assert.strictEqual(said(yield* accounts.withdraw({ ...posting, tx: tx(2), amount: 101n })), "InsufficientFunds")
      assert.strictEqual(said(yield* accounts.withdraw({ ...posting, tx: tx(2), amount: 40n })), "Withdrawn")
      assert.strictEqual(said(yield* accounts.dispute({ client: client(1), tx: tx(1) })), "Disputed")
      assert.deepStrictEqual(
        yield* accounts.balance(client(1)),
        Option.some({ available: -40n, held: 100n, locked: false })
      )
      assert.strictEqual(said(yield* accounts.resolve({ client: client(1), tx: tx(1) })), "Resolved")
      assert.strictEqual(said(yield* accounts.chargeback({ client: client(1), tx: tx(1) })), "NotDisputed")
      assert.deepStrictEqual(yield* accounts.balance(client(2)), Option.none())
    })
  )

  it.effect("of a refused withdrawal of a client never seen leaves an account of zeros behind, durable", () =>
    Effect.gen(function* () {
      const { accounts, layer } = yield* service()
      assert.strictEqual(said(yield* accounts.submit(withdrawal(7, 1, 5n))), "InsufficientFunds")
      assert.deepStrictEqual(yield* World.books(yield* World.start(layer)), ["7 0 0 false"])
    })
  )
})

describe("a repeat", () => {
  it.effect("of a deposit or a withdrawal is answered as the first, and records nothing", () =>
    Effect.gen(function* () {
      const { accounts, store } = yield* service()
      const first = yield* accounts.submit(deposit(1, 1, 100n))
      yield* accounts.submit(withdrawal(1, 2, 30n))
      const again = yield* accounts.submit(deposit(1, 1, 100n))
      assert.deepStrictEqual(again, { ...first, replayed: true } as typeof first)
      assert.strictEqual(said(yield* accounts.submit(withdrawal(1, 2, 30n))), "Withdrawn again")
      assert.strictEqual(store.sequence, 2)
    })
  )

  it.effect("with another client, kind or amount is a duplicate", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service()
      yield* accounts.submit(deposit(1, 1, 100n))
      for (const other of [deposit(2, 1, 100n), withdrawal(1, 1, 100n), deposit(1, 1, 99n)]) {
        assert.strictEqual(said(yield* accounts.submit(other)), "DuplicateTx")
      }
    })
  )

  it.effect("of a dispute is known by its key, after a restart too, and without one is one more", () =>
    Effect.gen(function* () {
      const { accounts, layer, store } = yield* service()
      yield* accounts.submit(deposit(1, 1, 100n))
      assert.strictEqual(said(yield* accounts.submit(dispute(1, 1), key("d1"))), "Disputed")
      assert.strictEqual(said(yield* accounts.submit(dispute(1, 1))), "AlreadyDisputed")
      assert.strictEqual(said(yield* accounts.submit(resolve(1, 1), key("r1"))), "Resolved")
      const restarted = yield* World.start(layer)
      for (const each of [accounts, restarted]) {
        assert.strictEqual(said(yield* each.submit(dispute(1, 1), key("d1"))), "Disputed again")
        assert.strictEqual(said(yield* each.submit(resolve(1, 1), key("r1"))), "Resolved again")
      }
      assert.strictEqual(store.sequence, 3)
      assert.strictEqual(said(yield* restarted.submit(dispute(1, 1), key("d2"))), "Disputed")
    })
  )

  it.effect("of a key with another command is refused, and names what differs", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service()
      yield* accounts.submit(deposit(1, 1, 100n), key("k"))
      const others = [
        [dispute(1, 1), "type"],
        [deposit(2, 1, 100n), "client"],
        [deposit(1, 2, 100n), "tx"],
        [deposit(1, 1, 99n), "amount"]
      ] as const
      for (const [other, field] of others) {
        const { reason } = yield* Effect.flip(accounts.submit(other, key("k")))
        assert.deepInclude(reason, { _tag: "KeyReused", field })
      }
      assert.strictEqual(said(yield* accounts.submit(deposit(1, 1, 100n), key("k"))), "Deposited again")
    })
  )

  it.effect("leaves a key free that was refused", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service()
      assert.strictEqual(said(yield* accounts.submit(dispute(1, 1), key("k"))), "UnknownTx")
      yield* accounts.submit(deposit(1, 1, 100n))
      assert.strictEqual(said(yield* accounts.submit(dispute(1, 1), key("k"))), "Disputed")
    })
  )

  it.effect("in the same group records one", () =>
    Effect.gen(function* () {
      const { accounts, observed, store } = yield* service()
      yield* accounts.submit(deposit(1, 1, 100n))
      const answers = yield* Effect.all(
        [
          accounts.submit(dispute(1, 1), key("d")),
          accounts.submit(dispute(1, 1), key("d")),
          accounts.submit(deposit(1, 2, 5n)),
          accounts.submit(deposit(1, 2, 5n))
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(answers.map(said), ["Disputed", "Disputed again", "Deposited", "Deposited again"])
      assert.deepStrictEqual([store.sequence, observed.appends.length], [3, 2])
    })
  )
})

describe("commands at the same time", () => {
  it.effect("of one client are recorded in their order, and those that wait for an append in one block", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const gate = yield* Latch.make()
      const { layer, observed } = World.journal(store, undefined, gate.await)
      const accounts = yield* World.start(layer)
      const ids = Array.from({ length: 300 }, (_, index) => index)
      const asking = yield* Effect.forkChild(
        Effect.forEach(ids, (id) => accounts.submit(deposit(id % 3, id, 1n)), { concurrency: "unbounded" })
      )
      yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow)
      assert.deepStrictEqual(yield* World.books(yield* World.start(MemoryLedgerJournal.layerOver(store))), [])
      yield* gate.open
      yield* Fiber.join(asking)
      const recorded = store.blocks.flatMap(({ events, line }) => unpack(events, line).map(({ event }) => event))
      for (const id of [0, 1, 2]) {
        assert.deepStrictEqual(
          recorded.flatMap((event) => (event.client === id && event._tag === "Deposited" ? [Number(event.tx)] : [])),
          ids.filter((each) => each % 3 === id)
        )
      }
      // An actor has 64 decided at a time: of a hundred that makes two turns.
      assert.isAtMost(observed.appends.length, 3)
    })
  )

  it.effect("of a client with much to do keep no other waiting for more than a turn", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const { layer } = World.journal(store)
      const accounts = yield* World.start(layer)
      const busy = Array.from({ length: 200 }, (_, index) => accounts.submit(deposit(1, index, 1n)))
      yield* Effect.all([...busy, accounts.submit(deposit(2, 1000, 1n))], { concurrency: "unbounded" })
      const recorded = store.blocks.flatMap(({ events, line }) => unpack(events, line).map(({ event }) => event.client))
      assert.isAtMost(recorded.indexOf(client(2)), 128)
    })
  )

  it.effect("are refused as overloaded when the mailbox stays full, and nothing of them is recorded", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const gate = yield* Latch.make()
      const { layer } = World.journal(store, undefined, gate.await)
      const accounts = yield* World.start(layer, { mailbox: 4, patienceMillis: 100 })
      // The first is taken, and the next four wait.
      const first = yield* Effect.forkChild(accounts.submit(deposit(1, 0, 1n)))
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      const waiting = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3, 4], (id) => accounts.submit(deposit(1, id, 1n)), { concurrency: "unbounded" })
      )
      const late = yield* Effect.forkChild(Effect.flip(accounts.submit(deposit(1, 5, 1n))))
      const patient = yield* Effect.forkChild(
        Effect.andThen(Effect.sleep("50 millis"), accounts.submit(deposit(1, 6, 1n)))
      )
      // Another client's mailbox has room.
      const other = yield* Effect.forkChild(accounts.submit(deposit(2, 7, 1n)))
      yield* TestClock.adjust("99 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { reason } = yield* Fiber.join(late)
      assert.deepInclude(reason, { _tag: "Overloaded", client: 1 })
      yield* gate.open
      yield* Effect.all([Fiber.join(first), Fiber.join(waiting), Fiber.join(patient), Fiber.join(other)])
      assert.deepStrictEqual(yield* World.books(accounts), ["1 6 0 false", "2 1 0 false"])
    })
  )

  it.effect("are refused when all clients together have too much waiting", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make()
      const { layer } = World.journal(MemoryLedgerJournal.store(), undefined, gate.await)
      const accounts = yield* World.start(layer, { maxWaiting: 2 })
      const waiting = yield* Effect.forkChild(
        Effect.all([accounts.submit(deposit(1, 1, 1n)), accounts.submit(deposit(2, 2, 1n))], {
          concurrency: "unbounded"
        })
      )
      yield* Effect.yieldNow
      const { reason } = yield* Effect.flip(accounts.submit(deposit(3, 3, 1n)))
      assert.deepInclude(reason, { _tag: "Overloaded" })
      assert.notProperty(reason, "client")
      yield* gate.open
      yield* Fiber.join(waiting)
      assert.strictEqual(said(yield* accounts.submit(deposit(3, 3, 1n))), "Deposited")
    })
  )

  it.effect("that are given up before they are taken record nothing", () =>
    Effect.gen(function* () {
      const store = MemoryLedgerJournal.store()
      const gate = yield* Latch.make()
      const { layer } = World.journal(store, undefined, gate.await)
      const accounts = yield* World.start(layer)
      const first = yield* Effect.forkChild(accounts.submit(deposit(1, 1, 1n)))
      yield* TestClock.adjust(1)
      const second = yield* Effect.forkChild(accounts.submit(deposit(1, 2, 1n)))
      const third = yield* Effect.forkChild(accounts.submit(deposit(2, 3, 1n)))
      yield* TestClock.adjust(1)
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(third)
      yield* gate.open
      yield* Fiber.join(first)
      assert.strictEqual(said(yield* accounts.submit(deposit(1, 4, 1n))), "Deposited")
      assert.deepStrictEqual(yield* World.books(accounts), ["1 2 0 false"])
    })
  )
})

describe("an actor", () => {
  it.effect("ends when nobody has asked for a while, and the next command begins another", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service({ idleMillis: 60_000 })
      yield* accounts.submit(deposit(1, 1, 5n))
      yield* accounts.submit(deposit(2, 2, 5n))
      assert.strictEqual(yield* accounts.actors, 2)
      yield* TestClock.adjust("40 seconds")
      yield* accounts.submit(withdrawal(2, 3, 1n))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* accounts.actors, 1)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* accounts.actors, 0)
      assert.strictEqual(said(yield* accounts.submit(withdrawal(1, 4, 5n))), "Withdrawn")
      assert.deepStrictEqual(yield* World.books(accounts), ["1 0 0 false", "2 4 0 false"])
    })
  )

  it.effect("is not ended while a command waits", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make()
      const { layer } = World.journal(MemoryLedgerJournal.store(), undefined, gate.await)
      const accounts = yield* World.start(layer, { idleMillis: 1000, appendMillis: 3_600_000 })
      const waiting = yield* Effect.forkChild(accounts.submit(deposit(1, 1, 5n)))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* accounts.actors, 1)
      yield* gate.open
      assert.strictEqual(said(yield* Fiber.join(waiting)), "Deposited")
    })
  )
})

describe("the end of the service", () => {
  it.effect("answers what waits, and takes no more", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make()
      const { layer } = World.journal(MemoryLedgerJournal.store(), undefined, gate.await)
      const scope = yield* Scope.make()
      const accounts = yield* Scope.provide(World.start(layer), scope)
      const waiting = yield* Effect.forkChild(accounts.submit(deposit(1, 1, 5n)))
      yield* TestClock.adjust(1)
      const ending = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust(1)
      const { reason } = yield* Effect.flip(accounts.submit(deposit(1, 2, 5n)))
      assert.deepInclude(reason, { _tag: "Unavailable", mayBeRecorded: false })
      yield* gate.open
      assert.strictEqual(said(yield* Fiber.join(waiting)), "Deposited")
      yield* Fiber.join(ending)
    })
  )
})

describe("what is read", () => {
  it.effect("is durable: what an append has not answered for is in no balance", () =>
    Effect.gen(function* () {
      const { accounts, observed } = yield* Effect.gen(function* () {
        const gate = yield* Latch.make()
        const { layer, observed } = World.journal(MemoryLedgerJournal.store(), undefined, gate.await)
        const accounts = yield* World.start(layer, {
          appendMillis: 1000,
          settling: { maxAttempts: 1, baseMillis: 0, factor: 1, capMillis: 0 }
        })
        return { accounts, observed, gate }
      })
      const asking = yield* Effect.forkChild(Effect.flip(accounts.submit(deposit(1, 1, 5n))))
      const reading = yield* Effect.forkChild(Effect.exit(accounts.balance(client(1))))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { reason } = yield* Fiber.join(asking)
      assert.deepInclude(reason, { _tag: "Unavailable", mayBeRecorded: true })
      assert.strictEqual(observed.appends.length, 0)
      assert.deepStrictEqual(yield* accounts.balance(client(1)), Option.none())
    })
  )

  it.effect("is a client's history, a page at a time, whoever recorded it", () =>
    Effect.gen(function* () {
      const { accounts, layer } = yield* service()
      const other = yield* World.start(layer)
      yield* accounts.submit(deposit(2, 9, 1n))
      yield* accounts.submit(deposit(1, 1, 5n))
      yield* other.submit(deposit(2, 8, 1n))
      yield* other.submit(dispute(1, 1))
      yield* accounts.submit(chargeback(1, 1))
      yield* accounts.submit(deposit(2, 7, 1n))
      const page = (after: number, limit: number) =>
        Effect.map(accounts.history(client(1), { after, limit }), (history) => {
          const { events, isMore } = Option.getOrThrow(history)
          return { events: events.map(({ event, sequence }) => `${sequence} ${event._tag}`), isMore }
        })
      assert.deepStrictEqual(yield* page(0, 2), { events: ["2 Deposited", "4 Disputed"], isMore: true })
      assert.deepStrictEqual(yield* page(4, 2), { events: ["5 ChargedBack"], isMore: false })
      assert.deepStrictEqual(yield* page(5, 2), { events: [], isMore: false })
      assert.deepStrictEqual(yield* accounts.history(client(3), { after: 0, limit: 2 }), Option.none())
    })
  )

  it.effect("is a page of the accounts, by client", () =>
    Effect.gen(function* () {
      const { accounts } = yield* service()
      for (const id of [70_000, 2, 1]) yield* accounts.submit(deposit(id, id, 1n))
      const clients = (after: number | undefined) =>
        Effect.map(accounts.accounts({ after: after === undefined ? after : client(after), limit: 2 }), (page) => [
          page.accounts.map((each) => Number(each.client)),
          page.isMore
        ])
      assert.deepStrictEqual(yield* clients(undefined), [[1, 2], true])
      assert.deepStrictEqual(yield* clients(2), [[70_000], false])
    })
  )
})
