/** Stock, locks and ids for the tests of inventory, in memory, and short names for what is asked of them. */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Instant } from "../../../src/domain/Instant.ts"
import type { StockId } from "../../../src/domain/reservation/StockEvent.ts"
import {
  LocationId,
  OperationKey,
  OrderId,
  ProductId,
  ReservationId
} from "../../../src/domain/reservation/StockEvent.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryLock from "../../../src/infra/memory/MemoryLock.ts"
import * as MemoryStockRepository from "../../../src/infra/memory/MemoryStockRepository.ts"
import type { Operation } from "../../../src/orchestration/inventory/Inventory.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"

export const memory = Layer.fresh(
  Layer.mergeAll(
    MemoryStockRepository.layer,
    Layer.provide(MemoryLock.layer, MemoryDatabase.layer),
    SecureRandom.layerWebCrypto
  )
)

export const product = ProductId.make("espresso")
export const at = (location: string): StockId => ({ product, location: LocationId.make(location) })
export const north = at("north")
export const south = at("south")

export const receive = (key: string, quantity: number): Extract<Operation, { readonly _tag: "ReceiveStock" }> => ({
  _tag: "ReceiveStock",
  key: OperationKey.make(key),
  quantity
})
export const reserve = (name: string, quantity: number, untilMillis?: number): Operation => ({
  _tag: "ReserveStock",
  key: OperationKey.make(`reserve/${name}`),
  reservation: ReservationId.make(name),
  quantity,
  ...(untilMillis === undefined ? {} : { until: Instant.make(untilMillis) })
})
export const release = (name: string): Operation => ({
  _tag: "ReleaseStock",
  key: OperationKey.make(`release/${name}`),
  reservation: ReservationId.make(name)
})
export const consume = (name: string): Operation => ({
  _tag: "ConsumeStock",
  key: OperationKey.make(`consume/${name}`),
  reservation: ReservationId.make(name)
})
export const key = (text: string) => OperationKey.make(text)
export const order = (text: string) => OrderId.make(text)

/** On hand, reserved, available, on order. */
export const counts = (id: StockId) =>
  Effect.map(Inventory.level(id), ({ available, onHand, onOrder, reserved }) => [onHand, reserved, available, onOrder])
