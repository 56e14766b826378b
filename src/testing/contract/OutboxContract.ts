/** What every `Outbox` must do, over the repository that fills it. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer } from "effect"
import type { Entry } from "../../adapters/Outbox.ts"
import { Outbox } from "../../adapters/Outbox.ts"
import { PaymentRepository } from "../../adapters/PaymentRepository.ts"
import type { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { append, at, creation, historyOf, later, paymentId, run } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the outbox and of the repository that fills it, over one
 * store that is empty each time the layer is built (`Layer.fresh`): an outbox is
 * one queue for all, so every test builds its own.
 *
 * Checks: what is stored is in the outbox, whole and in order, and nothing of an
 * append that was refused; what is published is gone, and only that; one
 * payment is with one relay at a time, and no two relays get one entry; a dead
 * relay's entries go to the next when its lease lapses; a failure holds back
 * all that follows in that payment and is counted; a dead letter keeps its
 * event, stops nothing, and is replayed once.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const outbox = Layer.mergeAll(AcmeOutbox.layer, AcmePaymentRepository.layer).pipe(Layer.provide(database))
 *     OutboxContract.suite("acme", outbox)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Outbox | PaymentRepository, E>) => {
  const relay = run("relay")
  const other = run("other")
  const claim = (owner = relay, now = at, limit = 100) =>
    Effect.flatMap(Outbox, (outbox) => outbox.claim({ owner, now, until: later(now - at + 1000), limit }))
  const ids = (entries: ReadonlyArray<Entry>) => entries.map(({ envelope }) => envelope.id)

  /** A payment of `events` events. */
  const begin = Effect.fnUntraced(function* (events: number) {
    const repository = yield* PaymentRepository
    const id = paymentId()
    yield* repository.create(creation(id))
    if (events > 1) yield* repository.append(append(id, 1, events - 1))
    return id
  })
  const versions = (id: PaymentId, ...list: ReadonlyArray<number>) => list.map((version) => `${id}/${version}`)

  const cases: Record<string, Effect.Effect<void, unknown, Outbox | PaymentRepository>> = {
    "holds every event once it is stored, whole and in order": Effect.gen(function* () {
      const id = yield* begin(5)
      const entries = yield* claim()
      assert.deepStrictEqual(
        entries.map(({ envelope }) => envelope.event),
        historyOf(id)
      )
      assert.deepStrictEqual(ids(entries), versions(id, 1, 2, 3, 4, 5))
      assert.isTrue(entries.every(({ envelope, failures }) => envelope.payment === id && failures === 0))
    }),

    "holds nothing of an append that was refused": Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const outbox = yield* Outbox
      const id = yield* begin(1)
      yield* Effect.flip(repository.append(append(id, 3, 1)))
      yield* repository.create(creation(paymentId(), { key: creation(id).key }))
      assert.strictEqual(yield* outbox.pending, 2)
    }),

    "what is published is gone, and only that": Effect.gen(function* () {
      const outbox = yield* Outbox
      const id = yield* begin(3)
      yield* claim()
      yield* outbox.published(relay, versions(id, 1, 2))
      assert.strictEqual(yield* outbox.pending, 1)
      assert.deepStrictEqual(ids(yield* claim(other, later(2000))), versions(id, 3))
    }),

    "one payment is with one relay at a time, also what is added meanwhile": Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const outbox = yield* Outbox
      const [first, second] = [yield* begin(2), yield* begin(1)]
      assert.deepStrictEqual(ids(yield* claim(relay, at, 1)), versions(first, 1, 2))
      yield* repository.append(append(first, 2, 1))
      assert.deepStrictEqual(ids(yield* claim(other)), versions(second, 1))
      yield* outbox.published(relay, versions(first, 1, 2))
      assert.deepStrictEqual(ids(yield* claim(other)), versions(first, 3))
    }),

    "of relays that claim at once, no two have the same entry": Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: 30 }), () => begin(5), { concurrency: 4 })
      const claimed = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => run(`r${index}`)),
        (owner) => claim(owner),
        { concurrency: "unbounded" }
      )
      const all = claimed.flatMap(ids)
      assert.strictEqual(new Set(all).size, all.length)
      assert.strictEqual(all.length, 150)
    }),

    "a relay that died leaves its entries to the next when its lease lapses": Effect.gen(function* () {
      const outbox = yield* Outbox
      const id = yield* begin(2)
      yield* claim()
      assert.deepStrictEqual(yield* claim(other, later(999)), [])
      assert.deepStrictEqual(ids(yield* claim(other, later(1000))), versions(id, 1, 2))
      yield* outbox.published(relay, versions(id, 1, 2))
      assert.strictEqual(yield* outbox.pending, 2)
    }),

    "after a failure the payment waits, with all that follows, and counts it": Effect.gen(function* () {
      const outbox = yield* Outbox
      const id = yield* begin(3)
      yield* claim()
      yield* outbox.published(relay, versions(id, 1))
      yield* outbox.failed(relay, `${id}/2`, later(500))
      assert.deepStrictEqual(yield* claim(other, later(499)), [])
      const again = yield* claim(other, later(500))
      assert.deepStrictEqual(ids(again), versions(id, 2, 3))
      assert.deepStrictEqual(
        again.map(({ failures }) => failures),
        [1, 0]
      )
    }),

    "what is buried is a dead letter, and what follows goes on": Effect.gen(function* () {
      const outbox = yield* Outbox
      const id = yield* begin(2)
      yield* claim()
      yield* outbox.bury(relay, `${id}/1`, "nobody took it", later(7))
      yield* outbox.published(relay, versions(id, 2))
      const letters = yield* outbox.deadLetters(10)
      assert.strictEqual(letters.length, 1)
      assert.deepInclude(letters[0], { failures: 1, error: "nobody took it", at: later(7) })
      assert.deepStrictEqual(letters[0]!.envelope.event, historyOf(id)[0])
      assert.deepStrictEqual(yield* outbox.deadLetter(`${id}/1`), Option.some(letters[0]!))
      assert.deepStrictEqual(yield* outbox.deadLetter(`${id}/2`), Option.none())
      assert.strictEqual(yield* outbox.pending, 0)
    }),

    "a dead letter that is replayed is published again, once": Effect.gen(function* () {
      const outbox = yield* Outbox
      const id = yield* begin(1)
      yield* claim()
      yield* outbox.bury(relay, `${id}/1`, "nobody took it", at)
      assert.isTrue(yield* outbox.replay(`${id}/1`, later(10)))
      assert.isFalse(yield* outbox.replay(`${id}/1`, later(10)))
      assert.deepStrictEqual(yield* outbox.deadLetters(10), [])
      const again = yield* claim(other, later(10))
      assert.deepStrictEqual(ids(again), versions(id, 1))
      assert.strictEqual(again[0]!.failures, 0)
    })
  }

  for (const [sentence, test] of Object.entries(cases)) {
    layer(implementation)(`Outbox (${name})`, (it) => {
      it.effect(sentence, () => test)
    })
  }
}
