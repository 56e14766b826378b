/** What the client makes of everything that a server, or the lack of one, can do. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { HttpClientError, InvalidUrlError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Socket } from "node:net"
import { createServer } from "node:net"
import * as HttpSandboxGateway from "../../../src/infra/simulated/HttpSandboxGateway.ts"
import { capabilities } from "../../../src/infra/simulated/SandboxGateway.ts"
import { callsOf, reasonOf, tagOf } from "../../../src/testing/contract/GatewayUnderTest.ts"

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", NodeHttpClient.layerFetch],
  ["node:http", NodeHttpClient.layerNodeHttp]
] as const

// --- Answers that a stub gives ----------------------------------------------

/** A client whose server gives this response to everything. */
const answering = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const text = typeof body === "string" ? body : JSON.stringify(body)
      const sent = { "content-type": "application/json", ...headers }
      return HttpClientResponse.fromWeb(request, new Response(text === "" ? null : text, { status, headers: sent }))
    })
  )

const failing = (reason: (request: HttpClientError["request"]) => HttpClientError["reason"]) =>
  HttpClient.make((request) => Effect.fail(new HttpClientError({ reason: reason(request) })))

const gatewayOver = (client: HttpClient.HttpClient, promised = {}) =>
  HttpSandboxGateway.make("sandbox", { url: "http://127.0.0.1:1", capabilities: promised }).pipe(
    Effect.provideService(HttpClient.HttpClient, client)
  )

const authorizing = (client: HttpClient.HttpClient) =>
  Effect.flatMap(gatewayOver(client), (gateway) => gateway.authorize(callsOf(gateway, "tok_visa").authorize))

/** An error as Node throws it. */
const node = (fields: object) => Object.assign(new Error("from node"), fields)

const approved = { _tag: "Approved", reference: "ch_1", captured: false }

describe("HttpSandboxGateway", () => {
  const statuses: ReadonlyArray<readonly [HttpClient.HttpClient, string]> = [
    [answering(400, { _tag: "KeyMisused", detail: "amount.minor" }), "Misconfigured"],
    [answering(401, ""), "NotSent Refused"],
    [answering(404, ""), "NotSent Refused"],
    [answering(409, ""), "InDoubt KeyInUse"],
    [answering(422, ""), "NotSent Refused"],
    [answering(429, ""), "NotSent Throttled"],
    [answering(500, ""), "InDoubt ServerError"],
    [answering(502, "<html>bad gateway</html>"), "InDoubt ServerError"],
    [answering(503, ""), "InDoubt ServerError"],
    [answering(503, "", { "x-sandbox-not-sent": "false" }), "InDoubt ServerError"],
    [answering(503, "", { "x-sandbox-not-sent": "true" }), "NotSent ConnectionRefused"],
    [answering(500, "", { "x-sandbox-not-sent": "true" }), "InDoubt ServerError"],
    [answering(302, "", { location: "http://elsewhere.example/" }), "InDoubt Unreadable"],
    [answering(200, "{"), "InDoubt Unreadable"],
    [answering(200, ""), "InDoubt Unreadable"],
    [answering(200, { ...approved, reference: "" }), "InDoubt Unreadable"],
    [answering(200, { _tag: "Voided" }), "InDoubt Unreadable"],
    [answering(202, approved), "InDoubt Unreadable"]
  ]
  it.effect("classifies every status, and every body that it cannot read", () =>
    Effect.gen(function* () {
      for (const [index, [client, expected]] of statuses.entries()) {
        assert.strictEqual(yield* reasonOf(authorizing(client)), expected, `row ${index}`)
      }
      assert.strictEqual(yield* tagOf(authorizing(answering(200, approved))), "Approved")
    })
  )

  it.effect("takes Retry-After in seconds, and no other form of it", () =>
    Effect.gen(function* () {
      for (const [header, millis] of [
        ["7", 7000],
        ["0", 0],
        ["Fri, 31 Dec 2027 23:59:59 GMT", undefined],
        ["-1", undefined],
        ["1e9", undefined]
      ] as const) {
        const { reason } = yield* Effect.flip(authorizing(answering(429, "", { "retry-after": header })))
        assert.strictEqual(reason._tag === "NotSent" ? reason.retryAfterMillis : "no", millis, header)
      }
    })
  )

  it.effect("says what the gateway objected to", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(authorizing(answering(400, { _tag: "KeyMisused", detail: "amount.minor" })))
      assert.include(reason._tag === "Misconfigured" ? reason.detail : "", "amount.minor")
    })
  )

  const causes: ReadonlyArray<readonly [cause: unknown, expected: string]> = [
    [node({ code: "ECONNREFUSED", syscall: "connect" }), "NotSent ConnectionRefused"],
    [node({ code: "ETIMEDOUT", syscall: "connect" }), "NotSent ConnectionRefused"],
    [node({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "NotSent ConnectionRefused"],
    [node({ code: "UND_ERR_CONNECT_TIMEOUT" }), "NotSent ConnectionRefused"],
    [new TypeError("fetch failed", { cause: node({ syscall: "connect" }) }), "NotSent ConnectionRefused"],
    [node({ errors: [node({ syscall: "connect" }), node({ syscall: "connect" })] }), "NotSent ConnectionRefused"],
    [node({ errors: [node({ syscall: "connect" }), node({ syscall: "read" })] }), "InDoubt ConnectionLost"],
    [node({ errors: [] }), "InDoubt ConnectionLost"],
    [node({ code: "ECONNRESET", syscall: "read" }), "InDoubt ConnectionLost"],
    [node({ code: "EPIPE", syscall: "write" }), "InDoubt ConnectionLost"],
    [node({ code: "UND_ERR_SOCKET" }), "InDoubt ConnectionLost"],
    [new Error("anything"), "InDoubt ConnectionLost"],
    ["anything", "InDoubt ConnectionLost"],
    [undefined, "InDoubt ConnectionLost"]
  ]
  it.effect("believes that nothing was sent only if no connection was made", () =>
    Effect.gen(function* () {
      for (const [index, [cause, expected]] of causes.entries()) {
        const client = failing((request) => new TransportError({ request, cause }))
        assert.strictEqual(yield* reasonOf(authorizing(client)), expected, `row ${index}`)
      }
      const nowhere = failing((request) => new InvalidUrlError({ request }))
      assert.strictEqual(yield* reasonOf(authorizing(nowhere)), "Misconfigured")
    })
  )

  it.effect("never takes a wrong address for proof that nothing happened", () =>
    Effect.gen(function* () {
      for (const [client, expected] of [
        [answering(404, ""), "NotSent Refused"],
        [answering(200, "<html>welcome</html>"), "InDoubt Unreadable"],
        [answering(200, {}), "InDoubt Unreadable"]
      ] as const) {
        const gateway = yield* gatewayOver(client)
        assert.strictEqual(yield* reasonOf(gateway.lookup(callsOf(gateway, "tok_visa").authorize)), expected)
      }
    })
  )

  it.effect("asks nobody where it promises no lookup", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayOver(answering(200, { operations: [] }), { lookup: "none" })
      assert.deepStrictEqual(gateway.capabilities, { ...capabilities, lookup: "none" })
      assert.strictEqual(yield* reasonOf(gateway.lookup(callsOf(gateway, "tok_visa").authorize)), "Misconfigured")
    })
  )
})

// --- Real sockets -----------------------------------------------------------

/** A TCP server on a free port that does `act` when a request has come. */
const listening = (act: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: Effect.Effect<void> }>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => undefined)
        socket.once("data", () => act(socket))
      })
      const close = Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : undefined
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => close
  )

const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"

const told = (url: string, client: Layer.Layer<HttpClient.HttpClient>) =>
  Effect.flatMap(HttpSandboxGateway.make("sandbox", { url }), (gateway) =>
    reasonOf(gateway.authorize(callsOf(gateway, "tok_visa").authorize))
  ).pipe(Effect.provide(Layer.fresh(client), { local: true }))

for (const [name, client] of clients) {
  describe(`HttpSandboxGateway by ${name}`, () => {
    it.live("was not sent to a port where nobody listens", () =>
      Effect.gen(function* () {
        const { close, url } = yield* listening((socket) => socket.destroy())
        yield* close
        assert.strictEqual(yield* told(url, client), "NotSent ConnectionRefused")
      })
    )

    it.live("is in doubt when the connection breaks before, in or after the head of the answer", () =>
      Effect.gen(function* () {
        const acts: ReadonlyArray<(socket: Socket) => void> = [
          (socket) => socket.destroy(),
          (socket) => socket.resetAndDestroy(),
          (socket) => socket.end(),
          (socket) => socket.end("HTTP/1.1 200"),
          (socket) => socket.end(head),
          (socket) => socket.end(`${head}{"_tag":"Approved"`)
        ]
        for (const [index, act] of acts.entries()) {
          const { url } = yield* listening(act)
          assert.match(yield* told(url, client), /^InDoubt (ConnectionLost|Unreadable)$/, `act ${index}`)
        }
      })
    )
  })
}
