/** A shelf of a story, which outlives every process, and the locks over it. */
import { Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { Lock } from "../../adapters/Lock.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { OperationKey } from "../../domain/reservation/StockEvent.ts"
import * as MemoryDatabase from "../../infra/memory/MemoryDatabase.ts"
import * as MemoryLock from "../../infra/memory/MemoryLock.ts"
import * as MemoryStockRepository from "../../infra/memory/MemoryStockRepository.ts"
import * as Inventory from "../../orchestration/inventory/Inventory.ts"
import * as Boundaries from "../Boundaries.ts"
import type { Process } from "../Process.ts"
import * as Seed from "../Seed.ts"
import type { World } from "../World.ts"

export type Shelf = StockRepository["Service"]

export const make = (): Shelf =>
  Context.get(Effect.runSync(Effect.scoped(Layer.build(Layer.fresh(MemoryStockRepository.layer)))), StockRepository)

/** Before there is a process. */
export const receive =
  (shelf: Shelf, stock: StockId, quantity: number) =>
  (world: World): Effect.Effect<void> =>
    Inventory.perform(stock, { _tag: "ReceiveStock", key: OperationKey.make("first"), quantity }).pipe(
      Effect.provideService(StockRepository, shelf),
      Effect.provideService(SecureRandom.SecureRandom, Seed.ids(1)),
      Effect.provide(locksOf(world)),
      Effect.orDie,
      Effect.asVoid
    )

export const level = (shelf: Shelf, stock: StockId): Effect.Effect<Inventory.Level> =>
  Effect.orDie(Effect.provideService(Inventory.level(stock), StockRepository, shelf))

export const locks = (process: Process, world: World): Layer.Layer<Lock> =>
  Layer.provide(Boundaries.lock(process), locksOf(world))

const locksOf = ({ database }: World): Layer.Layer<Lock> =>
  Layer.provide(MemoryLock.layer, Layer.succeed(MemoryDatabase.MemoryDatabase, database))
