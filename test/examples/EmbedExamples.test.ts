import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Florin } from "florin/node"
import * as ExpressShop from "../../examples/embed-express.ts"
import * as FastifyShop from "../../examples/embed-fastify.ts"
import * as HttpShop from "../../examples/embed-http.ts"

const shops = { http: HttpShop, express: ExpressShop, fastify: FastifyShop }

const begin = (shop: (typeof shops)[keyof typeof shops]) =>
  shop.start({ database: "memory", gateways: "sandbox", log: () => undefined })

const checkout = async (url: string, body: unknown) => {
  const response = await fetch(`${url}/checkout`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

for (const [name, shop] of Object.entries(shops)) {
  describe(`examples/embed-${name}.ts`, () => {
    it("is under 60 lines", () => {
      assert.isBelow(readFileSync(`examples/embed-${name}.ts`, "utf8").split("\n").length, 60)
    })

    it("takes a payment once, however often the customer clicks", async () => {
      const { florin, stop, url } = await begin(shop)
      const [first, second] = await Promise.all([
        checkout(url, { cart: "c1", token: "tok_lost_answer" }),
        checkout(url, { cart: "c1", token: "tok_lost_answer" })
      ])
      const third = await checkout(url, { cart: "c1", token: "tok_lost_answer" })
      assert.strictEqual(third.status, 200)
      assert.strictEqual(third.body.status, "succeeded")
      // The second click is told to wait, or gets the first one's answer.
      for (const { body, status } of [first, second]) {
        assert.oneOf(status, [200, 409])
        if (status === 200) assert.strictEqual(body.payment, third.body.payment)
      }
      const payment = await florin.payments.get(String(third.body.payment))
      assert.strictEqual(payment.capturedAmount, 1099)
      await stop()
    })

    it("says what was declined, and what was wrong", async () => {
      const { stop, url } = await begin(shop)
      const declined = await checkout(url, { cart: "c1", token: "tok_declined_stolen" })
      assert.deepStrictEqual([declined.status, declined.body.status], [402, "failed"])
      const card = await checkout(url, { cart: "c2", token: "4242424242424242" })
      assert.strictEqual(card.status, 400)
      assert.notInclude(JSON.stringify(card.body), "4242")
      await stop()
    })

    it("stops with its server", async () => {
      const { florin, stop } = await begin(shop)
      await stop()
      const late = await florin.payments.get("pay_none").then(
        () => undefined,
        (error: unknown) => error
      )
      assert.instanceOf(late, Florin.Unavailable)
    })
  })
}

describe("examples/embed-fastify.ts", () => {
  it("has florin's own API beside its routes", async () => {
    const { stop, url } = await begin(FastifyShop)
    const { body } = await checkout(url, { cart: "c1", token: "tok_visa" })
    const read = await fetch(`${url}/v1/payments/${String(body.payment)}`)
    assert.deepInclude((await read.json()) as object, { id: body.payment, status: "succeeded" })
    await stop()
  })
})
