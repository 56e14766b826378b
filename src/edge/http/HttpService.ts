/** The HTTP server: the API's routes, what answers where there is none, and what answers when something breaks. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Cause, Duration, Effect, Layer } from "effect"
import { HttpEffect, HttpRouter } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { createServer } from "node:http"
import * as AccountsHandlers from "./AccountsHandlers.ts"
import * as ApiReference from "./ApiReference.ts"
import * as EventsHandlers from "./EventsHandlers.ts"
import * as GatewaysHandlers from "./GatewaysHandlers.ts"
import * as GatewayWebhooksHandlers from "./GatewayWebhooksHandlers.ts"
import * as InventoryHandlers from "./InventoryHandlers.ts"
import * as InvalidRequests from "./InvalidRequests.ts"
import * as PaymentsHandlers from "./PaymentsHandlers.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import * as RequestBody from "./RequestBody.ts"
import * as RequestCaller from "./RequestCaller.ts"
import * as SagasHandlers from "./SagasHandlers.ts"
import * as SubscriptionsHandlers from "./SubscriptionsHandlers.ts"
import * as WebhookEndpointsHandlers from "./WebhookEndpointsHandlers.ts"

const api = HttpApiBuilder.layer(PaymentsApi, { openapiPath: "/openapi.json" }).pipe(
  Layer.provide([
    PaymentsHandlers.payments,
    PaymentsHandlers.system,
    EventsHandlers.events,
    GatewaysHandlers.gateways,
    AccountsHandlers.accounts,
    GatewayWebhooksHandlers.gatewayWebhooks,
    WebhookEndpointsHandlers.webhookEndpoints,
    SagasHandlers.sagas,
    SagasHandlers.checkouts,
    SubscriptionsHandlers.subscriptions,
    InventoryHandlers.inventory
  ]),
  Layer.provide([InvalidRequests.layer, RequestBody.layer])
)

const nothingHere = HttpRouter.add("*", "*", ProblemResponse.of(new Problem.RouteNotFound()))

/** A bug is logged with its cause, and answered without it. */
const bugs = HttpRouter.middleware(
  (httpEffect) =>
    Effect.catchCauseIf(
      httpEffect,
      (cause) => !Cause.hasInterruptsOnly(cause),
      (cause) =>
        Effect.andThen(
          Effect.logError("a request failed on a bug", cause),
          ProblemResponse.of(new Problem.InternalError())
        )
    ),
  { global: true }
)

export const routes = Layer.mergeAll(api, ApiReference.layer, nothingHere, bugs, RequestCaller.layer)

/** The whole API as one function of the web, for a server that is not ours. */
export const webHandler = HttpRouter.toHttpEffect(
  Layer.provide(routes, [NodeHttpServer.layerHttpServices, EventsHandlers.closing])
).pipe(Effect.map((httpEffect) => HttpEffect.toWebHandler(httpEffect)))

export interface Options {
  readonly host: string
  readonly port: number
  /** How long requests that are being answered may take when the service ends. */
  readonly drainMillis: number
}

/** Node closes idle connections when it stops listening; this closes those that become idle after that. */
const createDrainingServer = () => {
  const server = createServer()
  const closeIdle = () => setImmediate(() => server.closeIdleConnections())
  return server.on("request", (_, response) => response.on("finish", () => void (server.listening || closeIdle())))
}

/** Streams of events have no end of their own: they are told before the server waits for what it is answering. */
const endStreams = Layer.effectDiscard(
  Effect.flatMap(EventsHandlers.Closing, (closing) => Effect.addFinalizer(() => closing.open))
)

export const layer = ({ drainMillis, host, port }: Options) =>
  endStreams.pipe(
    Layer.provideMerge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
    Layer.provide(EventsHandlers.closing),
    Layer.provideMerge(
      NodeHttpServer.layer(createDrainingServer, { host, port, gracefulShutdownTimeout: Duration.millis(drainMillis) })
    )
  )
