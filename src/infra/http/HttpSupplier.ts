/**
 * A supplier over HTTP, at one URL of its own:
 *
 *     GET    {url}/products/{product}  a `Quote` as JSON; 404: it is not sold
 *     PUT    {url}/orders/{order}      a `PurchaseOrder` as JSON; the same one again is the same order
 *     DELETE {url}/orders/{order}      it is not delivered, even if it is placed later; refused when it is on its way
 *     GET    {url}/orders/{order}      an `OrderStatus` as JSON; 404: there is none
 *
 * Placing and cancelling have a key that is made of the order's number, as their
 * `Idempotency-Key` too. What the statuses mean is in `KeyedRequests`.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpClient } from "effect/http"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import {
  OrderStatus,
  PurchaseOrder,
  Supplier,
  SupplierError,
  SupplierInDoubt,
  SupplierNotReached,
  SupplierRefused
} from "../../adapters/Supplier.ts"
import { Quote } from "../../domain/reservation/Reorder.ts"
import * as KeyedRequests from "./KeyedRequests.ts"

export type Options = KeyedRequests.Options

const encodeOrder = Schema.encodeSync(Schema.toCodecJson(PurchaseOrder))
const decodeQuote = Schema.decodeUnknownEffect(Schema.toCodecJson(Quote))
const decodeStatus = Schema.decodeUnknownEffect(Schema.toCodecJson(OrderStatus))

export const layer = (options: Options): Layer.Layer<Supplier, never, HttpClient.HttpClient> =>
  Layer.effect(
    Supplier,
    Effect.map(HttpClient.HttpClient, (client) => {
      const base = KeyedRequests.baseOf(options)
      const request = KeyedRequests.make(client, "the supplier", options)
      const ask = <A>(about: string, of: HttpClientRequest.HttpClientRequest, asking: KeyedRequests.Asking<A>) =>
        Effect.mapError(request(of, asking), (failure) => new SupplierError({ about, reason: reasonOf(failure) }))
      const at = (what: "orders" | "products", name: string) => `${base}/${what}/${encodeURIComponent(name)}`

      return Supplier.of({
        quote: (product) =>
          ask(product, HttpClientRequest.get(at("products", product)), { read: reading(decodeQuote) }),
        place: (order) =>
          ask(
            order.order,
            HttpClientRequest.put(at("orders", order.order)).pipe(HttpClientRequest.bodyJsonUnsafe(encodeOrder(order))),
            { key: `${order.order}/place`, read: taken }
          ),
        cancel: (order) =>
          ask(order, HttpClientRequest.delete(at("orders", order)), { key: `${order}/cancel`, read: taken }),
        status: (order) =>
          ask(order, HttpClientRequest.get(at("orders", order)), {
            read: reading(decodeStatus),
            missing: () => ({ _tag: "Unknown" as const })
          })
      })
    })
  )

const reading =
  <A>(decode: (body: unknown) => Effect.Effect<A, Schema.SchemaError>) =>
  (response: HttpClientResponse) =>
    Effect.flatMap(response.json, (body) => decode(body))

/** Of the answer, only its status is of interest. */
const taken = () => Effect.void

const reasonOf = ({ _tag, detail }: KeyedRequests.Failure): SupplierError["reason"] => {
  switch (_tag) {
    case "NotReached":
      return new SupplierNotReached()
    case "InDoubt":
      return new SupplierInDoubt()
    case "Refused":
      return new SupplierRefused({ detail })
  }
}
