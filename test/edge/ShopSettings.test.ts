import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import * as ShopSettings from "../../src/edge/ShopSettings.ts"

const read = (env: Record<string, string>) => ShopSettings.shop.parse(ConfigProvider.fromEnv({ env }))
const complaintOf = (env: Record<string, string>) => Effect.map(Effect.flip(read(env)), (error) => String(error.cause))

const mail = (url: string) => ({ FLORIN_SMTP_URL: url, FLORIN_NOTICES_FROM: "shop@example.org" })

describe("ShopSettings", () => {
  it.effect("has workers, and nobody to tell, when it is told nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual<object>(yield* read({}), {
        sagaMillis: 5000,
        billingMillis: 15_000,
        inventoryMillis: 60_000,
        deliveryMillis: 600_000,
        supplier: { url: Option.none(), token: Option.none() },
        url: Option.none(),
        token: Option.none(),
        cardPage: undefined,
        fraud: { threshold: 0, points: {} },
        notices: { smtp: undefined, url: Option.none(), token: Option.none() }
      })
    })
  )

  it.effect("reads whom to tell, and keeps what is secret to itself", () =>
    Effect.gen(function* () {
      const found = yield* read({
        FLORIN_SAGA_MILLIS: "1",
        FLORIN_BILLING_MILLIS: "86400000",
        FLORIN_SHOP_URL: "https://shop.example/florin",
        FLORIN_SHOP_TOKEN: "secret-shop",
        FLORIN_SUPPLIER_URL: "https://supplier.example/florin",
        FLORIN_SUPPLIER_TOKEN: "secret-supplier",
        FLORIN_CARD_PAGE: "https://shop.example/card?lang=de",
        FLORIN_FRAUD: '{"threshold":50,"points":{"velocity":30}}',
        FLORIN_NOTICES_URL: "https://mail.example/secret-path",
        FLORIN_NOTICES_TOKEN: "secret-notices"
      })
      assert.deepInclude(found, { sagaMillis: 1, billingMillis: 86_400_000 })
      assert.strictEqual(Option.getOrThrow(found.url).href, "https://shop.example/florin")
      assert.strictEqual(Redacted.value(Option.getOrThrow(found.token)), "secret-shop")
      assert.strictEqual(Option.getOrThrow(found.supplier.url).href, "https://supplier.example/florin")
      assert.strictEqual(Redacted.value(Option.getOrThrow(found.supplier.token)), "secret-supplier")
      assert.strictEqual(found.cardPage?.href, "https://shop.example/card?lang=de")
      assert.deepStrictEqual<object>(found.fraud, { threshold: 50, points: { velocity: 30 } })
      assert.strictEqual(Option.getOrThrow(found.notices.url).href, "https://mail.example/secret-path")
      assert.strictEqual(Redacted.value(Option.getOrThrow(found.notices.token)), "secret-notices")
      assert.notMatch(JSON.stringify({ ...found, notices: { ...found.notices, url: undefined } }), /secret/)
    })
  )

  it.effect("reads an SMTP server from one URL, and leaves only this machine in the clear", () =>
    Effect.gen(function* () {
      const table: ReadonlyArray<readonly [string, string, number, string]> = [
        ["smtps://mail.example", "mail.example", 465, "implicit"],
        ["smtps://mail.example:2465", "mail.example", 2465, "implicit"],
        ["smtp://mail.example", "mail.example", 587, "required"],
        ["smtp://mail.example:25", "mail.example", 25, "required"],
        ["smtp://localhost:1025", "localhost", 1025, "none"],
        ["smtp://127.0.0.1:1025", "127.0.0.1", 1025, "none"],
        ["smtp://[::1]:1025", "[::1]", 1025, "none"],
        ["smtps://localhost", "localhost", 465, "implicit"],
        ["smtp://127.0.0.1.example", "127.0.0.1.example", 587, "required"],
        ["smtp://localhost.example", "localhost.example", 587, "required"]
      ]
      for (const [url, host, port, tls] of table) {
        const { smtp } = (yield* read(mail(url))).notices
        assert.deepStrictEqual<object | undefined>(smtp, { host, port, tls, from: "shop@example.org" }, url)
      }
      const { smtp } = (yield* read(mail("smtps://ada%40example.org:p%3Ass%2Fw%40rd@mail.example"))).notices
      assert.strictEqual(smtp?.credentials?.user, "ada@example.org")
      assert.strictEqual(smtp?.credentials && Redacted.value(smtp.credentials.password), "p:ss/w@rd")
      assert.notInclude(JSON.stringify(smtp), "p:ss")
    })
  )

  it.effect("says what is wrong, by its name, and never repeats a secret", () =>
    Effect.gen(function* () {
      const secret = "hunter2"
      const table: ReadonlyArray<readonly [Record<string, string>, RegExp]> = [
        [{ FLORIN_SAGA_MILLIS: "0" }, /Expected a whole number from 1 to 86400000, got "0"/],
        [{ FLORIN_BILLING_MILLIS: "86400001" }, /whole number from 1 to 86400000/],
        [{ FLORIN_INVENTORY_MILLIS: "1.5" }, /got "1.5"/],
        [{ FLORIN_SUPPLIER_URL: "supplier.example" }, /Expected a URL with http or https, got "supplier.example"/],
        [{ FLORIN_DELIVERY_MILLIS: "-1" }, /got "-1"/],
        [{ FLORIN_SHOP_URL: "shop.example" }, /Expected a URL with http or https, got "shop.example"/],
        [{ FLORIN_SHOP_URL: "ftp://shop.example" }, /http or https/],
        [{ FLORIN_CARD_PAGE: "/card" }, /got "\/card"/],
        [{ FLORIN_NOTICES_URL: `mailto:${secret}` }, /Expected a URL with http or https/],
        [{ FLORIN_FRAUD: "{" }, /FLORIN_FRAUD/],
        [{ FLORIN_FRAUD: '{"threshold":-1}' }, /greater than or equal to 0/],
        [{ FLORIN_FRAUD: '{"points":{}}' }, /threshold/],
        [mail(`https://ada:${secret}@mail.example`), /Expected a URL such as smtps:/],
        [mail(secret), /Expected a URL such as smtps:/],
        [{ FLORIN_SMTP_URL: `smtps://ada:${secret}@mail.example` }, /FLORIN_NOTICES_FROM/],
        [{ ...mail(`smtps://ada:${secret}@mail.example`), FLORIN_NOTICES_FROM: "nobody" }, /FLORIN_NOTICES_FROM/]
      ]
      for (const [env, expected] of table) {
        const complaint = yield* complaintOf(env)
        assert.match(complaint, expected)
        assert.notInclude(complaint, secret)
      }
    })
  )
})
