import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Struct } from "effect"
import { TestClock } from "effect/testing"
import { Notifier, NotifierError, Refused } from "../../../src/adapters/Notifier.ts"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as MemorySubscriptionRepository from "../../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as PaymentRecovery from "../../../src/orchestration/PaymentRecovery.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import { keyOf } from "../../../src/orchestration/subscription/BillingSaga.ts"
import * as BillingWorker from "../../../src/orchestration/subscription/BillingWorker.ts"
import * as SubscriptionPolicy from "../../../src/orchestration/subscription/SubscriptionPolicy.ts"
import * as SubscriptionProcess from "../../../src/orchestration/subscription/SubscriptionProcess.ts"
import * as Subscriptions from "../../../src/orchestration/subscription/Subscriptions.ts"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as Money from "../../../src/domain/Money.ts"
import { TimeZone } from "../../../src/domain/subscription/BillingAnchor.ts"
import type { SubscriptionNotice } from "../../../src/domain/subscription/SubscriptionNotice.ts"
import { letterOf } from "../../../src/orchestration/subscription/SubscriptionNotices.ts"
import { CouponCode } from "../../../src/domain/subscription/Coupon.ts"
import { InvoiceId } from "../../../src/domain/subscription/Invoice.ts"
import { at, basic, id, method, pro, request, terms } from "../../domain/subscription/Subscriptions.ts"
import * as Workshop from "../Workshop.ts"

const ada = terms({ email: "ada@example.org" })

/** A shop with one gateway; `script` is what the gateway says. */
const shop = <A, E>(
  script: ScriptedGateway.Script,
  story: Effect.Effect<
    A,
    E,
    Subscriptions.Subscriptions | SubscriptionProcess.Needs | MemoryNotifier.SentNotices | Workshop.Services
  >
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at("2027-01-31T10:00:00Z"))
    const gateway = yield* ScriptedGateway.make("bank", script)
    const database = MemoryDatabase.make()
    const world = Subscriptions.layer.pipe(
      Layer.provideMerge(MemorySubscriptionRepository.layer),
      Layer.provide(Layer.succeed(MemoryDatabase.MemoryDatabase, database)),
      Layer.provideMerge(MemoryNotifier.layer),
      Layer.provideMerge(Layer.succeed(SubscriptionPolicy.SubscriptionPolicy, SubscriptionPolicy.defaults)),
      Layer.provideMerge(Workshop.layer({ gateways: [gateway], database }))
    )
    return yield* Effect.provide(story, world)
  })

const payments = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const { payments } = yield* repository.list({}, { limit: 100 })
  return payments
    .toReversed()
    .map(({ amountMinor, method, reference, status }) => `${reference} ${amountMinor} ${method} ${status}`)
})

const days = (count: number) => TestClock.adjust(`${count} days`)
const toldKinds = Effect.map(MemoryNotifier.SentNotices, (sent) => [...sent.values()].map(({ kind }) => kind))
const declining = (times: number, category: "retryLater" | "otherInstrument"): ScriptedGateway.Script => {
  let left = times
  return (asked) => {
    if (asked.call._tag !== "Authorize" || left === 0) return Workshop.agreeable(asked)
    left -= 1
    return Effect.succeed(Workshop.declined(category))
  }
}

describe("subscriptions", () => {
  it.effect("charge the first period at once and tell of it, then each period once when it is due", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        const first = yield* subscriptions.subscribe(ada)
        assert.deepInclude(first, {
          status: "active",
          period: { start: at("2027-01-31T10:00:00Z"), end: at("2027-02-28T10:00:00Z") }
        })
        assert.deepStrictEqual(yield* subscriptions.subscribe(ada), first)
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 0, failed: 0 })
        yield* days(28)
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 1, failed: 0 })
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 0, failed: 0 })
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa succeeded",
          "sub_1/inv/2 3000 tok_visa succeeded"
        ])
        const sent = [...(yield* MemoryNotifier.SentNotices).values()]
        assert.deepStrictEqual<unknown>(sent, [
          {
            id: "subscription/sub_1/5",
            kind: "subscription.receipt",
            to: "ada@example.org",
            subject: "Basic: your receipt",
            text: "We have received 30.00 EUR for invoice sub_1/inv/1. Thank you."
          },
          {
            id: "subscription/sub_1/9",
            kind: "subscription.receipt",
            to: "ada@example.org",
            subject: "Basic: your receipt",
            text: "We have received 30.00 EUR for invoice sub_1/inv/2. Thank you."
          }
        ])
        const register = yield* subscriptions.invoices({ merchant: ada.merchant, limit: 10 })
        assert.deepStrictEqual(
          register.map(({ invoice, number, status }) => `${number} ${invoice.id} ${status}`),
          ["1 sub_1/inv/1 paid", "2 sub_1/inv/2 paid"]
        )
        // The billing record names the payment, and the payment the invoice.
        const repository = yield* PaymentRepository
        const made = (yield* repository.list({}, { limit: 10 })).payments.map(({ id: payment, reference }) => [
          reference,
          payment
        ])
        assert.sameDeepMembers(
          register.map(({ invoice, payment }) => [invoice.id, payment]),
          made
        )
      })
    )
  )

  it.effect("bill a period once, however many workers meet over it", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* subscriptions.subscribe(ada)
        yield* days(28)
        yield* Effect.all(
          Array.from({ length: 5 }, () => BillingWorker.sweep()),
          { concurrency: "unbounded" }
        )
        yield* days(1)
        yield* BillingWorker.sweep()
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa succeeded",
          "sub_1/inv/2 3000 tok_visa succeeded"
        ])
        assert.strictEqual((yield* subscriptions.get(id)).status, "active")
      })
    )
  )

  it.effect("try a declined card again on its schedule, each time as a new payment, and go on when it pays", () =>
    shop(
      declining(2, "retryLater"),
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        assert.strictEqual((yield* subscriptions.subscribe(ada)).status, "grace")
        yield* days(1)
        yield* BillingWorker.sweep()
        assert.strictEqual((yield* subscriptions.get(id)).status, "grace")
        yield* days(2)
        yield* BillingWorker.sweep()
        assert.strictEqual((yield* subscriptions.get(id)).status, "active")
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa failed",
          "sub_1/inv/1 3000 tok_visa failed",
          "sub_1/inv/1 3000 tok_visa succeeded"
        ])
        assert.deepStrictEqual(yield* toldKinds, [
          "subscription.chargeFailed",
          "subscription.chargeFailed",
          "subscription.receipt"
        ])
      })
    )
  )

  it.effect("try a new card at once, and cancel what nobody pays", () =>
    shop(
      declining(2, "otherInstrument"),
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* subscriptions.subscribe(ada)
        yield* days(4)
        yield* BillingWorker.sweep()
        assert.strictEqual((yield* subscriptions.get(id)).status, "past_due")
        yield* subscriptions.updateMethod(id, request("m1"), method("tok_bad"))
        const paid = yield* subscriptions.updateMethod(id, request("m2"), method("tok_good"))
        assert.strictEqual(paid.status, "active")
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa failed",
          "sub_1/inv/1 3000 tok_bad failed",
          "sub_1/inv/1 3000 tok_good succeeded"
        ])
      })
    )
  )

  it.effect("never begin a second charge while the first is in doubt, and take its outcome when it is known", () =>
    shop(
      Workshop.failing(6, Workshop.lost),
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* Effect.forkChild(subscriptions.subscribe(ada))
        yield* TestClock.adjust("11 seconds")
        const charging = yield* subscriptions.get(id)
        assert.deepInclude(charging.openInvoice, { id: InvoiceId.make("sub_1/inv/1"), attempts: 1 })
        assert.strictEqual(charging.status, "active")
        // It is looked at again in a minute, and another card meanwhile is not another request under the same key.
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 0, failed: 0 })
        yield* Effect.forkChild(subscriptions.updateMethod(id, request("m"), method("tok_new")))
        yield* Effect.forkChild(PaymentRecovery.daemon(2000))
        yield* Effect.forkChild(BillingWorker.daemon(2000))
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(yield* payments, ["sub_1/inv/1 3000 tok_visa in_doubt"])
        for (let minute = 0; minute < 20; minute++) yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* payments, ["sub_1/inv/1 3000 tok_visa succeeded"])
        const paid = yield* subscriptions.get(id)
        assert.deepInclude(paid, { status: "active", method: method("tok_new") })
        assert.isUndefined(paid.openInvoice)
      })
    )
  )

  it.effect("wait for a customer who is at their bank, and hear of it when they come back", () =>
    shop(
      (asked) =>
        asked.call._tag === "Authorize"
          ? Effect.succeed({
              _tag: "ActionRequired",
              reference: Reference.make("ch_1"),
              action: { type: "redirect", url: "https://bank.example/3ds" }
            })
          : Workshop.agreeable(asked),
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        const begun = yield* subscriptions.subscribe(ada)
        assert.deepInclude(begun.openInvoice, { attempts: 1 })
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 1, failed: 0 })
        assert.deepStrictEqual(yield* payments, ["sub_1/inv/1 3000 tok_visa requires_action"])
        const repository = yield* PaymentRepository
        const [payment] = (yield* repository.list({}, { limit: 1 })).payments
        yield* Effect.flatMap(Payments, ({ completeAction }) => completeAction(payment!.id, undefined))
        yield* TestClock.adjust("2 minutes")
        yield* BillingWorker.sweep()
        assert.isUndefined((yield* subscriptions.get(id)).openInvoice)
        assert.deepStrictEqual(yield* payments, ["sub_1/inv/1 3000 tok_visa succeeded"])
      })
    )
  )

  it.effect("are billed though nobody can be told of it", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* subscriptions.subscribe(ada)
        yield* days(28)
        const mute = Notifier.of({
          notify: ({ id: notice }) =>
            Effect.fail(new NotifierError({ notice, notifier: "mute", reason: new Refused({ detail: "no mailbox" }) }))
        })
        const fiber = yield* Effect.forkChild(Effect.provideService(BillingWorker.sweep(), Notifier, mute))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), { found: 1, failed: 0 })
        assert.isUndefined((yield* subscriptions.get(id)).openInvoice)
      })
    )
  )

  it.effect("charge an upgrade's difference at once, once for its request, and credit what a cancellation leaves", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* subscriptions.subscribe(ada)
        yield* days(14)
        const up = yield* subscriptions.changePlan(id, request("up"), pro)
        assert.deepStrictEqual(yield* subscriptions.changePlan(id, request("up"), pro), up)
        yield* days(7)
        const over = yield* subscriptions.cancel(id, request("bye"), "now")
        assert.deepInclude(over, { status: "cancelled", creditMinor: 15_00n })
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa succeeded",
          "sub_1/inv/2 1500 tok_visa succeeded"
        ])
        const register = yield* subscriptions.invoices({ merchant: ada.merchant, limit: 10, subscription: id })
        assert.deepStrictEqual(
          register.map(({ invoice, number }) => [number, invoice.totalMinor]),
          [
            [1, 30_00n],
            [2, 15_00n],
            [3, -15_00n]
          ]
        )
      })
    )
  )

  it.effect("end with their period where that was asked, and can be paused, resumed and given a coupon", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        yield* subscriptions.subscribe(ada)
        assert.strictEqual((yield* subscriptions.pause(id, request("p"))).status, "paused")
        yield* days(40)
        assert.deepStrictEqual(yield* BillingWorker.sweep(), { found: 0, failed: 0 })
        const coupon = {
          code: CouponCode.make("HALF"),
          off: { _tag: "Percent", basisPoints: 5000 },
          duration: { _tag: "Once" }
        } as const
        yield* subscriptions.applyCoupon(id, request("c"), coupon)
        const back = yield* subscriptions.resume(id, request("r"))
        assert.deepInclude(back, {
          status: "active",
          period: { start: at("2027-03-12T10:00:00Z"), end: at("2027-04-12T10:00:00Z") }
        })
        yield* subscriptions.cancel(id, request("bye"), "periodEnd")
        yield* days(31)
        yield* BillingWorker.sweep()
        assert.strictEqual((yield* subscriptions.get(id)).status, "ended")
        assert.deepStrictEqual(yield* payments, [
          "sub_1/inv/1 3000 tok_visa succeeded",
          "sub_1/inv/2 1500 tok_visa succeeded"
        ])
      })
    )
  )

  it.effect("say what is wrong: an unknown subscription, a refused command", () =>
    shop(
      Workshop.agreeable,
      Effect.gen(function* () {
        const subscriptions = yield* Subscriptions.Subscriptions
        const unknown = yield* Effect.flip(subscriptions.pause(id, request("p")))
        assert.strictEqual(unknown.message, "there is no subscription sub_1")
        const nowhere = yield* Effect.flip(subscriptions.subscribe({ ...ada, email: "ada" }))
        assert.match(nowhere.message, /NoMailbox, email: expected one mail address, such as .*, got "ada"$/)
        assert.strictEqual((yield* Effect.flip(subscriptions.get(id)))._tag, "SubscriptionNotFound")
        yield* subscriptions.subscribe(ada)
        const refused = yield* Effect.flip(subscriptions.subscribe({ ...ada, plan: pro }))
        assert.strictEqual(refused.message, "Subscribe refused in Active: TermsDiffer")
        assert.strictEqual((yield* subscriptions.get(id)).plan.id, basic.id)
      })
    )
  )
})

describe("a letter", () => {
  const notice = {
    id: "sub_1/5",
    kind: "chargeFailed",
    subscription: id,
    customer: "ada",
    email: "ada@example.org",
    plan: "Basic",
    invoice: InvoiceId.make("sub_1/inv/1"),
    failure: { code: "51", category: "retryLater" }
  } as const
  const text = (changes: Partial<SubscriptionNotice>) =>
    letterOf({ ...notice, zone: TimeZone.make("UTC"), ...changes })[0]?.text

  it("names the day of the next try by the subscription's calendar", () => {
    const retriesAt = at("2027-02-01T22:30:00Z")
    const days = ["America/New_York", "Europe/Berlin", "Pacific/Auckland"].map(
      (zone) => /on ([-0-9]+)/.exec(text({ retriesAt, zone: TimeZone.make(zone) })!)?.[1]
    )
    assert.deepStrictEqual(days, ["2027-02-01", "2027-02-01", "2027-02-02"])
  })

  it("writes an amount with the decimals of its currency", () => {
    const sums = [Money.of("JPY", 1000n), Money.of("EUR", 1000n), Money.of("KWD", 1000n)].map(
      (amount) => text({ amount })!.split(" for ")[0]
    )
    assert.deepStrictEqual(sums, ["1000 JPY", "10.00 EUR", "1.000 KWD"])
  })

  it("goes to nobody who gave no address", () => {
    assert.deepStrictEqual(letterOf(Struct.omit({ ...notice, zone: TimeZone.make("UTC") }, ["email"])), [])
  })
})

describe("the key of a charge", () => {
  it("is of its invoice and attempt, and of nothing else", () => {
    assert.strictEqual(keyOf({ invoice: InvoiceId.make("sub_1/inv/2"), attempt: 3 }), "sub_1/inv/2/charge/3")
  })
})
