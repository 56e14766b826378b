/** The sender against a real receiver on loopback, and against names that lead where they should not. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import { IpNetwork } from "effect/net"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { Outgoing } from "../../../src/adapters/WebhookSender.ts"
import { WebhookSender } from "../../../src/adapters/WebhookSender.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as StandardWebhooks from "../../../src/domain/webhook/StandardWebhooks.ts"
import { hmac } from "../../../src/infra/http/HmacSha256.ts"
import type { Options, Resolve } from "../../../src/infra/http/HttpWebhookSender.ts"
import * as HttpWebhookSender from "../../../src/infra/http/HttpWebhookSender.ts"

const at = Instant.make(1_700_000_000_000)
const secret = StandardWebhooks.secretOf(new Uint8Array(32).fill(1))
const body = new TextEncoder().encode('{"id":"pay_1/1"}')

const loopback = { allowedNetworks: [IpNetwork.fromStringUnsafe("127.0.0.0/8")], plainHttp: true }

const sending = <A, E>(use: (sender: WebhookSender["Service"]) => Effect.Effect<A, E>, options: Options = {}) =>
  Effect.provide(Effect.flatMap(WebhookSender, use), HttpWebhookSender.layer({ policy: loopback, ...options }))
const send = (url: string, options: Options = {}, changes: Partial<Outgoing> = {}) =>
  sending((sender) => sender.send({ url, id: "pay_1/1", body, at, secrets: [secret], ...changes }), options)
const refusal = (url: string, options: Options = {}) =>
  Effect.map(Effect.flip(send(url, options)), ({ because }) => because)

interface Heard {
  readonly request: IncomingMessage
  readonly body: Uint8Array
}

/** A receiver on loopback, and what it heard. */
const receiver = (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  make: (listener: RequestListener) => Server = createServer
) =>
  Effect.acquireRelease(
    Effect.callback<{ port: number; heard: Array<Heard>; server: Server }>((resume) => {
      const heard: Array<Heard> = []
      const server = make((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          heard.push({ request, body: Uint8Array.from(Buffer.concat(chunks)) })
          answer(request, response)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ port, heard, server }))
      })
    }),
    ({ server }) =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )

const answering = (status: number, headers: Record<string, string> = {}) =>
  receiver((_, response) => void response.writeHead(status, headers).end("thank you"))

describe("HttpWebhookSender", () => {
  it.live("posts the message, signed, and answers with the status", () =>
    Effect.gen(function* () {
      const { heard, port } = yield* answering(204)
      const sent = yield* send(`http://127.0.0.1:${port}/hooks?shop=1`)
      assert.deepStrictEqual(sent, { status: 204, retryAfterMillis: undefined })
      assert.strictEqual(heard.length, 1)
      const [{ body: got, request }] = heard as [Heard]
      assert.strictEqual(`${request.method} ${request.url}`, "POST /hooks?shop=1")
      assert.deepInclude(request.headers, { "content-type": "application/json", "user-agent": "florin" })
      assert.deepStrictEqual(got, body)
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([header, value]) => [header, String(value)])
      )
      assert.deepStrictEqual(StandardWebhooks.verify(hmac, headers, got, [secret], at), Result.succeed("pay_1/1"))
    }).pipe(Effect.scoped)
  )

  it.live("follows no redirect, and reads when to come back", () =>
    Effect.gen(function* () {
      const elsewhere = yield* answering(200)
      const { heard, port } = yield* answering(307, { location: `http://127.0.0.1:${elsewhere.port}/` })
      assert.deepInclude(yield* send(`http://127.0.0.1:${port}/`), { status: 307 })
      assert.deepStrictEqual([heard.length, elsewhere.heard.length], [1, 0])
      const busy = yield* answering(429, { "retry-after": "7" })
      assert.deepStrictEqual(yield* send(`http://127.0.0.1:${busy.port}/`), { status: 429, retryAfterMillis: 7000 })
      const vague = yield* answering(503, { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" })
      assert.deepStrictEqual(yield* send(`http://127.0.0.1:${vague.port}/`), {
        status: 503,
        retryAfterMillis: undefined
      })
    }).pipe(Effect.scoped)
  )

  it.live("says that nobody is there, and that a connection broke", () =>
    Effect.gen(function* () {
      const broken = yield* receiver((request) => request.socket.destroy())
      assert.strictEqual(yield* refusal(`http://127.0.0.1:${broken.port}/`), "ConnectionFailed")
      const { port, server } = yield* answering(200)
      yield* Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      assert.strictEqual(yield* refusal(`http://127.0.0.1:${port}/`), "ConnectionFailed")
    }).pipe(Effect.scoped)
  )

  it.live("ends when it is interrupted, and the connection with it", () =>
    Effect.gen(function* () {
      const [came, left] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const { port } = yield* receiver((request) => {
        Effect.runSync(Deferred.succeed(came, undefined))
        request.socket.on("close", () => Effect.runSync(Deferred.succeed(left, undefined)))
      })
      const fiber = yield* Effect.forkChild(send(`http://127.0.0.1:${port}/`))
      yield* Deferred.await(came)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(left)
    }).pipe(Effect.scoped)
  )

  it.live("checks TLS against the name, not against the address", () =>
    Effect.gen(function* () {
      const [key, cert] = ["key", "crt"].map((ending) => readFileSync(`test/fixtures/tls/server.${ending}`))
      const { heard, port } = yield* receiver(
        (_, response) => void response.end(),
        (listener) => createSecureServer({ key, cert }, listener)
      )
      // The fixture's certificate is its own authority, which nobody here trusts.
      const error = yield* Effect.flip(send(`https://shop.example:${port}/`, { resolve: async () => ["127.0.0.1"] }))
      assert.strictEqual(error.because, "ConnectionFailed")
      assert.match(error.detail, /self[- ]signed|certificate/)
      assert.strictEqual(heard.length, 0)
    }).pipe(Effect.scoped)
  )
})

describe("HttpWebhookSender, where it must not send to", () => {
  const strict = { policy: { allowedNetworks: [], plainHttp: true } }

  it.live.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://localhost/"
  ])("refuses %s", (url) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refusal(url, strict), "TargetRefused")
      assert.strictEqual(
        yield* Effect.map(Effect.flip(sending((sender) => sender.check(url), strict)), ({ because }) => because),
        "TargetRefused"
      )
    })
  )

  it.live("goes by the addresses of a name, of which every one must be public", () =>
    Effect.gen(function* () {
      const { heard, port } = yield* answering(200)
      const url = `http://shop.example:${port}/`
      const by = (...addresses: ReadonlyArray<string>) => refusal(url, { ...strict, resolve: async () => addresses })
      assert.strictEqual(yield* by("127.0.0.1"), "TargetRefused")
      assert.strictEqual(yield* by("93.184.215.14", "127.0.0.1"), "TargetRefused")
      assert.strictEqual(yield* by("127.0.0.1", "93.184.215.14"), "TargetRefused")
      assert.strictEqual(yield* by("::ffff:127.0.0.1"), "TargetRefused")
      assert.strictEqual(yield* by("fe80::1%lo"), "TargetRefused")
      assert.strictEqual(yield* by(), "Unresolvable")
      const unknown = yield* refusal(url, { ...strict, resolve: () => Promise.reject(new Error("ENOTFOUND")) })
      assert.strictEqual(unknown, "Unresolvable")
      assert.strictEqual(heard.length, 0)
    }).pipe(Effect.scoped)
  )

  it.live("calls the very address that was checked: a name that changes its mind changes nothing", () =>
    Effect.gen(function* () {
      const { heard, port } = yield* answering(200)
      const asked: Array<string> = []
      // 127.0.0.2 is allowed here and nobody listens there; the receiver stands for what only florin can reach.
      const policy = { allowedNetworks: [IpNetwork.fromStringUnsafe("127.0.0.2/32")], plainHttp: true }
      const rebinding: Resolve = async (hostname) => {
        asked.push(hostname)
        return asked.length === 1 ? ["127.0.0.2"] : ["127.0.0.1"]
      }
      const options = { policy, resolve: rebinding }
      assert.strictEqual(yield* refusal(`http://shop.example:${port}/`, options), "ConnectionFailed")
      assert.deepStrictEqual(asked, ["shop.example"])
      assert.strictEqual(heard.length, 0)
      // And the next message is judged by what the name is by then.
      assert.strictEqual(yield* refusal(`http://shop.example:${port}/`, options), "TargetRefused")
      assert.strictEqual(heard.length, 0)
    }).pipe(Effect.scoped)
  )

  it.live("tells the receiver the name, and asks for it once", () =>
    Effect.gen(function* () {
      const { heard, port } = yield* answering(200)
      const asked: Array<string> = []
      const resolve: Resolve = async (hostname) => {
        asked.push(hostname)
        return ["127.0.0.1"]
      }
      assert.deepInclude(yield* send(`http://shop.example:${port}/`, { resolve }), { status: 200 })
      assert.strictEqual(heard[0]?.request.headers.host, `shop.example:${port}`)
      assert.deepStrictEqual(asked, ["shop.example"])
    }).pipe(Effect.scoped)
  )

  it.live("sends over https only, unless it is told otherwise", () =>
    Effect.gen(function* () {
      const { heard, port } = yield* answering(200)
      const policy = { ...loopback, plainHttp: false }
      assert.strictEqual(yield* refusal(`http://127.0.0.1:${port}/`, { policy }), "TargetRefused")
      assert.strictEqual(heard.length, 0)
    }).pipe(Effect.scoped)
  )
})
