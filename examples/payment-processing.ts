/**
 * An order is paid for by a saga: checked, held, charged, put on record, and
 * told of, in memory and at florin's sandbox.
 *
 *     npm exec -- node examples/payment-processing.ts
 */
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Gateway, Money, Notifier, PaymentEvent, PaymentProcessing, SagaEngine, SagaRunner } from "florin"
import { PaymentCore, Stores } from "florin/node"
import { MemoryNotifier, MemorySagaRuns, MemorySandboxBooks, SandboxGateway } from "florin/testing"

const large = Money.of("EUR", 1000_00n)

const Payment = PaymentProcessing.make({
  // The screen's rules by their names: what counts how much, and how much is too much.
  fraud: { points: { "large order": 80 }, threshold: 50 },
  record: ({ amount, order }) => Console.log(`sold ${order.reference} for ${Money.format(amount)}`)
})

const order = (reference: string, amount: Money.Money, token: string) => ({
  merchant: PaymentEvent.MerchantId.make("shoes"),
  reference,
  amount,
  method: Gateway.MethodToken.make(token),
  notify: Notifier.Address.make("ada@example.org")
})

// --- The world --------------------------------------------------------------

const sandbox = SandboxGateway.make("sandbox").pipe(
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(MemorySandboxBooks.layer())
)

const payments = PaymentCore.layer(PaymentCore.defaults).pipe(
  Layer.provide(sandbox),
  Layer.provideMerge(Stores.memory([{ _tag: "AmountAtLeast", name: "large order", limit: large, verdict: "allow" }]))
)

const runner = SagaRunner.layer.pipe(
  Layer.provide(SagaEngine.layerMemory),
  Layer.provide(MemorySagaRuns.layer),
  Layer.provide(SecureRandom.layerWebCrypto)
)

export const layer = SagaRunner.register(Payment).pipe(
  Layer.provideMerge(runner),
  Layer.provideMerge(payments),
  Layer.provideMerge(MemoryNotifier.layer)
)

// --- One day ----------------------------------------------------------------

export const day = Effect.gen(function* () {
  const sagas = yield* SagaRunner.SagaRunner
  const pay = (...of: Parameters<typeof order>) =>
    Effect.match(sagas.run(Payment, order(...of)), {
      onFailure: ({ message }) => message.replaceAll(/pay_\w+/g, "pay_…"),
      onSuccess: ({ _tag }) => _tag
    })
  yield* Console.log(yield* pay("1001", Money.of("EUR", 80_00n), "tok_visa"))
  yield* Console.log(yield* pay("1002", Money.of("EUR", 80_00n), "tok_declined_insufficient_funds"))
  yield* Console.log(yield* pay("1003", large, "tok_visa"))
  for (const { subject } of (yield* MemoryNotifier.SentNotices).values()) yield* Console.log(subject)
})

if (import.meta.main) await Effect.runPromise(Effect.provide(day, layer))
