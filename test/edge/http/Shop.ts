/** Sagas, subscriptions and stock in memory, for an API over a workshop's payments. */
import { Layer } from "effect"
import type { Shop } from "../../../src/adapters/Shop.ts"
import * as SagaCore from "../../../src/edge/SagaCore.ts"
import * as ShopCore from "../../../src/edge/ShopCore.ts"
import * as MemorySubscriptionRepository from "../../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as OwnShop from "../../../src/infra/memory/OwnShop.ts"

/** With the systems of a shop, where a test has some. */
export const layer = (systems: Layer.Layer<Shop> = OwnShop.layer) =>
  ShopCore.layer({
    ...ShopCore.defaults,
    cardPage: new URL("https://shop.example/card")
  }).pipe(
    Layer.provideMerge(SagaCore.memory),
    Layer.provide([ShopCore.unsent, systems, MemorySubscriptionRepository.layer])
  )
