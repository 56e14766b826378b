import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PaymentRepositoryError } from "../../../src/adapters/PaymentRepository.ts"
import { StorageUnavailable } from "../../../src/adapters/Storage.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call, Reply } from "./Api.ts"
import { order, withApi } from "./Api.ts"

const problem = (name: string) => `urn:florin:problem:${name}`

/** Calls the API, and holds that nothing was stored and no gateway asked. */
const refusing = (use: (call: Call) => Promise<void>) =>
  Effect.gen(function* () {
    const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
    const database = MemoryDatabase.make()
    yield* withApi({ gateways: [gateway], database }, use)
    assert.deepStrictEqual(yield* gateway.asked, [])
    assert.strictEqual(database.streams.size + database.keys.size, 0)
  })

const pay = (call: Call, changes: Record<string, unknown>) =>
  call("POST", "/v1/payments", { key: "k1", body: { ...order, ...changes } })

/** Each problem's path and message, joined: `payload.amount: Expected ...`. */
const said = ({ body }: Reply) =>
  (body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>).map(
    ({ message, path }) => `${path.join(".")}: ${message}`
  )

describe("a request that is not valid", () => {
  const amounts = "a positive integer of minor units, at most 9007199254740991"
  const cases: ReadonlyArray<
    readonly [what: string, changes: Record<string, unknown>, ...said: ReadonlyArray<string>]
  > = [
    [
      "an unknown currency",
      { currency: "EUX" },
      'payload.currency: Expected an ISO 4217 currency code such as "EUR", got "EUX"'
    ],
    ["a fraction of a minor unit", { amount: 10.5 }, "payload.amount: Expected an integer, got 10.5"],
    ["an amount of nothing", { amount: 0 }, `payload.amount: Expected ${amounts}, got 0`],
    ["a negative amount", { amount: -1 }, `payload.amount: Expected ${amounts}, got -1`],
    [
      "an amount beyond what a JSON number holds",
      { amount: 2 ** 53 },
      "payload.amount: Expected an integer, got 9007199254740992",
      `payload.amount: Expected ${amounts}, got 9007199254740992`
    ],
    ["an amount as text", { amount: "1099" }, 'payload.amount: Expected number, got "1099"'],
    ["an unknown field", { amnt: 5 }, "payload.amnt: Unexpected key with value 5"],
    ["a missing field", { currency: undefined }, "payload.currency: Missing key"],
    ["no payment method", { paymentMethods: [] }, "payload.paymentMethods.0: Missing key"],
    ["a control character", { reference: "a\u0007b" }, "payload.reference: Expected printable text"],
    ["a lone surrogate", { customer: "\ud800" }, "payload.customer: Expected printable text"],
    ["several at once", { amount: 0, currency: 5 }, "payload.amount: Expected", "payload.currency: Expected"]
  ]
  for (const [what, changes, ...messages] of cases) {
    it.live(`names the field, what was expected and what came: ${what}`, () =>
      refusing(async (call) => {
        const reply = await pay(call, changes)
        assert.strictEqual(reply.status, 400)
        assert.strictEqual(reply.body.type, problem("invalid-request"))
        assert.strictEqual(said(reply).length, messages.length)
        for (const [index, message] of messages.entries()) assert.include(said(reply)[index], message)
      })
    )
  }

  const kinds: ReadonlyArray<readonly [path: string, body: object, said: string]> = [
    [
      "/v1/inventory/beans/north/operations",
      { type: "recieve", quantity: 1 },
      'payload: Expected a `type` of receive, adjust, reserve, release, consume, watch, got {"type":"recieve","quantity":1}'
    ],
    [
      "/v1/inventory/operations",
      { operations: [{ type: "recieve" }] },
      'payload.operations.0: Expected a `type` of receive, adjust, reserve, release, consume, watch, got {"type":"recieve"}'
    ],
    [
      "/v1/sagas",
      { saga: "Checkout" },
      'payload: Expected a `saga` of PaymentProcessing, MultiAttempt, AlternativePayment, got {"saga":"Checkout"}'
    ]
  ]
  for (const [path, body, expected] of kinds) {
    it.live(`names the kinds that there are: ${path}`, () =>
      refusing(async (call) => {
        const reply = await call("POST", path, { key: "k1", body })
        assert.strictEqual(reply.status, 400)
        assert.deepStrictEqual(said(reply), [expected])
      })
    )
  }

  it.live("has a key that is missing, empty, too long or not printable", () =>
    refusing(async (call) => {
      const missing = await call("POST", "/v1/payments", { body: order })
      assert.deepStrictEqual(said(missing), ["headers.idempotency-key: Missing key"])
      for (const [key, expected] of [
        ["", "not empty"],
        ["k".repeat(256), "at most 255 characters"],
        ["clé", "printable ASCII"]
      ] as const) {
        const reply = await call("POST", "/v1/payments", { key, body: order })
        assert.strictEqual(reply.status, 400)
        assert.include(said(reply)[0], "headers.idempotency-key: Expected")
        assert.include(said(reply)[0], expected)
      }
    })
  )

  it.live("holds a card number, anywhere: refused, and not repeated", () =>
    refusing(async (call) => {
      const number = "4111 1111 1111 1111"
      for (const [changes, path] of [
        [{ paymentMethods: [number] }, ["payload", "paymentMethods", 0]],
        [{ metadata: { note: `paid with ${number}` } }, ["payload", "metadata", "note"]],
        [{ amount: 4_111_111_111_111_111 }, ["payload", "amount"]],
        [{ unknown: { deep: [{ pan: "4111-1111-1111-1111" }] } }, ["payload", "unknown", "deep", 0, "pan"]]
      ] as const) {
        const reply = await pay(call, changes)
        assert.strictEqual(reply.status, 400)
        assert.deepInclude(reply.body, { type: problem("card-number"), path })
        assert.notMatch(JSON.stringify(reply.body), /4111/)
      }
    })
  )

  it.live("is not JSON, not declared as JSON, or too large", () =>
    refusing(async (call) => {
      for (const text of ["{", '{"amount": 10,}', "amount=1099", "[1,2", '"'] as const) {
        const reply = await call("POST", "/v1/payments", { key: "k1", text })
        assert.strictEqual(reply.status, 400)
        assert.match(said(reply)[0]!, /^payload: Expected JSON, broken at /)
      }
      const form = await call("POST", "/v1/payments", {
        key: "k1",
        text: "amount=1099",
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
      assert.deepInclude(form.body, { status: 415, type: problem("not-json") })

      const large = await pay(call, { metadata: { note: "x".repeat(256 * 1024) } })
      assert.deepInclude(large.body, { status: 413, type: problem("body-too-large"), maxBytes: 262_144 })
    })
  )

  it.live("asks for what does not exist", () =>
    refusing(async (call) => {
      for (const id of ["pay_01jd8m2r6v0000000000000000", "nonsense", "pay_%00", "../../etc/passwd"]) {
        const path = `/v1/payments/${encodeURIComponent(id)}`
        for (const reply of [
          await call("GET", path),
          await call("GET", `${path}/events`),
          await call("POST", `${path}/capture`),
          await call("POST", `${path}/refunds`, { key: "r1", body: { amount: 5 } })
        ]) {
          assert.deepInclude(reply.body, { status: 404, type: problem("payment-not-found") })
        }
      }
      for (const [method, path] of [
        ["GET", "/"],
        ["GET", "/v1/nothing"],
        ["DELETE", "/v1/payments"]
      ] as const) {
        assert.deepInclude((await call(method, path)).body, { status: 404, type: problem("route-not-found") })
      }
    })
  )
})

describe("a service that cannot answer", () => {
  it.live("says so and when to ask again; the key is then as good as new", () =>
    Effect.gen(function* () {
      const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      let isDown = true
      const between: Workshop.Options["between"] = (repository) => ({
        create: (creation) =>
          isDown
            ? Effect.fail(
                new PaymentRepositoryError({
                  payment: creation.payment,
                  reason: new StorageUnavailable({ operation: "create", cause: new Error("connection refused") })
                })
              )
            : repository.create(creation)
      })
      yield* withApi({ gateways: [gateway], between }, async (call) => {
        const down = await pay(call, {})
        assert.deepInclude(down.body, { status: 503, type: problem("unavailable") })
        assert.strictEqual(down.headers.get("retry-after"), "1")
        assert.notMatch(JSON.stringify(down.body), /connection refused|\.ts/)
        isDown = false
        const up = await pay(call, {})
        assert.deepInclude(up.body, { status: "succeeded" })
        assert.isNull(up.headers.get("idempotent-replayed"))
      })
    })
  )

  it.live("shows nothing of its inside when it breaks on a bug", () =>
    Effect.gen(function* () {
      const gateway = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const between: Workshop.Options["between"] = () => ({ create: () => Effect.die(new Error("secret detail")) })
      yield* withApi({ gateways: [gateway], between }, async (call) => {
        const reply = await pay(call, {})
        assert.deepInclude(reply.body, { status: 500, type: problem("internal-error") })
        assert.notMatch(JSON.stringify(reply.body), /secret|\.ts/)
      })
    })
  )
})
