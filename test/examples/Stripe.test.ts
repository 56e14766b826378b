/** examples/stripe.ts, as its reader runs it, with the simulator where Stripe would be. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Example from "../../examples/stripe.ts"
import * as StripeSimulator from "../simulators/stripe/StripeSimulator.ts"

layer(StripeSimulator.layer(), { excludeTestServices: true })("examples/stripe.ts", (it) => {
  it.effect("sells, ships a part of what it held, and waits for a customer at their bank", () =>
    Effect.gen(function* () {
      const { books, secretKey, url } = yield* StripeSimulator.Service
      const options = Example.optionsOf({ STRIPE_SECRET_KEY: secretKey, STRIPE_URL: url })
      const lines: Array<string> = []
      yield* Effect.promise(() =>
        Example.day(
          options,
          (line) => void lines.push(line),
          (page) => fetch(`${page}/complete`, { method: "POST", redirect: "manual" })
        )
      )
      assert.deepStrictEqual(lines, [
        "sale: succeeded, captured 1099",
        "hold: succeeded, captured 6000, refunded 1000",
        "careful: requires_action",
        "careful: succeeded, captured 2500"
      ])
      const charged = books.intents().filter(({ status }) => status === "succeeded")
      assert.deepStrictEqual(
        charged.map(({ amount_received, description }) => [amount_received, description]),
        [
          [1099, "order 1001"],
          [6000, null],
          [2500, null]
        ]
      )
      assert.strictEqual(charged[0]!.statement_descriptor_suffix, "FLORIN EXAMPLE")
    })
  )

  it.effect("says which key it expects, and shows none", () =>
    Effect.sync(() => {
      assert.throws(() => Example.optionsOf({}), "STRIPE_SECRET_KEY is not set")
      const complaint = () => Example.optionsOf({ STRIPE_SECRET_KEY: "sk_live_secret" })
      assert.throws(complaint, /^STRIPE_SECRET_KEY: expected a key of the test mode, sk_test_…$/)
    })
  )
})
