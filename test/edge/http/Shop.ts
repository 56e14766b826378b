/** Sagas, subscriptions and stock in memory, for an API over a workshop's payments. */
import { Layer } from "effect"
import { AuditLog } from "../../../src/adapters/AuditLog.ts"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import type { Shop } from "../../../src/adapters/Shop.ts"
import * as SagaCore from "../../../src/edge/SagaCore.ts"
import * as ShopCore from "../../../src/edge/ShopCore.ts"
import * as MemoryAuditLog from "../../../src/infra/memory/MemoryAuditLog.ts"
import * as MemorySubscriptionRepository from "../../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as OwnShop from "../../../src/infra/memory/OwnShop.ts"
import * as AuditTrail from "../../../src/orchestration/AuditTrail.ts"

export interface Options {
  /** Of the shop that its sagas tell; without, there is nobody to tell. */
  readonly systems?: Layer.Layer<Shop> | undefined
  /** Where its commands go on record; a log of its own when absent. */
  readonly log?: AuditLog["Service"] | undefined
  /** Instead of runs of its own. */
  readonly runs?: SagaRuns["Service"] | undefined
}

export const layer = ({ log, runs, systems = OwnShop.layer }: Options = {}) =>
  ShopCore.layer({
    ...ShopCore.defaults,
    cardPage: new URL("https://shop.example/card")
  }).pipe(
    Layer.provideMerge(
      runs === undefined ? SagaCore.memory : Layer.merge(SagaCore.memory, Layer.succeed(SagaRuns, runs))
    ),
    Layer.provideMerge(
      AuditTrail.layer.pipe(
        Layer.provide(log === undefined ? MemoryAuditLog.layer : Layer.succeed(AuditLog, log)),
        Layer.fresh
      )
    ),
    Layer.provide([ShopCore.unsent, systems, MemorySubscriptionRepository.layer])
  )
