import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Redacted } from "effect"
import { inspect } from "node:util"
import type { Notice } from "../../../src/adapters/Notifier.ts"
import { Address, NoticeId, Notifier } from "../../../src/adapters/Notifier.ts"
import * as WebhookNotifier from "../../../src/infra/http/WebhookNotifier.ts"
import * as NotifierContract from "../../../src/testing/contract/NotifierContract.ts"
import * as Receiver from "./Receiver.ts"

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", NodeHttpClient.layerFetch]
] as const

/** A receiver that answers everything like this. */
const receiver = (answer: Receiver.Answer = (response) => response.writeHead(204).end()) =>
  Effect.map(Receiver.start(answer), ({ asked, url }) => ({ posted: asked, url: `${url.origin}/secret-path` }))

const notice: Notice = {
  id: NoticeId.make("receipt/pay_1"),
  kind: "receipt",
  to: Address.make("ada@example.org"),
  subject: "Your receipt",
  text: "You paid 10.00 EUR."
}

const sending = (url: string, options: Partial<WebhookNotifier.Options> = {}, client = clients[0][1]) =>
  Effect.scoped(
    Effect.gen(function* () {
      const notifier = WebhookNotifier.layer({ url: Redacted.make(url), ...options })
      const context = yield* Layer.build(Layer.provide(notifier, client))
      yield* Context.get(context, Notifier).notify(notice)
    })
  )

NotifierContract.suite(
  "webhook",
  Layer.unwrap(
    Effect.map(receiver(), ({ posted, url }) =>
      Layer.mergeAll(
        Layer.provide(WebhookNotifier.layer({ url: Redacted.make(url) }), NodeHttpClient.layerUndici),
        Layer.succeed(
          NotifierContract.Arrived,
          Effect.sync(() => posted.map(({ body }) => body as Notice))
        )
      )
    )
  )
)

describe("WebhookNotifier", () => {
  it.live("posts the notice as JSON, with its id as the idempotency key and the token", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* receiver()
      yield* sending(url, { token: Redacted.make("whsec_1") })
      assert.deepStrictEqual(
        posted.map(({ body, method }) => [method, body]),
        [["POST", notice]]
      )
      assert.deepInclude(posted[0]!.headers, {
        "idempotency-key": "receipt/pay_1",
        "content-type": "application/json",
        authorization: "Bearer whsec_1"
      })
    })
  )

  const statuses: ReadonlyArray<readonly [number, string, boolean]> = [
    [302, "Misconfigured", false],
    [400, "Refused", false],
    [401, "Misconfigured", false],
    [403, "Misconfigured", false],
    [404, "Misconfigured", false],
    [408, "NotSent", true],
    [410, "Refused", false],
    [422, "Refused", false],
    [425, "NotSent", true],
    [429, "NotSent", true],
    [500, "InDoubt", true],
    [503, "InDoubt", true]
  ]
  for (const [name, client] of clients) {
    it.live(`knows what a status means, over ${name}`, () =>
      Effect.gen(function* () {
        for (const [status, tag, isRetryable] of statuses) {
          const { posted, url } = yield* receiver((response) => response.writeHead(status, { location: "/" }).end())
          const error = yield* Effect.flip(sending(url, {}, client))
          assert.deepStrictEqual([error.reason._tag, error.isRetryable], [tag, isRetryable], String(status))
          assert.strictEqual(error.message, `receipt/pay_1 by webhook: ${tag}, the receiver answered ${status}`)
          assert.strictEqual(posted.length, 1)
        }
      })
    )

    it.live(`hangs up on a receiver that has taken it and talks on, over ${name}`, () =>
      Effect.gen(function* () {
        const hungUp = yield* Deferred.make<void>()
        const talking = yield* receiver((response) => {
          response.on("close", () => Deferred.doneUnsafe(hungUp, Effect.void))
          response.writeHead(200, { "content-type": "text/plain" }).write("well, let me see")
        })
        const notifier = WebhookNotifier.layer({ url: Redacted.make(talking.url) })
        const context = yield* Layer.build(Layer.provide(notifier, client))
        yield* Context.get(context, Notifier).notify(notice)
        // By the notifier itself, and not by the end of its client or a collection of garbage.
        yield* Effect.timeout(Deferred.await(hungUp), "1 second")
      })
    )

    it.live(`tells what never left from what may have been taken, over ${name}`, () =>
      Effect.gen(function* () {
        const broken = yield* receiver((response) => response.destroy())
        assert.strictEqual((yield* Effect.flip(sending(broken.url, {}, client))).reason._tag, "InDoubt")
        const silent = yield* receiver(() => {})
        const late = yield* Effect.flip(sending(silent.url, { timeoutMillis: 100 }, client))
        assert.strictEqual(late.message, "receipt/pay_1 by webhook: InDoubt, no answer within 100 ms")
        const gone = yield* Effect.scoped(receiver())
        assert.strictEqual((yield* Effect.flip(sending(gone.url, {}, client))).reason._tag, "NotSent")
      })
    )
  }

  it.live("names neither the URL nor the token, whatever goes wrong", () =>
    Effect.gen(function* () {
      const refused = yield* receiver((response) => response.writeHead(401).end("secret-body"))
      const gone = yield* Effect.scoped(receiver())
      for (const url of [refused.url, gone.url, "no url at secret-path"]) {
        const error = yield* Effect.flip(sending(url, { token: Redacted.make("secret-token") }))
        assert.notInclude(inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error), "secret-")
      }
    })
  )
})
