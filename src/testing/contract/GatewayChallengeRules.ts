/**
 * 3-D Secure: the customer is sent to their bank, and the authorization ends
 * when they come back, or does not when they never do.
 */
import type { Vitest } from "@effect/vitest"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Capabilities } from "../../domain/payment/Gateway.ts"
import type { GatewayUnderTest } from "./GatewayUnderTest.ts"
import { begin, challenged, only, tagOf } from "./GatewayUnderTest.ts"
import type { TestCards } from "./TestCards.ts"

/** `plainCard` is one that is approved without 3-D Secure, unless florin asks for it. */
export const challengeRules = (
  it: Vitest.MethodsNonLive<GatewayUnderTest>,
  capabilities: Capabilities,
  plainCard: string,
  cards: NonNullable<TestCards["challenged"]>
) => {
  it.effect("sends the customer to their bank and goes on when they come back", () =>
    Effect.gen(function* () {
      const back = { returnUrl: "https://shop.example/back?order=1" }
      const { answer, calls, confirm, gateway, reference } = yield* challenged(cards.approved, back)
      assert.match(answer.action.url, /^https?:\/\//)
      if (capabilities.lookup === "authoritative") {
        assert.deepStrictEqual(yield* gateway.lookup(calls.authorize), { _tag: "Found", answer })
      }
      assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 10_00n))), "Refused")
      const confirmed = yield* gateway.confirm(confirm())
      const hold = only("Approved", confirmed).reference
      assert.deepStrictEqual(yield* gateway.confirm(confirm()), confirmed)
      assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(hold, 10_00n, 2))), "Captured")
    })
  )

  it.effect("asks for 3-D Secure with any card when it is told to", () =>
    Effect.gen(function* () {
      const { confirm, gateway } = yield* challenged(plainCard, {}, true)
      assert.strictEqual(yield* tagOf(gateway.confirm(confirm())), "Approved")
    })
  )

  it.effect("declines a customer whom the bank did not recognise", () =>
    Effect.gen(function* () {
      const { calls, confirm, gateway, reference } = yield* challenged(cards.declined)
      assert.strictEqual(yield* tagOf(gateway.confirm(confirm())), "Declined")
      assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n))), "Refused")
    })
  )

  const { abandoned } = cards
  if (abandoned === undefined) return
  it.effect("goes on waiting for a customer who never came back, until it is voided", () =>
    Effect.gen(function* () {
      const { calls, gateway } = yield* begin(abandoned)
      const { reference } = only("ActionRequired", yield* gateway.authorize(calls.authorize))
      assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(reference))), "ActionRequired")
      assert.strictEqual(yield* tagOf(gateway.void(calls.void(reference))), "Voided")
      assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(reference, 2))), "Declined")
    })
  )
}
