import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { GatewayWebhooks } from "../../src/adapters/GatewayWebhooks.ts"
import { PaymentGateways } from "../../src/adapters/PaymentGateway.ts"
import * as Gateways from "../../src/edge/Gateways.ts"
import * as Settings from "../../src/edge/Settings.ts"
import * as MemorySandboxBooks from "../../src/infra/simulated/MemorySandboxBooks.ts"

const stripe = { FLORIN_STRIPE_SECRET_KEY: "sk_test_1" }
const adyen = {
  FLORIN_ADYEN_API_KEY: "AQE_1",
  FLORIN_ADYEN_MERCHANT_ACCOUNT: "ShopECOM",
  FLORIN_RETURN_URL: "https://shop.example/back"
}

/** The names of the gateways, of those whose webhooks are taken, and whether there is a sandbox to look at. */
const built = (env: Record<string, string>) =>
  Effect.gen(function* () {
    const settings = yield* Settings.service.parse(ConfigProvider.fromEnv({ env }))
    return yield* Effect.gen(function* () {
      const gateways = yield* PaymentGateways
      for (const [name, gateway] of gateways) assert.strictEqual(gateway.name, name)
      const webhooks = yield* GatewayWebhooks
      for (const [name, webhook] of webhooks) assert.strictEqual(webhook.gateway, name)
      const hasPages = Option.isSome(yield* Gateways.SandboxPages)
      return { gateways: [...gateways.keys()].join(" "), webhooks: [...webhooks.keys()].join(" "), hasPages }
    }).pipe(Effect.provide(Gateways.layer(settings).pipe(Layer.provide(MemorySandboxBooks.layer()))))
  })

describe("Gateways", () => {
  it.live("are those that the settings name, real ones first, with webhooks where a secret is known", () =>
    Effect.gen(function* () {
      const sandbox = "sandbox sandbox-backup"
      const table: ReadonlyArray<readonly [Record<string, string>, gateways: string, webhooks: string, boolean]> = [
        [{}, sandbox, "", true],
        [{ FLORIN_SANDBOX: "off" }, "", "", false],
        [stripe, "stripe", "", false],
        [adyen, "adyen", "", false],
        [{ ...stripe, ...adyen }, "stripe adyen", "", false],
        [{ ...stripe, FLORIN_STRIPE_WEBHOOK_SECRETS: "whsec_1,whsec_2" }, "stripe", "stripe", false],
        [{ ...adyen, FLORIN_ADYEN_HMAC_KEYS: "ab".repeat(32) }, "adyen", "adyen", false],
        [{ ...adyen, FLORIN_SANDBOX: "on" }, `adyen ${sandbox}`, "", true]
      ]
      for (const [env, gateways, webhooks, hasPages] of table) {
        assert.deepStrictEqual(yield* built(env), { gateways, webhooks, hasPages }, JSON.stringify(env))
      }
    })
  )
})
