/** A shop on plain `node:http` that takes payments with florin. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { json } from "node:stream/consumers"
import { Florin } from "florin/node"

interface Checkout {
  readonly cart: string
  readonly token: string
}

export const start = async (options: Florin.Options) => {
  const florin = await Florin.start(options)

  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    try {
      if (request.method !== "POST" || request.url !== "/checkout") {
        answer(404, { error: "there is nothing here" })
        return
      }
      const { cart, token } = (await json(request)) as Checkout
      const payment = await florin.payments.create({
        // The cart's id, not a random one: whoever clicks twice pays once.
        idempotencyKey: `cart-${cart}`,
        amount: 1099,
        currency: "EUR",
        paymentMethods: [token]
      })
      answer(payment.status === "failed" ? 402 : 200, { payment: payment.id, status: payment.status })
    } catch (error) {
      if (error instanceof Florin.RequestInFlight) answer(409, { error: "one click is enough" })
      else if (error instanceof Florin.Unavailable) answer(503, { error: "try again" })
      else answer(400, { error: String(error) })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

  const stop = async () => {
    await new Promise((resolve) => server.close(resolve))
    await florin.stop()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, florin, stop }
}
