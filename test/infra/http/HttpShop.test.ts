import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { inspect } from "node:util"
import { Shop } from "../../../src/adapters/Shop.ts"
import * as Money from "../../../src/domain/Money.ts"
import { MerchantId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import { LocationId, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as HttpShop from "../../../src/infra/http/HttpShop.ts"
import * as OwnShop from "../../../src/infra/memory/OwnShop.ts"
import * as ShopContract from "../../../src/testing/contract/ShopContract.ts"
import * as Receiver from "./Receiver.ts"

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", NodeHttpClient.layerFetch]
] as const

const using = <A, E>(
  options: HttpShop.Options,
  use: (shop: Shop["Service"]) => Effect.Effect<A, E>,
  client: (typeof clients)[number][1] = NodeHttpClient.layerUndici
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(Layer.provide(HttpShop.layer(options), client))
      return yield* use(Context.get(context, Shop))
    })
  )

const merchant = MerchantId.make("shop")
const shipment = {
  merchant,
  reference: "order-1",
  shipTo: "Ada, 1 Analytical Way",
  lines: [{ stock: { product: ProductId.make("pen"), location: LocationId.make("north") }, quantity: 2 }]
}
const sale = {
  merchant,
  reference: "order-1",
  payment: PaymentId.make("pay_1"),
  amount: Money.of("EUR", 9_007_199_254_740_993n)
}

const calls = {
  shipment: (shop: Shop["Service"]) => Effect.asVoid(shop.ship(shipment, "k-ship")),
  withdrawal: (shop: Shop["Service"]) => shop.withdraw({ shipment: "sh 1/ä" }, "k-back"),
  sale: (shop: Shop["Service"]) => shop.record(sale, "k-sale")
}
const named = Object.entries(calls)

const noting: Receiver.Answer = (response) => Receiver.json(response, 200, { shipment: "sh-1" })

/** Keeps what it is asked by its key, as the shop's page of the protocol asks. */
const keeping = () => {
  const shipments = new Map<string, string>()
  return Receiver.start((response, { key, method, path }) => {
    if (method === "DELETE" || path.endsWith("/sales")) return void response.writeHead(204).end()
    const shipment = shipments.get(key) ?? `sh-${shipments.size + 1}`
    shipments.set(key, shipment)
    Receiver.json(response, 201, { shipment })
  })
}

ShopContract.suite("none of its own", OwnShop.layer)
ShopContract.suite(
  "http",
  Layer.unwrap(Effect.map(keeping(), ({ url }) => Layer.provide(HttpShop.layer({ url }), NodeHttpClient.layerUndici)))
)

describe("HttpShop", () => {
  it.live("says each thing by its method and path, as JSON, under its key, with the token", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Receiver.start(noting)
      const note = yield* using({ url, token: Redacted.make("tok_1") }, (shop) =>
        Effect.gen(function* () {
          yield* calls.withdrawal(shop)
          yield* calls.sale(shop)
          return yield* shop.ship(shipment, "k-ship")
        })
      )
      assert.deepStrictEqual(note, { shipment: "sh-1" })
      assert.deepStrictEqual(
        asked.map(({ body, key, method, path }) => [method, path, key, body]),
        [
          ["DELETE", "/systems/shipments/sh%201%2F%C3%A4", "k-back", undefined],
          ["POST", "/systems/sales", "k-sale", { ...sale, amount: { currency: "EUR", minor: "9007199254740993" } }],
          ["POST", "/systems/shipments", "k-ship", shipment]
        ]
      )
      for (const { headers } of asked) assert.strictEqual(headers.authorization, "Bearer tok_1")
      yield* using({ url }, calls.sale)
      assert.notProperty(asked.at(-1)!.headers, "authorization")
    })
  )

  const statuses: ReadonlyArray<readonly [number, string, boolean]> = [
    [302, "ShopRefused", false],
    [307, "ShopRefused", false],
    [400, "ShopRefused", false],
    [401, "ShopRefused", false],
    [404, "ShopRefused", false],
    [408, "ShopNotReached", true],
    [409, "ShopRefused", false],
    [422, "ShopRefused", false],
    [425, "ShopNotReached", true],
    [429, "ShopNotReached", true],
    [500, "ShopInDoubt", true],
    [503, "ShopInDoubt", true]
  ]
  for (const [name, client] of clients) {
    it.live(`knows what a status means, and asks once, over ${name}`, () =>
      Effect.gen(function* () {
        let answered = 0
        const { asked, url } = yield* Receiver.start((response) =>
          response.writeHead(answered, { location: "/elsewhere" }).end()
        )
        for (const [status, tag, isRetryable] of statuses) {
          for (const [about, call] of named) {
            answered = status
            asked.length = 0
            const outcome = yield* Effect.result(using({ url }, call, client))
            assert.strictEqual(asked.length, 1, `${about} ${status}`)
            // What is not there is not sent.
            if (about === "withdrawal" && status === 404) {
              assert.strictEqual(outcome._tag, "Success")
              continue
            }
            assert(outcome._tag === "Failure", `${about} ${status}`)
            const { failure } = outcome
            assert.deepStrictEqual([failure.reason._tag, failure.isRetryable], [tag, isRetryable], `${about} ${status}`)
            assert.strictEqual(failure.message, `${about}: ${tag}, the shop answered ${status}`)
          }
        }
        for (const status of [200, 201, 202, 204]) {
          answered = status
          yield* using({ url }, calls.withdrawal, client)
          yield* using({ url }, calls.sale, client)
        }
      })
    )

    it.live(`tells what never left from what may have been taken, over ${name}`, () =>
      Effect.gen(function* () {
        const [broken, silent] = [yield* Receiver.start(Receiver.hangUp), yield* Receiver.start(Receiver.silence)]
        const gone = yield* Effect.scoped(Receiver.start(noting))
        for (const [about, call] of named) {
          const lost = yield* Effect.flip(using(broken, call, client))
          assert.strictEqual(lost.message, `${about}: ShopInDoubt, the connection was lost`)
          const late = yield* Effect.flip(using({ url: silent.url, timeoutMillis: 30 }, call, client))
          assert.strictEqual(late.message, `${about}: ShopInDoubt, no answer within 30 ms`)
          const closed = yield* Effect.flip(using(gone, call, client))
          assert.strictEqual(closed.message, `${about}: ShopNotReached, the shop could not be reached`)
        }
      })
    )
  }

  it.live("doubts a shipment that is answered with something else than a note", () =>
    Effect.gen(function* () {
      const answers: ReadonlyArray<Receiver.Answer> = [
        (response) => response.writeHead(200).end("noted, thank you"),
        (response) => response.writeHead(204).end(),
        (response) => Receiver.json(response, 200, { shipment: "" }),
        (response) => Receiver.json(response, 200, { id: "sh-1" }),
        // Its head is there and its body never ends.
        (response) => {
          response.writeHead(200, { "content-type": "application/json", "content-length": "100" }).write('{"shipm')
          setImmediate(() => response.destroy())
        }
      ]
      for (const [index, answer] of answers.entries()) {
        const { url } = yield* Receiver.start(answer)
        const error = yield* Effect.flip(using({ url }, calls.shipment))
        assert.strictEqual(error.reason._tag, "ShopInDoubt", String(index))
      }
    })
  )

  it.live("waits no longer for a body than for a status", () =>
    Effect.gen(function* () {
      const { url } = yield* Receiver.start((response) => {
        response.writeHead(200, { "content-type": "application/json" }).write('{"shipment":')
      })
      const error = yield* Effect.flip(using({ url, timeoutMillis: 100 }, calls.shipment))
      assert.strictEqual(error.message, "shipment: ShopInDoubt, no answer within 100 ms")
    })
  )

  it.live("names no token, whatever goes wrong", () =>
    Effect.gen(function* () {
      const refused = yield* Receiver.start((response) => response.writeHead(401).end("secret-body"))
      const gone = yield* Effect.scoped(Receiver.start(noting))
      for (const { url } of [refused, gone]) {
        const error = yield* Effect.flip(using({ url, token: Redacted.make("secret-token") }, calls.sale))
        assert.notInclude(inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error), "secret-")
      }
    })
  )
})
