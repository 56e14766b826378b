import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { Supplier } from "../../../src/adapters/Supplier.ts"
import type { PurchaseOrder } from "../../../src/adapters/Supplier.ts"
import { LocationId, OrderId, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as HttpSupplier from "../../../src/infra/http/HttpSupplier.ts"
import * as MemorySupplier from "../../../src/infra/memory/MemorySupplier.ts"
import * as SupplierContract from "../../../src/testing/contract/SupplierContract.ts"
import * as Receiver from "./Receiver.ts"

const [sold, unsold] = [ProductId.make("espresso"), ProductId.make("tea")]
const order: PurchaseOrder = { order: OrderId.make("po-1"), product: sold, to: LocationId.make("north"), quantity: 5 }

/** The supplier in memory behind the protocol: what it refuses is answered 409. */
const serving = Effect.gen(function* () {
  const catalogue = MemorySupplier.layer([[sold, { available: 1000, minimum: 1, maximum: 1000, leadTimeMillis: 5 }]])
  const supplier = Context.get(yield* Layer.build(Layer.fresh(catalogue)), Supplier)
  return yield* Receiver.start((response, { body, method, path }) => {
    const [, , what, name = ""] = path.split("/")
    const asked =
      what === "products"
        ? supplier.quote(ProductId.make(name))
        : method === "PUT"
          ? supplier.place(body as PurchaseOrder)
          : method === "DELETE"
            ? supplier.cancel(OrderId.make(name))
            : supplier.status(OrderId.make(name))
    const answer = Effect.match(asked as Effect.Effect<unknown, unknown>, {
      onFailure: () => response.writeHead(what === "products" ? 404 : 409).end(),
      onSuccess: (found) =>
        Object(found)._tag === "Unknown" ? response.writeHead(404).end() : Receiver.json(response, 200, found ?? {})
    })
    void Effect.runPromise(answer)
  })
})

SupplierContract.suite(
  "http",
  Layer.unwrap(
    Effect.map(serving, ({ url }) => Layer.provide(HttpSupplier.layer({ url }), NodeHttpClient.layerUndici))
  ),
  { sold, unsold }
)

const using = <A, E>(options: HttpSupplier.Options, use: (supplier: Supplier["Service"]) => Effect.Effect<A, E>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(Layer.provide(HttpSupplier.layer(options), NodeHttpClient.layerUndici))
      return yield* use(Context.get(context, Supplier))
    })
  )

const calls = {
  quote: (supplier: Supplier["Service"]) => Effect.asVoid(supplier.quote(sold)),
  place: (supplier: Supplier["Service"]) => supplier.place(order),
  cancel: (supplier: Supplier["Service"]) => supplier.cancel(order.order),
  status: (supplier: Supplier["Service"]) => Effect.asVoid(supplier.status(order.order))
}
const named = Object.entries(calls)

describe("HttpSupplier", () => {
  it.live("says each thing by its method and path, and what changes something under its key", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Receiver.start((response) => Receiver.json(response, 200, {}))
      for (const [, call] of named) yield* Effect.ignore(using({ url, token: Redacted.make("tok_1") }, call))
      assert.deepStrictEqual(
        asked.map(({ body, headers, method, path }) => [method, path, headers["idempotency-key"], body]),
        [
          ["GET", "/systems/products/espresso", undefined, undefined],
          ["PUT", "/systems/orders/po-1", "po-1/place", order],
          ["DELETE", "/systems/orders/po-1", "po-1/cancel", undefined],
          ["GET", "/systems/orders/po-1", undefined, undefined]
        ]
      )
      for (const { headers } of asked) assert.strictEqual(headers.authorization, "Bearer tok_1")
    })
  )

  it.live("tells a refusal from what never came and from what may have been taken", () =>
    Effect.gen(function* () {
      let answered = 0
      const { url } = yield* Receiver.start((response) => response.writeHead(answered, { location: "/" }).end())
      const table: ReadonlyArray<readonly [number, string, boolean]> = [
        [302, "SupplierRefused", false],
        [401, "SupplierRefused", false],
        [409, "SupplierRefused", false],
        [429, "SupplierNotReached", true],
        [503, "SupplierInDoubt", true]
      ]
      for (const [status, tag, isRetryable] of table) {
        answered = status
        for (const [name, call] of named) {
          const error = yield* Effect.flip(using({ url }, call))
          assert.deepStrictEqual([error.reason._tag, error.isRetryable], [tag, isRetryable], `${name} ${status}`)
        }
      }
      answered = 404
      assert.strictEqual((yield* Effect.flip(using({ url }, calls.cancel))).reason._tag, "SupplierRefused")
      const [broken, silent] = [yield* Receiver.start(Receiver.hangUp), yield* Receiver.start(Receiver.silence)]
      const gone = yield* Effect.scoped(Receiver.start(Receiver.hangUp))
      for (const [name, call] of named) {
        const reasonAt = (options: HttpSupplier.Options) =>
          Effect.map(Effect.flip(using(options, call)), ({ reason }) => reason._tag)
        assert.strictEqual(yield* reasonAt(broken), "SupplierInDoubt", name)
        assert.strictEqual(yield* reasonAt({ url: silent.url, timeoutMillis: 30 }), "SupplierInDoubt", name)
        assert.strictEqual(yield* reasonAt(gone), "SupplierNotReached", name)
      }
    })
  )

  it.live("takes no quote and no status that is not one", () =>
    Effect.gen(function* () {
      const wrong = [{}, { available: -1, minimum: 1, maximum: 5, leadTimeMillis: 1 }, { _tag: "Sent" }, "soon", null]
      for (const answer of wrong) {
        const { url } = yield* Receiver.start((response) => Receiver.json(response, 200, answer))
        for (const call of [calls.quote, calls.status]) {
          assert.strictEqual((yield* Effect.flip(using({ url }, call))).reason._tag, "SupplierInDoubt")
        }
      }
    })
  )
})
