/** What every `WebhookInbox` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer } from "effect"
import type { Verified } from "../../adapters/GatewayWebhooks.ts"
import { WebhookInbox } from "../../adapters/WebhookInbox.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import { at, later, run, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the inbox that is empty each time it is built (`Layer.fresh`).
 *
 * Checks: an event is stored once, by its id and by what it is about, and each
 * gateway's events are its own; a delivery of several is stored when one of them
 * is new; a body comes back byte for byte; a delivery is with one worker at a
 * time, and with the next when the lease lapses; a failure waits and is counted;
 * a dead letter keeps its body and is replayed once; who lost a lease changes
 * nothing; what is forgotten may come again.
 */
export const suite = <E>(name: string, implementation: Layer.Layer<WebhookInbox, E>) => {
  const bank = GatewayName.make("bank")
  const worker = run("worker")
  const other = run("other")
  const event = (id: string, about?: string): Verified => ({ id, about })
  const body = Uint8Array.from([0, 255, 123, 10])

  const arrive = (events: ReadonlyArray<Verified>, gateway = bank) =>
    Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      const id = unique("wh_")
      return { id, isStored: yield* inbox.store({ id, gateway, events, body, at }) }
    })
  const isStored = (events: ReadonlyArray<Verified>, gateway = bank) =>
    Effect.map(arrive(events, gateway), (arrival) => arrival.isStored)
  const claim = (owner = worker, now = at, limit = 10, gateway = bank) =>
    Effect.flatMap(WebhookInbox, (inbox) => inbox.claim({ gateway, owner, now, until: later(now - at + 1000), limit }))

  const cases: Record<string, Effect.Effect<void, unknown, WebhookInbox>> = {
    "stores an event once, by its id and by what it is about": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      assert.isTrue(yield* isStored([event("evt_1", "refund re_1 succeeded")]))
      assert.isFalse(yield* isStored([event("evt_1", "refund re_1 succeeded")]))
      assert.isFalse(yield* isStored([event("evt_1", "something else")]))
      assert.isFalse(yield* isStored([event("evt_2", "refund re_1 succeeded")]))
      assert.isTrue(yield* isStored([event("evt_3", "refund re_1 failed")]))
      assert.isTrue(yield* isStored([event("evt_4")]))
      assert.isFalse(yield* isStored([event("evt_4")]))
      assert.isTrue(yield* isStored([event("evt_1", "refund re_1 succeeded")], GatewayName.make("other")))
      assert.strictEqual(yield* inbox.pending, 4)
    }),

    "an id is no word about an object, nor the other way round": Effect.gen(function* () {
      assert.isTrue(yield* isStored([event("same")]))
      assert.isTrue(yield* isStored([event("evt_1", "same")]))
    }),

    "a delivery of several events is stored when one of them is new": Effect.gen(function* () {
      assert.isTrue(yield* isStored([event("evt_1", "one"), event("evt_2", "two")]))
      assert.isFalse(yield* isStored([event("evt_2", "two"), event("evt_1", "one")]))
      assert.isTrue(yield* isStored([event("evt_1", "one"), event("evt_3", "three")]))
      assert.isFalse(yield* isStored([event("evt_3", "four"), event("evt_4", "three")]))
      assert.isFalse(yield* isStored([]))
    }),

    "of deliveries of one event that come at once, one is stored": Effect.gen(function* () {
      const stored = yield* Effect.forEach(
        Array.from({ length: 20 }),
        (_, index) =>
          isStored(index % 2 === 0 ? [event("a", "b"), event("c", "d")] : [event("c", "d"), event("a", "b")]),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(stored.filter(Boolean).length, 1)
    }),

    "gives out what was stored, byte for byte, the gateway's own and the longest waiting first": Effect.gen(
      function* () {
        const inbox = yield* WebhookInbox
        const [first, second] = [yield* arrive([event("evt_1")]), yield* arrive([event("evt_2")])]
        yield* arrive([event("evt_1")], GatewayName.make("other"))
        yield* claim(worker, at, 1)
        yield* inbox.failed(worker, first.id, later(5))
        const claimed = yield* claim(worker, later(5))
        assert.deepStrictEqual(
          claimed.toSorted((one, two) => (one.id < two.id ? -1 : 1)),
          [
            { id: first.id, gateway: bank, body, at, failures: 1 },
            { id: second.id, gateway: bank, body, at, failures: 0 }
          ]
        )
      }
    ),

    "a delivery is with one worker at a time, and with the next when the lease lapses": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      const { id } = yield* arrive([event("evt_1")])
      const claims = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => run(`w${index}`)),
        (owner) => claim(owner),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(claims.flat().length, 1)
      assert.deepStrictEqual(yield* claim(other, later(999)), [])
      assert.strictEqual((yield* claim(other, later(1000))).length, 1)
      // Who lost the lease changes nothing.
      yield* inbox.applied(worker, id)
      yield* inbox.failed(worker, id, later(9000))
      yield* inbox.bury(worker, id, "not mine", at)
      assert.deepStrictEqual(yield* inbox.deadLetters(10), [])
      assert.strictEqual(yield* inbox.pending, 1)
      yield* inbox.applied(other, id)
      assert.strictEqual(yield* inbox.pending, 0)
    }),

    "what is applied stays known": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      const { id } = yield* arrive([event("evt_1", "one")])
      yield* claim()
      yield* inbox.applied(worker, id)
      assert.isFalse(yield* isStored([event("evt_1", "one")]))
      assert.deepStrictEqual(yield* claim(worker, later(5000)), [])
    }),

    "a failure waits until its time, and is counted": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      const { id } = yield* arrive([event("evt_1")])
      yield* claim()
      yield* inbox.failed(worker, id, later(500))
      assert.deepStrictEqual(yield* claim(other, later(499)), [])
      const [again] = yield* claim(other, later(500))
      assert.strictEqual(again?.failures, 1)
    }),

    "a dead letter keeps its body, waits for nobody, and is replayed once": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      const { id } = yield* arrive([event("evt_1")])
      yield* claim()
      yield* inbox.bury(worker, id, "no such payment", later(7))
      assert.strictEqual(yield* inbox.pending, 0)
      const dead = { id, gateway: bank, body, at, failures: 1, error: "no such payment", diedAt: later(7) }
      assert.deepStrictEqual(yield* inbox.deadLetters(10), [dead])
      assert.deepStrictEqual(yield* inbox.deadLetter(id), Option.some(dead))
      assert.deepStrictEqual(yield* inbox.deadLetter("wh_0"), Option.none())
      assert.isTrue(yield* inbox.replay(id, later(10)))
      assert.isFalse(yield* inbox.replay(id, later(10)))
      assert.deepStrictEqual(yield* inbox.deadLetters(10), [])
      assert.deepStrictEqual(yield* claim(other, later(9)), [])
      assert.deepStrictEqual(yield* claim(other, later(10)), [{ id, gateway: bank, body, at, failures: 0 }])
    }),

    "forgets what came before a moment, and only that": Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      yield* arrive([event("evt_1")])
      yield* inbox.forget(at)
      assert.isFalse(yield* isStored([event("evt_1")]))
      yield* inbox.forget(later(1))
      assert.isTrue(yield* isStored([event("evt_1")]))
    })
  }

  for (const [sentence, test] of Object.entries(cases)) {
    layer(implementation)(`WebhookInbox (${name})`, (it) => {
      it.effect(sentence, () => test)
    })
  }
}
