/** The API over memory, called like over the network: a request in, a response out. */
import { Context, Effect, Layer, Logger } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import type { LedgerJournalError } from "../../../src/adapters/LedgerJournal.ts"
import * as AccountCore from "../../../src/edge/AccountCore.ts"
import * as EventsHandlers from "../../../src/edge/http/EventsHandlers.ts"
import * as HttpService from "../../../src/edge/http/HttpService.ts"
import { Merchant } from "../../../src/edge/http/Merchant.ts"
import * as Shop from "./Shop.ts"
import type { ClientAccounts } from "../../../src/orchestration/ClientAccounts.ts"
import * as Workshop from "../../orchestration/Workshop.ts"

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export type Call = (
  method: string,
  path: string,
  options?: {
    readonly key?: string
    readonly body?: unknown
    readonly text?: string
    readonly headers?: Record<string, string>
  }
) => Promise<Reply>

export interface Options extends Workshop.Options, Shop.Options {
  /** Instead of accounts of its own, in memory. */
  readonly accounts?: Layer.Layer<ClientAccounts, LedgerJournalError> | undefined
}

const ownAccounts = AccountCore.accounts().pipe(Layer.provide(AccountCore.memory))

type Send = (...args: Parameters<Call>) => Promise<Response>

/** Runs `use` against an API of its own. */
export const withApi = (options: Options, use: (call: Call, send: Send) => Promise<void>) =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      HttpRouter.toWebHandler(
        HttpService.routes.pipe(
          Layer.provide(EventsHandlers.closing),
          Layer.provide(Layer.succeed(Merchant, Workshop.shop)),
          Layer.provide(Shop.layer(options)),
          Layer.provide(Workshop.layer(options)),
          Layer.provide(options.accounts ?? ownAccounts),
          Layer.provide(HttpServer.layerServices),
          Layer.provide(Logger.layer([]))
        ),
        { disableLogger: true }
      )
    ),
    ({ handler }) =>
      Effect.promise(() => {
        const send: Send = (method, path, { body, headers, key, text } = {}) =>
          handler(
            new Request(`http://florin.test${path}`, {
              method,
              headers: {
                "content-type": "application/json",
                ...(key !== undefined && { "idempotency-key": key }),
                ...headers
              },
              ...(method !== "GET" && { body: text ?? (body === undefined ? "" : JSON.stringify(body)) })
            }),
            Context.empty()
          )
        const call: Call = async (...args) => {
          const response = await send(...args)
          const content = await response.text()
          return {
            status: response.status,
            headers: response.headers,
            body: content === "" ? {} : JSON.parse(content)
          }
        }
        return use(call, send)
      }),
    ({ dispose }) => Effect.promise(dispose)
  )

export const order = { amount: 1099, currency: "EUR", paymentMethods: ["tok_visa"] }
