/**
 * Payments through Stripe: a sale, a hold that is shipped in part, and a
 * customer who has to be known to their bank.
 *
 *     STRIPE_SECRET_KEY=sk_test_… npm exec -- node examples/stripe.ts
 *
 * `STRIPE_URL` takes it to something that speaks like Stripe. The cards are
 * those of Stripe's test mode; a key of the live mode is refused.
 */
import { Florin } from "florin/node"
import { StripeGateway } from "florin/stripe"

/** What the environment says of Stripe. */
export const optionsOf = (environment: NodeJS.ProcessEnv): StripeGateway.Options => {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_URL: url } = environment
  if (secretKey === undefined) throw new Error("STRIPE_SECRET_KEY is not set: expected a key such as sk_test_…")
  if (!/^(sk|rk)_test_/.test(secretKey))
    throw new Error("STRIPE_SECRET_KEY: expected a key of the test mode, sk_test_…")
  if (url === undefined) return { secretKey }
  const { hostname, port, protocol } = new URL(url)
  return { secretKey, host: hostname, port: Number(port), protocol: protocol === "http:" ? "http" : "https" }
}

/** Prints what it does; `visit` sends the customer to their bank's page and comes back when they do. */
export const day = async (
  options: StripeGateway.Options,
  say: (line: string) => void,
  visit: (page: string) => Promise<unknown>
) => {
  const gateway = StripeGateway.make({
    ...options,
    returnUrl: "https://shop.example/back",
    statementDescriptor: StripeGateway.StatementDescriptor.make("FLORIN EXAMPLE")
  })
  const florin = await Florin.start({ database: "memory", gateways: [gateway], log: () => undefined })
  const { payments } = florin
  try {
    // The first card has expired, so the second is charged.
    const sale = await payments.create({
      idempotencyKey: "order-1001",
      amount: 1099,
      currency: "EUR",
      reference: "order 1001",
      paymentMethods: ["pm_card_chargeDeclinedExpiredCard", "pm_card_visa"]
    })
    say(`sale: ${sale.status}, captured ${sale.capturedAmount}`)

    const hold = await payments.create({
      idempotencyKey: "order-1002",
      amount: 8000,
      currency: "EUR",
      capture: "manual",
      paymentMethods: ["pm_card_mastercard"]
    })
    await payments.capture(hold.id, { amount: 6000 })
    const kept = await payments.refund(hold.id, { amount: 1000 })
    say(`hold: ${kept.status}, captured ${kept.capturedAmount}, refunded ${kept.refundedAmount}`)

    const careful = await payments.create({
      idempotencyKey: "order-1003",
      amount: 2500,
      currency: "EUR",
      paymentMethods: ["pm_card_threeDSecure2Required"]
    })
    say(`careful: ${careful.status}`)
    if (careful.nextAction !== undefined) await visit(careful.nextAction.url)
    const known = await payments.completeAction(careful.id)
    say(`careful: ${known.status}, captured ${known.capturedAmount}`)
  } finally {
    await florin.stop()
  }
}

if (import.meta.main) {
  const { createInterface } = await import("node:readline/promises")
  const line = createInterface({ input: process.stdin, output: process.stdout })
  await day(optionsOf(process.env), console.log, (page) => line.question(`Open ${page}, finish there, press Enter. `))
  line.close()
}
