import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Found } from "../../../src/adapters/PaymentGateway.ts"
import { GatewayError, NotSent } from "../../../src/adapters/PaymentGateway.ts"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import { GatewayName, Reference } from "../../../src/domain/payment/Gateway.ts"
import type * as Notification from "../../../src/domain/payment/Notification.ts"
import { idOf } from "../../../src/domain/payment/Operation.ts"
import { DisputeId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import { secretOf } from "../../../src/domain/webhook/StandardWebhooks.ts"
import * as SandboxWebhook from "../../../src/infra/simulated/SandboxWebhook.ts"
import { at, later } from "../../../src/testing/contract/Samples.ts"

const [old, fresh] = [secretOf(new Uint8Array(32).fill(1)), secretOf(new Uint8Array(32).fill(2))]
const name = GatewayName.make("sandbox")
const payment = PaymentId.make("pay_1")
const operation = idOf(payment, "authorize", 1)

const told = (answer: Answer): Notification.Notification => ({
  id: "evt_1",
  gateway: name,
  at,
  news: { _tag: "Answered", operation, answer }
})
const approved: Answer = { _tag: "Approved", reference: Reference.make("ch_1"), captured: false }
const opened: Notification.Notification = {
  id: "evt_2",
  gateway: name,
  at,
  news: { _tag: "DisputeOpened", payment, dispute: DisputeId.make("dp_1"), amount: { currency: "EUR", minor: 5n } }
}

const webhookOf = (found: Effect.Effect<Found, GatewayError>, secrets = [fresh, old]) =>
  SandboxWebhook.make({ name, find: () => found }, { secrets })
const silent = webhookOf(Effect.die(new Error("nobody is to be asked")))

describe("SandboxWebhook.verify", () => {
  it("knows what the sandbox signed, by either secret, and names what it is about", () => {
    for (const secret of [fresh, old]) {
      assert.deepStrictEqual(
        silent.verify(SandboxWebhook.deliveryOf(told(approved), secret, at), at),
        Result.succeed([{ id: "evt_1", about: "pay_1/auth/1 answered Approved" }])
      )
    }
    assert.deepStrictEqual(
      silent.verify(SandboxWebhook.deliveryOf(opened, fresh, at), later(299_000)),
      Result.succeed([{ id: "evt_2", about: "dispute dp_1 of pay_1 opened" }])
    )
  })

  it("takes nothing without a secret, by another, of another time, or with another byte", () => {
    const delivery = SandboxWebhook.deliveryOf(told(approved), old, at)
    const refused = (verdict: ReturnType<typeof silent.verify>) => Result.isFailure(verdict) && verdict.failure.detail
    const unsigned = "webhook-signature holds no signature by a secret that is known"
    const never = Effect.never
    assert.strictEqual(refused(webhookOf(never, []).verify(delivery, at)), unsigned)
    assert.strictEqual(refused(webhookOf(never, [fresh]).verify(delivery, at)), unsigned)
    assert.strictEqual(refused(silent.verify(delivery, later(301_000))), "webhook-timestamp is too old")
    const body = Uint8Array.from(delivery.body)
    body[body.length - 2] = 0x20
    assert.strictEqual(refused(silent.verify({ ...delivery, body }, at)), unsigned)
  })
})

describe("SandboxWebhook.read", () => {
  const bodyOf = (notification: Notification.Notification) => SandboxWebhook.deliveryOf(notification, fresh, at).body
  const declined: Answer = { _tag: "Declined", decline: { code: "51", category: "final" } }

  it.effect("believes the books and not the body", () =>
    Effect.gen(function* () {
      const webhook = webhookOf(Effect.succeed({ _tag: "Found", answer: declined }))
      assert.deepStrictEqual(yield* webhook.read(bodyOf(told(approved))), [told(declined)])
    })
  )

  it.effect("has to ask again for what the books do not know, or do not say", () =>
    Effect.gen(function* () {
      const unknown = yield* Effect.flip(webhookOf(Effect.succeed({ _tag: "NotFound" })).read(bodyOf(told(approved))))
      assert.strictEqual(unknown.message, "sandbox, pay_1/auth/1: InDoubt (NotFound)")
      const down = new GatewayError({ gateway: name, operation, reason: new NotSent({ because: "ConnectionRefused" }) })
      assert.strictEqual(yield* Effect.flip(webhookOf(Effect.fail(down)).read(bodyOf(told(approved)))), down)
    })
  )

  it.effect("has only the body for a dispute", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* silent.read(bodyOf(opened)), [opened])
    })
  )

  it.effect("says what it cannot read, without a card number in it", () =>
    Effect.gen(function* () {
      const unreadable = (text: string) =>
        Effect.map(Effect.flip(silent.read(new TextEncoder().encode(text))), (error) => [error._tag, error.message])
      assert.deepStrictEqual((yield* unreadable("{"))[0], "UnreadableWebhook")
      const [tag, message] = yield* unreadable(JSON.stringify({ id: "evt_1", gateway: "4111111111111111" }))
      assert.strictEqual(tag, "UnreadableWebhook")
      assert.notInclude(message, "4111111111111111")
      const stray = { ...opened, gateway: GatewayName.make("sandbox-backup") }
      assert.deepStrictEqual(yield* unreadable(new TextDecoder().decode(bodyOf(stray))), [
        "UnreadableWebhook",
        "it is of sandbox-backup, and came to sandbox"
      ])
    })
  )
})
