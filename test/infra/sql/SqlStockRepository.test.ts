import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import { LocationId, OperationKey, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as SqlStockRepository from "../../../src/infra/sql/SqlStockRepository.ts"
import * as StockRepositoryContract from "../../../src/testing/contract/StockRepositoryContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = Layer.fresh(FlorinDatabase.layer)

StockRepositoryContract.suite("PostgreSQL", SqlStockRepository.layer.pipe(Layer.provide(database)))

layer(Layer.provideMerge(SqlStockRepository.layer, database))("SqlStockRepository", (it) => {
  const id = (location: string) => ({ product: ProductId.make("espresso"), location: LocationId.make(location) })
  const received = { _tag: "StockReceived", key: OperationKey.make("in"), at: Instant.make(1), quantity: 1 } as const
  const append = (location: string, stock: Stock.Stock) =>
    Effect.flatMap(StockRepository, ({ append }) =>
      append({ id: id(location), expected: 0, events: [received], stock, due: undefined })
    )

  it.effect("writes no state in which more is reserved than there is, whoever asks for it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const holds = [{ reservation: "r", quantity: 2 }]
      yield* append("a", { ...Stock.empty, onHand: 1 })
      const refused = yield* Effect.flip(
        sql`update florin.stock set state = jsonb_set(state, '{holds}', ${JSON.stringify(holds)}::text::jsonb)`
      )
      assert.match(String(Reflect.get(refused.reason, "cause")), /stock_check/)
    })
  )

  it.effect("says which stock cannot be read, and what is wrong with it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* append("b", { ...Stock.empty, onHand: 1 })
      yield* sql`update florin.stock set state = state - 'orders' where location = 'b'`
      const { load } = yield* StockRepository
      const error = yield* Effect.flip(load(id("b"), {}))
      assert.match(error.message, /^espresso@b: UnreadableStock, Missing key\s+at \["orders"\]/)
    })
  )
})
