import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Logger, Option } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { EventBus } from "../../src/adapters/EventBus.ts"
import { Outbox } from "../../src/adapters/Outbox.ts"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import { WebhookDeliveries } from "../../src/adapters/WebhookDeliveries.ts"
import { WebhookEndpoints } from "../../src/adapters/WebhookEndpoints.ts"
import type { Outgoing, Sent } from "../../src/adapters/WebhookSender.ts"
import { SendError, WebhookSender } from "../../src/adapters/WebhookSender.ts"
import { secretOf } from "../../src/domain/webhook/StandardWebhooks.ts"
import type { Endpoint } from "../../src/domain/webhook/WebhookEndpoint.ts"
import * as WebhookEndpoint from "../../src/domain/webhook/WebhookEndpoint.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../../src/infra/memory/MemoryEventBus.ts"
import * as MemoryOutbox from "../../src/infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../../src/infra/memory/MemoryPaymentRepository.ts"
import * as MemoryWebhookDeliveries from "../../src/infra/memory/MemoryWebhookDeliveries.ts"
import * as MemoryWebhookEndpoints from "../../src/infra/memory/MemoryWebhookEndpoints.ts"
import { now } from "../../src/orchestration/Clocks.ts"
import * as OutboxRelay from "../../src/orchestration/OutboxRelay.ts"
import * as WebhookDispatch from "../../src/orchestration/WebhookDispatch.ts"
import { append, at, creation, later, paymentId, run, shop } from "../../src/testing/contract/Samples.ts"
import * as Seed from "../../src/testing/Seed.ts"

const { WebhookDispatch: Dispatch } = WebhookDispatch

/** What a receiver does with a message; it heard of it either way. */
type Receive = (outgoing: Outgoing, nth: number) => Effect.Effect<Sent, SendError>

interface Heard extends Outgoing {
  readonly atMillis: number
}

const ok: Sent = { status: 200, retryAfterMillis: undefined }
const status = (code: number): Effect.Effect<Sent> => Effect.succeed({ status: code, retryAfterMillis: undefined })

interface Stage {
  readonly database: MemoryDatabase.Tables
  readonly heard: Array<Heard>
}

const stage = (): Stage => ({ database: MemoryDatabase.make(), heard: [] })

/** The relay and the dispatcher over memory, with receivers that do as they are told. */
const layer = (
  { database, heard }: Stage,
  receive: Receive,
  settings: Partial<WebhookDispatch.Settings> = {},
  between: (deliveries: WebhookDeliveries["Service"]) => Partial<WebhookDeliveries["Service"]> = () => ({})
) => {
  const sender = Layer.succeed(WebhookSender, {
    check: () => Effect.void,
    send: (outgoing) =>
      Effect.gen(function* () {
        heard.push({ ...outgoing, atMillis: (yield* Clock.currentTimeMillis) - at })
        const nth = heard.filter(({ id, url }) => id === outgoing.id && url === outgoing.url).length
        return yield* receive(outgoing, nth)
      })
  })
  const deliveries = Layer.effect(
    WebhookDeliveries,
    Effect.map(WebhookDeliveries, (inner) => ({ ...inner, ...between(inner) }))
  ).pipe(Layer.provide(MemoryWebhookDeliveries.layer))
  const stores = Layer.mergeAll(
    MemoryPaymentRepository.layer,
    MemoryOutbox.layer,
    MemoryEventBus.layer,
    MemoryWebhookEndpoints.layer,
    deliveries
  ).pipe(Layer.provide(Layer.succeed(MemoryDatabase.MemoryDatabase, database)))
  return WebhookDispatch.layer({ ...WebhookDispatch.defaults, ...settings }).pipe(
    Layer.provideMerge(WebhookDispatch.queueing),
    Layer.provideMerge(stores),
    Layer.provideMerge(sender),
    Layer.provideMerge(CircuitBreaker.layerStoreMemory()),
    Layer.provideMerge(Layer.succeed(SecureRandom.SecureRandom, Seed.ids(1))),
    Layer.provideMerge(Logger.layer([]))
  )
}

let named = 0
const subscribe = (changes: Partial<Endpoint> = {}) =>
  Effect.gen(function* () {
    const endpoints = yield* WebhookEndpoints
    const id = WebhookEndpoint.EndpointId.make(`we_${++named}`)
    const endpoint: Endpoint = {
      id,
      merchant: shop,
      url: `https://${id.slice(3)}.example/`,
      enabled: true,
      secret: secretOf(new Uint8Array(32).fill(1)),
      createdAt: at,
      ...changes
    }
    yield* endpoints.create(endpoint)
    return endpoint
  })

/** Stores a payment of so many events, and has the relay hand them on. */
const happen = Effect.fnUntraced(function* (count: number) {
  const repository = yield* PaymentRepository
  const id = paymentId()
  yield* repository.create(creation(id))
  if (count > 1) yield* repository.append(append(id, 1, count - 1))
  return id
})
const relay = OutboxRelay.pass(OutboxRelay.defaults, run("relay"))
const passed = (owner = run("worker")) => Effect.flatMap(Dispatch, ({ pass }) => pass(owner))

/** Works until nothing is left that can be delivered, time flying to the next try. */
const settle = Effect.fnUntraced(function* ({ database }: Stage) {
  for (let round = 0; round < 500; round++) {
    while ((yield* passed()) > 0);
    const now = yield* Clock.currentTimeMillis
    const moments = [...database.webhookDeliveries.values()]
      .filter(({ endpoint, state }) => state === "pending" && database.webhookEndpoints.get(endpoint)?.enabled === true)
      .map(({ nextAt, until }) => Math.max(nextAt, until ?? 0))
      // What is due and was not given out waits for another.
      .filter((moment) => moment > now)
    if (moments.length === 0) return
    yield* TestClock.setTime(Math.min(...moments))
  }
})

const ids = (heard: ReadonlyArray<Heard>) => heard.map(({ id }) => id)

describe("WebhookDispatch", () => {
  it.effect("tells each endpoint what it wants, in order, as GET /v1/events shows it", () => {
    const here = stage()
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const all = yield* subscribe()
      const some = yield* subscribe({ types: ["Captured"] })
      const payment = yield* happen(5)
      yield* relay
      yield* settle(here)
      const to = (url: string) => here.heard.filter((one) => one.url === url)
      assert.deepStrictEqual(
        ids(to(all.url)),
        [1, 2, 3, 4, 5].map((version) => `${payment}/${version}`)
      )
      assert.deepStrictEqual(ids(to(some.url)), [`${payment}/5`])
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(to(some.url)[0]!.body)), {
        id: `${payment}/5`,
        payment,
        version: 5,
        event: {
          _tag: "Captured",
          operation: `${payment}/capture/1`,
          amount: { currency: "EUR", minor: "1099" },
          evidence: { _tag: "GatewayAnswer", gateway: "bank" },
          at: at + 4
        }
      })
      assert.deepStrictEqual(to(some.url)[0]!.secrets, [some.secret])
    }).pipe(Effect.provide(layer(here, () => Effect.succeed(ok))))
  })

  it.effect("signs by both secrets for a day after a rotation", () => {
    const here = stage()
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const endpoints = yield* WebhookEndpoints
      const { id, secret } = yield* subscribe()
      const fresh = secretOf(new Uint8Array(32).fill(2))
      yield* endpoints.change(id, (endpoint) => WebhookEndpoint.rotate(endpoint, fresh, at))
      yield* happen(1)
      yield* relay
      yield* settle(here)
      yield* TestClock.adjust("1 day")
      yield* happen(1)
      yield* relay
      yield* settle(here)
      assert.deepStrictEqual(
        here.heard.map(({ secrets }) => secrets),
        [[fresh, secret], [fresh]]
      )
    }).pipe(Effect.provide(layer(here, () => Effect.succeed(ok))))
  })

  it.effect("tries for a day, ever less often, then disables the endpoint, and says why", () => {
    const here = stage()
    const refuses: Receive = () => status(500)
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const payment = yield* happen(2)
      yield* relay
      yield* settle(here)
      // The second event waits for the first.
      assert.deepStrictEqual([...new Set(ids(here.heard))], [`${payment}/1`])
      const hours = here.heard.map(({ atMillis }) => atMillis / 3_600_000)
      assert.strictEqual(hours.length, 12)
      assert.isAtLeast(hours.at(-1)!, 24)
      assert.isAtMost(hours.at(-1)!, 24 * 1.2)
      const disabled = here.database.webhookEndpoints.get(endpoint.id)!
      assert.isFalse(disabled.enabled)
      assert.strictEqual(disabled.notice?.because, `${payment}/1 was not taken in 12 tries: it answered 500`)
      const [, first] = yield* deliveries.list(endpoint.id, { limit: 9 })
      assert.strictEqual(first?.state, "exhausted")
      assert.deepInclude(first?.attempts.at(-1), { status: 500, error: "it answered 500" })
      // Nothing more is queued for it, and nothing goes there.
      yield* happen(1)
      yield* relay
      assert.strictEqual(yield* passed(), 0)
      assert.strictEqual(here.heard.length, 12)
    }).pipe(Effect.provide(layer(here, refuses, { breaker: { failures: 1000, openMillis: 1 } })))
  })

  it.effect("goes on in order where it stood, once the endpoint is enabled again", () => {
    const here = stage()
    let isUp = false
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const endpoints = yield* WebhookEndpoints
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      const payment = yield* happen(2)
      yield* relay
      yield* settle(here)
      isUp = true
      here.heard.length = 0
      yield* endpoints.change(endpoint.id, (one) => WebhookEndpoint.change(one, { enabled: true }))
      yield* TestClock.adjust("1 hour")
      yield* deliveries.resume(endpoint.id, yield* now)
      yield* settle(here)
      assert.deepStrictEqual(ids(here.heard), [`${payment}/1`, `${payment}/2`])
    }).pipe(Effect.provide(layer(here, () => (isUp ? Effect.succeed(ok) : status(410)))))
  })

  it.effect("takes a 410 at its word, and a Retry-After", () => {
    const here = stage()
    const receive: Receive = (_, nth) =>
      nth === 1 ? Effect.succeed({ status: 503, retryAfterMillis: 90_000 }) : status(410)
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const endpoint = yield* subscribe()
      const payment = yield* happen(1)
      yield* relay
      yield* settle(here)
      assert.deepStrictEqual(
        here.heard.map(({ atMillis }) => atMillis),
        [0, 90_000]
      )
      assert.strictEqual(
        here.database.webhookEndpoints.get(endpoint.id)!.notice?.because,
        `${payment}/1 was not taken in 2 tries: it answered 410`
      )
    }).pipe(Effect.provide(layer(here, receive)))
  })

  it.effect("leaves an endpoint enabled whose merchant moved it while it failed", () => {
    const here = stage()
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const endpoint = yield* subscribe()
      yield* happen(1)
      yield* relay
      yield* settle(here)
      assert.isTrue(here.database.webhookEndpoints.get(endpoint.id)!.enabled)
      assert.deepStrictEqual(
        here.heard.map(({ url }) => url),
        [endpoint.url, "https://new.example/"]
      )
    }).pipe(
      Effect.provide(
        layer(here, ({ url }) =>
          Effect.suspend(() => {
            for (const [id, one] of here.database.webhookEndpoints) {
              here.database.webhookEndpoints.set(id, { ...one, url: "https://new.example/" })
            }
            return url === "https://new.example/" ? Effect.succeed(ok) : status(410)
          })
        )
      )
    )
  })

  it.effect("logs what is no answer at all: a refused target, a silence", () => {
    const here = stage()
    const receive: Receive = (_, nth) =>
      nth === 1
        ? Effect.fail(new SendError({ because: "TargetRefused", detail: "Expected a public host" }))
        : nth === 2
          ? Effect.never
          : Effect.succeed(ok)
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const deliveries = yield* WebhookDeliveries
      const endpoint = yield* subscribe()
      yield* happen(1)
      yield* relay
      yield* passed()
      yield* TestClock.adjust("6 seconds")
      const silent = yield* Effect.forkChild(passed())
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* Fiber.join(silent), 1)
      yield* TestClock.adjust("2 minutes")
      yield* passed()
      const [logged] = yield* deliveries.list(endpoint.id, { limit: 1 })
      assert.strictEqual(logged?.state, "delivered")
      assert.deepStrictEqual(
        logged?.attempts.map(({ error, latencyMillis, status }) => [status, error, latencyMillis]),
        [
          [undefined, "TargetRefused: Expected a public host", 0],
          [undefined, "Timeout: no answer within 15000 ms", 15_000],
          [200, undefined, 0]
        ]
      )
    }).pipe(Effect.provide(layer(here, receive)))
  })

  it.effect("holds an endpoint's deliveries back behind its breaker, without counting them as tries", () => {
    const here = stage()
    let isUp = false
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const down = yield* subscribe()
      yield* Effect.forEach([1, 2, 3, 4, 5], () => happen(1))
      yield* relay
      // The third failure opens the breaker.
      yield* passed()
      assert.strictEqual(here.heard.length, 3)
      const payment = yield* happen(1)
      yield* relay
      yield* passed()
      assert.strictEqual(here.heard.length, 3)
      const held = here.database.webhookDeliveries.get(MemoryDatabase.compound(down.id, `${payment}/1`))!
      assert.deepInclude(held, { attempts: 0, state: "pending", nextAt: later(30_000) })
      isUp = true
      yield* settle(here)
      assert.isTrue([...here.database.webhookDeliveries.values()].every(({ state }) => state === "delivered"))
      assert.isTrue(here.database.webhookEndpoints.get(down.id)!.enabled)
    }).pipe(
      Effect.provide(
        layer(here, () => (isUp ? Effect.succeed(ok) : status(500)), {
          breaker: { failures: 3, openMillis: 30_000 },
          perEndpoint: 9
        })
      )
    )
  })

  it.effect("a slow endpoint delays nobody, nor is it crowded", () => {
    const here = stage()
    let slowNow = 0
    let slowMost = 0
    const receive: Receive = ({ url }) =>
      url.includes("slow")
        ? Effect.acquireUseRelease(
            Effect.sync(() => (slowMost = Math.max(slowMost, ++slowNow))),
            () => Effect.never,
            () => Effect.sync(() => slowNow--)
          )
        : Effect.succeed(ok)
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const slow = yield* subscribe({ url: "https://slow.example/" })
      const quick = yield* subscribe()
      const { daemon } = yield* Dispatch
      const workers = yield* Effect.forkChild(Effect.all([daemon, daemon], { concurrency: 2 }))
      yield* Effect.forEach(Array.from({ length: 30 }), () => happen(3))
      yield* relay
      yield* Effect.repeat(TestClock.adjust("100 millis"), { times: 99 })
      const delivered = here.heard.filter(({ url }) => url === quick.url)
      assert.strictEqual(new Set(ids(delivered)).size, 90)
      assert.strictEqual(delivered.length, 90)
      assert.isAtMost(Math.max(...delivered.map(({ atMillis }) => atMillis)), 9000)
      assert.strictEqual(here.heard.filter(({ url }) => url === slow.url).length, 4)
      assert.strictEqual(slowMost, 4)
      yield* Fiber.interrupt(workers)
    }).pipe(Effect.provide(layer(here, receive)))
  })
})

// --- Whatever fails in between ----------------------------------------------

const down = (operation: string) => new StorageUnavailable({ operation, cause: "down" })

/** Relay, queue, claims, marks and receivers fail as the seed draws; and workers die, on either side of sending. */
const play = (seed: number) => {
  const here = stage()
  const draw = Seed.make(seed)
  let isCalm = false
  const oneIn = (chance: number) => !isCalm && draw.below(chance) === 0
  const flaky = <A, E>(operation: string, effect: Effect.Effect<A, E | StorageUnavailable>) =>
    Effect.suspend(() => {
      if (oneIn(5)) return Effect.fail(down(operation))
      return oneIn(5) ? Effect.andThen(effect, Effect.fail(down(operation))) : effect
    })
  const receive: Receive = () =>
    Effect.suspend((): Effect.Effect<Sent, SendError> => {
      if (oneIn(3)) return status([500, 404, 302, 429][draw.below(4)]!)
      if (oneIn(4)) return Effect.fail(new SendError({ because: "ConnectionFailed", detail: "reset" }))
      // The worker dies with the message sent: nothing of it goes on, and its lease lapses.
      return oneIn(6) ? Effect.interrupt : Effect.succeed(ok)
    })
  const program = Effect.gen(function* () {
    yield* TestClock.setTime(at)
    const outbox = yield* Outbox
    const endpoints = [yield* subscribe(), yield* subscribe(), yield* subscribe()]
    const payments = [yield* happen(5), yield* happen(3)]
    const turn = Effect.gen(function* () {
      yield* Effect.exit(relay)
      // Two workers, one of which may be told of the other's deliveries after its lease.
      yield* Effect.all([Effect.exit(passed(run("one"))), Effect.exit(passed(run("two")))], { concurrency: 2 })
      yield* TestClock.adjust(draw.below(120_000))
    })
    for (let round = 0; round < 40; round++) yield* turn
    payments.push(yield* happen(4))
    for (let round = 0; round < 20; round++) yield* turn
    isCalm = true
    for (const { envelope } of yield* outbox.deadLetters(99)) yield* outbox.replay(envelope.id, at)
    for (let round = 0; round < 60; round++) {
      yield* relay
      yield* passed()
      yield* TestClock.adjust("1 hour")
    }
    return { endpoints, payments }
  })
  return Effect.map(
    Effect.provide(
      program,
      layer(here, receive, {}, (inner) => ({
        enqueue: (envelope, now) => flaky("enqueue", inner.enqueue(envelope, now)),
        claim: (request) => flaky("claim", inner.claim(request)),
        delivered: (...of) => flaky("delivered", inner.delivered(...of)),
        failed: (...of) => flaky("failed", inner.failed(...of)),
        postpone: (...of) => flaky("postpone", inner.postpone(...of))
      }))
    ),
    (told) => ({ ...told, ...here })
  )
}

/** Each id where it was heard first. */
const firsts = (heard: ReadonlyArray<string>) => [...new Set(heard)]

describe("WebhookDispatch, whatever fails in between", () => {
  it.effect("tells every endpoint every event at least once, and in order per payment", () =>
    Effect.gen(function* () {
      let repeats = 0
      for (let seed = 1; seed <= 20; seed++) {
        const { database, endpoints, heard, payments } = yield* play(seed)
        for (const { id, url } of endpoints) {
          const to = ids(heard.filter((one) => one.url === url))
          repeats += to.length - new Set(to).size
          for (const [index, payment] of payments.entries()) {
            const expected = Array.from({ length: [5, 3, 4][index]! }, (_, version) => `${payment}/${version + 1}`)
            const told = firsts(to.filter((event) => event.startsWith(`${payment}/`)))
            assert.deepStrictEqual(told, expected, `seed ${seed}, endpoint ${id}`)
          }
          assert.deepStrictEqual(Option.fromUndefinedOr(database.webhookEndpoints.get(id)?.notice), Option.none())
        }
        assert.isTrue(
          [...database.webhookDeliveries.values()].every(({ state }) => state === "delivered"),
          `seed ${seed}`
        )
      }
      // It is not for want of trouble.
      assert.isAbove(repeats, 200)
    })
  )
})

describe("WebhookDispatch.queueing", () => {
  it.effect("has the relay try again what could not be queued, so that nothing is lost", () => {
    const here = stage()
    let isDown = true
    return Effect.gen(function* () {
      yield* TestClock.setTime(at)
      yield* subscribe()
      const payment = yield* happen(1)
      yield* relay
      assert.strictEqual(here.database.outbox.length, 1)
      isDown = false
      yield* TestClock.adjust("1 second")
      yield* relay
      assert.strictEqual(here.database.outbox.length, 0)
      yield* settle(here)
      assert.deepStrictEqual(ids(here.heard), [`${payment}/1`])
      yield* EventBus
    }).pipe(
      Effect.provide(
        layer(
          here,
          () => Effect.succeed(ok),
          {},
          (inner) => ({
            enqueue: (envelope, now) => (isDown ? Effect.fail(down("enqueue")) : inner.enqueue(envelope, now))
          })
        )
      )
    )
  })
})
