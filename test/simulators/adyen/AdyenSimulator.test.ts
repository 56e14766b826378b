/** The simulator as its callers see it: what the adapter's tests rest on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { createServer } from "node:http"
import * as AdyenSimulator from "./AdyenSimulator.ts"

const account = { merchantAccount: AdyenSimulator.merchantAccount }

/** A request as a client of Adyen's makes it. */
const post = (url: string, path: string, body: object, key?: string, apiKey = AdyenSimulator.apiKey) =>
  Effect.promise(async () => {
    const headers = { "content-type": "application/json", "x-api-key": apiKey, ...(key && { "idempotency-key": key }) }
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  })

const payment = (method: string, value = 1000) => ({
  ...account,
  amount: { currency: "EUR", value },
  reference: "order-1",
  paymentMethod: { type: "scheme", storedPaymentMethodId: method },
  shopperReference: "shopper-1",
  returnUrl: "https://shop.example/back",
  authenticationData: {}
})

/** Takes what is posted to it, refusing the first `refusals`. */
const listener = (refusals: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const bodies: Array<string> = []
      const server = createServer((request, response) => {
        let text = ""
        request.on("data", (chunk) => (text += String(chunk)))
        request.on("end", () => {
          bodies.push(text)
          response.writeHead(bodies.length <= refusals ? 500 : 200).end("[accepted]")
        })
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const address = server.address()
      const port = typeof address === "object" ? address?.port : 0
      return { server, bodies, url: `http://127.0.0.1:${port}/` }
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

describe("AdyenSimulator", () => {
  it.live("answers a key as it did first, and says nothing of a request that was another", () =>
    Effect.gen(function* () {
      const { hold, payments, url } = yield* AdyenSimulator.start()
      const first = yield* post(url, "/payments", payment("visa"), "key-1")
      assert.deepStrictEqual(yield* post(url, "/payments", payment("visa", 2000), "key-1"), first)
      assert.strictEqual(payments().length, 1)
      // While one send of a key is worked on, the others are told so.
      const { begun, go } = hold()
      const slow = yield* Effect.forkChild(post(url, "/payments", payment("visa"), "key-2"))
      yield* Effect.promise(() => begun)
      const others = yield* Effect.all(
        Array.from({ length: 4 }, () => post(url, "/payments", payment("visa"), "key-2")),
        { concurrency: "unbounded" }
      )
      for (const { body, status } of others) assert.deepStrictEqual([status, body["errorCode"]], [422, "704"])
      go()
      const second = yield* Fiber.join(slow)
      assert.strictEqual(second.status, 200)
      assert.deepStrictEqual(yield* post(url, "/payments", payment("visa"), "key-2"), second)
      assert.strictEqual(payments().length, 2)
      // What was refused before it began can be asked anew.
      assert.strictEqual((yield* post(url, "/payments", payment("nobody"), "key-3")).status, 422)
      assert.strictEqual((yield* post(url, "/payments", payment("visa"), "key-3")).status, 200)
    })
  )

  it.live("knows its callers, its account and its payments", () =>
    Effect.gen(function* () {
      const { url } = yield* AdyenSimulator.start()
      const codes: ReadonlyArray<readonly [string, object, string, number, string | undefined]> = [
        ["/payments", payment("visa"), "another's key", 401, "000"],
        ["/payments", { ...payment("visa"), merchantAccount: "Other" }, AdyenSimulator.apiKey, 422, "901"],
        ["/payments", { ...payment("visa"), shopperReference: "" }, AdyenSimulator.apiKey, 422, "180"],
        ["/payments", payment("nobody"), AdyenSimulator.apiKey, 422, "803"],
        ["/payments/none/captures", payment("visa"), AdyenSimulator.apiKey, 422, "167"],
        ["/nowhere", payment("visa"), AdyenSimulator.apiKey, 404, undefined]
      ]
      for (const [path, body, key, status, errorCode] of codes) {
        const reply = yield* post(url, path, body, undefined, key)
        assert.deepStrictEqual([reply.status, reply.body["errorCode"]], [status, errorCode], `${path} ${errorCode}`)
      }
    })
  )

  it.live("sends its notifications until they are accepted, each signed", () =>
    Effect.gen(function* () {
      const { bodies, url: webhookUrl } = yield* listener(1)
      const { delivered, url } = yield* AdyenSimulator.start({ webhookUrl })
      yield* post(url, "/payments", payment("visa"))
      yield* Effect.promise(async () => {
        while (bodies.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
      }).pipe(Effect.timeout("5 seconds"))
      assert.deepStrictEqual(bodies, [delivered()[0]!, delivered()[0]!])
      assert.match(bodies[0]!, /"eventCode":"AUTHORISATION".*"hmacSignature":"[^"]{44}"/)
    })
  )

  it.live("delivers on demand what was not delivered there before", () =>
    Effect.gen(function* () {
      const { bodies, url: to } = yield* listener(0)
      const { deliver, delivered, url } = yield* AdyenSimulator.start()
      yield* post(url, "/payments", payment("visa"))
      assert.deepStrictEqual(yield* deliver(to), ["[accepted]"])
      assert.deepStrictEqual(yield* deliver(to), [])
      yield* post(url, "/payments", payment("poor"))
      assert.deepStrictEqual(yield* deliver(to), ["[accepted]"])
      assert.deepStrictEqual(bodies, [...delivered()])
    })
  )
})
