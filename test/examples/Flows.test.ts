import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import * as StripeSimulator from "../simulators/stripe/StripeSimulator.ts"

/** A customer of the account, and a card of theirs. */
const customerAt = ({ secretKey, url }: StripeSimulator.StripeSimulator) =>
  Effect.promise(async () => {
    const post = async (path: string, body: Record<string, string>): Promise<{ readonly id: string }> => {
      const headers = { authorization: `Bearer ${secretKey}`, "content-type": "application/x-www-form-urlencoded" }
      const response = await fetch(`${url}${path}`, { method: "POST", headers, body: new URLSearchParams(body) })
      return (await response.json()) as { readonly id: string }
    }
    const customer = await post("/v1/customers", {
      name: "Ada",
      payment_method: "pm_card_visa",
      "invoice_settings[default_payment_method]": "pm_card_visa"
    })
    return customer.id
  })

describe("examples/flows.ts", () => {
  it.live(
    "makes a product, its price, a coupon and a subscription in one chain, each once",
    () =>
      Effect.gen(function* () {
        const stripe = yield* StripeSimulator.make()
        // An answer that is lost on the way, and a Stripe that is busy.
        stripe.faults.plan("POST /v1/prices", { _tag: "closeAfter" })
        stripe.faults.plan("POST /v1/coupons", { _tag: "throttle" })
        const customer = yield* customerAt(stripe)
        const env = {
          PATH: process.env.PATH,
          CUSTOMER: customer,
          STRIPE_SECRET_KEY: stripe.secretKey,
          STRIPE_HOST: stripe.host,
          STRIPE_PORT: String(stripe.port)
        }
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, ["examples/flows.ts"], { env, timeout: 50_000 })
        )
        const kept = [...stripe.books.tables.kept.values()]
        const idOf = (object: string) => {
          const found = kept.filter((one) => one.object === object)
          assert.strictEqual(found.length, 1, object)
          return found[0]!.id
        }
        const subscription = kept.find(({ object }) => object === "subscription")
        const said = stdout.split("\n").filter((line) => / "|_dispatched/.test(line))
        assert.deepStrictEqual(said.toSorted(), [
          `coupon_id "${idOf("coupon")}"`,
          `customer "${customer}"`,
          `price_id "${idOf("price")}"`,
          `product_id "${idOf("product")}"`,
          "product_request_dispatched",
          `subscription_id "${idOf("subscription")}"`,
          `subscription_status "${JSON.stringify(subscription!["status"]).slice(1, -1)}"`
        ])
        assert.include(JSON.stringify(subscription!["discounts"]), idOf("coupon"))
        assert.include(JSON.stringify(subscription!["items"]), idOf("price"))
        assert.strictEqual(stripe.faults.struck(), 2)
      }).pipe(Effect.scoped),
    // A process that compiles florin and waits for Stripe twice, beside other tests that do.
    { timeout: 60_000 }
  )
})
