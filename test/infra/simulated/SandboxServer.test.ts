/** The wire itself: what other clients than ours would see. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schedule, Scope } from "effect"
import type { HttpClient } from "effect/http"
import { HttpServer } from "effect/http"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import { SandboxBooks } from "../../../src/infra/simulated/SandboxBooks.ts"
import * as SandboxServer from "../../../src/infra/simulated/SandboxServer.ts"
import { callsOf, reasonOf, referenceOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import { paymentId } from "../../../src/testing/contract/Samples.ts"
import * as Fixture from "./SandboxFixture.ts"

interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** One request, with nothing done for it: no redirect is followed, no status fails. */
const fetched = Effect.fnUntraced(function* (path: string, init: RequestInit = {}) {
  const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
  return yield* Effect.promise(async (signal): Promise<Seen> => {
    const response = await fetch(`${url}${path}`, { redirect: "manual", signal, ...init })
    return { status: response.status, headers: response.headers, body: await response.text() }
  })
})

const posted = (path: string, key: string | undefined, body: unknown) =>
  fetched(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) },
    body: JSON.stringify(body)
  })

const authorization = (method = "tok_visa", changes: object = {}) => {
  const payment = paymentId()
  const operation = `${payment}/auth/1`
  const body = {
    amount: { currency: "EUR", minor: "1000" },
    method,
    challenge: false,
    capture: "manual",
    metadata: { operation, payment, merchant: "shop" },
    ...changes
  }
  return { operation, reference: `ch_${operation.slice(4).replaceAll("/", "_")}`, body }
}
const authorize = Effect.fnUntraced(function* (method?: string, changes?: object) {
  const asked = authorization(method, changes)
  return { ...asked, seen: yield* posted("/v1/authorizations", asked.operation, asked.body) }
})

const server = SandboxServer.layer({ port: 0 }).pipe(Layer.provideMerge(MemorySandboxBooks.layer()))

layer(server, { excludeTestServices: true })("SandboxServer", (it) => {
  it.effect("answers only on the loopback", () =>
    Effect.gen(function* () {
      assert.match(yield* HttpServer.addressFormattedWith(Effect.succeed), /^http:\/\/127\.0\.0\.1:\d+$/)
    })
  )

  it.effect("writes amounts as strings of minor units", () =>
    Effect.gen(function* () {
      const { body, operation, reference, seen } = yield* authorize("tok_visa", {
        amount: { currency: "JPY", minor: "9007199254740993" }
      })
      assert.deepStrictEqual(JSON.parse(seen.body), { _tag: "Approved", reference, captured: false })
      const capture = {
        amount: body.amount,
        final: true,
        metadata: { operation: operation.replace("auth", "capture") }
      }
      const captured = yield* posted(`/v1/authorizations/${reference}/captures`, capture.metadata.operation, capture)
      assert.strictEqual(captured.status, 200)
      assert.include(captured.body, '"amount":{"currency":"JPY","minor":"9007199254740993"}')
      const { charges } = JSON.parse((yield* fetched("/v1/charges?limit=1000")).body)
      assert.deepInclude(
        charges.find((charge: { reference: string }) => charge.reference === reference),
        { operation, currency: "JPY", amountMinor: "9007199254740993", status: "captured" }
      )
    })
  )

  it.effect("refuses what it cannot understand with 400, and writes nothing", () =>
    Effect.gen(function* () {
      const { body, operation } = authorization()
      const wrong: ReadonlyArray<readonly [string, string | undefined, unknown]> = [
        ["no key", undefined, body],
        ["a key that is no operation", "order-17", body],
        ["another key than the metadata says", operation.replace("auth/1", "auth/2"), body],
        ["an amount that is a number", operation, { ...body, amount: { currency: "EUR", minor: 1000 } }],
        ["an unknown currency", operation, { ...body, amount: { currency: "XXL", minor: "1000" } }],
        ["a card with spaces", operation, { ...body, method: "4242 4242 4242 4242" }],
        ["nothing", operation, {}]
      ]
      for (const [what, key, payload] of wrong) {
        assert.strictEqual((yield* posted("/v1/authorizations", key, payload)).status, 400, what)
      }
      const found = yield* fetched(`/v1/operations?key=${encodeURIComponent(operation)}`)
      assert.deepStrictEqual([found.status, JSON.parse(found.body)], [200, { operations: [] }])
    })
  )

  it.effect("says 400 for a key of another request and 404 for a charge that is not there", () =>
    Effect.gen(function* () {
      const { body, operation } = yield* authorize()
      const other = yield* posted("/v1/authorizations", operation, { ...body, method: "tok_amex" })
      assert.deepStrictEqual(
        [other.status, JSON.parse(other.body)],
        [400, { _tag: "KeyMisused", detail: "the key stands for another method" }]
      )
      const release = { metadata: { operation: operation.replace("auth", "void") } }
      const missing = yield* posted("/v1/authorizations/ch_nowhere/void", release.metadata.operation, release)
      assert.strictEqual(missing.status, 404)
    })
  )

  it.effect("throttles, breaks and refuses in HTTP's own words", () =>
    Effect.gen(function* () {
      const throttled = (yield* authorize("tok_throttled")).seen
      assert.deepStrictEqual([throttled.status, throttled.headers.get("retry-after")], [429, "1"])
      assert.strictEqual((yield* authorize("tok_500_before")).seen.status, 500)
      const unreachable = (yield* authorize("tok_unreachable")).seen
      assert.deepStrictEqual([unreachable.status, unreachable.headers.get("x-sandbox-not-sent")], [503, "true"])
    })
  )

  it.effect("sends a customer back to the shop with 303, and nowhere else", () =>
    Effect.gen(function* () {
      const returnUrl = "https://shop.example/back?order=17&lang=de"
      const { seen } = yield* authorize("tok_3ds", { returnUrl })
      const { action } = JSON.parse(seen.body) as { action: { url: string } }
      const url = new URL(action.url)
      assert.strictEqual(url.searchParams.get("return"), returnUrl)
      const page = yield* fetched(url.pathname + url.search)
      assert.deepStrictEqual([page.status, page.headers.get("location")], [303, returnUrl])
      const forged = yield* fetched(`${url.pathname}?return=https://evil.example/`)
      assert.strictEqual(forged.headers.get("location"), returnUrl)
    })
  )

  it.effect("keeps a customer who leaves, or has no way back, and knows no other", () =>
    Effect.gen(function* () {
      const abandoned = yield* authorize("tok_3ds_abandoned", { returnUrl: "https://shop.example/back" })
      const homeless = yield* authorize("tok_3ds")
      for (const { reference } of [abandoned, homeless]) {
        const page = yield* fetched(`/3ds/${reference}`)
        assert.deepStrictEqual([page.status, page.headers.get("location")], [200, null])
      }
      assert.strictEqual((yield* fetched("/3ds/ch_nowhere")).status, 404)
    })
  )

  it.effect("pages through the charges", () =>
    Effect.gen(function* () {
      for (let index = 0; index < 3; index++) yield* authorize()
      const all = JSON.parse((yield* fetched("/v1/charges?limit=1000")).body).charges as ReadonlyArray<{
        reference: string
      }>
      const first = JSON.parse((yield* fetched("/v1/charges?limit=2")).body).charges as ReadonlyArray<{
        reference: string
      }>
      assert.deepStrictEqual(first, all.slice(0, 2))
      const rest = yield* fetched(`/v1/charges?limit=1000&after=${first[1]!.reference}`)
      assert.deepStrictEqual(JSON.parse(rest.body).charges, all.slice(2))
      for (const limit of ["0", "1001", "many"]) {
        assert.strictEqual((yield* fetched(`/v1/charges?limit=${limit}`)).status, 400, limit)
      }
    })
  )

  it.effect("is healthy and describes itself", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* fetched("/healthz")).status, 204)
      const { paths } = JSON.parse((yield* fetched("/openapi.json")).body) as { paths: object }
      assert.includeMembers(Object.keys(paths), [
        "/v1/authorizations",
        "/v1/authorizations/{reference}/confirm",
        "/v1/authorizations/{reference}/captures",
        "/v1/authorizations/{reference}/void",
        "/v1/authorizations/{reference}/refunds",
        "/v1/operations",
        "/v1/charges",
        "/healthz",
        "/3ds/{reference}"
      ])
    })
  )
})

/** A server of its own on these books, for as long as it is used. */
const on =
  (books: Layer.Layer<SandboxBooks>) =>
  <A, E>(use: Effect.Effect<A, E, HttpServer.HttpServer | HttpClient.HttpClient>) =>
    Effect.provide(use, [SandboxServer.layer({ port: 0 }).pipe(Layer.provide(books)), NodeHttpClient.layerUndici], {
      local: true
    })

describe("SandboxServer, started and stopped", () => {
  it.live("goes on with the same books on another port, customers' pages included", () =>
    Effect.gen(function* () {
      const running = on(MemorySandboxBooks.layer(MemorySandboxBooks.make()))
      const calls = yield* running(Effect.map(Fixture.httpGateway(), (gateway) => callsOf(gateway, "tok_3ds")))
      const authorized = running(
        Effect.gen(function* () {
          const gateway = yield* Fixture.httpGateway()
          const answer = yield* gateway.authorize(calls.authorize)
          const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
          assert.isTrue(answer._tag === "ActionRequired" && answer.action.url.startsWith(`${url}/3ds/`))
          return referenceOf(answer)
        })
      )
      assert.strictEqual(yield* authorized, yield* authorized)
    })
  )

  it.live("stops although a client is still waiting", () =>
    Effect.gen(function* () {
      const books = MemorySandboxBooks.make()
      const server = SandboxServer.layer({ port: 0 }).pipe(Layer.provide(MemorySandboxBooks.layer(books)))
      const scope = yield* Scope.make()
      const running = yield* Layer.buildWithScope(server, scope)
      const gateway = yield* Effect.provideContext(Fixture.httpGateway(), running)
      const waiting = yield* Effect.forkChild(
        reasonOf(gateway.authorize(callsOf(gateway, "tok_timeout_after").authorize))
      )
      yield* Effect.sync(() => books.charges.size).pipe(
        Effect.repeat({ until: (size) => size === 1, schedule: Schedule.spaced("5 millis") })
      )
      yield* Effect.timeout(Scope.close(scope, Exit.void), "5 seconds")
      assert.match(yield* Fiber.join(waiting), /^InDoubt /)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("finishes what it began although its client has gone", () =>
    Effect.gen(function* () {
      const kept = MemorySandboxBooks.make()
      const slow = Layer.effect(
        SandboxBooks,
        Effect.map(SandboxBooks, (books) =>
          SandboxBooks.of({
            ...books,
            transact: (address, change) => Effect.delay(books.transact(address, change), "250 millis")
          })
        )
      ).pipe(Layer.provide(MemorySandboxBooks.layer(kept)))
      const impatient = Effect.gen(function* () {
        const gateway = yield* Fixture.httpGateway()
        const sent = gateway.authorize(callsOf(gateway, "tok_visa").authorize)
        assert.isTrue((yield* Effect.timeoutOption(sent, "150 millis"))._tag === "None")
        assert.strictEqual(kept.charges.size, 0)
        yield* Effect.sync(() => kept.charges.size).pipe(
          Effect.repeat({ until: (size) => size === 1, schedule: Schedule.spaced("5 millis") }),
          Effect.timeout("5 seconds")
        )
      })
      yield* on(slow)(impatient)
    })
  )
})
