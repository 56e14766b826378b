/** A shop on Fastify that takes payments with florin, and has florin's own API beside its routes. */
import Fastify from "fastify"
import { Florin } from "florin/node"

interface Checkout {
  readonly cart: string
  readonly token: string
}

export const start = async (options: Florin.Options) => {
  const florin = await Florin.start(options)
  const app = Fastify()
  app.addHook("onClose", () => florin.stop())

  app.post<{ Body: Checkout }>("/checkout", async ({ body }, reply) => {
    const payment = await florin.payments.create({
      // The cart's id, not a random one: whoever clicks twice pays once.
      idempotencyKey: `cart-${body.cart}`,
      amount: 1099,
      currency: "EUR",
      paymentMethods: [body.token]
    })
    reply.code(payment.status === "failed" ? 402 : 200)
    return { payment: payment.id, status: payment.status }
  })

  // Each of florin's errors knows the status that it stands for, and has nothing in it that a customer may not see.
  app.setErrorHandler<Error & { readonly status?: number }>((error, _request, reply) =>
    reply.code(error.status ?? 500).send({ error: error.message })
  )

  // The whole of florin's API, for the back office.
  app.all("/v1/*", async ({ body, headers, method, url }) =>
    florin.handle(
      new Request(new URL(url, "http://florin.internal"), {
        method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        body: body === undefined ? null : JSON.stringify(body)
      })
    )
  )

  const url = await app.listen({ host: "127.0.0.1", port: 0 })
  return { url, florin, stop: () => app.close() }
}
