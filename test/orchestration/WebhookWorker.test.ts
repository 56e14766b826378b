import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Delivery, GatewayWebhook } from "../../src/adapters/GatewayWebhooks.ts"
import { UnreadableWebhook } from "../../src/adapters/GatewayWebhooks.ts"
import { GatewayError, NotSent } from "../../src/adapters/PaymentGateway.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import { WebhookInbox } from "../../src/adapters/WebhookInbox.ts"
import { GatewayName } from "../../src/domain/payment/Gateway.ts"
import * as Notification from "../../src/domain/payment/Notification.ts"
import { idOf } from "../../src/domain/payment/Operation.ts"
import { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as Notifications from "../../src/orchestration/Notifications.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as WebhookIntake from "../../src/orchestration/WebhookIntake.ts"
import * as WebhookWorker from "../../src/orchestration/WebhookWorker.ts"
import { run } from "../../src/testing/contract/Samples.ts"
import * as Seed from "../../src/testing/Seed.ts"
import * as Workshop from "./Workshop.ts"

const start = 1_700_000_000_000

// --- A gateway's webhooks, without their signature ---------------------------

const json = (value: unknown): Delivery => ({ headers: {}, body: new TextEncoder().encode(JSON.stringify(value)) })

/** Its body is `{ about, notification }`, both believed. */
const webhookOf = (read?: GatewayWebhook["read"], name = "bank"): GatewayWebhook => ({
  gateway: GatewayName.make(name),
  verify: ({ body }) => {
    const { about, notification } = JSON.parse(new TextDecoder().decode(body))
    return Result.succeed([{ id: notification.id, about }])
  },
  read:
    read ??
    ((body) => Effect.sync(() => [Notification.decode(JSON.parse(new TextDecoder().decode(body)).notification)])),
  acknowledgement: ""
})

const told = (id: string, news: object, gateway = "bank") => ({ id, gateway, at: start + 1, news })
const answered = (payment: string, path: string, answer: object) => ({
  _tag: "Answered",
  operation: `${payment}/${path}`,
  answer
})
const eur = (minor: string) => ({ currency: "EUR", minor })
const opened = (payment: string, dispute: string, minor: string) => ({
  _tag: "DisputeOpened",
  payment,
  dispute,
  amount: eur(minor)
})
const closed = (payment: string, dispute: string, outcome: string) => ({
  _tag: "DisputeClosed",
  payment,
  dispute,
  outcome
})

const deliver = (notification: { readonly id: string; readonly gateway: string }, about?: string) =>
  WebhookIntake.receive(notification.gateway, json({ about, notification }))

const pass = (webhook: GatewayWebhook, owner = run("worker")) =>
  Effect.tap(WebhookWorker.pass(WebhookWorker.defaults, webhook, owner), ({ recorded }) =>
    // A run may linger until the gateway can be asked again; nobody waits for it.
    Effect.forEach(recorded, (payment) => Effect.forkChild(Notifications.goOn(payment)), { discard: true })
  )

const quiet = Logger.layer([])

// --- Any order, any number of times -----------------------------------------

interface Story {
  readonly bank: Effect.Effect<ScriptedGateway.ScriptedGateway>
  /** Brings the payment to where the webhooks are about it; says which it is. */
  readonly begin: Effect.Effect<PaymentId, unknown, Payments>
  readonly news: (payment: PaymentId) => ReadonlyArray<object>
  readonly ends: object
  /** What is recorded on their evidence: each piece of news once, however often it came. */
  readonly recorded: ReadonlyArray<string>
}

const created = (capture: "automatic" | "manual") =>
  Effect.flatMap(Payments, (payments) =>
    Effect.map(payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order({ capture })), ({ view }) => view.id)
  )

const keepsNoKeys = { ...ScriptedGateway.capable.idempotencyKey, retentionMillis: 0 }

const stories: Readonly<Record<string, Story>> = {
  "an authorization that took the money and whose answer was lost, and its disputes": {
    bank: ScriptedGateway.make("bank", () => Effect.fail(Workshop.lost), {
      ...ScriptedGateway.capable,
      autoCapture: true,
      idempotencyKey: keepsNoKeys
    }),
    begin: created("automatic"),
    news: (payment) => [
      answered(payment, "auth/1", { _tag: "Approved", reference: "ch_1", captured: true }),
      opened(payment, "dp_1", "500"),
      closed(payment, "dp_1", "Lost"),
      opened(payment, "dp_2", "599"),
      closed(payment, "dp_2", "Won")
    ],
    ends: { status: "succeeded", capturedMinor: 10_99n, disputedMinor: 5_00n, refundedMinor: 0n },
    recorded: ["Authorized", "Captured", "DisputeLost", "DisputeOpened", "DisputeOpened", "DisputeWon"]
  },
  "a refund that the gateway took on, and two disputes beside it": {
    bank: ScriptedGateway.make("bank", (asked) =>
      asked.call._tag === "Refund" ? Effect.succeed({ _tag: "Pending" }) : Workshop.agreeable(asked)
    ),
    begin: Effect.gen(function* () {
      const payments = yield* Payments
      const id = yield* created("automatic")
      // It comes to rest when the gateway tells of it: whoever asked has heard 202 by then.
      yield* Effect.forkChild(payments.refund(id, Workshop.request("r1"), { amount: Workshop.eur(4_00n) }))
      yield* TestClock.adjust("11 seconds")
      return id
    }),
    news: (payment) => [
      answered(payment, "refund/1", { _tag: "Refunded" }),
      opened(payment, "dp_1", "300"),
      closed(payment, "dp_1", "Won"),
      opened(payment, "dp_2", "399"),
      closed(payment, "dp_2", "Lost")
    ],
    ends: { status: "succeeded", capturedMinor: 10_99n, refundedMinor: 4_00n, disputedMinor: 3_99n },
    recorded: ["DisputeLost", "DisputeOpened", "DisputeOpened", "DisputeWon", "Refunded"]
  }
}

/** Delivers each once and some again, in an order, at a pace and to workers that the seed draws; until all is applied. */
const play = (story: Story, seed: number) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const database = MemoryDatabase.make()
    const webhook = webhookOf()
    const draw = Seed.make(seed)
    const bank = yield* story.bank
    return yield* Effect.gen(function* () {
      const id = yield* story.begin
      const news = story.news(id)
      const queue = news.map((_, index) => index)
      for (let again = draw.below(6); again > 0; again--) queue.push(draw.below(news.length))
      while (queue.length > 0) {
        const [index] = queue.splice(draw.below(queue.length), 1) as [number]
        // Some duplicates come under an id of their own, and some of those are known by what they are about.
        const eventId = draw.below(3) === 0 ? `evt_${index}_${queue.length}` : `evt_${index}`
        yield* deliver(told(eventId, news[index]!), draw.below(2) === 0 ? `news ${index}` : undefined)
        if (draw.below(2) === 0) yield* pass(webhook, run(`w${draw.below(3)}`))
        yield* TestClock.adjust(draw.below(20_000))
      }
      for (let round = 0; database.inbox.size > 0 && round < 200; round++) {
        yield* TestClock.adjust(60_000)
        yield* pass(webhook)
      }
      const payments = yield* Payments
      const view = yield* payments.get(id)
      const { createdAt: _c, disputes, id: _i, updatedAt: _u, version: _v, ...rest } = view
      const events = yield* payments.events(id)
      const recorded: ReadonlyArray<string> = events
        .filter((event) => "evidence" in event && event.evidence._tag === "Webhook")
        .map(({ _tag }) => _tag)
        .toSorted()
      return {
        recorded,
        view: { ...rest, disputes: disputes.toSorted((one, other) => (one.id < other.id ? -1 : 1)) },
        left: database.inbox.size,
        dead: [...database.deadWebhooks.values()].map(({ error }) => error)
      }
    }).pipe(Effect.provide(Layer.merge(Workshop.layer({ gateways: [bank], database, webhooks: [webhook] }), quiet)))
  })

describe("webhooks, in any order and any number of times", () => {
  for (const [name, story] of Object.entries(stories)) {
    it.effect(`${name} end the same`, () =>
      Effect.gen(function* () {
        const first = yield* play(story, 0)
        assert.deepInclude(first.view, story.ends)
        assert.deepInclude(first, { left: 0, dead: [], recorded: story.recorded })
        for (let seed = 1; seed < 40; seed++) {
          const end = yield* play(story, seed)
          assert.deepStrictEqual(end.view, first.view, `seed ${seed}`)
          assert.deepInclude(end, { left: 0, dead: [], recorded: story.recorded }, `seed ${seed}`)
        }
      })
    )
  }
})

// --- One at a time ----------------------------------------------------------

/** A payment whose refund the gateway has taken on, and what tells of its end. */
const refunding = stories["a refund that the gateway took on, and two disputes beside it"]!
const done = (payment: PaymentId) => told("evt_1", answered(payment, "refund/1", { _tag: "Refunded" }))
const statusOf = (id: PaymentId) =>
  Effect.flatMap(Payments, (payments) => Effect.map(payments.get(id), ({ refunds }) => refunds[0]?.status))

const inWorkshop = <A, E>(options: Partial<Workshop.Options>, use: Effect.Effect<A, E, Workshop.Services>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const bank = yield* refunding.bank
    return yield* Effect.provide(
      use,
      Layer.merge(Workshop.layer({ gateways: [bank], webhooks: [webhookOf()], ...options }), quiet)
    )
  })

describe("WebhookIntake", () => {
  it.effect("stores what is verified, once, and tells what the gateway wants to hear", () => {
    const database = MemoryDatabase.make()
    const webhook = { ...webhookOf(), acknowledgement: "[accepted]" }
    return inWorkshop(
      { database, webhooks: [webhook] },
      Effect.gen(function* () {
        const message = told("evt_1", opened("pay_1", "dp_1", "1"))
        const taken = yield* Effect.forEach([1, 2], () => deliver(message))
        assert.deepStrictEqual(taken, [
          { stored: true, acknowledgement: "[accepted]" },
          { stored: false, acknowledgement: "[accepted]" }
        ])
        assert.strictEqual(database.inbox.size, 1)
        const unknown = yield* Effect.flip(deliver({ ...message, gateway: "nobody" }))
        assert.strictEqual(unknown._tag, "UnknownGateway")
      })
    )
  })
})

describe("WebhookWorker", () => {
  it.effect("asks again later when the gateway does not answer, and as late as it is told", () => {
    let asks = 0
    const webhook = webhookOf((body) =>
      Effect.suspend(() => {
        asks += 1
        const reason = new NotSent({ because: "Throttled", retryAfterMillis: asks === 1 ? 60_000 : 0 })
        const operation = idOf(PaymentId.make("pay_1"), "refund", 1)
        return asks < 3
          ? Effect.fail(new GatewayError({ gateway: GatewayName.make("bank"), operation, reason }))
          : webhookOf().read(body)
      })
    )
    return inWorkshop(
      { webhooks: [webhook] },
      Effect.gen(function* () {
        const id = yield* refunding.begin
        yield* deliver(done(id))
        yield* pass(webhook)
        yield* TestClock.adjust(59_999)
        yield* pass(webhook)
        assert.strictEqual(asks, 1)
        yield* TestClock.adjust(1)
        yield* pass(webhook)
        assert.strictEqual(asks, 2)
        yield* TestClock.adjust(10_000)
        yield* pass(webhook)
        assert.strictEqual(yield* statusOf(id), "succeeded")
      })
    )
  })

  it.effect("keeps what is about no known payment for three days, ever less often, and gives it up then", () => {
    const database = MemoryDatabase.make()
    return inWorkshop(
      { database },
      Effect.gen(function* () {
        yield* deliver(told("evt_1", opened("pay_never", "dp_1", "1")))
        const tries: Array<number> = []
        for (let row = [...database.inbox.values()][0]; row !== undefined; row = [...database.inbox.values()][0]) {
          yield* TestClock.setTime(row.retryAt)
          tries.push((row.retryAt - start) / 1000)
          yield* pass(webhookOf())
        }
        assert.deepStrictEqual(tries.slice(0, 5), [0, 5, 15, 35, 75])
        assert.strictEqual(tries.length, 82)
        assert.closeTo(tries.at(-1)!, 3 * 86_400, 5000)
        const [dead] = [...database.deadWebhooks.values()]
        assert.deepInclude(dead, { failures: 82, error: "there is no payment pay_never" })
      })
    )
  })

  it.effect("applies what was too early once its time has come", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const id = yield* refunding.begin
        yield* deliver(told("evt_2", closed(id, "dp_1", "Won")))
        yield* pass(webhookOf())
        yield* deliver(told("evt_1", opened(id, "dp_1", "300")))
        yield* pass(webhookOf())
        yield* TestClock.adjust(5000)
        yield* pass(webhookOf())
        const payments = yield* Payments
        assert.deepStrictEqual((yield* payments.get(id)).disputes[0]?.status, "won")
      })
    )
  )

  it.effect("buries at once what nobody can read and what contradicts the record; a replay is judged anew", () => {
    const database = MemoryDatabase.make()
    let isMended = false
    const webhook = webhookOf((body) =>
      isMended ? webhookOf().read(body) : Effect.fail(new UnreadableWebhook({ detail: "Expected a refund" }))
    )
    return inWorkshop(
      { database, webhooks: [webhook] },
      Effect.gen(function* () {
        const inbox = yield* WebhookInbox
        const id = yield* refunding.begin
        yield* deliver(done(id))
        yield* pass(webhook)
        const [dead] = yield* inbox.deadLetters(9)
        assert.deepInclude(dead, { failures: 1, error: "it cannot be read: Expected a refund" })
        isMended = true
        assert.isTrue(yield* inbox.replay(dead!.id, dead!.at))
        yield* pass(webhook)
        assert.strictEqual(yield* statusOf(id), "succeeded")
        const refused = answered(id, "auth/1", { _tag: "Declined", decline: { code: "51", category: "final" } })
        yield* deliver(told("evt_2", refused))
        yield* pass(webhook)
        const [contradiction] = yield* inbox.deadLetters(9)
        assert.strictEqual(contradiction?.error, `it contradicts the record of ${id}: ContradictsRecord`)
        assert.strictEqual(database.inbox.size, 0)
      })
    )
  })

  it.effect("records nothing twice when it died before it marked", () => {
    const database = MemoryDatabase.make()
    return inWorkshop(
      { database },
      Effect.gen(function* () {
        const id = yield* refunding.begin
        const inbox = yield* WebhookInbox
        yield* deliver(done(id))
        const down = new StorageUnavailable({ operation: "applied", cause: "down" })
        const dying = Effect.provideService(pass(webhookOf(), run("first")), WebhookInbox, {
          ...inbox,
          applied: () => Effect.fail(down)
        })
        assert.strictEqual(yield* Effect.flip(dying), down)
        const { version } = database.views.get(id)!
        yield* pass(webhookOf(), run("second"))
        assert.strictEqual(database.inbox.size, 1)
        yield* TestClock.adjust(WebhookWorker.defaults.leaseMillis)
        yield* pass(webhookOf(), run("second"))
        assert.strictEqual(database.inbox.size, 0)
        assert.strictEqual(database.views.get(id)!.version, version)
        assert.strictEqual(yield* statusOf(id), "succeeded")
      })
    )
  })

  it.effect("goes on with others while one gateway is silent and one adapter throws", () => {
    const database = MemoryDatabase.make()
    const webhooks = [
      webhookOf(),
      webhookOf(() => Effect.never, "silent"),
      webhookOf(() => {
        throw new Error("a bug")
      }, "broken")
    ]
    return inWorkshop(
      { database, webhooks },
      Effect.gen(function* () {
        const id = yield* refunding.begin
        yield* deliver(told("evt_1", opened("pay_1", "dp_1", "1"), "silent"))
        yield* deliver(told("evt_1", opened("pay_1", "dp_1", "1"), "broken"))
        const workers = yield* Effect.forkChild(
          Effect.all([WebhookWorker.daemon(WebhookWorker.defaults), WebhookWorker.daemon(WebhookWorker.defaults)], {
            concurrency: 2
          })
        )
        yield* TestClock.adjust(300)
        yield* deliver(done(id))
        yield* TestClock.adjust(300)
        assert.strictEqual(yield* statusOf(id), "succeeded")
        // The silent one was given its time, and waits for its next turn like the broken one.
        yield* TestClock.adjust(11_000)
        assert.deepStrictEqual(
          [...database.inbox.values()].map(({ failures, received }) => [received.gateway, failures]),
          [
            ["silent", 1],
            ["broken", 2]
          ]
        )
        yield* Fiber.interrupt(workers)
      })
    )
  })

  it.effect("forgets events after thirty days, and nothing sooner", () => {
    const database = MemoryDatabase.make()
    return inWorkshop(
      { database },
      Effect.gen(function* () {
        yield* deliver(told("evt_1", opened("pay_1", "dp_1", "1")))
        database.inbox.clear()
        const worker = yield* Effect.forkChild(
          WebhookWorker.daemon({ ...WebhookWorker.defaults, idleMillis: 3_600_000 })
        )
        yield* TestClock.adjust("29 days")
        assert.strictEqual(database.seenWebhooks.size, 1)
        yield* TestClock.adjust("25 hours")
        assert.strictEqual(database.seenWebhooks.size, 0)
        yield* Fiber.interrupt(worker)
      })
    )
  })
})
