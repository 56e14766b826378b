/** Stripe's webhooks: which deliveries are Stripe's, and what their events tell of a payment. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { readFileSync } from "node:fs"
import { Stripe } from "stripe"
import type { Delivery } from "../../../src/adapters/GatewayWebhooks.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as StripeWebhook from "../../../src/infra/stripe/StripeWebhook.ts"
import { callsOf, only, referenceOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { apiOf, gatewayOf } from "./StripeFixture.ts"

// --- Signatures -------------------------------------------------------------

interface Vectors {
  readonly verify: ReadonlyArray<{
    readonly name: string
    readonly header: string
    readonly payload: string
    readonly secret: string
    readonly tolerance: number
    readonly receivedAtMs: number
    readonly expect: string
  }>
  readonly signing: ReadonlyArray<{
    readonly payload: string
    readonly secret: string
    readonly timestamp: number
    readonly header: string
  }>
}

const vectors = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/webhook-vectors.json", import.meta.url), "utf8")
) as Vectors

const never = { ask: () => Effect.die(new Error("a signature is verified without asking anybody")) }

const webhookOf = (settings: Partial<StripeWebhook.Settings> & { readonly secret?: string }) =>
  StripeWebhook.over(never, { secrets: [Redacted.make(settings.secret ?? "whsec_test_secret")], ...settings })

const deliveryOf = (payload: string, header: string): Delivery => ({
  headers: { "stripe-signature": header },
  body: new TextEncoder().encode(payload)
})

const verdictOf = (webhook: ReturnType<typeof webhookOf>, delivery: Delivery, millis: number) =>
  Result.match(webhook.verify(delivery, Instant.make(millis)), {
    onFailure: ({ message }) => `reject: ${message}`,
    onSuccess: () => "ok"
  })

describe("StripeWebhook", () => {
  it("gives all of Stripe's verdicts", () => {
    assert.strictEqual(vectors.verify.length, 19)
    for (const { expect, header, name, payload, receivedAtMs, secret, tolerance } of vectors.verify) {
      // The SDK does not bound the future; florin's own bound is told below.
      const webhook = webhookOf({ secret, toleranceSeconds: tolerance, aheadSeconds: 3600 })
      assert.strictEqual(verdictOf(webhook, deliveryOf(payload, header), receivedAtMs), expect, name)
    }
  })

  it("knows what Stripe signed, other alphabets and line ends included", () => {
    assert.isAtLeast(vectors.signing.length, 6)
    for (const { header, payload, secret, timestamp } of vectors.signing) {
      assert.strictEqual(verdictOf(webhookOf({ secret }), deliveryOf(payload, header), timestamp * 1000), "ok")
    }
  })

  const [exact] = vectors.verify
  const signedAt = exact!.receivedAtMs
  const delivery = deliveryOf(exact!.payload, exact!.header)

  it("refuses what is further ahead than five minutes, unless told otherwise", () => {
    assert.strictEqual(verdictOf(webhookOf({}), delivery, signedAt - 300_000), "ok")
    const ahead = "reject: Timestamp ahead of the tolerance zone"
    assert.strictEqual(verdictOf(webhookOf({}), delivery, signedAt - 301_000), ahead)
    assert.strictEqual(verdictOf(webhookOf({ aheadSeconds: 0 }), delivery, signedAt - 1000), ahead)
    assert.strictEqual(verdictOf(webhookOf({ aheadSeconds: 3600 }), delivery, signedAt - 3_600_000), "ok")
  })

  it("takes any of its secrets, and says what is wrong by the one that signed", () => {
    const both = [Redacted.make("whsec_old"), Redacted.make("whsec_test_secret")] as const
    assert.strictEqual(verdictOf(webhookOf({ secrets: both }), delivery, signedAt), "ok")
    const late = "reject: Timestamp outside the tolerance zone"
    assert.strictEqual(verdictOf(webhookOf({ secrets: both }), delivery, signedAt + 301_000), late)
    assert.match(verdictOf(webhookOf({ secret: "whsec_old" }), delivery, signedAt), /^reject: No signatures found/)
  })

  it("refuses a delivery without a signature, and one that is signed and no event", () => {
    assert.strictEqual(
      verdictOf(webhookOf({}), { headers: {}, body: delivery.body }, signedAt),
      "reject: No stripe-signature header value was provided."
    )
    const payload = "[1, 2]"
    const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: "whsec_test_secret", timestamp: 1000 })
    assert.strictEqual(
      verdictOf(webhookOf({}), deliveryOf(payload, header), 1_000_000),
      "reject: it is signed, and its body is not an event"
    )
  })
})

// --- Reading ----------------------------------------------------------------

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeWebhook, over events", (it) => {
  const setUp = Effect.map(StripeSimulator.Service, (simulator) => {
    const settings = { secrets: [Redacted.make(simulator.webhookSecret)] } as const
    const webhook = StripeWebhook.over(apiOf(simulator), settings)
    let heard = simulator.books.events().length
    const news = Effect.suspend(() => {
      const fresh = simulator.books.events().slice(heard)
      heard = simulator.books.events().length
      return Effect.forEach(fresh, (event) => {
        const { body } = simulator.sign(event)
        return Effect.map(webhook.read(new TextEncoder().encode(body)), (told) =>
          told.map((one) => ({ type: event.type, id: one.id, at: one.at, news: one.news }))
        )
      })
    })
    const gateway = gatewayOf(simulator)
    return { simulator, webhook, gateway, news: Effect.map(news, (all) => all.flat()) }
  })

  it.effect("verifies what the simulator signs, and names the event and what it is about", () =>
    Effect.gen(function* () {
      const { gateway, simulator, webhook } = yield* setUp
      const calls = callsOf(gateway, "pm_card_visa", { capture: "automatic" })
      yield* gateway.authorize(calls.authorize)
      const event = simulator.books.events().at(-1)!
      const verify = (options?: StripeSimulator.SignOptions) => {
        const { body, headers } = simulator.sign(event, options)
        return webhook.verify({ headers, body: new TextEncoder().encode(body) }, Instant.make(Date.now()))
      }
      const [verified] = Result.getOrThrow(verify())
      assert.strictEqual(verified!.id, event.id)
      assert.match(verified!.about ?? "", /^pi_\d+ payment_intent\.succeeded [0-9a-f]{16}$/)
      assert.strictEqual(Result.isSuccess(verify({ secrets: ["whsec_other", simulator.webhookSecret] })), true)
      assert.strictEqual(Result.isFailure(verify({ secrets: ["whsec_other"] })), true)
      assert.strictEqual(Result.isFailure(verify({ timestamp: 1_700_000_000 })), true)
    })
  )

  it.effect("says of one change the same thing under two ids, and of two refunds of one charge two things", () =>
    Effect.gen(function* () {
      const { gateway, simulator, webhook } = yield* setUp
      const calls = callsOf(gateway, "pm_card_visa", { capture: "automatic" })
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* gateway.refund(calls.refund(reference, 3_00n, 1))
      yield* gateway.refund(calls.refund(reference, 3_00n, 2))
      const refunded = simulator.books
        .events()
        .filter(({ type }) => type === "charge.refunded")
        .slice(-2)
      const about = (event: (typeof refunded)[number]) => {
        const { body, headers } = simulator.sign(event)
        const verified = webhook.verify({ headers, body: new TextEncoder().encode(body) }, Instant.make(Date.now()))
        return Result.getOrThrow(verified)[0]!.about
      }
      assert.notStrictEqual(about(refunded[0]!), about(refunded[1]!))
      assert.strictEqual(about({ ...refunded[0]!, id: "evt_another" }), about(refunded[0]!))
    })
  )

  it.effect("tells of a hold, its capture and its refunds under the operations that began them", () =>
    Effect.gen(function* () {
      const { gateway, news } = yield* setUp
      const calls = callsOf(gateway, "pm_card_visa")
      const approved = yield* gateway.authorize(calls.authorize)
      const reference = referenceOf(approved)
      const held = yield* news
      assert.sameMembers(
        held.map(({ type }) => type),
        ["payment_intent.created", "payment_intent.amount_capturable_updated"]
      )
      for (const { news: one } of held) {
        assert.deepStrictEqual(one, { _tag: "Answered", operation: calls.authorize.operation, answer: approved })
      }
      const { expiresAt } = only("Approved", approved)
      assert.closeTo(expiresAt! - Date.now(), 7 * 24 * 60 * 60 * 1000, 60_000)
      const capture = calls.capture(reference, 6_00n)
      yield* gateway.capture(capture)
      const taken = { _tag: "Captured", amount: { currency: "EUR", minor: 6_00n }, reference } as const
      assert.deepStrictEqual(
        (yield* news).map(({ news: one }) => one),
        [{ _tag: "Answered", operation: capture.operation, answer: taken }]
      )
      const refund = calls.refund(reference, 2_00n)
      const answer = yield* gateway.refund(refund)
      const told = yield* news
      assert.sameMembers(
        told.map(({ type }) => type),
        ["refund.created", "charge.refunded"]
      )
      for (const { news: one } of told) {
        assert.deepStrictEqual(one, { _tag: "Answered", operation: refund.operation, answer })
      }
    })
  )

  it.effect("tells of declines and of voids, and says who cancelled", () =>
    Effect.gen(function* () {
      const { gateway, news, simulator } = yield* setUp
      const poor = callsOf(gateway, "pm_card_visa_chargeDeclinedInsufficientFunds")
      const answer = yield* gateway.authorize(poor.authorize)
      const declined = yield* news
      assert.isAtLeast(declined.length, 2)
      for (const { news: one } of declined) {
        assert.deepStrictEqual(one, { _tag: "Answered", operation: poor.authorize.operation, answer })
      }
      const calls = callsOf(gateway, "pm_card_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* news
      const release = calls.void(reference)
      yield* gateway.void(release)
      const last = (yield* news).at(-1)
      assert.deepStrictEqual(last?.news, { _tag: "Answered", operation: release.operation, answer: { _tag: "Voided" } })
      // By other hands: no operation of florin's is named, so it is told of the authorization.
      const other = callsOf(gateway, "pm_card_visa")
      const hold = referenceOf(yield* gateway.authorize(other.authorize))
      yield* news
      yield* Effect.promise(() =>
        fetch(`${simulator.url}/v1/payment_intents/${hold}/cancel`, {
          method: "POST",
          headers: { authorization: `Bearer ${simulator.secretKey}` }
        })
      )
      assert.deepStrictEqual(
        (yield* news).map(({ news: one }) => one),
        [
          {
            _tag: "Answered",
            operation: other.authorize.operation,
            answer: { _tag: "Declined", decline: { code: "canceled", category: "final" }, reference: hold }
          }
        ]
      )
    })
  )

  it.effect("tells what a customer did at their bank, and of money that other hands took", () =>
    Effect.gen(function* () {
      const { gateway, news, simulator } = yield* setUp
      const calls = callsOf(gateway, "pm_card_threeDSecure2Required", { capture: "automatic" })
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* news
      simulator.customer.complete(reference)
      const answer = { _tag: "Approved", reference, captured: true } as const
      assert.deepStrictEqual(
        (yield* news).map(({ news: one }) => one),
        [{ _tag: "Answered", operation: calls.authorize.operation, answer }]
      )
      const held = callsOf(gateway, "pm_card_visa")
      const hold = referenceOf(yield* gateway.authorize(held.authorize))
      yield* news
      const take = (amount: number) =>
        Effect.promise(() =>
          fetch(`${simulator.url}/v1/payment_intents/${hold}/capture`, {
            method: "POST",
            headers: { authorization: `Bearer ${simulator.secretKey}` },
            body: new URLSearchParams({ amount_to_capture: String(amount) })
          })
        )
      yield* take(400)
      assert.deepStrictEqual(
        (yield* news).map(({ news: one }) => one),
        [
          {
            _tag: "Answered",
            operation: held.authorize.operation,
            answer: { _tag: "Captured", amount: { currency: "EUR", minor: 4_00n }, reference: hold }
          }
        ]
      )
    })
  )

  it.effect("tells of refunds that end later, and of those that come back", () =>
    Effect.gen(function* () {
      const { gateway, news, simulator } = yield* setUp
      const refundOf = (token: string) =>
        Effect.gen(function* () {
          const calls = callsOf(gateway, token, { capture: "automatic" })
          const reference = referenceOf(yield* gateway.authorize(calls.authorize))
          const call = calls.refund(reference, 10_00n)
          return { operation: call.operation, answer: yield* gateway.refund(call) }
        })
      const { answer, operation } = yield* refundOf("pm_card_pendingRefund")
      assert.strictEqual(answer._tag, "Pending")
      yield* news
      simulator.books.endRefund(simulator.books.refunds().at(-1)!.id, "succeeded")
      const reference = "reference" in answer ? answer.reference : undefined
      for (const { news: one } of yield* news) {
        assert.deepStrictEqual(one, { _tag: "Answered", operation, answer: { _tag: "Refunded", reference } } as never)
      }
      const failing = yield* refundOf("pm_card_refundFail")
      assert.strictEqual(failing.answer._tag, "Refunded")
      const refused = { _tag: "Refused", code: "expired_or_canceled_card", authorizationGone: false } as const
      assert.deepStrictEqual((yield* news).at(-1)?.news, {
        _tag: "Answered",
        operation: failing.operation,
        answer: refused
      })
    })
  )

  it.effect("tells of disputes, and of one that was closed also that it was opened", () =>
    Effect.gen(function* () {
      const { gateway, news, simulator } = yield* setUp
      const calls = callsOf(gateway, "pm_card_visa", { capture: "automatic" })
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      yield* news
      const { id } = simulator.books.dispute(reference, "product_not_received", 700)
      const opened = {
        _tag: "DisputeOpened",
        payment: calls.payment,
        dispute: id,
        amount: { currency: "EUR", minor: 7_00n },
        reason: "product_not_received"
      }
      assert.deepStrictEqual(
        (yield* news).map(({ news: one }) => one),
        [opened] as never
      )
      simulator.books.closeDispute(id, "lost")
      const both = yield* news
      assert.deepStrictEqual(
        both.map(({ news: one }) => one),
        [opened, { _tag: "DisputeClosed", payment: calls.payment, dispute: id, outcome: "Lost" }] as never
      )
      assert.strictEqual(both[1]!.id, `${both[0]!.id}:1`)
    })
  )

  it.effect("tells nothing of what is not florin's, and says what cannot be read or fetched", () =>
    Effect.gen(function* () {
      const { gateway, news, simulator, webhook } = yield* setUp
      yield* Effect.promise(() =>
        fetch(`${simulator.url}/v1/payment_intents`, {
          method: "POST",
          headers: { authorization: `Bearer ${simulator.secretKey}` },
          body: new URLSearchParams({ amount: "100", currency: "eur" })
        })
      )
      const before = simulator.seen.length
      assert.deepStrictEqual(yield* news, [])
      assert.strictEqual(simulator.seen.length, before)
      const read = (text: string) => Effect.flip(webhook.read(new TextEncoder().encode(text)))
      assert.strictEqual((yield* read("what?"))._tag, "UnreadableWebhook")
      const calls = callsOf(gateway, "pm_card_visa")
      yield* gateway.authorize(calls.authorize)
      const { body } = simulator.sign(simulator.books.events().at(-1)!)
      const elsewhere = yield* read(body.replaceAll(/pi_\d+/g, "pi_elsewhere"))
      assert.strictEqual(elsewhere._tag, "UnreadableWebhook")
      assert.include(elsewhere.message, "resource_missing")
      simulator.faults.plan("GET /v1/payment_intents/{id}", { _tag: "errorBefore", status: 503 })
      assert.strictEqual((yield* read(body))._tag, "GatewayError")
    })
  )

  it.effect("reaches a receiver with all that was not delivered there before", () =>
    Effect.gen(function* () {
      const { gateway, simulator } = yield* setUp
      const receiver = yield* StripeSimulator.make()
      const to = `${receiver.url}/webhooks`
      yield* simulator.deliver(to)
      yield* gateway.authorize(callsOf(gateway, "pm_card_visa").authorize)
      // It is no receiver of webhooks, and says so to each.
      const statuses = yield* simulator.deliver(to)
      assert.isAtLeast(statuses.length, 2)
      assert.deepStrictEqual([...new Set(statuses)], [401])
      assert.deepStrictEqual(yield* simulator.deliver(to), [])
    })
  )
})
