import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import { order, withApi } from "./Api.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)
const problem = (name: string) => `urn:florin:problem:${name}`

describe("the payments API", () => {
  it.live("takes a payment and answers it with everything that is known", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const created = await call("POST", "/v1/payments", {
          key: "k1",
          body: { ...order, customer: "c1", reference: "order 1", metadata: { cart: "7" } }
        })
        assert.strictEqual(created.status, 201)
        assert.isNull(created.headers.get("idempotent-replayed"))
        const { createdAt, id, updatedAt, ...rest } = created.body
        assert.match(String(id), /^pay_[0-9a-z]{26}$/)
        assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT.*Z$/)
        assert.isTrue(String(updatedAt) >= String(createdAt))
        assert.deepStrictEqual(rest, {
          status: "succeeded",
          escalated: false,
          amount: 1099,
          currency: "EUR",
          capture: "automatic",
          authorizedAmount: 1099,
          capturedAmount: 1099,
          refundedAmount: 0,
          disputedAmount: 0,
          gateway: "bank",
          paymentMethod: "tok_visa",
          customer: "c1",
          reference: "order 1",
          metadata: { cart: "7" },
          refunds: [],
          disputes: [],
          version: 5
        })
        assert.deepStrictEqual((await call("GET", `/v1/payments/${String(id)}`)).body, created.body)
      })
    )
  )

  it.live("captures, refunds and cancels, and refuses what the state refuses with the rule", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const held = await call("POST", "/v1/payments", { key: "k1", body: { ...order, capture: "manual" } })
        const path = `/v1/payments/${String(held.body.id)}`
        assert.deepInclude(held.body, { status: "authorized", authorizedAmount: 1099, capturedAmount: 0 })

        const tooMuch = await call("POST", `${path}/capture`, { body: { amount: 1100 } })
        assert.strictEqual(tooMuch.status, 409)
        assert.strictEqual(tooMuch.headers.get("content-type"), "application/problem+json")
        assert.deepInclude(tooMuch.body, {
          type: problem("operation-refused"),
          state: "Authorized",
          rule: "AboveAuthorized"
        })

        const captured = await call("POST", `${path}/capture`, { body: { amount: 1000 } })
        assert.deepInclude(captured.body, { status: "succeeded", capturedAmount: 1000 })
        const part = await call("POST", `${path}/refunds`, { body: { amount: 300, reason: "one returned" } })
        assert.deepInclude(part.body, { refundedAmount: 300 })
        const rest = await call("POST", `${path}/refunds`)
        assert.deepInclude(rest.body, { refundedAmount: 1000 })
        assert.strictEqual((rest.body.refunds as Array<unknown>).length, 2)
        const none = await call("POST", `${path}/refunds`)
        assert.deepInclude(none.body, { status: 409, rule: "AboveCaptured" })
        const late = await call("POST", `${path}/cancel`)
        assert.deepInclude(late.body, { status: 409, state: "Captured", rule: "WrongState" })

        const other = await call("POST", "/v1/payments", { key: "k2", body: { ...order, capture: "manual" } })
        const cancelled = await call("POST", `/v1/payments/${String(other.body.id)}/cancel`, { body: {} })
        assert.deepInclude(cancelled.body, { status: "cancelled", capturedAmount: 0 })
      })
    )
  )

  it.live("sends the customer away and takes them back", () =>
    Effect.flatMap(
      ScriptedGateway.make("bank", (asked) =>
        asked.call._tag === "Authorize"
          ? Effect.succeed({
              _tag: "ActionRequired",
              reference: "ch_1" as never,
              action: { type: "redirect", url: "https://bank.example/3ds" }
            })
          : Workshop.agreeable(asked)
      ),
      (gateway) =>
        withApi({ gateways: [gateway] }, async (call) => {
          const created = await call("POST", "/v1/payments", { key: "k1", body: order })
          assert.deepInclude(created.body, { status: "requires_action" })
          assert.deepInclude(created.body.nextAction, { type: "redirect", url: "https://bank.example/3ds" })
          const path = `/v1/payments/${String(created.body.id)}/actions/complete`
          const done = await call("POST", path, { body: { result: "authenticated" } })
          assert.deepInclude(done.body, { status: "succeeded" })
          assert.notProperty(done.body, "nextAction")
          assert.deepInclude((await call("POST", path)).body, { status: "succeeded", version: done.body.version })
        })
    )
  )

  it.live("lists a payment's events, amounts as text", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { body } = await call("POST", "/v1/payments", { key: "k1", body: order })
        const reply = await call("GET", `/v1/payments/${String(body.id)}/events`)
        const events = reply.body.events as Array<{ version: number; event: { _tag: string; amount?: unknown } }>
        assert.deepStrictEqual(
          events.map(({ event, version }) => `${version} ${event._tag}`),
          ["1 Initiated", "2 AuthorizationBegun", "3 Authorized", "4 CaptureBegun", "5 Captured"]
        )
        assert.deepStrictEqual(events[4]!.event.amount, { currency: "EUR", minor: "1099" })
      })
    )
  )

  it.live("answers 202 when the payment takes longer than it waits, and goes on", () =>
    Effect.flatMap(
      ScriptedGateway.make("bank", (asked) => Effect.delay(Workshop.agreeable(asked), "300 millis")),
      (gateway) =>
        withApi({ gateways: [gateway], waits: { answerMillis: 50 } }, async (call) => {
          const slow = await call("POST", "/v1/payments", { key: "k1", body: order })
          assert.strictEqual(slow.status, 202)
          assert.deepInclude(slow.body, { status: "processing" })
          const early = await call("POST", "/v1/payments", { key: "k1", body: order })
          assert.strictEqual(early.status, 409)
          assert.strictEqual(early.headers.get("retry-after"), "1")
          assert.deepInclude(early.body, { type: problem("request-in-flight"), payment: slow.body.id })
          let settled = early
          while (settled.status !== 201) {
            // A turn of the event loop, or the gateway's timer would never fire.
            await setImmediate()
            settled = await call("POST", "/v1/payments", { key: "k1", body: order })
          }
          assert.deepInclude(settled.body, { id: slow.body.id, status: "succeeded" })
          assert.strictEqual(settled.headers.get("idempotent-replayed"), "true")
        })
    )
  )

  it.live("tells that it is alive and ready, and what it can do", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        assert.deepStrictEqual((await call("GET", "/healthz")).body, { status: "ok" })
        assert.deepStrictEqual((await call("GET", "/readyz")).body, { status: "ok" })
        const { body } = await call("GET", "/openapi.json")
        assert.includeMembers(Object.keys(body.paths as object), [
          "/v1/payments",
          "/v1/payments/{id}",
          "/v1/payments/{id}/capture",
          "/v1/payments/{id}/cancel",
          "/v1/payments/{id}/refunds",
          "/v1/payments/{id}/actions/complete",
          "/v1/payments/{id}/events",
          "/healthz",
          "/readyz"
        ])
      })
    )
  )
})

describe("idempotency keys", () => {
  it.live("a repeat answers the same body and says so, whatever happened since", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const first = await call("POST", "/v1/payments", { key: "k1", body: order })
        await call("POST", `/v1/payments/${String(first.body.id)}/refunds`)
        const again = await call("POST", "/v1/payments", { key: "k1", body: { ...order } })
        assert.strictEqual(again.status, 201)
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(again.body, first.body)
      })
    )
  )

  it.live("of three creations with one key at once, one payment is made", () => {
    const database = MemoryDatabase.make()
    return Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway], database }, async (call) => {
        const replies = await Promise.all([1, 2, 3].map(() => call("POST", "/v1/payments", { key: "k1", body: order })))
        const ids = new Set(replies.filter(({ status }) => status === 201).map(({ body }) => body.id))
        assert.strictEqual(ids.size, 1)
        assert.isTrue(replies.every(({ status }) => status === 201 || status === 409))
        assert.strictEqual(database.streams.size, 1)
        const events = [...database.streams.values()].flatMap((row) => row.events)
        assert.strictEqual(events.filter(({ event }) => event._tag === "Initiated").length, 1)
      })
    )
  })

  it.live("the same key with a nested field changed is a conflict that names it", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        await call("POST", "/v1/payments", { key: "k1", body: { ...order, metadata: { cart: "7", note: "a" } } })
        const other = await call("POST", "/v1/payments", {
          key: "k1",
          body: { ...order, metadata: { cart: "7", note: "b" } }
        })
        assert.strictEqual(other.status, 422)
        assert.deepInclude(other.body, { type: problem("idempotency-key-reused"), field: "metadata.note" })
        const differing: ReadonlyArray<readonly [change: object, field: string]> = [
          [{ amount: 1 }, "amount"],
          [{ currency: "USD" }, "currency"],
          [{ paymentMethods: ["tok_amex"] }, "paymentMethods.0"],
          [{ capture: "manual" }, "capture"]
        ]
        for (const [change, field] of differing) {
          const { body } = await call("POST", "/v1/payments", {
            key: "k1",
            body: { ...order, metadata: { cart: "7", note: "a" }, ...change }
          })
          assert.deepInclude(body, { status: 422, field })
        }
      })
    )
  )

  it.live("a capture is made once per key, and its key is no other request's", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const held = await call("POST", "/v1/payments", { key: "k1", body: { ...order, capture: "manual" } })
        const path = `/v1/payments/${String(held.body.id)}`
        const first = await call("POST", `${path}/capture`, { key: "c1", body: { amount: 500 } })
        const again = await call("POST", `${path}/capture`, { key: "c1", body: { amount: 500 } })
        assert.deepStrictEqual(again.body, first.body)
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        const other = await call("POST", `${path}/capture`, { key: "c1", body: { amount: 501 } })
        assert.deepInclude(other.body, { status: 422, field: "amount" })
        const elsewhere = await call("POST", `${path}/refunds`, { key: "c1", body: { amount: 500 } })
        assert.deepInclude(elsewhere.body, { status: 422, field: "operation" })
        const creation = await call("POST", "/v1/payments", { key: "c1", body: order })
        assert.strictEqual(creation.status, 422)
        assert.strictEqual((await gateway.asked.pipe(Effect.runPromise)).length, 2)
      })
    )
  )

  it.live("a refund is made once per key, and twice without one", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const { body } = await call("POST", "/v1/payments", { key: "k1", body: order })
        const path = `/v1/payments/${String(body.id)}/refunds`
        await call("POST", path, { key: "r1", body: { amount: 100 } })
        await call("POST", path, { key: "r1", body: { amount: 100 } })
        assert.deepInclude((await call("POST", path, { body: { amount: 100 } })).body, { refundedAmount: 200 })
        assert.deepInclude((await call("POST", path, { body: { amount: 100 } })).body, { refundedAmount: 300 })
      })
    )
  )

  it.live("a refusal is not the key's final answer", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const held = await call("POST", "/v1/payments", { key: "k1", body: { ...order, capture: "manual" } })
        const path = `/v1/payments/${String(held.body.id)}`
        assert.strictEqual((await call("POST", `${path}/refunds`, { key: "r1" })).status, 409)
        await call("POST", `${path}/capture`)
        assert.deepInclude((await call("POST", `${path}/refunds`, { key: "r1" })).body, { refundedAmount: 1099 })
      })
    )
  )
})
