/** The sagas that a service runs for its shop, over `Shop`. */
import type { Notifier } from "../../adapters/Notifier.ts"
import { Context, Effect, Layer } from "effect"
import type { Lock } from "../../adapters/Lock.ts"
import { Shop } from "../../adapters/Shop.ts"
import type { StockRepository } from "../../adapters/StockRepository.ts"
import type { Supplier } from "../../adapters/Supplier.ts"
import { StockReplenishment } from "../../orchestration/inventory/StockReplenishment.ts"
import { StockTransfer } from "../../orchestration/inventory/StockTransfer.ts"
import * as AlternativePayment from "../../orchestration/paying/AlternativePayment.ts"
import * as Checkout from "../../orchestration/paying/Checkout.ts"
import type { PaidBy } from "../../orchestration/paying/FollowedPayment.ts"
import type { FraudPolicy } from "../../orchestration/paying/FraudCheck.ts"
import * as MultiAttempt from "../../orchestration/paying/MultiAttempt.ts"
import type { PaymentOrder } from "../../orchestration/paying/PaymentOrder.ts"
import type { Needs, Sale } from "../../orchestration/paying/PaymentProcessing.ts"
import * as PaymentProcessing from "../../orchestration/paying/PaymentProcessing.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import * as SagaRunner from "../../orchestration/saga/SagaRunner.ts"

export interface Options {
  readonly fraud: FraudPolicy
  /** Where customers give another card; it gets `correlation` as a query. Without it no alternative payment is taken. */
  readonly cardPage: URL | undefined
}

/** Nothing is too risky but what the screen itself blocks. */
export const trusting: FraudPolicy = { points: {}, threshold: 0 }

export class ShopSagas extends Context.Service<
  ShopSagas,
  {
    readonly checkout: Saga<Checkout.Cart, PaidBy, Needs | StockRepository | Lock | Shop>
    readonly paymentProcessing: Saga<PaymentOrder, PaidBy, Needs | Shop>
    readonly multiAttempt: typeof MultiAttempt.saga
    readonly alternativePayment: Saga<PaymentOrder, PaidBy, Needs> | undefined
  }
>()("florin/edge/sagas/ShopSagas") {}

const shipment = {
  write: ({ lines, order: { merchant, reference }, shipTo }: Checkout.Cart, key: string) =>
    Effect.flatMap(Shop, (shop) => shop.ship({ merchant, reference, shipTo, lines }, key)),
  withdraw: (note: Checkout.ShipmentNote, key: string) => Effect.flatMap(Shop, (shop) => shop.withdraw(note, key))
}

const record = ({ amount, order: { merchant, reference }, payment }: Sale, key: string) =>
  Effect.flatMap(Shop, (shop) => shop.record({ merchant, reference, payment, amount }, key))

const pageOf = (page: URL) => (correlation: string) => {
  const url = new URL(page)
  url.searchParams.set("correlation", correlation)
  return url.href
}

const make = ({ cardPage, fraud }: Options): ShopSagas["Service"] => ({
  checkout: Checkout.make({ fraud, record, shipment }),
  paymentProcessing: PaymentProcessing.make({ fraud, record }),
  multiAttempt: MultiAttempt.saga,
  alternativePayment: cardPage === undefined ? undefined : AlternativePayment.make({ page: pageOf(cardPage) })
})

/** Runs them here. */
export const layer = (options: Options) => {
  const sagas = make(options)
  const { alternativePayment, checkout, multiAttempt, paymentProcessing } = sagas
  return Layer.mergeAll(
    SagaRunner.register(checkout),
    SagaRunner.register(paymentProcessing),
    SagaRunner.register(multiAttempt),
    alternativePayment === undefined ? Layer.empty : SagaRunner.register(alternativePayment),
    SagaRunner.register(StockTransfer)
  ).pipe(Layer.provideMerge(Layer.succeed(ShopSagas, sagas)))
}

/** With a supplier, goods are ordered too. */
export const replenishing: Layer.Layer<
  never,
  never,
  SagaRunner.SagaRunner | StockRepository | Supplier | Notifier | Lock | Needs
> = SagaRunner.register(StockReplenishment)
