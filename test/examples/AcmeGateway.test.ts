import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { GatewayUnderTest, PaymentGatewayContract } from "florin/testing"
import * as AcmeAcquirer from "../../examples/adapters/AcmeAcquirer.ts"
import * as AcmeGateway from "../../examples/adapters/AcmeGateway.ts"

const acme = Layer.effect(
  GatewayUnderTest.GatewayUnderTest,
  Effect.gen(function* () {
    const { chargesOf, url } = yield* AcmeAcquirer.start
    const gateway = yield* AcmeGateway.make(url)
    return { gateway, chargesOf: (payment) => Effect.sync(() => chargesOf(payment)) }
  })
).pipe(Layer.provide(NodeHttpClient.layerUndici))

PaymentGatewayContract.suite("acme", acme, AcmeGateway.capabilities, {
  approved: ["acme_ok", "acme_ok_too"],
  declined: [
    { token: "acme_poor", code: "51", category: "otherInstrument" },
    { token: "acme_stolen", code: "43", category: "final" },
    { token: "acme_nobody", code: "14", category: "final" }
  ]
})

/** The suite cannot break the wire of a gateway that it does not know, so the adapter's own test does. */
describe("AcmeGateway, when Acme gives no answer", () => {
  const meanings = [
    [404, "NotSent Refused"],
    [422, "Misconfigured"],
    [429, "NotSent Throttled"],
    [500, "InDoubt ServerError"],
    [302, "InDoubt Unreadable"],
    [200, "InDoubt Unreadable"]
  ] as const

  it.effect.each(meanings)("says of %i what that means", ([status, meaning]) =>
    Effect.gen(function* () {
      const client = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response("what?", { status })))
      )
      const gateway = yield* Effect.provideService(AcmeGateway.make("http://acme"), HttpClient.HttpClient, client)
      assert.strictEqual(
        yield* GatewayUnderTest.reasonOf(gateway.authorize(GatewayUnderTest.callsOf(gateway, "acme_ok").authorize)),
        meaning
      )
    })
  )

  it.effect("is in doubt when there is no Acme to be reached", () =>
    Effect.gen(function* () {
      const gateway = yield* Effect.provide(AcmeGateway.make("http://127.0.0.1:1"), NodeHttpClient.layerUndici)
      const calls = GatewayUnderTest.callsOf(gateway, "acme_ok")
      assert.strictEqual(yield* GatewayUnderTest.reasonOf(gateway.authorize(calls.authorize)), "InDoubt ConnectionLost")
    })
  )
})
