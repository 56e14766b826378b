/** What tests of paying share: an order, scripted gateways, notices in memory, and a clock that is turned while a run goes on. */
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Address } from "../../../src/adapters/Notifier.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import type { PaymentOrder } from "../../../src/orchestration/paying/PaymentOrder.ts"
import type { Saga } from "../../../src/orchestration/saga/Saga.ts"
import type { PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import * as PaymentRecovery from "../../../src/orchestration/PaymentRecovery.ts"
import { at } from "../../../src/testing/contract/Samples.ts"
import * as SagaRehearsal from "../../../src/testing/saga/SagaRehearsal.ts"
import * as Workshop from "../Workshop.ts"

export const card = (token: string) => MethodToken.make(token)

export const order = (changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
  merchant: Workshop.shop,
  reference: "order-1",
  amount: Workshop.eur(80_00n),
  method: card("tok_visa"),
  notify: Address.make("ada@example.org"),
  ...changes
})

export { Workshop }

export const gateway = (script: ScriptedGateway.Script) => ScriptedGateway.make("bank", script)

export const layer = (bank: ScriptedGateway.ScriptedGateway, options: Partial<Workshop.Options> = {}) =>
  Layer.merge(Workshop.layer({ gateways: [bank], ...options }), MemoryNotifier.layer)

/** A moment that florin can write down. */
export const started = TestClock.setTime(at)

/** Runs it while minutes pass, and recovery looks at what was left behind. */
export const rehearse = Effect.fnUntraced(function* <Input, A, R>(saga: Saga<Input, A, R>, input: Input, minutes = 2) {
  yield* started
  const fiber = yield* Effect.forkChild(SagaRehearsal.run(saga, input))
  for (let second = 0; second < minutes * 60; second++) {
    yield* TestClock.adjust("1 second")
    if (second % 10 === 9) yield* Effect.forkChild(PaymentRecovery.sweep())
  }
  return yield* Fiber.join(fiber)
})

/** What the bank was asked, in order: the card of an authorization, and whether it was the same operation once more. */
export const heard = (bank: ScriptedGateway.ScriptedGateway) =>
  Effect.map(bank.asked, (asks) =>
    asks.map(({ before, call }) => {
      const what = call._tag === "Authorize" ? `Authorize ${call.method}` : call._tag
      return before === 0 ? what : `${what} again`
    })
  )

export const notices = Effect.map(MemoryNotifier.SentNotices, (sent) => [...sent.values()].map(({ kind }) => kind))

export const statusOf = (payment: PaymentId) =>
  Effect.flatMap(Payments, ({ get }) => Effect.map(get(payment), ({ status }) => status))
