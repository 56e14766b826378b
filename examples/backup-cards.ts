/**
 * When a card does not do: the customer's backup cards are tried, one after the
 * other, or the customer is asked for another one; at florin's sandbox.
 *
 *     npm exec -- node examples/backup-cards.ts
 */
import { Console, Deferred, Effect, Fiber, Layer, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  AlternativePayment,
  Gateway,
  Money,
  MultiAttempt,
  Notifier,
  PaymentEvent,
  SagaEngine,
  SagaRunner
} from "florin"
import { PaymentCore, Stores } from "florin/node"
import { MemoryNotifier, MemorySagaRuns, MemorySandboxBooks, SandboxGateway } from "florin/testing"

const card = (token: string) => Gateway.MethodToken.make(token)
const order = (reference: string, token: string) => ({
  merchant: PaymentEvent.MerchantId.make("shoes"),
  reference,
  amount: Money.of("EUR", 80_00n),
  method: card(token),
  notify: Notifier.Address.make("ada@example.org")
})

// --- The world --------------------------------------------------------------

/** The page on which a customer gives another card, whose address names the question. */
const asked = Deferred.makeUnsafe<string>()
const Asking = AlternativePayment.make({
  page: (correlation) => {
    Deferred.doneUnsafe(asked, Effect.succeed(correlation))
    return `https://shop.example/card/${correlation}`
  }
})

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

export const layer = Layer.mergeAll(SagaRunner.register(MultiAttempt.saga), SagaRunner.register(Asking)).pipe(
  Layer.provideMerge(runner),
  Layer.provideMerge(PaymentCore.layer(PaymentCore.defaults)),
  Layer.provide(sandbox),
  Layer.provideMerge(Stores.memory()),
  Layer.provideMerge(MemoryNotifier.layer)
)

// --- Two customers ----------------------------------------------------------

export const day = Effect.gen(function* () {
  const sagas = yield* SagaRunner.SagaRunner

  const backups = [card("tok_declined_expired_card"), card("tok_visa")]
  const cards = { order: order("1001", "tok_declined_insufficient_funds"), backups }
  const attempted = yield* sagas.run(MultiAttempt.saga, cards)
  if (attempted._tag === "Completed") {
    for (const { code, method } of attempted.value.declined) yield* Console.log(`${method}: declined, ${code}`)
    yield* Console.log(`${attempted.value.method}: paid`)
  }

  const waiting = yield* Effect.forkChild(sagas.run(Asking, order("1002", "tok_declined_insufficient_funds")))
  const correlation = yield* Deferred.await(asked)
  // The customer is told before the question is open: an answer that comes at once comes again.
  yield* Effect.retry(sagas.answer(AlternativePayment.name, correlation, { method: "tok_visa" }), Schedule.spaced(10))
  const paid = AlternativePayment.paidBy(yield* Fiber.join(waiting))
  yield* Console.log(`${paid.method}: paid, after a question`)
  for (const { subject } of (yield* MemoryNotifier.SentNotices).values()) yield* Console.log(subject)
})

if (import.meta.main) await Effect.runPromise(Effect.provide(day, layer))
