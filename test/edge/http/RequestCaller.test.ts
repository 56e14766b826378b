import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { HttpClient, HttpClientRequest, HttpRouter, HttpServerResponse } from "effect/http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { IpNetwork } from "effect/net"
import { Merchant } from "../../../src/edge/http/Merchant.ts"
import * as Settings from "../../../src/edge/Settings.ts"
import * as RequestCaller from "../../../src/edge/http/RequestCaller.ts"
import { CurrentCaller } from "../../../src/orchestration/AuditTrail.ts"
import * as Workshop from "../../orchestration/Workshop.ts"

/** Says who asked. */
const mirror = HttpRouter.add(
  "GET",
  "/",
  Effect.flatMap(CurrentCaller, (caller) => HttpServerResponse.json(caller))
)

const callerOf = (trusted: ReadonlyArray<string>, headers: Record<string, string>) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.execute(HttpClientRequest.get("/", { headers }))
    return yield* response.json
  }).pipe(
    Effect.provide(
      HttpRouter.serve(Layer.mergeAll(mirror, RequestCaller.layer), {
        disableLogger: true,
        disableListenLog: true
      }).pipe(
        Layer.provide([
          Layer.succeed(Merchant, Workshop.shop),
          Layer.succeed(RequestCaller.TrustedProxies, trusted.map(IpNetwork.fromStringUnsafe))
        ]),
        Layer.provideMerge(NodeHttpServer.layerTest)
      )
    )
  )

describe("RequestCaller", () => {
  const local = ["127.0.0.0/8", "::1/128"]
  const elsewhere = ["10.0.0.0/8"]
  const named = { "x-forwarded-user": "ada", "x-forwarded-for": "6.6.6.6, 198.51.100.7" }
  const direct = /^http (::ffff:)?127\.0\.0\.1$|^http ::1$/

  const cases: ReadonlyArray<
    readonly [
      what: string,
      trusted: ReadonlyArray<string>,
      headers: Record<string, string>,
      actor: string,
      origin: RegExp
    ]
  > = [
    ["without a header, the merchant asks from where the connection comes", local, {}, "shop", direct],
    ["headers of a stranger say nothing", elsewhere, named, "shop", direct],
    ["without trusted proxies, headers say nothing", [], named, "shop", direct],
    ["a trusted proxy says who, and from where", local, named, "ada", /^http 198\.51\.100\.7$/],
    [
      "of what stands before its own word, nothing counts",
      local,
      { ...named, "x-forwarded-for": "198.51.100.7, nonsense" },
      "ada",
      direct
    ],
    [
      "a card number as a name is masked",
      local,
      { "x-forwarded-user": "4242424242424242" },
      "[card number ending 4242]",
      direct
    ]
  ]
  for (const [what, trusted, headers, actor, origin] of cases) {
    it.live(what, () =>
      Effect.gen(function* () {
        const caller = Object(yield* callerOf(trusted, headers))
        assert.strictEqual(caller.actor, actor)
        assert.match(caller.origin, origin)
      })
    )
  }

  const setting = (value: string) =>
    Settings.service.parse(ConfigProvider.fromEnv({ env: { FLORIN_TRUSTED_PROXIES: value } }))

  it.effect("takes networks between commas, and none by default", () =>
    Effect.gen(function* () {
      const { trustedProxies } = yield* setting("10.0.0.0/8, ::1/128")
      assert.deepStrictEqual(trustedProxies.map(IpNetwork.format), ["10.0.0.0/8", "::1/128"])
      assert.deepStrictEqual((yield* setting("")).trustedProxies, [])
      assert.deepStrictEqual((yield* Settings.service.parse(ConfigProvider.fromEnv({ env: {} }))).trustedProxies, [])
    })
  )

  it.effect("names a network that is none", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(setting("10.0.0.0/8,proxy.internal"))
      assert.include(message, 'Expected networks such as 10.0.0.0/8, got "proxy.internal"')
    })
  )
})
