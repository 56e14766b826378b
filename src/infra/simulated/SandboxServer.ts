/**
 * Serves the sandbox over HTTP on a loopback port, faults included.
 *
 * | fault | what a client sees |
 * | --- | --- |
 * | hang | nothing, for as long as it waits |
 * | drop | its connection breaks |
 * | serverError | 500 |
 * | throttle | 429 with `Retry-After` |
 * | refuse | 503 with `X-Sandbox-Not-Sent`, which stands for a closed port |
 *
 * What a request began is finished even if its client has gone.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Duration, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { ServeError } from "effect/http/HttpServerError"
import { HttpApiBuilder } from "effect/http-api"
import { createServer } from "node:http"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import { KeyMisused, NoSuchCharge, notSentHeader, SandboxApi } from "./SandboxApi.ts"
import { SandboxBooks } from "./SandboxBooks.ts"
import * as Books from "./SandboxBooks.ts"
import * as SandboxCharge from "./SandboxCharge.ts"
import { capabilities } from "./SandboxGateway.ts"
import * as SandboxRequest from "./SandboxRequest.ts"
import * as SandboxToken from "./SandboxToken.ts"

export interface Options {
  /** 0 takes any free port; `HttpServer.address` says which. */
  readonly port: number
  readonly capabilities?: Partial<Capabilities>
}

/** Reachable from this machine only: anybody who reaches the sandbox can read and move all that is in it. */
const host = "127.0.0.1"

/** A client that was left hanging would otherwise keep the server from stopping, for ever. */
const gracefulShutdownTimeout = Duration.millis(100)

export const layer = ({ port, ...options }: Options): Layer.Layer<HttpServer.HttpServer, ServeError, SandboxBooks> => {
  const rules = { ...capabilities, ...options.capabilities }
  const routes = HttpApiBuilder.layer(SandboxApi, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([payments(rules), records(rules), pages])
  )
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host, port, gracefulShutdownTimeout }))
  )
}

// --- What moves money -------------------------------------------------------

interface Asked {
  readonly request: HttpServerRequest
  readonly headers: { readonly "idempotency-key": OperationId }
  readonly payload: { readonly metadata: { readonly operation: OperationId } }
}

const payments = (rules: Capabilities) =>
  HttpApiBuilder.group(
    SandboxApi,
    "payments",
    Effect.fnUntraced(function* (handlers) {
      const books = yield* SandboxBooks
      const server = yield* HttpServer.HttpServer
      const origin = HttpServer.formatAddress(server.address)

      const send = Effect.fnUntraced(function* <A extends Answer>(
        { headers, payload, request }: Asked,
        asked: SandboxRequest.SandboxRequest,
        fits: (answer: Answer) => answer is A
      ) {
        if (payload.metadata.operation !== headers["idempotency-key"]) {
          return yield* new KeyMisused({ detail: "the key is not the operation in the metadata" })
        }
        const reply = yield* Books.send(asked, rules).pipe(
          Effect.provideService(SandboxBooks, books),
          Effect.orDie,
          Effect.uninterruptible
        )
        switch (reply._tag) {
          case "Answered": {
            if (reply.delayMillis > 0) yield* Effect.sleep(Duration.millis(reply.delayMillis))
            const answer = SandboxCharge.at(origin, reply.answer)
            return fits(answer) ? answer : yield* Effect.die(new Error(`${asked.kind} was answered ${answer._tag}`))
          }
          case "Failed":
            return yield* failing(reply.failure, request)
          case "KeyMisused":
            return yield* new KeyMisused({ detail: reply.detail })
          case "NoSuchCharge":
            return yield* new NoSuchCharge()
        }
      })

      return handlers.handleAll({
        authorize: (asked) => {
          const { metadata, returnUrl, ...payload } = asked.payload
          const { operation: key, ...whose } = metadata
          const request = { kind: "authorize", key, ...whose, ...payload, returnUrl } as const
          return send(asked, request, SandboxRequest.isAuthorizationAnswer)
        },
        confirm: (asked) => {
          const { metadata, result } = asked.payload
          const request = { kind: "confirm", key: metadata.operation, ...asked.params, result } as const
          return send(asked, request, SandboxRequest.isAuthorizationAnswer)
        },
        capture: (asked) => {
          const { metadata, ...payload } = asked.payload
          const request = { kind: "capture", key: metadata.operation, ...asked.params, ...payload } as const
          return send(asked, request, SandboxRequest.isCaptureAnswer)
        },
        void: (asked) => {
          const request = { kind: "void", key: asked.payload.metadata.operation, ...asked.params } as const
          return send(asked, request, SandboxRequest.isVoidAnswer)
        },
        refund: (asked) => {
          const { metadata, ...payload } = asked.payload
          const request = { kind: "refund", key: metadata.operation, ...asked.params, ...payload } as const
          return send(asked, request, SandboxRequest.isRefundAnswer)
        }
      })
    })
  )

const failing = (
  failure: SandboxToken.Failure,
  request: HttpServerRequest
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  switch (failure) {
    case "hang":
      return Effect.never
    case "drop":
      return Effect.andThen(
        Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()),
        Effect.never
      )
    case "serverError":
      return Effect.succeed(HttpServerResponse.empty({ status: 500 }))
    case "throttle": {
      const seconds = String(Math.ceil(SandboxToken.retryAfterMillis / 1000))
      return Effect.succeed(HttpServerResponse.empty({ status: 429, headers: { "retry-after": seconds } }))
    }
    case "refuse":
      return Effect.succeed(HttpServerResponse.empty({ status: 503, headers: { [notSentHeader]: "true" } }))
  }
}

// --- What only reads --------------------------------------------------------

const records = (rules: Capabilities) =>
  HttpApiBuilder.group(
    SandboxApi,
    "records",
    Effect.fnUntraced(function* (handlers) {
      const books = yield* SandboxBooks
      const server = yield* HttpServer.HttpServer
      const origin = HttpServer.formatAddress(server.address)

      return handlers.handleAll({
        operations: Effect.fnUntraced(function* ({ query: { key }, request }) {
          const found = yield* Books.lookup(key, rules).pipe(Effect.provideService(SandboxBooks, books), Effect.orDie)
          if (found._tag === "Failed") return yield* failing(found.failure, request)
          const answers = found._tag === "Found" ? [SandboxCharge.at(origin, found.answer)] : []
          return { operations: answers.map((answer) => ({ key, answer })) }
        }),
        charges: ({ query: { after, limit } }) =>
          Effect.map(Effect.orDie(books.charges(after, limit ?? defaultLimit)), (charges) => ({ charges }))
      })
    })
  )

/** A page that a person can read; auditors ask for more. */
const defaultLimit = 100

const pages = HttpApiBuilder.group(
  SandboxApi,
  "pages",
  Effect.fnUntraced(function* (handlers) {
    const books = yield* SandboxBooks
    return handlers.handleAll({
      // Up is who can read the books.
      health: () => Effect.asVoid(Effect.orDie(books.charges(undefined, 1))),
      challenge: Effect.fnUntraced(function* ({ params: { reference } }) {
        const charge = yield* Effect.orDie(books.charge(reference))
        if (charge === undefined) return yield* new NoSuchCharge()
        const isAbandoned = SandboxToken.of(charge.method).challenge === "abandoned"
        if (isAbandoned) return "This customer closes the window, and never comes back."
        // From the books and not from the query, or anybody's link could send a customer anywhere.
        return charge.returnUrl === undefined
          ? "Done. Whoever sent you here gave no way back."
          : HttpServerResponse.redirect(charge.returnUrl, { status: 303 })
      })
    })
  })
)
