/**
 * The shop's systems over HTTP, at one URL of its own:
 *
 *     POST   {url}/shipments             a `Shipment` as JSON; answers `{ "shipment": "…" }`
 *     DELETE {url}/shipments/{shipment}  it is not sent; 404 is fine, for then it is not there
 *     POST   {url}/sales                 a `Sale` as JSON; amounts are text
 *
 * Each has its `Idempotency-Key`; what the statuses mean is in `KeyedRequests`.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpClient } from "effect/http"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Note, Sale, Shipment, Shop, ShopError, ShopInDoubt, ShopNotReached, ShopRefused } from "../../adapters/Shop.ts"
import * as KeyedRequests from "./KeyedRequests.ts"

export type Options = KeyedRequests.Options

const encodeShipment = Schema.encodeSync(Schema.toCodecJson(Shipment))
const encodeSale = Schema.encodeSync(Schema.toCodecJson(Sale))
const decodeNote = Schema.decodeUnknownEffect(Note)

export const layer = (options: Options) =>
  Layer.effect(
    Shop,
    Effect.map(HttpClient.HttpClient, (client) => {
      const base = KeyedRequests.baseOf(options)
      const request = KeyedRequests.make(client, "the shop", options)
      const ask = <A>(about: string, of: HttpClientRequest.HttpClientRequest, asking: KeyedRequests.Asking<A>) =>
        Effect.mapError(request(of, asking), (failure) => new ShopError({ about, reason: reasonOf(failure) }))

      return Shop.of({
        ship: (shipment, key) =>
          ask("shipment", HttpClientRequest.post(`${base}/shipments`).pipe(json(encodeShipment(shipment))), {
            key,
            read: (response) => Effect.flatMap(response.json, (body) => decodeNote(body))
          }),
        withdraw: ({ shipment }, key) =>
          ask("withdrawal", HttpClientRequest.delete(`${base}/shipments/${encodeURIComponent(shipment)}`), {
            key,
            read: taken,
            missing: () => undefined
          }),
        record: (sale, key) =>
          ask("sale", HttpClientRequest.post(`${base}/sales`).pipe(json(encodeSale(sale))), { key, read: taken })
      })
    })
  )

/** Of the answer, only its status is of interest. */
const taken = () => Effect.void

const json = (body: unknown) => HttpClientRequest.bodyJsonUnsafe(body)

const reasonOf = ({ _tag, detail }: KeyedRequests.Failure): ShopError["reason"] => {
  switch (_tag) {
    case "NotReached":
      return new ShopNotReached({ detail })
    case "InDoubt":
      return new ShopInDoubt({ detail })
    case "Refused":
      return new ShopRefused({ detail })
  }
}
