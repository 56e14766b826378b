import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { PaymentRepository, PaymentRepositoryError } from "../../src/adapters/PaymentRepository.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import type { Answer } from "../../src/domain/payment/Gateway.ts"
import { Reference } from "../../src/domain/payment/Gateway.ts"
import type { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../src/domain/payment/PaymentView.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as Notifications from "../../src/orchestration/Notifications.ts"
import * as PaymentRecovery from "../../src/orchestration/PaymentRecovery.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as Workshop from "./Workshop.ts"

const start = 1_700_000_000_000
const tags = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)
const pathOf = (operation: string) => operation.slice(operation.indexOf("/") + 1)
const calls = (asked: ReadonlyArray<ScriptedGateway.Asked>) =>
  asked.map(({ ask, call }) => `${ask} ${pathOf(call.operation)}`)

// --- What a gateway sends: JSON, as it travels -------------------------------

const told = (id: string, news: object, gateway = "bank") => ({ id, gateway, at: start + 1, news })
const answered = (payment: string, path: string, answer: object) => ({
  _tag: "Answered",
  operation: `${payment}/${path}`,
  answer
})
const approved = { _tag: "Approved", reference: "ch_1", captured: false }
const captured = { _tag: "Captured", amount: { currency: "EUR", minor: "1099" } }
const opened = (payment: string) => ({
  _tag: "DisputeOpened",
  payment,
  dispute: "dp_1",
  amount: { currency: "EUR", minor: "500" }
})
const won = (payment: string) => ({ _tag: "DisputeClosed", payment, dispute: "dp_1", outcome: "Won" })

const listed = Effect.gen(function* () {
  const payments = yield* Payments
  return (yield* payments.list({}, { limit: 1 })).payments[0]!
})

const permutations = <A>(list: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  list.length === 0
    ? [[]]
    : list.flatMap((one, index) => permutations(list.toSpliced(index, 1)).map((rest) => [one, ...rest]))

// --- Any order --------------------------------------------------------------

type Message = "webhook" | "duplicate" | "closing"
type Step = Message | "answer"

interface Story {
  /** The operation whose answer the gateway holds back. */
  readonly gated: string
  /** Brings the payment to where that operation is in flight. */
  readonly begin: Effect.Effect<unknown, unknown, Payments>
  readonly news: (payment: string, message: Message) => object
  readonly steps: ReadonlyArray<Step>
  readonly ends: Partial<PaymentView>
  readonly asked: ReadonlyArray<string>
}

const create = (capture: "automatic" | "manual") =>
  Effect.flatMap(Payments, (payments) =>
    payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order({ capture }))
  )

const three: ReadonlyArray<Step> = ["answer", "webhook", "duplicate"]

const stories: Readonly<Record<string, Story>> = {
  "an authorization": {
    gated: "auth/1",
    begin: create("manual"),
    news: (payment) => answered(payment, "auth/1", approved),
    steps: three,
    ends: { status: "authorized", authorizedMinor: 10_99n, capturedMinor: 0n, version: 3 },
    asked: ["send auth/1"]
  },
  "a decline": {
    gated: "auth/1",
    begin: create("manual"),
    news: (payment) =>
      answered(payment, "auth/1", { _tag: "Declined", decline: { code: "51", category: "otherInstrument" } }),
    steps: three,
    ends: { status: "failed", failure: { code: "51", category: "otherInstrument" }, version: 4 },
    asked: ["send auth/1"]
  },
  "a capture": {
    gated: "capture/1",
    begin: create("automatic"),
    news: (payment) => answered(payment, "capture/1", captured),
    steps: three,
    ends: { status: "succeeded", capturedMinor: 10_99n, refundedMinor: 0n, version: 5 },
    asked: ["send auth/1", "send capture/1"]
  },
  "a refund": {
    gated: "refund/1",
    begin: Effect.gen(function* () {
      const payments = yield* Payments
      const { view } = yield* create("automatic")
      yield* payments.refund(view.id, Workshop.request("r1"), { amount: Workshop.eur(4_00n) })
    }),
    news: (payment) => answered(payment, "refund/1", { _tag: "Refunded" }),
    steps: three,
    ends: { status: "succeeded", capturedMinor: 10_99n, refundedMinor: 4_00n, version: 7 },
    asked: ["send auth/1", "send capture/1", "send refund/1"]
  },
  "a dispute": {
    gated: "capture/1",
    begin: create("automatic"),
    news: (payment, message) => (message === "closing" ? won(payment) : opened(payment)),
    steps: [...three, "closing"],
    ends: {
      status: "succeeded",
      capturedMinor: 10_99n,
      disputedMinor: 0n,
      version: 7
    },
    asked: ["send auth/1", "send capture/1"]
  }
}

const answerOf = (story: Story, asked: ScriptedGateway.Asked): Answer =>
  story === stories["a decline"]
    ? Workshop.declined("otherInstrument")
    : asked.call._tag === "Capture"
      ? { _tag: "Captured", amount: asked.call.amount }
      : asked.call._tag === "Refund"
        ? { _tag: "Refunded" }
        : { _tag: "Approved", reference: Reference.make("ch_1"), captured: false }

/** Plays the steps in this order, then sends again what was not taken, as gateways do. */
const play = (story: Story, steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const gate = yield* Deferred.make<void>()
    const bank = yield* ScriptedGateway.make("bank", (asked) => {
      const answer = Effect.succeed(answerOf(story, asked))
      return pathOf(asked.call.operation) === story.gated ? Effect.andThen(Deferred.await(gate), answer) : answer
    })
    return yield* Effect.gen(function* () {
      const begun = yield* Effect.forkChild(story.begin)
      yield* TestClock.adjust("1 second")
      const { id } = yield* listed
      const send = (message: Message) =>
        Notifications.receive(told(message === "closing" ? "evt_2" : "evt_1", story.news(id, message)))
      const again: Array<Message> = []
      for (const step of steps) {
        if (step === "answer") yield* Deferred.succeed(gate, undefined)
        else if (Notifications.isToBeSentAgain(yield* send(step))) again.push(step)
        yield* TestClock.adjust("1 second")
      }
      for (let round = 0; again.length > 0 && round < 3; round++) {
        for (const message of again.splice(0)) {
          if (Notifications.isToBeSentAgain(yield* send(message))) again.push(message)
        }
      }
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(begun)
      const payments = yield* Payments
      const { updatedAt: _, ...view } = yield* payments.get(id)
      return { view, asked: calls(yield* bank.asked), left: again.length }
    }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
  })

describe("Notifications, in any order", () => {
  for (const [name, story] of Object.entries(stories)) {
    it.effect(`${name}, its notification and a duplicate end the same`, () =>
      Effect.gen(function* () {
        const ends = yield* Effect.forEach(permutations(story.steps), (steps) => play(story, steps))
        assert.strictEqual(ends.length, story.steps.length === 3 ? 6 : 24)
        for (const [index, end] of ends.entries()) {
          const order = permutations(story.steps)[index]!.join(", ")
          assert.deepInclude(end.view, story.ends, order)
          assert.deepStrictEqual(end, { view: ends[0]!.view, asked: story.asked, left: 0 }, order)
        }
      })
    )
  }
})

// --- One at a time ----------------------------------------------------------

/** A payment whose authorization was sent and lost, at a gateway that keeps no keys: the next question is minutes away. */
const inDoubt = Effect.gen(function* () {
  const capabilities = {
    ...ScriptedGateway.capable,
    idempotencyKey: { ...ScriptedGateway.capable.idempotencyKey, retentionMillis: 0 }
  }
  return yield* ScriptedGateway.make(
    "bank",
    (asked) => (asked.call._tag === "Authorize" ? Effect.fail(Workshop.lost) : Workshop.agreeable(asked)),
    capabilities
  )
})

const logging = (lines: Array<unknown>) =>
  Logger.layer([Logger.map(Logger.formatStructured, (line) => lines.push(line))])

const unavailable = (payment: PaymentId) =>
  Effect.fail(
    new PaymentRepositoryError({ payment, reason: new StorageUnavailable({ operation: "append", cause: "down" }) })
  )

describe("Notifications", () => {
  it.effect("resolves a doubt, and the payment goes on without asking again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("automatic")
        assert.strictEqual(view.status, "in_doubt")
        const outcome = yield* Notifications.receive(told("evt_1", answered(view.id, "auth/1", approved)))
        assert.deepStrictEqual(outcome, { _tag: "Recorded", payment: view.id })
        assert.isFalse(Notifications.isToBeSentAgain(outcome))
        assert.strictEqual((yield* payments.get(view.id)).status, "succeeded")
        const events = yield* payments.events(view.id)
        assert.deepStrictEqual(tags(events), [
          "Initiated",
          "AuthorizationBegun",
          "OperationDoubted",
          "Authorized",
          "CaptureBegun",
          "Captured"
        ])
        assert.deepStrictEqual<unknown>(events[3]!._tag === "Authorized" && events[3].evidence, {
          _tag: "Webhook",
          gateway: "bank",
          notification: "evt_1"
        })
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "send capture/1"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("needs no answer of the call: a silent gateway that notifies has said it all", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const lines: Array<unknown> = []
      const bank = yield* ScriptedGateway.make("bank", (asked) =>
        asked.call._tag === "Authorize" ? Effect.never : Workshop.agreeable(asked)
      )
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const begun = yield* Effect.forkChild(create("automatic"))
        yield* TestClock.adjust("1 second")
        const { id } = yield* listed
        yield* Notifications.receive(told("evt_1", answered(id, "auth/1", approved)))
        // The run that waits has the claim, which is how it should be.
        assert.deepStrictEqual(lines, [])
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(begun)
        assert.deepInclude(yield* payments.get(id), { status: "succeeded", version: 5 })
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "send capture/1"])
      }).pipe(Effect.provide(Layer.merge(Workshop.layer({ gateways: [bank] }), logging(lines))))
    })
  )

  it.effect("records nothing after the end, and leaves the gateway alone", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("automatic")
        for (const [path, answer] of [
          ["auth/1", approved],
          ["capture/1", captured]
        ] as const) {
          const outcome = yield* Notifications.receive(told("evt_1", answered(view.id, path, answer)))
          assert.deepStrictEqual(outcome, { _tag: "Duplicate", payment: view.id })
        }
        assert.deepStrictEqual(yield* payments.get(view.id), view)
        assert.deepStrictEqual(calls(yield* bank.asked), ["send auth/1", "send capture/1"])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("records once what is delivered twice at the same moment", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      // Both have read before either writes.
      const between = (repository: PaymentRepository["Service"]) => ({
        load: (payment: PaymentId) => Effect.tap(repository.load(payment), () => Effect.yieldNow)
      })
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("manual")
        const message = told("evt_1", answered(view.id, "auth/1", approved))
        const outcomes = yield* Effect.all([Notifications.receive(message), Notifications.receive(message)], {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(tags(outcomes).toSorted(), ["Duplicate", "Recorded"])
        assert.deepStrictEqual(tags(yield* payments.events(view.id)), [
          "Initiated",
          "AuthorizationBegun",
          "OperationDoubted",
          "Authorized"
        ])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], between })))
    })
  )

  it.effect("records a message that says pending once, however often and at whatever times it is delivered", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("manual")
        const message = told("evt_1", answered(view.id, "auth/1", { _tag: "Pending" }))
        assert.strictEqual((yield* Notifications.record(message))._tag, "Recorded")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Notifications.record(message))._tag, "Duplicate")
        assert.strictEqual((yield* payments.get(view.id)).version, view.version + 1)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )

  it.effect("asks for a notification again whose payment is not known, and takes it once that is known", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      let isBehind = false
      const between = (repository: PaymentRepository["Service"]) => ({
        load: (payment: PaymentId) =>
          isBehind ? Effect.succeed({ history: [], version: 0 }) : repository.load(payment)
      })
      yield* Effect.gen(function* () {
        const { view } = yield* create("manual")
        const message = told("evt_1", answered(view.id, "auth/1", approved))
        isBehind = true
        const unknown = yield* Notifications.receive(message)
        assert.deepStrictEqual(unknown, { _tag: "UnknownPayment", payment: view.id })
        assert.isTrue(Notifications.isToBeSentAgain(unknown))
        isBehind = false
        assert.strictEqual((yield* Notifications.receive(message))._tag, "Recorded")
        const never = yield* Notifications.receive(told("evt_2", opened("pay_never")))
        assert.deepStrictEqual<unknown>(never, { _tag: "UnknownPayment", payment: "pay_never" })
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], between })))
    })
  )

  it.effect("takes another gateway's word for nothing", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      const other = yield* ScriptedGateway.make("other", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("manual")
        for (const answer of [approved, { _tag: "Declined", decline: { code: "51", category: "final" } }]) {
          const outcome = yield* Notifications.receive(told("evt_1", answered(view.id, "auth/1", answer), "other"))
          assert.deepStrictEqual(outcome, { _tag: "Contradicts", payment: view.id, rule: "WrongGateway" })
          assert.isFalse(Notifications.isToBeSentAgain(outcome))
        }
        assert.deepStrictEqual(yield* payments.get(view.id), view)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank, other] })))
    })
  )

  it.effect("keeps in the log, for a person, what contradicts the record", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const lines: Array<unknown> = []
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("automatic")
        const message = told(
          "evt_1",
          answered(view.id, "auth/1", { _tag: "Declined", decline: { code: "51", category: "final" } })
        )
        const outcome = yield* Notifications.receive(message)
        assert.deepStrictEqual(outcome, { _tag: "Contradicts", payment: view.id, rule: "ContradictsRecord" })
        assert.isFalse(Notifications.isToBeSentAgain(outcome))
        assert.deepStrictEqual(yield* payments.get(view.id), view)
        assert.strictEqual(lines.length, 1)
        assert.deepInclude(lines[0], {
          level: "ERROR",
          message: ["a notification contradicts the record", "ContradictsRecord"],
          annotations: { payment: view.id, notification: message }
        })
      }).pipe(Effect.provide(Layer.merge(Workshop.layer({ gateways: [bank] }), logging(lines))))
    })
  )

  it.effect("fails when the store does, before or after it has written, and a repeat is taken", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const bank = yield* inDoubt
      let broken: "before" | "after" | undefined
      const between = (repository: PaymentRepository["Service"]): Partial<PaymentRepository["Service"]> => ({
        append: (request) => {
          if (broken === "before") return unavailable(request.payment)
          const stored = repository.append(request)
          return broken === "after" ? Effect.andThen(stored, unavailable(request.payment)) : stored
        }
      })
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("manual")
        const message = told("evt_1", answered(view.id, "auth/1", approved))
        for (const point of ["before", "after"] as const) {
          broken = point
          const error = yield* Effect.flip(Notifications.receive(message))
          assert.isTrue(error._tag === "PaymentRepositoryError" && error.reason._tag === "StorageUnavailable")
        }
        broken = undefined
        assert.strictEqual((yield* Notifications.receive(message))._tag, "Duplicate")
        assert.deepInclude(yield* payments.get(view.id), { status: "authorized", version: view.version + 1 })
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], between })))
    })
  )

  it.effect("has taken what is recorded, even where the run after it fails; recovery goes on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const database = MemoryDatabase.make()
      const bank = yield* inDoubt
      let isDown = false
      const between = (repository: PaymentRepository["Service"]): Partial<PaymentRepository["Service"]> => ({
        claim: (payment, lease, at) => (isDown ? unavailable(payment) : repository.claim(payment, lease, at))
      })
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* create("automatic")
        isDown = true
        const outcome = yield* Notifications.receive(told("evt_1", answered(view.id, "auth/1", approved)))
        assert.strictEqual(outcome._tag, "Recorded")
        assert.strictEqual(database.streams.get(view.id)!.due, start)
        isDown = false
        yield* PaymentRecovery.sweep()
        assert.strictEqual((yield* payments.get(view.id)).status, "succeeded")
      }).pipe(Effect.provide(Layer.merge(Workshop.layer({ gateways: [bank], between, database }), Logger.layer([]))))
    })
  )

  const wellFormed = told("evt_1", answered("pay_1", "auth/1", approved))
  const malformed: ReadonlyArray<readonly [raw: unknown, message: string]> = [
    [undefined, "notification: Expected object, got undefined"],
    ["evt_1", 'notification: Expected object, got "evt_1"'],
    [{ ...wellFormed, id: "" }, 'id: Expected a token that is not empty, got ""'],
    [{ ...wellFormed, gateway: "Bank!" }, 'gateway: Expected a gateway name such as "stripe-eu", got "Bank!"'],
    [{ ...wellFormed, id: 7, at: "soon" }, 'id: Expected string, got 7; at: Expected number, got "soon"'],
    [
      told("evt_1", answered("pay_1", "auth", approved)),
      'news.operation: Expected an operation id such as "pay_1/auth/1", got "pay_1/auth"'
    ],
    [
      told("evt_1", answered("pay_1", "capture/1", { ...captured, amount: { currency: "EUR", minor: 10.99 } })),
      "news.answer.amount.minor: Expected string, got 10.99"
    ],
    [told("evt_1", { ...won("pay_1"), outcome: "Draw" }), 'news.outcome: Expected "Won" | "Lost", got "Draw"'],
    // What looks like a card number is not repeated.
    [
      { ...wellFormed, gateway: "4111111111111111" },
      'gateway: Expected a gateway name such as "stripe-eu", got "[card number ending 1111]"'
    ]
  ]
  it.effect("says of what is malformed which field, what was expected and what came", () =>
    Effect.gen(function* () {
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      yield* Effect.gen(function* () {
        for (const [raw, message] of malformed) {
          const error = yield* Effect.flip(Notifications.receive(raw))
          assert.strictEqual(error._tag, "MalformedNotification")
          assert.strictEqual(error.message, message)
        }
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank] })))
    })
  )
})
