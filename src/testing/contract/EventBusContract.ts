/** What every `EventBus` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Queue, Stream } from "effect"
import type { Layer } from "effect"
import type { Envelope } from "../../adapters/EventBus.ts"
import { EventBus, idOf } from "../../adapters/EventBus.ts"
import { PaymentRepository } from "../../adapters/PaymentRepository.ts"
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
 * cause; each stream shows what is published from its start on, once, and in
 * the order of its payment.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const bus = Layer.mergeAll(AcmeEventBus.layer, AcmePaymentRepository.layer).pipe(Layer.provide(database))
 *     EventBusContract.suite("acme", bus)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<EventBus | PaymentRepository, E>) =>
  layer(implementation, { excludeTestServices: true })(`EventBus (${name})`, (it) => {
    /** Stores a payment and hands its events to the bus, as the relay does. */
    const publishPayment = Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const bus = yield* EventBus
      const id = paymentId()
      yield* repository.create(creation(id))
      yield* repository.append(append(id, 1, 4))
      const envelopes = historyOf(id).map((event, index): Envelope => ({
        id: idOf(id, index + 1),
        payment: id,
        merchant: shop,
        version: index + 1,
        event
      }))
      yield* Effect.forEach(envelopes, bus.publish)
      return envelopes
    })

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

    it.effect("streams show what is published from here on, each once, in the order of its payment", () =>
      Effect.gen(function* () {
        const bus = yield* EventBus
        const follow = Effect.gen(function* () {
          const queue = yield* Queue.unbounded<Envelope>()
          const fiber = yield* Effect.forkChild(
            Stream.runForEach(bus.events, (envelope) => Queue.offer(queue, envelope))
          )
          return { queue, fiber }
        })
        const [one, two] = [yield* follow, yield* follow]
        // A reader may need a moment to be one: payments go on until both have seen the first.
        const first = yield* Effect.forkChild(Effect.forever(Effect.andThen(publishPayment, Effect.yieldNow)))
        yield* Queue.take(one.queue)
        yield* Queue.take(two.queue)
        yield* Fiber.interrupt(first)
        const published = yield* publishPayment
        const wanted = published[0]!.payment
        for (const { fiber, queue } of [one, two]) {
          const seen: Array<Envelope> = []
          while (seen.length < published.length) {
            const envelope = yield* Queue.take(queue)
            if (envelope.payment === wanted) seen.push(envelope)
          }
          assert.deepStrictEqual(seen, published)
          yield* Fiber.interrupt(fiber)
        }
      })
    )
  })
