/** A shop on Express that takes payments with florin. */
import type { ErrorRequestHandler } from "express"
import express from "express"
import type { AddressInfo } from "node:net"
import { Florin } from "florin/node"

export const start = async (options: Florin.Options) => {
  const florin = await Florin.start(options)
  const app = express()
  app.use(express.json())

  app.post("/checkout", async ({ body }, response) => {
    const payment = await florin.payments.create({
      // The cart's id, not a random one: whoever clicks twice pays once.
      idempotencyKey: `cart-${body.cart}`,
      amount: 1099,
      currency: "EUR",
      paymentMethods: [body.token]
    })
    response.status(payment.status === "failed" ? 402 : 200).json({ payment: payment.id, status: payment.status })
  })

  app.get("/orders/:payment", async ({ params }, response) => {
    response.json(await florin.payments.get(params.payment))
  })

  app.use(refuse)

  const server = app.listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))

  const stop = async () => {
    await new Promise((resolve) => server.close(resolve))
    await florin.stop()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, florin, stop }
}

// Each of florin's errors knows the status that it stands for, and has nothing in it that a customer may not see.
const refuse: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message })
}
