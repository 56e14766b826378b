/** What every `WebhookEndpoints` and every `WebhookDeliveries` must do, together. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer } from "effect"
import { idOf } from "../../adapters/EventBus.ts"
import type { Address, Attempt, Claimed } from "../../adapters/WebhookDeliveries.ts"
import { WebhookDeliveries } from "../../adapters/WebhookDeliveries.ts"
import { WebhookEndpoints } from "../../adapters/WebhookEndpoints.ts"
import { PaymentRepository } from "../../adapters/PaymentRepository.ts"
import type { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { secretOf } from "../../domain/webhook/StandardWebhooks.ts"
import type { Endpoint } from "../../domain/webhook/WebhookEndpoint.ts"
import { change, disable, EndpointId, rotate } from "../../domain/webhook/WebhookEndpoint.ts"
import { append, at, creation, historyOf, later, paymentId, run, shop, unique } from "./Samples.ts"

type Needs = WebhookEndpoints | WebhookDeliveries | PaymentRepository

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of endpoints, deliveries and the repository whose events are
 * delivered, over one store that is empty each time the layer is built
 * (`Layer.fresh`).
 *
 * Checks: an endpoint comes back whole, is its merchant's, and changes in one
 * step; an event is queued once for whom it concerns; a payment's events go one
 * after the other at each endpoint, and other payments meanwhile; one endpoint
 * is given no more than its share; leases hold and lapse; failures wait, are
 * logged, and end as exhausted; what is resumed or replayed begins anew; the log
 * is the newest first, page by page.
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Needs, E>) => {
  const worker = run("worker")
  const other = run("other")
  const secret = secretOf(new Uint8Array(32))

  const endpointOf = (changes: Partial<Endpoint> = {}): Endpoint => ({
    id: EndpointId.make(unique("we_c")),
    merchant: shop,
    url: "https://shop.example/hooks",
    enabled: true,
    secret,
    createdAt: at,
    ...changes
  })
  const subscribe = (changes: Partial<Endpoint> = {}) =>
    Effect.gen(function* () {
      const endpoint = endpointOf(changes)
      const endpoints = yield* WebhookEndpoints
      yield* endpoints.create(endpoint)
      return endpoint
    })

  /** A payment of `count` events, stored. */
  const begin = Effect.fnUntraced(function* (count: number) {
    const repository = yield* PaymentRepository
    const id = paymentId()
    yield* repository.create(creation(id))
    if (count > 1) yield* repository.append(append(id, 1, count - 1))
    return id
  })
  const envelopeOf = (payment: PaymentId, version: number) => ({
    id: idOf(payment, version),
    payment,
    merchant: shop,
    version,
    event: historyOf(payment)[version - 1]!
  })
  const enqueue = Effect.fnUntraced(function* (payment: PaymentId, count: number) {
    const deliveries = yield* WebhookDeliveries
    for (let version = 1; version <= count; version++) yield* deliveries.enqueue(envelopeOf(payment, version), at)
  })
  const queued = (count: number) => Effect.tap(begin(count), (payment) => enqueue(payment, count))

  const claim = (owner = worker, now = at, limits: { limit?: number; perEndpoint?: number } = {}) =>
    Effect.flatMap(WebhookDeliveries, (deliveries) =>
      deliveries.claim({ owner, now, until: later(now - at + 1000), limit: 100, perEndpoint: 100, ...limits })
    )
  const ids = (claimed: ReadonlyArray<Claimed>) => claimed.map(({ envelope }) => envelope.id).toSorted()
  const addressOf = (endpoint: Endpoint, payment: PaymentId, version: number): Address => ({
    endpoint: endpoint.id,
    event: idOf(payment, version)
  })
  const ok: Attempt = { at: later(3), status: 200, error: undefined, latencyMillis: 7 }
  const bad: Attempt = { at: later(2), status: 500, error: "it answered 500", latencyMillis: 5 }

  const cases: Record<string, Effect.Effect<void, unknown, Needs>> = {
    "an endpoint comes back whole, changes in one step, and goes": Effect.gen(function* () {
      const endpoints = yield* WebhookEndpoints
      const plain = yield* subscribe()
      const full = yield* subscribe({
        merchant: MerchantId.make("other"),
        types: ["Captured", "Refunded"],
        description: "the books",
        enabled: false,
        notice: { at: later(5), because: "it was not there" },
        previous: { secret, until: later(9) }
      })
      assert.deepStrictEqual(yield* endpoints.find(full.id), Option.some(full))
      assert.deepStrictEqual(yield* endpoints.list(shop), [plain])
      assert.deepStrictEqual(yield* endpoints.list(), [plain, full])
      const fresh = secretOf(new Uint8Array(32).fill(7))
      yield* Effect.forEach(
        [(one: Endpoint) => rotate(one, fresh, at), (one: Endpoint) => change(one, { url: "https://new.example/" })],
        (to) => endpoints.change(plain.id, to),
        { concurrency: 2 }
      )
      const changed = Option.getOrThrow(yield* endpoints.find(plain.id))
      assert.deepInclude(changed, { url: "https://new.example/", secret: fresh })
      assert.isTrue(yield* endpoints.remove(plain.id))
      assert.isFalse(yield* endpoints.remove(plain.id))
      assert.deepStrictEqual(yield* endpoints.find(plain.id), Option.none())
      assert.deepStrictEqual(yield* endpoints.change(plain.id, (one) => one), Option.none())
    }),

    "queues an event once, for every endpoint of its merchant that is enabled and wants it": Effect.gen(function* () {
      const all = yield* subscribe()
      const some = yield* subscribe({ types: ["Captured", "Initiated"] })
      yield* subscribe({ types: ["Refunded"] })
      yield* subscribe({ enabled: false })
      yield* subscribe({ merchant: MerchantId.make("other") })
      const payment = yield* queued(1)
      yield* enqueue(payment, 1)
      const claimed = yield* claim()
      assert.deepStrictEqual(claimed.map(({ endpoint }) => endpoint.id).toSorted(), [all.id, some.id])
      assert.deepStrictEqual(
        claimed.find(({ endpoint }) => endpoint.id === some.id),
        {
          endpoint: some,
          envelope: envelopeOf(payment, 1),
          attempts: 0,
          firstAt: undefined
        }
      )
    }),

    "a payment's events go one after the other, and another payment's meanwhile": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const [first, second] = [yield* queued(3), yield* queued(1)]
      assert.deepStrictEqual(ids(yield* claim()), [`${first}/1`, `${second}/1`])
      assert.deepStrictEqual(yield* claim(other), [])
      yield* deliveries.delivered(worker, addressOf(endpoint, first, 1), ok)
      assert.deepStrictEqual(ids(yield* claim()), [`${first}/2`])
      yield* deliveries.failed(worker, addressOf(endpoint, first, 2), bad, later(500))
      assert.deepStrictEqual(yield* claim(worker, later(499)), [])
      const [again] = yield* claim(worker, later(500))
      assert.deepInclude(again, { envelope: envelopeOf(first, 2), attempts: 1, firstAt: later(2) })
      yield* deliveries.delivered(worker, addressOf(endpoint, first, 2), ok)
      assert.deepStrictEqual(ids(yield* claim(worker, later(500))), [`${first}/3`])
    }),

    "one endpoint's failure holds nobody else's deliveries back": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const [one, two] = [yield* subscribe(), yield* subscribe()]
      const payment = yield* queued(2)
      yield* claim()
      yield* deliveries.failed(worker, addressOf(one, payment, 1), bad, later(500))
      yield* deliveries.delivered(worker, addressOf(two, payment, 1), ok)
      const [next, ...rest] = yield* claim()
      assert.deepStrictEqual([next?.endpoint.id, next?.envelope.id, rest], [two.id, `${payment}/2`, []])
    }),

    "gives one endpoint its share, in all workers' hands together, and another one its own": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const [one, two] = [yield* subscribe(), yield* subscribe()]
      const payments = yield* Effect.forEach([1, 2, 3, 4], () => queued(1))
      const counts = (claimed: ReadonlyArray<Claimed>) =>
        [one, two].map(({ id }) => claimed.filter(({ endpoint }) => endpoint.id === id).length)
      const first = yield* claim(worker, at, { perEndpoint: 2 })
      assert.deepStrictEqual(counts(first), [2, 2])
      assert.deepStrictEqual(yield* claim(other, at, { perEndpoint: 2 }), [])
      // The oldest first.
      assert.deepStrictEqual(
        [...new Set(ids(first))],
        payments.slice(0, 2).map((id) => `${id}/1`)
      )
      yield* deliveries.delivered(worker, addressOf(two, payments[0]!, 1), ok)
      assert.deepStrictEqual(counts(yield* claim(other, at, { perEndpoint: 2 })), [0, 1])
      assert.strictEqual((yield* claim(other, later(1000), { perEndpoint: 9, limit: 3 })).length, 3)
    }),

    "of workers that claim at once, no two have the same delivery": Effect.gen(function* () {
      yield* subscribe()
      yield* subscribe()
      yield* Effect.forEach(Array.from({ length: 10 }), () => queued(2))
      const claims = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => run(`w${index}`)),
        (owner) => claim(owner, at, { limit: 5 }),
        { concurrency: "unbounded" }
      )
      const keys = claims.flat().map(({ endpoint, envelope }) => `${endpoint.id} ${envelope.id}`)
      assert.strictEqual(new Set(keys).size, keys.length)
      assert.isAbove(keys.length, 0)
      assert.isTrue(keys.every((key) => key.endsWith("/1")))
    }),

    "a worker that died leaves its deliveries to the next when its lease lapses, and changes nothing later": Effect.gen(
      function* () {
        const deliveries = yield* WebhookDeliveries
        const endpoint = yield* subscribe()
        const payment = yield* queued(1)
        const address = addressOf(endpoint, payment, 1)
        yield* claim()
        assert.deepStrictEqual(yield* claim(other, later(999)), [])
        assert.strictEqual((yield* claim(other, later(1000))).length, 1)
        yield* deliveries.delivered(worker, address, ok)
        yield* deliveries.failed(worker, address, bad, undefined)
        yield* deliveries.postpone(worker, address, later(1))
        assert.deepInclude((yield* deliveries.list(endpoint.id, { limit: 1 }))[0], { state: "pending", attempts: [] })
        assert.deepStrictEqual(yield* claim(worker, later(1500)), [])
        yield* deliveries.delivered(other, address, ok)
        assert.deepStrictEqual(yield* claim(worker, later(9000)), [])
      }
    ),

    "what is postponed was not tried": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const payment = yield* queued(1)
      yield* claim()
      yield* deliveries.postpone(worker, addressOf(endpoint, payment, 1), later(300))
      assert.deepStrictEqual(yield* claim(worker, later(299)), [])
      const [again] = yield* claim(worker, later(300))
      assert.deepInclude(again, { attempts: 0, firstAt: undefined })
      assert.deepStrictEqual((yield* deliveries.list(endpoint.id, { limit: 9 }))[0]?.attempts, [])
    }),

    "what is exhausted holds its payment back until it is resumed, and begins anew then": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoints = yield* WebhookEndpoints
      const endpoint = yield* subscribe()
      const [given, waiting] = [yield* queued(2), yield* queued(1)]
      yield* claim()
      yield* endpoints.change(endpoint.id, (one) => disable(one, at, "gone"))
      yield* deliveries.failed(worker, addressOf(endpoint, given, 1), bad, undefined)
      yield* deliveries.failed(worker, addressOf(endpoint, waiting, 1), bad, later(9_000))
      // Disabled, it is given nothing.
      assert.deepStrictEqual(yield* claim(worker, later(9_000)), [])
      yield* endpoints.change(endpoint.id, (one) => change(one, { enabled: true }))
      assert.deepStrictEqual(ids(yield* claim(worker, later(9_000))), [`${waiting}/1`])
      yield* deliveries.failed(worker, addressOf(endpoint, waiting, 1), bad, later(99_000))
      yield* deliveries.resume(endpoint.id, later(9_001))
      const claimed = yield* claim(worker, later(9_001))
      assert.deepStrictEqual(ids(claimed), [`${given}/1`, `${waiting}/1`])
      assert.isTrue(claimed.every(({ attempts, firstAt }) => attempts === 0 && firstAt === undefined))
    }),

    "one event is delivered again, also one that was never queued; another merchant's is not": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const stranger = yield* subscribe({ merchant: MerchantId.make("other") })
      const payment = yield* begin(2)
      yield* enqueue(payment, 1)
      yield* claim()
      yield* deliveries.delivered(worker, addressOf(endpoint, payment, 1), ok)
      assert.isTrue(yield* deliveries.replay(addressOf(endpoint, payment, 1), later(50)))
      assert.deepStrictEqual(yield* claim(worker, later(49)), [])
      assert.deepStrictEqual(ids(yield* claim(worker, later(50))), [`${payment}/1`])
      yield* deliveries.delivered(worker, addressOf(endpoint, payment, 1), ok)
      assert.isTrue(yield* deliveries.replay(addressOf(endpoint, payment, 2), later(50)))
      assert.deepStrictEqual(ids(yield* claim(worker, later(50))), [`${payment}/2`])
      assert.isFalse(yield* deliveries.replay(addressOf(endpoint, payment, 3), later(50)))
      assert.isFalse(yield* deliveries.replay(addressOf(stranger, payment, 1), later(50)))
      assert.isFalse(yield* deliveries.replay({ endpoint: EndpointId.make("we_0"), event: `${payment}/1` }, at))
    }),

    "all that an endpoint wants since a moment is delivered again, in order": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe({ types: ["AuthorizationBegun", "Authorized", "Captured"] })
      const payment = yield* begin(5)
      yield* enqueue(payment, 3)
      yield* claim()
      yield* deliveries.delivered(worker, addressOf(endpoint, payment, 2), ok)
      // Its events are a millisecond apart; the second of them happened before that.
      assert.strictEqual(yield* deliveries.replaySince(endpoint.id, later(2), later(50)), 2)
      const order: Array<string> = []
      for (;;) {
        const [one] = yield* claim(worker, later(50))
        if (one === undefined) break
        order.push(one.envelope.id)
        yield* deliveries.delivered(worker, addressOf(endpoint, payment, one.envelope.version), ok)
      }
      assert.deepStrictEqual(order, [`${payment}/3`, `${payment}/5`])
      assert.strictEqual(yield* deliveries.replaySince(EndpointId.make("we_0"), at, at), 0)
    }),

    "the log tells each try, the newest event first, page by page": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const payment = yield* queued(3)
      const silent: Attempt = { at: later(1), status: undefined, error: "Timeout", latencyMillis: 15_000 }
      yield* claim()
      yield* deliveries.failed(worker, addressOf(endpoint, payment, 1), silent, later(2))
      yield* claim(worker, later(2))
      yield* deliveries.delivered(worker, addressOf(endpoint, payment, 1), ok)
      yield* claim()
      yield* deliveries.failed(worker, addressOf(endpoint, payment, 2), bad, undefined)
      const logged = yield* deliveries.list(endpoint.id, { limit: 10 })
      assert.deepStrictEqual(logged, [
        { event: `${payment}/3`, type: "Authorized", state: "pending", queuedAt: at, nextAt: at, attempts: [] },
        {
          event: `${payment}/2`,
          type: "AuthorizationBegun",
          state: "exhausted",
          queuedAt: at,
          nextAt: undefined,
          attempts: [bad]
        },
        {
          event: `${payment}/1`,
          type: "Initiated",
          state: "delivered",
          queuedAt: at,
          nextAt: undefined,
          attempts: [silent, ok]
        }
      ])
      assert.deepStrictEqual(yield* deliveries.list(endpoint.id, { limit: 1, before: `${payment}/3` }), [logged[1]!])
      assert.deepStrictEqual(yield* deliveries.list(endpoint.id, { limit: 9, before: `${payment}/1` }), [])
      assert.deepStrictEqual(yield* deliveries.list(endpoint.id, { limit: 9, before: `${payment}/9` }), [])
    }),

    "forgets what was delivered and is old, and nothing that waits": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const payment = yield* queued(2)
      yield* claim()
      yield* deliveries.delivered(worker, addressOf(endpoint, payment, 1), ok)
      yield* deliveries.forget(at)
      assert.strictEqual((yield* deliveries.list(endpoint.id, { limit: 9 })).length, 2)
      yield* deliveries.forget(later(1))
      const left = yield* deliveries.list(endpoint.id, { limit: 9 })
      assert.deepStrictEqual(
        left.map(({ event }) => event),
        [`${payment}/2`]
      )
    }),

    "an endpoint that is removed takes its deliveries along": Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoints = yield* WebhookEndpoints
      const endpoint = yield* subscribe()
      yield* queued(1)
      yield* endpoints.remove(endpoint.id)
      assert.deepStrictEqual(yield* claim(), [])
      assert.deepStrictEqual(yield* deliveries.list(endpoint.id, { limit: 9 }), [])
    })
  }

  for (const [sentence, test] of Object.entries(cases)) {
    layer(implementation)(`WebhookDeliveries (${name})`, (it) => {
      it.effect(sentence, () => test)
    })
  }
}
