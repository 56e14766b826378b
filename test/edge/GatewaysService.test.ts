/** `florin serve` as a process, over Stripe and Adyen as their simulators are. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import * as AdyenSimulator from "../simulators/adyen/AdyenSimulator.ts"
import * as StripeSimulator from "../simulators/stripe/StripeSimulator.ts"
import type { Reply, Service } from "./FlorinProcess.ts"
import { call, eventually, spawnFlorin, start } from "./FlorinProcess.ts"

/** Both simulators, and the settings of a service over them on a database of its own. */
const world = Effect.gen(function* () {
  const stripe = yield* StripeSimulator.make()
  const adyen = yield* AdyenSimulator.start()
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  const settings = {
    DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`,
    FLORIN_STRIPE_SECRET_KEY: stripe.secretKey,
    FLORIN_STRIPE_WEBHOOK_SECRETS: stripe.webhookSecret,
    FLORIN_STRIPE_URL: stripe.url,
    FLORIN_ADYEN_API_KEY: AdyenSimulator.apiKey,
    FLORIN_ADYEN_MERCHANT_ACCOUNT: AdyenSimulator.merchantAccount,
    FLORIN_ADYEN_URL: adyen.url,
    FLORIN_ADYEN_HMAC_KEYS: AdyenSimulator.hmacKey,
    FLORIN_RETURN_URL: "https://shop.example/back"
  }
  return { stripe, adyen, settings }
})

const secrets = ({ settings }: Effect.Success<typeof world>) => [
  settings.FLORIN_STRIPE_SECRET_KEY,
  settings.FLORIN_STRIPE_WEBHOOK_SECRETS,
  settings.FLORIN_ADYEN_API_KEY,
  settings.FLORIN_ADYEN_HMAC_KEYS
]

/** A payment of 10.99 EUR with these cards, captured by itself later. */
const pay = (service: Service, key: string, ...paymentMethods: ReadonlyArray<string>) =>
  call(service, "POST", "/v1/payments", {
    key,
    body: { amount: 1099, currency: "EUR", capture: "manual", customer: "shopper-1", paymentMethods }
  })

interface Begun {
  readonly gateway: string
  readonly routing: {
    readonly reasons: ReadonlyArray<{ readonly _tag: string }>
    readonly passedOver: ReadonlyArray<{ readonly gateway: string; readonly reason: { readonly _tag: string } }>
  }
}

/** At which gateways it was tried, in order, by its events. */
const attempts = (service: Service, { body }: Reply) =>
  Effect.map(call(service, "GET", `/v1/payments/${String(body["id"])}/events`), (events) =>
    (events.body["events"] as ReadonlyArray<{ readonly event: { readonly _tag: string } & Begun }>).flatMap(
      ({ event }) => (event._tag === "AuthorizationBegun" ? [event] : [])
    )
  )
const names = (all: ReadonlyArray<Begun>) => all.map(({ gateway }) => gateway)

describe("florin serve over Stripe and Adyen", () => {
  it.live("takes a payment by each, goes on from one to the other after a decline, and never in doubt", () =>
    Effect.gen(function* () {
      const stage = yield* world
      const { adyen, settings, stripe } = stage
      const service = yield* start("serve", settings)
      const standing = yield* call(service, "GET", "/v1/gateways")
      assert.deepStrictEqual(
        (standing.body["gateways"] as ReadonlyArray<{ readonly name: string }>).map(({ name }) => name),
        ["stripe", "adyen"]
      )

      const byStripe = yield* pay(service, "by-stripe", "pm_card_visa")
      assert.deepInclude(byStripe.body, { status: "authorized", authorizedAmount: 1099 })
      assert.lengthOf(stripe.books.chargesOf(String(byStripe.body["id"])), 1)
      const byAdyen = yield* pay(service, "by-adyen", "adyen_visa")
      assert.deepInclude(byAdyen.body, { status: "authorized", authorizedAmount: 1099 })
      const [first] = yield* attempts(service, byAdyen)
      assert.deepStrictEqual(first?.routing.passedOver, [{ gateway: "stripe", reason: { _tag: "MethodUnsupported" } }])

      const toAdyen = yield* pay(service, "to-adyen", "pm_card_chargeDeclinedExpiredCard", "adyen_visa")
      assert.strictEqual(toAdyen.body["status"], "authorized")
      assert.deepStrictEqual(names(yield* attempts(service, toAdyen)), ["stripe", "adyen"])
      const toStripe = yield* pay(service, "to-stripe", "adyen_unavailable", "pm_card_visa")
      assert.strictEqual(toStripe.body["status"], "authorized")
      assert.deepStrictEqual(names(yield* attempts(service, toStripe)), ["adyen", "stripe"])
      const stolen = yield* pay(service, "stolen", "adyen_fraud", "pm_card_visa")
      assert.strictEqual(stolen.body["status"], "failed")
      assert.deepStrictEqual(names(yield* attempts(service, stolen)), ["adyen"])

      // It was authorized, and the answer was lost: the same key finds it, and nobody else is asked.
      adyen.fault({ on: "payments", how: "close", when: "after" })
      const lost = yield* pay(service, "lost", "adyen_visa", "pm_card_visa")
      assert.strictEqual(lost.body["status"], "authorized")
      assert.deepStrictEqual(names(yield* attempts(service, lost)), ["adyen"])
      assert.deepStrictEqual(stripe.books.chargesOf(String(lost.body["id"])), [])
      assert.lengthOf(
        adyen.payments().filter(({ reference }) => reference.startsWith(String(lost.body["id"]))),
        1
      )
      for (const secret of secrets(stage)) assert.notInclude(service.stdout() + service.stderr(), secret)
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("captures at Adyen when its webhook says so, and is processing until then", () =>
    Effect.gen(function* () {
      const { adyen, settings } = yield* world
      const service = yield* start("serve", settings)
      const body = { amount: 1099, currency: "EUR", customer: "shopper-1", paymentMethods: ["adyen_visa"] }
      const paid = yield* call(service, "POST", "/v1/payments", { key: "k", body })
      assert.strictEqual(paid.status, 202)
      assert.deepInclude(paid.body, { status: "processing", capturedAmount: 0 })
      assert.deepStrictEqual(
        adyen.payments().map(({ captured, state }) => [state, captured]),
        [["captured", 1099]]
      )
      const answers = yield* adyen.deliver(`${service.url}/v1/webhooks/adyen`)
      assert.deepStrictEqual([...new Set(answers)], ["[accepted]"])
      const read = call(service, "GET", `/v1/payments/${String(paid.body["id"])}`)
      const settled = yield* eventually("the capture", async () => {
        const reply = await Effect.runPromise(read)
        return reply.body["status"] === "succeeded" ? reply : undefined
      })
      assert.strictEqual(settled.body["capturedAmount"], 1099)
      const forged = yield* call(service, "POST", "/v1/webhooks/adyen", {
        body: { live: "false", notificationItems: [] }
      })
      assert.strictEqual(forged.status, 401)
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("prints no secret of theirs, and names one that is missing", () =>
    Effect.gen(function* () {
      const stage = yield* world
      const config = yield* spawnFlorin(["config"], stage.settings)
      const { code, stderr, stdout } = yield* Effect.promise(() => config.ended)
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const secret of secrets(stage)) assert.notInclude(stdout, secret)
      assert.match(stdout, /FLORIN_ADYEN_API_KEY +--adyen-api-key +environment +\*\*\*\n/)
      assert.match(stdout, /FLORIN_STRIPE_SECRET_KEY +--stripe-secret-key +environment +\*\*\*\n/)
      const { FLORIN_ADYEN_MERCHANT_ACCOUNT: _, ...without } = stage.settings
      const refused = yield* spawnFlorin(["serve"], without)
      const ended = yield* Effect.promise(() => refused.ended)
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stderr, /^florin: FLORIN_ADYEN_MERCHANT_ACCOUNT: Expected .*, got nothing\n$/)
    }).pipe(Effect.provide(TestDatabase.layer()))
  )
})
