import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import * as GatewaySettings from "../../src/edge/GatewaySettings.ts"

const read = (env: Record<string, string>) => GatewaySettings.gateways.parse(ConfigProvider.fromEnv({ env }))
const complaintOf = (env: Record<string, string>) => Effect.map(Effect.flip(read(env)), (error) => String(error.cause))

const stripe = { FLORIN_STRIPE_SECRET_KEY: "sk_test_1" }
const adyen = {
  FLORIN_ADYEN_API_KEY: "AQE_1",
  FLORIN_ADYEN_MERCHANT_ACCOUNT: "ShopECOM",
  FLORIN_RETURN_URL: "https://shop.example/back"
}

describe("GatewaySettings", () => {
  it.effect("has the sandbox alone when it is told nothing, with whatever tokens it is given", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), {
        stripe: Option.none(),
        adyen: Option.none(),
        hasSandbox: true,
        routing: { terms: {}, rules: [] }
      })
      // A variable that is set to nothing is not set.
      assert.isTrue(Option.isNone((yield* read({ FLORIN_STRIPE_SECRET_KEY: "" })).stripe))
    })
  )

  it.effect("has a gateway when it has its key, and the sandbox beside it only when that is asked for", () =>
    Effect.gen(function* () {
      const named = Effect.fnUntraced(function* (env: Record<string, string>) {
        const found = yield* read(env)
        return [Option.isSome(found.stripe), Option.isSome(found.adyen), found.hasSandbox]
      })
      assert.deepStrictEqual(yield* named(stripe), [true, false, false])
      assert.deepStrictEqual(yield* named(adyen), [false, true, false])
      assert.deepStrictEqual(yield* named({ ...stripe, ...adyen }), [true, true, false])
      assert.deepStrictEqual(yield* named({ ...adyen, FLORIN_SANDBOX: "on" }), [false, true, true])
      assert.deepStrictEqual(yield* named({ FLORIN_SANDBOX: "off" }), [false, false, false])
    })
  )

  it.effect("reads what each gateway needs", () =>
    Effect.gen(function* () {
      const one = "ab".repeat(32)
      const found = yield* read({
        ...stripe,
        ...adyen,
        FLORIN_STRIPE_WEBHOOK_SECRETS: "whsec_new, whsec_old",
        FLORIN_STRIPE_URL: "http://127.0.0.1:1234",
        FLORIN_ADYEN_HMAC_KEYS: `${one},${one.toUpperCase()}`
      })
      const [bank, other] = [Option.getOrThrow(found.stripe), Option.getOrThrow(found.adyen)]
      assert.strictEqual(Redacted.value(bank.secretKey), "sk_test_1")
      assert.deepStrictEqual(bank.webhookSecrets.map(Redacted.value), ["whsec_new", "whsec_old"])
      assert.strictEqual(bank.url.href, "http://127.0.0.1:1234/")
      assert.deepStrictEqual(bank.returnUrl, Option.some("https://shop.example/back"))
      assert.strictEqual(other.merchantAccount, "ShopECOM")
      assert.strictEqual(other.url.href, "https://checkout-test.adyen.com/v72")
      assert.deepStrictEqual(other.hmacKeys.map(Redacted.value), [one, one.toUpperCase()])
      assert.notMatch(JSON.stringify(found), /sk_test_1|AQE_1|whsec|abab/i)
    })
  )

  it.effect("takes terms and rules as JSON, over the tokens that are each gateway's own", () =>
    Effect.gen(function* () {
      const routing = {
        terms: { adyen: { costBasisPoints: 90, currencies: ["EUR"] }, stripe: { methods: ["pm_1"] } },
        rules: [{ name: "large", when: { minMinor: "9007199254740993" }, prefer: ["adyen"], rankBy: ["cost"] }]
      }
      const found = yield* read({ ...stripe, ...adyen, FLORIN_ROUTING: JSON.stringify(routing) })
      assert.deepStrictEqual<object>(found.routing, {
        terms: {
          stripe: { methods: ["pm_1"] },
          adyen: { methods: ["adyen_"], costBasisPoints: 90, currencies: ["EUR"] },
          sandbox: { methods: ["tok_"] },
          "sandbox-backup": { methods: ["tok_"] }
        },
        rules: [{ name: "large", when: { minMinor: 9_007_199_254_740_993n }, prefer: ["adyen"], rankBy: ["cost"] }]
      })
    })
  )

  it.effect("says what is wrong, by its name, and never repeats a secret", () =>
    Effect.gen(function* () {
      const secret = "hunter2"
      const table: ReadonlyArray<readonly [Record<string, string>, ...ReadonlyArray<RegExp>]> = [
        [{ ...stripe, FLORIN_STRIPE_WEBHOOK_SECRETS: `whsec_1,${secret}` }, /Expected secrets that begin with whsec_/],
        [{ ...stripe, FLORIN_STRIPE_URL: "http://stripe.example" }, /Expected a URL with https/],
        [{ ...stripe, FLORIN_STRIPE_URL: "http://127.0.0.1.example" }, /Expected a URL with https/],
        [{ FLORIN_ADYEN_API_KEY: "AQE_1" }, /FLORIN_ADYEN_MERCHANT_ACCOUNT/],
        [{ ...adyen, FLORIN_ADYEN_MERCHANT_ACCOUNT: "Shop ECOM" }, /such as "ShopECOM"/],
        [{ ...adyen, FLORIN_ADYEN_URL: "https://checkout-test.adyen.com" }, /ends with a version such as \/v72/],
        [{ ...adyen, FLORIN_ADYEN_HMAC_KEYS: secret }, /Expected keys of 32 to 128 hexadecimal digits/],
        [{ ...adyen, FLORIN_RETURN_URL: "shop" }, /Expected a URL such as https:\/\/shop.example\/back, got "shop"/],
        [{ FLORIN_SANDBOX: "maybe" }, /"on" \| "off"/],
        [{ FLORIN_ROUTING: "{" }, /FLORIN_ROUTING/],
        [{ FLORIN_ROUTING: '{"rules":[{"name":"r"}]}' }, /"when"/],
        [{ FLORIN_ROUTING: '{"terms":{"adyen":{"costBasisPoints":-1}}}' }, /greater than or equal to 0/],
        [{ FLORIN_ROUTING: '{"terms":{"adyan":{}}}' }, /Expected gateways among stripe, adyen.*, got "adyan"/],
        [{ FLORIN_ROUTING: '{"rules":[{"name":"r","when":{},"prefer":["strype"]}]}' }, /got "strype"/]
      ]
      for (const [env, ...expected] of table) {
        const complaint = yield* complaintOf(env)
        for (const one of expected) assert.match(complaint, one)
        assert.notInclude(complaint, secret)
      }
      const { FLORIN_RETURN_URL: _, ...withoutReturn } = adyen
      assert.match(yield* complaintOf(withoutReturn), /FLORIN_RETURN_URL/)
    })
  )
})
