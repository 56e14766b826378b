import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger } from "effect"
import { GatewayName, Reference } from "../../../src/domain/payment/Gateway.ts"
import type * as Notification from "../../../src/domain/payment/Notification.ts"
import { idOf } from "../../../src/domain/payment/Operation.ts"
import { PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import { secretOf } from "../../../src/domain/webhook/StandardWebhooks.ts"
import { maxBodyBytes } from "../../../src/edge/http/GatewayWebhooksHandlers.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as SandboxWebhook from "../../../src/infra/simulated/SandboxWebhook.ts"
import * as WebhookWorker from "../../../src/orchestration/WebhookWorker.ts"
import { now } from "../../../src/orchestration/Clocks.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import { order, withApi } from "./Api.ts"

const secret = secretOf(new Uint8Array(32).fill(1))
const bank = GatewayName.make("bank")

/** Signed as the sandbox signs; what it asks never answers. */
const webhook = {
  ...SandboxWebhook.make({ name: bank, find: () => Effect.never }, { secrets: [secret] }),
  acknowledgement: "[accepted]"
}

const notification = (payment: string): Notification.Notification => ({
  id: "evt_1",
  gateway: bank,
  at: 1_700_000_000_000 as Notification.Notification["at"],
  news: {
    _tag: "Answered",
    operation: idOf(PaymentId.make(payment), "authorize", 1),
    answer: { _tag: "Approved", reference: Reference.make("ch_1"), captured: false }
  }
})

const setting = Effect.gen(function* () {
  const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
  const database = MemoryDatabase.make()
  const { body, headers } = SandboxWebhook.deliveryOf(notification("pay_1"), secret, yield* now)
  return {
    database,
    options: { gateways: [gateway], database, webhooks: [webhook] },
    text: new TextDecoder().decode(body),
    headers
  }
})

describe("POST /v1/webhooks/{gateway}", () => {
  it.live("stores what the gateway signed, answers what it wants to hear, and needs nothing else", () =>
    Effect.gen(function* () {
      const { database, headers, options, text } = yield* setting
      yield* withApi(options, async (_call, send) => {
        for (const type of ["application/json", "text/plain"]) {
          const reply = await send("POST", "/v1/webhooks/bank", { headers: { ...headers, "content-type": type }, text })
          assert.deepStrictEqual([reply.status, await reply.text()], [200, "[accepted]"])
        }
      })
      assert.strictEqual(database.inbox.size, 1)
      const [row] = database.inbox.values()
      assert.strictEqual(new TextDecoder().decode(row!.received.body), text)
    })
  )

  it.live("answers while the worker stands still, the gateway is silent and payments cannot be read", () =>
    Effect.gen(function* () {
      const { database, headers, options, text } = yield* setting
      // The worker has a delivery in hand that it never gets done with.
      const stuck = SandboxWebhook.deliveryOf({ ...notification("pay_2"), id: "evt_0" }, secret, yield* now)
      const between = () => ({ load: () => Effect.never, append: () => Effect.never, claim: () => Effect.never })
      const services = yield* Layer.build(
        Layer.merge(Workshop.layer({ ...options, between, seed: 2 }), Logger.layer([]))
      )
      const worker = yield* Effect.forkChild(
        Effect.provideContext(
          WebhookWorker.daemon({ ...WebhookWorker.defaults, readMillis: 3_600_000, batch: 1 }),
          services
        )
      )
      yield* withApi({ ...options, between }, async (_call, send) => {
        const first = await send("POST", "/v1/webhooks/bank", {
          headers: stuck.headers,
          text: new TextDecoder().decode(stuck.body)
        })
        assert.strictEqual(first.status, 200)
        while (![...database.inbox.values()].some(({ owner }) => owner !== undefined)) {
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        const reply = await send("POST", "/v1/webhooks/bank", { headers, text })
        assert.strictEqual(reply.status, 200)
      })
      assert.strictEqual(database.inbox.size, 2)
      yield* Fiber.interrupt(worker)
    }).pipe(Effect.scoped)
  )

  it.live("refuses what it does not know to come from the gateway, and does not say what would be right", () =>
    Effect.gen(function* () {
      const { database, headers, options, text } = yield* setting
      yield* withApi(options, async (call) => {
        const refused = async (changes: Record<string, string>, sent = text) => {
          const reply = await call("POST", "/v1/webhooks/bank", { headers: { ...headers, ...changes }, text: sent })
          assert.deepInclude(reply.body, {
            type: "urn:florin:problem:webhook-unverified",
            status: 401,
            title: "The webhook is not known to come from its gateway"
          })
          assert.strictEqual(reply.status, 401)
          assert.notInclude(JSON.stringify(reply.body), headers["webhook-signature"]!.slice(3))
          return reply.body.detail
        }
        const unsigned = "webhook-signature holds no signature by a secret that is known"
        assert.strictEqual(await refused({ "webhook-signature": "v1,AAAA" }), unsigned)
        assert.strictEqual(await refused({}, `${text} `), unsigned)
        assert.strictEqual(await refused({ "webhook-timestamp": "1" }), "webhook-timestamp is too old")
        const bare = await call("POST", "/v1/webhooks/bank", { text })
        assert.deepInclude(bare.body, { status: 401, detail: "webhook-id is missing" })
      })
      assert.strictEqual(database.inbox.size, 0)
    })
  )

  it.live("knows no gateway that sends none, and no other method", () =>
    Effect.gen(function* () {
      const { headers, options, text } = yield* setting
      yield* withApi(options, async (call) => {
        for (const name of ["nobody", "BANK", "bank%00", "__proto__"]) {
          const reply = await call("POST", `/v1/webhooks/${name}`, { headers, text })
          assert.deepInclude(reply.body, { type: "urn:florin:problem:gateway-not-found", status: 404 }, name)
        }
        assert.strictEqual((await call("GET", "/v1/webhooks/bank")).status, 404)
      })
    })
  )

  it.live("takes a body of a megabyte and none that is larger", () =>
    Effect.gen(function* () {
      const { database, headers, options } = yield* setting
      yield* withApi(options, async (call) => {
        const sized = (bytes: number) => call("POST", "/v1/webhooks/bank", { headers, text: "x".repeat(bytes) })
        assert.strictEqual((await sized(maxBodyBytes)).status, 401)
        const reply = await sized(maxBodyBytes + 1)
        assert.deepInclude(reply.body, { type: "urn:florin:problem:body-too-large", status: 413, maxBytes: 1_048_576 })
      })
      assert.strictEqual(database.inbox.size, 0)
    })
  )

  it.live("asks the gateway to come again when the store does not answer", () =>
    Effect.gen(function* () {
      const { headers, options, text } = yield* setting
      yield* withApi({ ...options, inbox: "down" }, async (call) => {
        const reply = await call("POST", "/v1/webhooks/bank", { headers, text })
        assert.deepInclude(reply.body, { type: "urn:florin:problem:unavailable", status: 503 })
        // Payments are taken all the same.
        assert.strictEqual((await call("POST", "/v1/payments", { key: "k1", body: order })).status, 201)
      })
    })
  )
})
