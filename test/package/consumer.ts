/** A shop that installed florin: each entry point, once with Effect and once without. */
import { Effect, Layer, Result } from "effect"
import { Money, Payments } from "florin"
import { Florin, PaymentCore, Stores } from "florin/node"
import { StripeGateway } from "florin/stripe"
import { Explorer, MemorySandboxBooks, SandboxGateway, Scenario } from "florin/testing"

// --- Without Effect ---------------------------------------------------------

const florin = await Florin.start({ database: "memory", gateways: "sandbox" })
const payment: Florin.Payment = await florin.payments.create({
  idempotencyKey: "order-1",
  amount: 1099,
  currency: "EUR",
  paymentMethods: ["tok_lost_answer"]
})
try {
  await florin.payments.refund(payment.id, { amount: 5000 })
} catch (error) {
  if (!(error instanceof Florin.OperationRefused)) throw error
  console.log(`refused: ${error.rule}`)
}
console.log(`paid by promise: ${payment.status} ${payment.capturedAmount}`)
await florin.stop()

// --- With Effect ------------------------------------------------------------

const gateways = SandboxGateway.make("sandbox").pipe(Effect.map(PaymentCore.gateways), Layer.unwrap)
const core = PaymentCore.layer(PaymentCore.defaults).pipe(
  Layer.provide(gateways),
  Layer.provide(Stores.memory([])),
  Layer.provide(MemorySandboxBooks.layer())
)

const listed = await Effect.runPromise(
  Effect.flatMap(Payments.Payments, (payments) => payments.list({}, { limit: 1 })).pipe(Effect.provide(core))
)
console.log(`listed by effect: ${listed.payments.length}`)
console.log(`money: ${Result.getOrThrow(Money.parse("10.99", "EUR")).minor}`)

// --- Stripe -----------------------------------------------------------------

const stripe = StripeGateway.make({ secretKey: "sk_test_consumer" })
console.log(`stripe: ${stripe.name}, captures once: ${!stripe.capabilities.multipleCaptures}`)

// --- Tests ------------------------------------------------------------------

const { runs, violations } = Explorer.explore(Scenario.all[0]!, { seed: 1, pairs: false })
console.log(`explored: ${runs} runs, ${violations.length} violations`)
