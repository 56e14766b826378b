/**
 * A client of florin's HTTP API, made from the contract that serves it: requests
 * and answers are typed and checked, and a problem is an error of its class.
 *
 *     const client = yield* PaymentsClient.make({ baseUrl: "http://127.0.0.1:8080" })
 *     const payment = yield* client.payments.create({
 *       headers: { "idempotency-key": IdempotencyKey.make("order-1") },
 *       payload: { amount: 1099, currency: "EUR", paymentMethods: [MethodToken.make("tok_visa")] }
 *     })
 *
 * It needs an `HttpClient`, and nothing of the server.
 */
import { Context, Effect, Layer } from "effect"
import type { HttpClient } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { PaymentsApi } from "./PaymentsApi.ts"

export type Client = HttpApiClient.ForApi<typeof PaymentsApi>

export class PaymentsClient extends Context.Service<PaymentsClient, Client>()("florin/edge/http/PaymentsClient") {}

export interface Options {
  /** Where the service listens, without a path. */
  readonly baseUrl: string | URL
  /** Changes every request, or how it is sent: to authenticate at a proxy, to try again. */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

export const make = (options: Options): Effect.Effect<Client, never, HttpClient.HttpClient> =>
  HttpApiClient.make(PaymentsApi, options)

export const layer = (options: Options): Layer.Layer<PaymentsClient, never, HttpClient.HttpClient> =>
  Layer.effect(PaymentsClient, make(options))
