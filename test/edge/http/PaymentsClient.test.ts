import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Fiber, Layer, Stream } from "effect"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beginning } from "../../../src/adapters/EventBus.ts"
import { IdempotencyKey } from "../../../src/domain/Idempotency.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import * as PaymentsClient from "../../../src/edge/http/PaymentsClient.ts"
import * as Problem from "../../../src/edge/http/Problem.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import * as Server from "./Server.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)
const keyed = (key: string) => ({ "idempotency-key": IdempotencyKey.make(key) })
const order = { amount: 1099, currency: "EUR", paymentMethods: [MethodToken.make("tok_visa")] } as const

/** A client of a service that listens on a real socket. */
const withClient = <E>(use: (client: PaymentsClient.Client) => Effect.Effect<void, E>) =>
  Effect.gen(function* () {
    const { url } = yield* Server.start({ gateways: [yield* bank] })
    const client = PaymentsClient.layer({ baseUrl: url }).pipe(Layer.provide(NodeHttpClient.layerUndici))
    yield* Effect.provide(Effect.flatMap(PaymentsClient.PaymentsClient, use), client)
  }).pipe(Effect.scoped)

describe("PaymentsClient", () => {
  it.live("pays, captures a part, refunds, lists and reads", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const held = yield* client.payments.create({ headers: keyed("k1"), payload: { ...order, capture: "manual" } })
        assert.deepInclude(held, { status: "authorized", authorizedAmount: 1099 })
        const params = { id: held.id }
        const captured = yield* client.payments.capture({ params, headers: {}, payload: { amount: 1000 } })
        assert.deepInclude(captured, { status: "succeeded", capturedAmount: 1000 })
        // A body that may be left out is `null` here.
        const refunded = yield* client.payments.refund({ params, headers: keyed("r1"), payload: null })
        assert.deepInclude(refunded, { refundedAmount: 1000 })
        assert.deepStrictEqual(yield* client.payments.get({ params }), refunded)
        yield* client.payments.create({ headers: keyed("k2"), payload: order })
        const first = yield* client.payments.list({ query: { limit: 1 } })
        const second = yield* client.payments.list({ query: { limit: 1, cursor: first.nextCursor! } })
        assert.deepStrictEqual(second.payments, [refunded])
        assert.notProperty(second, "nextCursor")
        const early = yield* client.payments.list({
          query: { createdBefore: DateTime.makeUnsafe(0).pipe(DateTime.add({ days: 1 })) }
        })
        assert.deepStrictEqual(early.payments, [])
        const { events } = yield* client.payments.events({ params })
        assert.strictEqual(events.at(-1)!.event._tag, "Refunded")
        const { gateways } = yield* client.gateways.list()
        assert.deepStrictEqual(
          gateways.map(({ name }) => String(name)),
          ["bank"]
        )
        assert.deepStrictEqual(yield* client.healthz(), { status: "ok" })
      })
    )
  )

  it.live("fails with the problem's class, and all that it says", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const { id } = yield* client.payments.create({ headers: keyed("k1"), payload: order })
        const refused = yield* Effect.flip(
          client.payments.refund({ params: { id }, headers: {}, payload: { amount: 2000 } })
        )
        assert.instanceOf(refused, Problem.OperationRefused)
        assert.deepInclude(refused, { _tag: "OperationRefused", state: "Captured", rule: "AboveCaptured", status: 409 })
        const reused = yield* Effect.flip(
          client.payments.create({ headers: keyed("k1"), payload: { ...order, amount: 5 } })
        )
        assert.instanceOf(reused, Problem.KeyReused)
        assert.deepInclude(reused, { field: "amount" })
        const found = yield* client.payments.get({ params: { id: "pay_0" } }).pipe(
          Effect.as("found"),
          Effect.catchTag("PaymentNotFound", ({ title }) => Effect.succeed(title))
        )
        assert.strictEqual(found, "There is no such payment")
        const lost = yield* Effect.flip(
          client.payments.list({ query: { cursor: Buffer.from("pay_0").toString("base64url") } })
        )
        assert.instanceOf(lost, Problem.InvalidRequest)
        const { operation } = { operation: `${id}/auth/1` as never }
        const settled = yield* Effect.flip(
          client.payments.decide({
            params: { id },
            headers: {},
            payload: { found: "declined", operation, operator: "Ada", reason: "asked the bank", code: "51" }
          })
        )
        assert.deepInclude(settled, { _tag: "OperationRefused", rule: "NotEscalated" })
      })
    )
  )

  it.live("follows events, typed, and goes on behind the last", () =>
    withClient((client) =>
      Effect.gen(function* () {
        const stream = yield* client.events.follow({ headers: {}, query: {} })
        const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(stream, 3)))
        const { id } = yield* client.payments.create({ headers: keyed("k1"), payload: order })
        const first = yield* Fiber.join(reading)
        assert.deepStrictEqual(
          first.map(({ data }) => `${data.id} ${data.event._tag}`),
          [`${id}/1 Initiated`, `${id}/2 AuthorizationBegun`, `${id}/3 Authorized`]
        )
        const last = first.at(-1)!.id as typeof beginning
        const rest = yield* client.events.follow({ headers: { "last-event-id": last }, query: {} })
        const [, captured] = yield* Stream.runCollect(Stream.take(rest, 2))
        // An amount is a bigint again.
        assert.deepInclude(captured!.data.event, { _tag: "Captured", amount: { currency: "EUR", minor: 1099n } })
        const refused = yield* Effect.flip(client.events.follow({ headers: {}, query: { after: "x" as never } }))
        assert.instanceOf(refused, Problem.InvalidRequest)
      })
    )
  )

  it("imports nothing that serves or stores", () => {
    const seen = new Set<string>()
    const packages = new Set<string>()
    const visit = (file: string) => {
      if (seen.has(file)) return
      seen.add(file)
      // Types are not imported when it runs.
      for (const [, from] of readFileSync(file, "utf8").matchAll(
        /^(?:import|export) (?!type )(?:[^"]*?from )?"([^"]+)"/gm
      )) {
        if (from!.startsWith(".")) visit(join(dirname(file), from!))
        else packages.add(from!)
      }
    }
    visit("src/edge/http/PaymentsClient.ts")
    assert.isAbove(seen.size, 10)
    assert.deepStrictEqual(
      [...seen].filter(
        (file) => !/^src\/(domain|adapters|edge\/http)\//.test(file) || /Handlers|Service|Response/.test(file)
      ),
      []
    )
    // Of effect, its core's modules and what a client speaks; none of its servers and stores.
    const spoken = /^effect(\/[A-Z]\w*|\/(crypto|encoding|http-api)(\/\w+)?)?$/
    assert.deepStrictEqual(
      [...packages].filter((name) => !spoken.test(name)),
      []
    )
  })
})
