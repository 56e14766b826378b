/**
 * A merchant and their customers, as clients of florin: they ask any process
 * that lives, and ask again under the same key until they are answered, however
 * often nobody is there, the store is down or the first request still runs.
 */
import { Effect } from "effect"
import type { Answer } from "../domain/payment/Gateway.ts"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import type { Money } from "../domain/Money.ts"
import { MethodToken } from "../domain/payment/Gateway.ts"
import type { OperationId } from "../domain/payment/Operation.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { MerchantId, RequestId } from "../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../domain/payment/PaymentView.ts"
import { compound } from "../infra/memory/MemoryDatabase.ts"
import type { NewPayment, Progress } from "../orchestration/Payments.ts"
import { Payments } from "../orchestration/Payments.ts"
import type { Services, World } from "./World.ts"

/** A client that was not answered well tries again after so long, and ever later. */
const againMillis = 500
const againAtMostMillis = 20_000
/** Some five minutes: whoever waits that long has left. */
const patience = 20

export const merchant = MerchantId.make("shop")

export const eur = (minor: bigint): Money => ({ currency: "EUR", minor })

/** An order of 10.00 EUR on one card. */
export const order = (...methods: readonly [string, ...ReadonlyArray<string>]): NewPayment => {
  const [first, ...others] = methods
  return {
    amount: eur(10_00n),
    capture: "automatic",
    methods: [MethodToken.make(first), ...others.map((token) => MethodToken.make(token))]
  }
}

export interface Shop {
  /** The keys under which it has begun payments: there is to be one payment for each. */
  readonly keys: () => ReadonlySet<string>
  /** Begins a payment, once per key, and comes back with what is known when it rests. */
  readonly pay: (key: string, payment: NewPayment) => Effect.Effect<PaymentView>
  readonly capture: (payment: PaymentId, key: string, amount?: Money, final?: boolean) => Effect.Effect<PaymentView>
  readonly refund: (payment: PaymentId, key: string, amount?: Money) => Effect.Effect<PaymentView>
  readonly cancel: (payment: PaymentId, key: string) => Effect.Effect<PaymentView>
  /** The customer is back from their bank. */
  readonly complete: (payment: PaymentId) => Effect.Effect<PaymentView>
  /** An operator's word about an operation that was escalated. */
  readonly decide: (payment: PaymentId, operation: OperationId, answer: Answer) => Effect.Effect<PaymentView>
}

export const make = (world: World): Shop => {
  /** Asks until there is an answer that stands, a refusal included. */
  const insist = (
    ask: Effect.Effect<Progress, { readonly _tag: string }, Services>,
    known: () => PaymentId | undefined
  ) =>
    Effect.gen(function* () {
      let last: PaymentView | undefined
      for (let attempt = 0; attempt < patience; attempt++) {
        const florins = world.florins()
        const florin = florins[world.draw.below(florins.length)]
        if (florin !== undefined) {
          const answer = yield* Effect.result(florin.request(ask))
          if (answer._tag === "Success" && answer.success.settled) return answer.success.view
          if (answer._tag === "Success") last = answer.success.view
          if (answer._tag === "Failure" && answer.failure._tag === "Payment.Rejected") break
        }
        yield* Effect.sleep(Math.min(againMillis * 2 ** attempt, againAtMostMillis))
      }
      const id = known() ?? last?.id
      const view = id === undefined ? undefined : world.database.views.get(id)
      return view ?? (yield* Effect.die(new Error("nobody ever answered")))
    })

  const keys = new Set<string>()
  return {
    keys: () => keys,
    pay: (key, payment) => {
      keys.add(key)
      return insist(
        Effect.flatMap(Payments, ({ create }) => create(merchant, IdempotencyKey.make(key), payment)),
        // The merchant knows their key; whoever holds it can find the payment in florin's list.
        () => world.database.keys.get(compound(merchant, key))?.payment
      )
    },
    capture: (payment, key, amount, final = true) =>
      insist(
        Effect.flatMap(Payments, ({ capture }) => capture(payment, RequestId.make(key), { amount, final })),
        () => payment
      ),
    refund: (payment, key, amount) =>
      insist(
        Effect.flatMap(Payments, ({ refund }) => refund(payment, RequestId.make(key), { amount })),
        () => payment
      ),
    cancel: (payment, key) =>
      insist(
        Effect.flatMap(Payments, ({ cancel }) => cancel(payment, RequestId.make(key), undefined)),
        () => payment
      ),
    complete: (payment) =>
      insist(
        Effect.flatMap(Payments, ({ completeAction }) => completeAction(payment, undefined)),
        () => payment
      ),
    decide: (payment, operation, answer) =>
      insist(
        Effect.flatMap(Payments, ({ decide }) =>
          decide(payment, { operation, answer, operator: "Ada", reason: "seen in the gateway's books" })
        ),
        () => payment
      )
  }
}
