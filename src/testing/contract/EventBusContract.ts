/** What every `EventBus` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type { Layer } from "effect"
import type { Envelope, Reading } from "../../adapters/EventBus.ts"
import { beginning, Cursor, EventBus, idOf } from "../../adapters/EventBus.ts"
import { PaymentRepository } from "../../adapters/PaymentRepository.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { append, creation, historyOf, paymentId, shop } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the bus and of the repository whose events it carries, since
 * a bus that crosses processes may read them there. Time is real, because a bus
 * may cross a network; every wait is for something that happens.
 *
 * Checks: each handler gets every event, in order, until its scope closes;
 * publishing fails when a handler does, and the error names the handler and its
 * cause; a reader gets all that is recorded after it began to follow, once, and
 * in the order of its payment; whoever comes back with a cursor goes on behind
 * it, whatever was recorded meanwhile; filters hold; a cursor that the bus never
 * gave out is refused.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const bus = Layer.mergeAll(AcmeEventBus.layer, AcmePaymentRepository.layer).pipe(Layer.provide(database))
 *     EventBusContract.suite("acme", bus)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<EventBus | PaymentRepository, E>) =>
  layer(implementation, { excludeTestServices: true })(`EventBus (${name})`, (it) => {
    /** Stores a payment and hands its events to the bus, as the relay does. */
    const publishPaymentOf = Effect.fnUntraced(function* (merchant: MerchantId) {
      const repository = yield* PaymentRepository
      const bus = yield* EventBus
      const id = paymentId()
      yield* repository.create(creation(id, { merchant, order: { merchant } }))
      yield* repository.append(append(id, 1, 4))
      const envelopes = historyOf(id, { merchant }).map((event, index): Envelope => ({
        id: idOf(id, index + 1),
        payment: id,
        merchant,
        version: index + 1,
        event
      }))
      yield* Effect.forEach(envelopes, bus.publish)
      return envelopes
    })
    const publishPayment = publishPaymentOf(shop)

    const take = (reading: Reading, count: number) => Stream.runCollect(Stream.take(reading.deliveries, count))
    const envelopesOf = (deliveries: ReadonlyArray<{ readonly envelope: Envelope }>) =>
      deliveries.map(({ envelope }) => envelope)

    it.effect("hands every event to every handler, in order, until its scope closes", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const seen: Array<string> = []
        const note = (who: string) => (envelope: Envelope) => Effect.sync(() => seen.push(`${who} ${envelope.version}`))
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* bus.handle("a", note("a"))
            yield* bus.handle("b", note("b"))
            yield* publishPayment
          })
        )
        yield* publishPayment
        assert.deepStrictEqual(
          seen.filter((line) => line.startsWith("a")),
          ["a 1", "a 2", "a 3", "a 4", "a 5"]
        )
        assert.strictEqual(seen.length, 10)
      })
    )

    it.effect("publishing fails when a handler does, and names both", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const error = yield* Effect.scoped(
          Effect.gen(function* () {
            yield* bus.handle("ledger", () => Effect.fail("full"))
            return yield* Effect.flip(publishPayment)
          })
        )
        assert.strictEqual(error._tag, "PublishError")
        assert.deepInclude(error, { handler: "ledger", cause: "full" })
      })
    )

    it.effect("readers get what is recorded after they came, each event once, in the order of its payment", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        yield* publishPayment
        const readings = [yield* bus.follow({}), yield* bus.follow({})]
        const one = yield* publishPayment
        const reading = yield* Effect.forkChild(
          Effect.forEach(readings, (each) => take(each, 10), { concurrency: "unbounded" })
        )
        const two = yield* publishPayment
        for (const deliveries of yield* Fiber.join(reading)) {
          assert.deepStrictEqual(envelopesOf(deliveries), [...one, ...two])
          assert.strictEqual(new Set(deliveries.map(({ cursor }) => cursor)).size, 10)
        }
      })
    )

    it.effect("the plain stream shows every event from its start on", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(bus.events, 1)))
        // When it starts is its own affair: payments go on until it has seen something.
        const going = yield* Effect.forkChild(Effect.forever(Effect.andThen(publishPayment, Effect.yieldNow)))
        const [seen] = yield* Fiber.join(reading)
        yield* Fiber.interrupt(going)
        assert.strictEqual(seen?.merchant, shop)
      })
    )

    it.effect("who comes back with a cursor goes on behind it, whatever was recorded meanwhile", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const first = yield* bus.follow({})
        const published = [...(yield* publishPayment), ...(yield* publishPayment)]
        const before = yield* take(first, 3)
        // Nobody reads now.
        const meanwhile = yield* publishPayment
        const second = yield* bus.follow({ after: before.at(-1)!.cursor })
        assert.strictEqual(second.from, before.at(-1)!.cursor)
        const after = yield* take(second, 12)
        assert.deepStrictEqual(envelopesOf([...before, ...after]), [...published, ...meanwhile])
      })
    )

    it.effect("who heard nothing yet comes back with where it began, and has missed nothing", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const { from } = yield* bus.follow({})
        const published = yield* publishPayment
        const again = yield* take(yield* bus.follow({ after: from }), 5)
        assert.deepStrictEqual(envelopesOf(again), published)
      })
    )

    it.effect("shows all that ever happened from the beginning, and only what is wanted", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const other = MerchantId.make("other-shop")
        const ours = yield* publishPayment
        const theirs = yield* publishPaymentOf(other)
        const { payment } = ours[0]!
        const all = yield* take(yield* bus.follow({ after: beginning, payment }), 5)
        assert.deepStrictEqual(envelopesOf(all), ours)
        const ofMerchant = yield* take(yield* bus.follow({ after: beginning, merchant: other }), 5)
        assert.deepStrictEqual(envelopesOf(ofMerchant), theirs)
        const types = ["Captured", "Authorized"] as const
        const some = yield* take(yield* bus.follow({ after: beginning, merchant: other, types }), 2)
        assert.deepStrictEqual(
          envelopesOf(some).map(({ event }) => event._tag),
          ["Authorized", "Captured"]
        )
        // Behind them it waits for what is wanted, and passes over the rest.
        const later = yield* bus.follow({ after: some.at(-1)!.cursor, merchant: other, types })
        const reading = yield* Effect.forkChild(take(later, 2))
        yield* publishPayment
        const more = yield* publishPaymentOf(other)
        assert.deepStrictEqual(envelopesOf(yield* Fiber.join(reading)), [more[2]!, more[4]!])
      })
    )

    it.effect("refuses a cursor that it never gave out", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        for (const text of ["nonsense", "-1", "1e3", "99999999999999999999p1", "999999999999999"]) {
          const error = yield* Effect.flip(bus.follow({ after: Cursor.make(text) }))
          assert.strictEqual(error._tag, "CursorRefused")
          assert.include(error.message, `got "${text}"`)
        }
      })
    )
  })
