/**
 * The shop's systems over HTTP, at one URL of its own:
 *
 *     POST   {url}/shipments             a `Shipment` as JSON; answers `{ "shipment": "…" }`
 *     DELETE {url}/shipments/{shipment}  it is not sent; 404 is fine, for then it is not there
 *     POST   {url}/sales                 a `Sale` as JSON; amounts are text
 *
 * Each has its `Idempotency-Key`. What the statuses mean: 2xx taken; 408, 425,
 * 429 come again; 5xx may have been taken; everything else refused for good. A
 * redirect is not followed, and counts as refused.
 */
import { Effect, Layer, Redacted, Schema } from "effect"
import { HttpClient } from "effect/http"
import { RequestInit } from "effect/http/FetchHttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { Note, Sale, Shipment, Shop, ShopError, ShopInDoubt, ShopNotReached, ShopRefused } from "../../adapters/Shop.ts"
import { wasConnecting } from "./ConnectionFailure.ts"

export interface Options {
  readonly url: URL
  /** Goes with every request as `Authorization: Bearer …`. */
  readonly token?: Redacted.Redacted | undefined
  /** 10 s when absent. */
  readonly timeoutMillis?: number | undefined
}

/** Writing a note or an entry takes milliseconds; ten seconds are for a server that starts. */
const usualTimeoutMillis = 10_000

const encodeShipment = Schema.encodeSync(Schema.toCodecJson(Shipment))
const encodeSale = Schema.encodeSync(Schema.toCodecJson(Sale))
const decodeNote = Schema.decodeUnknownEffect(Note)

export const layer = ({ timeoutMillis = usualTimeoutMillis, token, url }: Options) =>
  Layer.effect(
    Shop,
    Effect.map(HttpClient.HttpClient, (client) => {
      const base = url.href.replace(/\/$/, "")
      const ask = (about: string, request: HttpClientRequest.HttpClientRequest, key: string) =>
        client
          .execute(
            request.pipe(HttpClientRequest.setHeader("idempotency-key", key), (keyed) =>
              token === undefined ? keyed : HttpClientRequest.bearerToken(keyed, token)
            )
          )
          .pipe(
            Effect.mapError(reasonOfTransport),
            Effect.tap((response) => {
              const reason = reasonOfStatus(response)
              return reason === undefined || (about === "withdrawal" && response.status === 404)
                ? Effect.void
                : Effect.fail(reason)
            }),
            Effect.timeoutOrElse({
              duration: timeoutMillis,
              orElse: () => Effect.fail(new ShopInDoubt({ detail: `no answer within ${timeoutMillis} ms` }))
            }),
            Effect.mapError((reason) => new ShopError({ about, reason })),
            // A redirect that `fetch` follows arrives as a GET without its body, and is answered 200.
            Effect.provideService(RequestInit, { redirect: "manual" })
          )

      return Shop.of({
        ship: (shipment, key) =>
          ask("shipment", HttpClientRequest.post(`${base}/shipments`).pipe(json(encodeShipment(shipment))), key).pipe(
            Effect.flatMap((response) =>
              response.json.pipe(
                Effect.flatMap((body) => decodeNote(body)),
                Effect.mapError(
                  ({ message }) => new ShopError({ about: "shipment", reason: new ShopInDoubt({ detail: message }) })
                )
              )
            )
          ),
        withdraw: ({ shipment }, key) =>
          Effect.asVoid(
            ask("withdrawal", HttpClientRequest.delete(`${base}/shipments/${encodeURIComponent(shipment)}`), key)
          ),
        record: (sale, key) =>
          Effect.asVoid(ask("sale", HttpClientRequest.post(`${base}/sales`).pipe(json(encodeSale(sale))), key))
      })
    })
  )

const json = (body: unknown) => HttpClientRequest.bodyJsonUnsafe(body)

const comeBackLater: ReadonlySet<number> = new Set([408, 425, 429])

const reasonOfStatus = ({ status }: HttpClientResponse): ShopError["reason"] | undefined => {
  const detail = `the shop answered ${status}`
  if (status >= 200 && status < 300) return undefined
  if (comeBackLater.has(status)) return new ShopNotReached({ detail })
  return status >= 500 ? new ShopInDoubt({ detail }) : new ShopRefused({ detail })
}

const reasonOfTransport = ({ reason }: HttpClientError): ShopError["reason"] =>
  reason._tag === "TransportError" && wasConnecting(reason.cause)
    ? new ShopNotReached({ detail: "the shop could not be reached" })
    : new ShopInDoubt({ detail: "the connection was lost" })
