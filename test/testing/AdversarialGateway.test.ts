import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { GatewayError } from "../../src/adapters/PaymentGateway.ts"
import type { Capabilities } from "../../src/domain/payment/Gateway.ts"
import * as Notification from "../../src/domain/payment/Notification.ts"
import { OperationId } from "../../src/domain/payment/Operation.ts"
import type { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as MemorySandboxBooks from "../../src/infra/simulated/MemorySandboxBooks.ts"
import { capabilities } from "../../src/infra/simulated/SandboxGateway.ts"
import * as AdversarialGateway from "../../src/testing/AdversarialGateway.ts"
import type { Asked, Mischief, Options } from "../../src/testing/AdversarialGateway.ts"
import * as Contract from "../../src/testing/contract/PaymentGatewayContract.ts"
import { callsOf, eur, GatewayUnderTest, reasonOf, referenceOf } from "../../src/testing/contract/GatewayUnderTest.ts"

const start = 1_700_000_000_000
const { idempotencyKey } = capabilities

/** A gateway whose own work runs on the test's clock, and all that it has notified of: when, which, what. */
const open = (options: Partial<Options> & { readonly travel?: NonNullable<Options["notify"]>["travel"] } = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const services = yield* Effect.context()
    const tables = options.tables ?? MemorySandboxBooks.make()
    const heard: Array<string> = []
    const gateway = AdversarialGateway.make("bank", {
      background: (effect) => void Effect.runForkWith(services)(effect),
      notify: {
        deliver: (notification) =>
          Effect.clockWith((clock) =>
            Effect.sync(() => void heard.push(`${clock.currentTimeMillisUnsafe() - start} ${summary(notification)}`))
          ),
        travel: options.travel ?? (() => [0])
      },
      ...options,
      tables
    })
    const chargesOf = (payment: PaymentId) =>
      [...tables.charges.values()].filter((charge) => charge.payment === payment)
    return { gateway, tables, heard, chargesOf, calls: (token: string) => callsOf(gateway, token) }
  })

/** `evt_bank_1 Captured`, read as florin would. */
const summary = (message: Notification.Json): string => {
  const { id, news } = Schema.decodeUnknownSync(Notification.Json)(message)
  return `${id} ${news._tag === "Answered" ? news.answer._tag : news._tag}`
}

/** What a caller with a patience of 30 seconds is told, as florin's is, and how long it took in milliseconds. */
const told = (asking: Effect.Effect<{ readonly _tag: string }, GatewayError>) =>
  Effect.gen(function* () {
    const timed = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))
    const began = yield* timed
    const word = asking.pipe(
      Effect.map(({ _tag }) => _tag),
      Effect.catch((error) => reasonOf(Effect.fail(error))),
      Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => Effect.succeed("Timeout") })
    )
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(word, (text) => Effect.map(timed, (at) => [text, at] as const))
    )
    yield* TestClock.adjust("31 seconds")
    const [text, at] = yield* Fiber.join(fiber)
    return `${text} after ${at - began}`
  })

// --- Mischief ---------------------------------------------------------------

interface Case {
  readonly mischief: Mischief
  /** What the authorization is told, and how many charges there are then. */
  readonly first: readonly [told: string, charges: number]
  /** What the next send under the same key is told. */
  readonly second: string
  /** All that was notified of, with the millisecond. */
  readonly heard: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    mischief: { _tag: "LoseAnswer" },
    first: ["InDoubt ConnectionLost after 0", 1],
    second: "Approved after 0",
    heard: ["0 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "ActLate", afterMillis: 20_000 },
    first: ["Approved after 20000", 1],
    second: "Approved after 0",
    heard: ["20000 evt_bank_1 Approved"]
  },
  {
    // The caller is gone by then; what it sends again acts first, and the late one finds it done.
    mischief: { _tag: "ActLate", afterMillis: 50_000 },
    first: ["Timeout after 30000", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "RefuseBefore" },
    first: ["NotSent ConnectionRefused after 0", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "ServerErrorBefore" },
    first: ["InDoubt ServerError after 0", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "ServerErrorAfter" },
    first: ["InDoubt ServerError after 0", 1],
    second: "Approved after 0",
    heard: ["0 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "Throttle", retryAfterMillis: 7000 },
    first: ["NotSent Throttled after 0", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "Slow", millis: 12_000 },
    first: ["Approved after 12000", 1],
    second: "Approved after 0",
    heard: ["0 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "Silence" },
    first: ["Timeout after 30000", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  },
  {
    mischief: { _tag: "KeyInUse" },
    first: ["InDoubt KeyInUse after 0", 0],
    second: "Approved after 0",
    heard: ["31000 evt_bank_1 Approved"]
  }
]

describe("AdversarialGateway, its mischief", () => {
  for (const { first, heard, mischief, second } of cases) {
    const millis = "afterMillis" in mischief ? ` ${mischief.afterMillis}` : ""
    it.effect(`${mischief._tag}${millis}: ${first[0]}, and the same key charges once`, () =>
      Effect.gen(function* () {
        const bank = yield* open({ mischief: AdversarialGateway.planned([mischief]) })
        const { authorize, payment } = bank.calls("tok_visa")
        assert.deepStrictEqual([yield* told(bank.gateway.authorize(authorize)), bank.chargesOf(payment).length], first)
        assert.strictEqual(yield* told(bank.gateway.authorize(authorize)), second)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(bank.chargesOf(payment).length, 1)
        assert.deepStrictEqual(bank.heard, heard)
      })
    )
  }

  it.effect("acts late although the caller has gone, and nobody sends again", () =>
    Effect.gen(function* () {
      const bank = yield* open({ mischief: AdversarialGateway.planned([{ _tag: "ActLate", afterMillis: 60_000 }]) })
      const { authorize, payment } = bank.calls("tok_visa")
      const caller = yield* Effect.forkChild(bank.gateway.authorize(authorize))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("58 seconds")
      assert.strictEqual(bank.chargesOf(payment).length, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(bank.chargesOf(payment).length, 1)
      assert.deepStrictEqual(bank.heard, ["60000 evt_bank_1 Approved"])
    })
  )

  it.effect("says how long a throttled caller is to wait", () =>
    Effect.gen(function* () {
      const bank = yield* open({ mischief: () => ({ _tag: "Throttle", retryAfterMillis: 7000 }) })
      const { reason } = yield* Effect.flip(bank.gateway.authorize(bank.calls("tok_visa").authorize))
      assert.isTrue(reason._tag === "NotSent" && reason.retryAfterMillis === 7000)
    })
  )

  it.effect("can strike each kind of ask, lookups too, and counts them by operation and over all", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const note = ({ kind, nth, operation, send }: Asked) => {
        asked.push(`${nth} ${kind} ${operation.slice(operation.indexOf("/") + 1)} ${send}`)
        return kind === "lookup" ? ({ _tag: "ServerErrorBefore" } as const) : undefined
      }
      const bank = yield* open({ mischief: note })
      const { gateway } = bank
      const calls = bank.calls("tok_3ds")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      assert.strictEqual(yield* told(gateway.lookup(calls.authorize)), "InDoubt ServerError after 0")
      yield* gateway.confirm(calls.confirm(reference))
      yield* gateway.capture(calls.capture(reference, 10_00n))
      yield* gateway.capture(calls.capture(reference, 10_00n))
      yield* gateway.refund(calls.refund(reference, 1_00n))
      yield* gateway.void(calls.void(reference))
      assert.deepStrictEqual(asked, [
        "1 authorize auth/1 1",
        "2 lookup auth/1 2",
        "3 confirm auth/1/confirm/1 1",
        "4 capture capture/1 1",
        "5 capture capture/1 2",
        "6 refund refund/1 1",
        "7 void void/1 1"
      ])
    })
  )

  it("is planned by ordinal, or drawn with one number an ask", () => {
    const operation = OperationId.make("pay_1/auth/1")
    const ask = (nth: number): Asked => ({ kind: "authorize", operation, nth, send: 1 })
    const plan = AdversarialGateway.planned([undefined, { _tag: "Silence" }])
    assert.deepStrictEqual(
      [1, 2, 3].map((nth) => plan(ask(nth))?._tag),
      [undefined, "Silence", undefined]
    )
    const numbers = [0, 0.0999, 0.1001, 0.2999, 0.3001, 0.9999]
    const drawn = AdversarialGateway.random(
      () => numbers.shift()!,
      [
        { chance: 0.1, mischief: { _tag: "LoseAnswer" } },
        { chance: 0.2, mischief: { _tag: "KeyInUse" } }
      ]
    )
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 6].map((nth) => drawn(ask(nth))?._tag),
      ["LoseAnswer", "LoseAnswer", "KeyInUse", "KeyInUse", undefined, undefined]
    )
    assert.deepStrictEqual(numbers, [])
  })
})

// --- What it declares -------------------------------------------------------

const keeping = (changes: Partial<Capabilities["idempotencyKey"]>) => ({
  idempotencyKey: { ...idempotencyKey, ...changes }
})

describe("AdversarialGateway, its capabilities", () => {
  it.effect("forgets a key after its retention, and not before", () =>
    Effect.gen(function* () {
      const bank = yield* open({ capabilities: keeping({ retentionMillis: 60_000 }) })
      const { authorize, payment } = bank.calls("tok_visa")
      const first = yield* bank.gateway.authorize(authorize)
      yield* TestClock.adjust(59_999)
      assert.deepStrictEqual(yield* bank.gateway.authorize(authorize), first)
      yield* TestClock.adjust(1)
      yield* bank.gateway.authorize(authorize)
      assert.strictEqual(bank.chargesOf(payment).length, 2)
      assert.deepStrictEqual(bank.heard, ["0 evt_bank_1 Approved", "60000 evt_bank_2 Approved"])
    })
  )

  it.effect("answers a stored error for as long as it keeps the key, whether it has acted or not", () =>
    Effect.gen(function* () {
      for (const [mischief, charges] of [
        ["ServerErrorBefore", 0],
        ["ServerErrorAfter", 1]
      ] as const) {
        const bank = yield* open({
          capabilities: keeping({ retentionMillis: 60_000, storesErrors: true }),
          mischief: AdversarialGateway.planned([{ _tag: mischief }])
        })
        const { authorize, payment } = bank.calls("tok_visa")
        for (let send = 0; send < 2; send++) {
          assert.strictEqual(yield* reasonOf(bank.gateway.authorize(authorize)), "InDoubt ServerError")
          assert.strictEqual(bank.chargesOf(payment).length, charges)
        }
        assert.strictEqual((yield* bank.gateway.lookup(authorize))._tag, charges === 0 ? "NotFound" : "Found")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* bank.gateway.authorize(authorize))._tag, "Approved")
      }
    })
  )

  it.effect("stores no error over the answer that a key has already", () =>
    Effect.gen(function* () {
      const bank = yield* open({
        capabilities: keeping({ storesErrors: true }),
        mischief: AdversarialGateway.planned([{ _tag: "LoseAnswer" }, { _tag: "ServerErrorAfter" }])
      })
      const { authorize } = bank.calls("tok_visa")
      assert.strictEqual(yield* reasonOf(bank.gateway.authorize(authorize)), "InDoubt ConnectionLost")
      assert.strictEqual(yield* reasonOf(bank.gateway.authorize(authorize)), "InDoubt ServerError")
      assert.strictEqual((yield* bank.gateway.authorize(authorize))._tag, "Approved")
    })
  )

  it.effect("refuses a key with other parameters", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { authorize } = bank.calls("tok_visa")
      yield* bank.gateway.authorize(authorize)
      const other = { ...authorize, order: { ...authorize.order, amount: eur(10_01n) } }
      assert.strictEqual(yield* reasonOf(bank.gateway.authorize(other)), "Misconfigured")
    })
  )

  it.effect("says not found at first and found later where its lookup is eventual", () =>
    Effect.gen(function* () {
      const bank = yield* open({ capabilities: { lookup: "eventual" } })
      const { authorize } = bank.calls("tok_visa")
      yield* bank.gateway.authorize(authorize)
      yield* TestClock.adjust(4999)
      assert.strictEqual((yield* bank.gateway.lookup(authorize))._tag, "NotFound")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* bank.gateway.lookup(authorize))._tag, "Found")
    })
  )

  it.effect("is misconfigured for whoever looks up where there is no lookup", () =>
    Effect.gen(function* () {
      const bank = yield* open({ capabilities: { lookup: "none" } })
      const { authorize } = bank.calls("tok_visa")
      yield* bank.gateway.authorize(authorize)
      assert.strictEqual(yield* reasonOf(bank.gateway.lookup(authorize)), "Misconfigured")
    })
  )

  it.effect("keeps its books when it is made anew over them", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { authorize, payment } = bank.calls("tok_visa")
      const first = yield* bank.gateway.authorize(authorize)
      const again = yield* open({ tables: bank.tables })
      assert.deepStrictEqual(yield* again.gateway.authorize(authorize), first)
      assert.strictEqual(again.chargesOf(payment).length, 1)
      assert.deepStrictEqual(again.heard, [])
    })
  )
})

// --- What it notifies of ----------------------------------------------------

describe("AdversarialGateway, its notifications", () => {
  it.effect("tells once of every outcome, a replay of which is none", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { gateway } = bank
      const calls = bank.calls("tok_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.authorize(calls.authorize)
      yield* gateway.capture(calls.capture(reference, 10_00n))
      yield* gateway.refund(calls.refund(reference, 1_00n))
      yield* gateway.refund(calls.refund(reference, 99_00n, 2))
      yield* gateway.lookup(calls.authorize)
      const gone = bank.calls("tok_visa")
      yield* gateway.void(gone.void(referenceOf(yield* gateway.authorize(gone.authorize))))
      yield* gateway.authorize(bank.calls("tok_declined_stolen").authorize)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, [
        "0 evt_bank_1 Approved",
        "0 evt_bank_2 Captured",
        "0 evt_bank_3 Refunded",
        "0 evt_bank_4 Refused",
        "0 evt_bank_5 Approved",
        "0 evt_bank_6 Voided",
        "0 evt_bank_7 Declined"
      ])
    })
  )

  it.effect("loses, repeats, delays and reorders them as they travel", () =>
    Effect.gen(function* () {
      const delays = [[9000], [], [1000, 5000]]
      const bank = yield* open({ travel: (_, nth) => delays[nth - 1]! })
      const { gateway } = bank
      const calls = bank.calls("tok_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.capture(calls.capture(reference, 10_00n))
      yield* gateway.refund(calls.refund(reference, 1_00n))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(bank.heard, [
        "1000 evt_bank_3 Refunded",
        "5000 evt_bank_3 Refunded",
        "9000 evt_bank_1 Approved"
      ])
    })
  )

  it.effect("sends again what was not taken, ever later, and gives up in the end", () =>
    Effect.gen(function* () {
      const tries: Array<number> = []
      const failing = (times: number) => ({
        deliver: () =>
          Effect.clockWith((clock) =>
            Effect.suspend(() => {
              tries.push((clock.currentTimeMillisUnsafe() - start) / 1000)
              return tries.length <= times ? Effect.fail("busy") : Effect.void
            })
          ),
        travel: () => [0]
      })
      const patient = yield* open({ notify: failing(2) })
      yield* patient.gateway.authorize(patient.calls("tok_visa").authorize)
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(tries.splice(0), [0, 10, 40])
      const deaf = yield* open({ notify: failing(Number.POSITIVE_INFINITY) })
      yield* deaf.gateway.authorize(deaf.calls("tok_visa").authorize)
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(tries, [0, 10, 40, 130, 400, 1210, 3640, 10_930, 32_800])
    })
  )

  it.effect("tells of a customer who finished at the bank and never came back", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { gateway } = bank
      const calls = bank.calls("tok_3ds")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      assert.deepStrictEqual(bank.heard, [])
      yield* gateway.finishAction(reference)
      yield* gateway.finishAction(calls.payment)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, ["0 evt_bank_1 Approved"])
      assert.deepInclude(bank.chargesOf(calls.payment)[0], { status: "authorized" })
      const found = yield* gateway.lookup(calls.authorize)
      assert.isTrue(found._tag === "Found" && found.answer._tag === "Approved")
      // If they come back after all, it is confirmed and charged no second time.
      assert.strictEqual((yield* gateway.confirm(calls.confirm(reference)))._tag, "Approved")
      assert.strictEqual(bank.chargesOf(calls.payment).length, 1)
    })
  )

  it.effect("tells of a customer whom the bank did not recognise, and nothing of one who left", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      for (const token of ["tok_3ds_fails", "tok_3ds_abandoned"]) {
        const calls = bank.calls(token)
        yield* bank.gateway.authorize(calls.authorize)
        yield* bank.gateway.finishAction(calls.payment)
      }
      yield* bank.gateway.finishAction(bank.calls("tok_3ds").payment)
      const away = bank.calls("tok_3ds")
      yield* bank.gateway.authorize(away.authorize)
      yield* bank.gateway.settlePending(away.payment)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, ["0 evt_bank_1 Declined"])
    })
  )

  it.effect("tells when what it took on is settled, by itself or by a lookup", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { gateway } = bank
      const first = bank.calls("tok_pending")
      assert.strictEqual((yield* gateway.authorize(first.authorize))._tag, "Pending")
      yield* gateway.settlePending(first.payment)
      const second = bank.calls("tok_pending")
      yield* gateway.authorize(second.authorize)
      yield* gateway.lookup(second.authorize)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, ["0 evt_bank_1 Approved"])
      yield* gateway.lookup(second.authorize)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, ["0 evt_bank_1 Approved", "1000 evt_bank_2 Approved"])
    })
  )

  it.effect("tells of disputes over what was captured, and of nothing else", () =>
    Effect.gen(function* () {
      const bank = yield* open()
      const { gateway } = bank
      const calls = bank.calls("tok_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.openDispute(calls.payment, "dp_1", 4_00n)
      yield* gateway.closeDispute(calls.payment, "dp_1", "Won")
      yield* gateway.capture(calls.capture(reference, 10_00n))
      yield* gateway.openDispute(calls.payment, "dp_1", 4_00n)
      yield* gateway.closeDispute(reference, "dp_1", "Lost")
      yield* gateway.closeDispute(reference, "dp_2", "Lost")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bank.heard, [
        "0 evt_bank_1 Approved",
        "0 evt_bank_2 Captured",
        "0 evt_bank_3 DisputeOpened",
        "0 evt_bank_4 DisputeClosed"
      ])
    })
  )

  it.effect("says in a notification which operation, what and when, by its own clock", () =>
    Effect.gen(function* () {
      const messages: Array<Notification.Json> = []
      const bank = yield* open({
        notify: { deliver: (message) => Effect.sync(() => void messages.push(message)), travel: () => [5000] }
      })
      const calls = bank.calls("tok_visa")
      const reference = referenceOf(yield* bank.gateway.authorize(calls.authorize))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual<unknown>(messages, [
        {
          id: "evt_bank_1",
          gateway: "bank",
          at: start,
          news: {
            _tag: "Answered",
            operation: `${calls.payment}/auth/1`,
            answer: { _tag: "Approved", reference, captured: false }
          }
        }
      ])
    })
  )
})

// --- As any gateway ---------------------------------------------------------

const suite = (name: string, changes: Partial<Capabilities>) => {
  const tables = MemorySandboxBooks.make()
  const gateway = AdversarialGateway.make("bank", {
    tables,
    capabilities: changes,
    background: (effect) => void Effect.runFork(effect)
  })
  const chargesOf = (payment: PaymentId) =>
    Effect.sync(() => [...tables.charges.values()].filter((charge) => charge.payment === payment).length)
  Contract.suite(`adversarial, ${name}`, Layer.succeed(GatewayUnderTest, { gateway, chargesOf }), {
    ...capabilities,
    ...changes
  })
}

suite("with every promise", {})
suite("with few promises", {
  autoCapture: true,
  partialCapture: false,
  multipleCaptures: false,
  partialRefund: false,
  lookup: "none"
})
suite("with a lookup that lags and stored errors", { ...keeping({ storesErrors: true }), lookup: "eventual" })
