/**
 * A checkout: goods, money and a shipment, all of them or none, in memory and
 * at florin's sandbox. The second parcel has no carrier, so its stock is
 * released and its hold is voided.
 *
 *     npm exec -- node examples/checkout.ts
 */
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Checkout, Gateway, Inventory, Money, Notifier, PaymentEvent, Payments, SagaEngine, SagaRunner } from "florin"
import { StockEvent } from "florin"
import { PaymentCore, Stores } from "florin/node"
import {
  MemoryNotifier,
  MemorySagaRuns,
  MemorySandboxBooks,
  MemoryStockRepository,
  SandboxGateway
} from "florin/testing"

const beans = { product: StockEvent.ProductId.make("espresso-1kg"), location: StockEvent.LocationId.make("warehouse") }

const checkout = Checkout.make({
  fraud: { points: {}, threshold: 0 },
  record: ({ amount, order }) => Console.log(`sold ${order.reference} for ${Money.format(amount)}`),
  shipment: {
    write: ({ shipTo }, key) =>
      shipTo.endsWith("Atlantis")
        ? Effect.fail({ message: "no carrier goes there", isRetryable: false })
        : Effect.succeed({ shipment: key }),
    withdraw: ({ shipment }) => Console.log(`withdrew ${shipment}`)
  }
})

const cart = (reference: string, quantity: number, shipTo: string): Checkout.Cart => ({
  order: {
    merchant: PaymentEvent.MerchantId.make("roastery"),
    reference,
    amount: Money.of("EUR", 19_00n * BigInt(quantity)),
    method: Gateway.MethodToken.make("tok_visa"),
    notify: Notifier.Address.make("ada@example.org")
  },
  lines: [{ stock: beans, quantity }],
  shipTo
})

// --- The world --------------------------------------------------------------

const sandbox = SandboxGateway.make("sandbox").pipe(
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(MemorySandboxBooks.layer())
)

const runner = SagaRunner.layer.pipe(
  Layer.provide(SagaEngine.layerMemory),
  Layer.provide(MemorySagaRuns.layer),
  Layer.provide(SecureRandom.layerWebCrypto)
)

export const layer = SagaRunner.register(checkout).pipe(
  Layer.provideMerge(runner),
  Layer.provideMerge(PaymentCore.layer(PaymentCore.defaults)),
  Layer.provide(sandbox),
  Layer.provideMerge(Stores.memory()),
  Layer.provideMerge(MemoryNotifier.layer),
  Layer.provideMerge(MemoryStockRepository.layer)
)

// --- Two orders -------------------------------------------------------------

/** What is left of the goods, and what became of the payments. */
const standing = Effect.gen(function* () {
  const { available, onHand } = yield* Inventory.level(beans)
  const { payments } = yield* Effect.flatMap(Payments.Payments, ({ list }) => list({}, { limit: 10 }))
  return `${available} of ${onHand} available, payments: ${payments.map(({ status }) => status).join(", ")}`
})

export const day = Effect.gen(function* () {
  const key = StockEvent.OperationKey.make("delivery-1")
  yield* Inventory.perform(beans, { _tag: "ReceiveStock", key, quantity: 10 })
  const sagas = yield* SagaRunner.SagaRunner
  for (const order of [cart("1001", 2, "Ada, Turin"), cart("1002", 3, "Nemo, Atlantis")]) {
    const said = yield* Effect.match(sagas.run(checkout, order), {
      onFailure: ({ message }) => message,
      onSuccess: ({ _tag }) => _tag
    })
    yield* Console.log(said)
    yield* Console.log(yield* standing)
  }
})

if (import.meta.main) await Effect.runPromise(Effect.provide(day, layer))
