/**
 * The workers of stock: the one that ends reservations that have lapsed, and, with a supplier, the one that orders what
 * runs out and the one that asks for deliveries.
 */
import { Effect, Layer } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { Lock } from "../adapters/Lock.ts"
import type { StockRepository } from "../adapters/StockRepository.ts"
import type { Supplier } from "../adapters/Supplier.ts"
import * as DeliveryTracking from "../orchestration/inventory/DeliveryTracking.ts"
import * as InventoryWorker from "../orchestration/inventory/InventoryWorker.ts"
import * as ReplenishmentWorker from "../orchestration/inventory/ReplenishmentWorker.ts"
import type { SagaRunner } from "../orchestration/saga/SagaRunner.ts"

export interface Options {
  /** How often reservations that have lapsed, and stock that runs out, are looked for. */
  readonly inventoryMillis: number
  /** How often orders that should have come are looked for. */
  readonly deliveryMillis: number
}

/** Lapsed reservations count for nobody already, and deliveries come by the day. */
export const defaults: Options = { inventoryMillis: 60_000, deliveryMillis: 600_000 }

export const layer = ({
  inventoryMillis
}: Pick<Options, "inventoryMillis">): Layer.Layer<never, never, StockRepository | Lock | SecureRandom.SecureRandom> =>
  Layer.effectDiscard(Effect.forkScoped(InventoryWorker.daemon(inventoryMillis)))

export const deliveries = ({
  deliveryMillis
}: Pick<Options, "deliveryMillis">): Layer.Layer<
  never,
  never,
  StockRepository | Supplier | Lock | SecureRandom.SecureRandom
> => Layer.effectDiscard(Effect.forkScoped(DeliveryTracking.daemon(deliveryMillis)))

/** Runs of `StockReplenishment` have to be run here. */
export const replenishment = ({
  inventoryMillis
}: Pick<Options, "inventoryMillis">): Layer.Layer<
  never,
  never,
  StockRepository | Lock | SecureRandom.SecureRandom | SagaRunner
> => Layer.effectDiscard(Effect.forkScoped(ReplenishmentWorker.daemon(inventoryMillis)))
