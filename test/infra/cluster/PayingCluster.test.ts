/** The paying sagas over the real stores: durable, on PostgreSQL, with a kill in the middle of each. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import { SagaRuns } from "../../../src/adapters/SagaRuns.ts"
import { SandboxBooks } from "../../../src/infra/simulated/SandboxBooks.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as SqlStockRepository from "../../../src/infra/sql/SqlStockRepository.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import * as FlorinDatabase from "../sql/FlorinDatabase.ts"
import { start, until } from "./KillableProcess.ts"
import * as PayingOrders from "./PayingOrders.ts"

/** How often each thing was done. */
const effects = Effect.flatMap(
  SqlClient,
  (sql) => sql<{ readonly what: string; readonly times: number }>`
    select what, count(*)::int as times from effects group by what order by what`
)

const layer = Layer.mergeAll(
  SqlSagaRuns.layer,
  SqlPaymentRepository.layer,
  SqlStockRepository.layer,
  SqlSandboxBooks.layer
).pipe(Layer.provideMerge(FlorinDatabase.layer))

describe("the paying sagas on PostgreSQL", () => {
  it.live(
    "are taken up after a kill -9 in the middle of each, charge each order once, and let the goods go once",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`create table effects (id bigint generated always as identity, what text)`
        yield* SqlSandboxBooks.migrate
        const runs = yield* SagaRuns
        const first = yield* start("PayingProcess.ts", "hold")
        const asked = Effect.map(runs.questions({ execution: "alternative" }), (open) => open.length === 1)
        yield* until(Effect.zipWith(effects, asked, (rows, isAsked) => isAsked && rows.length === 3))
        yield* first.kill
        yield* start("PayingProcess.ts", "go")
        yield* until(Effect.map(runs.running, (running) => running.length === 0))

        const ended = yield* runs.find({})
        assert.deepStrictEqual(
          ended.map(({ execution, generation, status }) => `${execution} ${status} ${generation}`).toSorted(),
          ["alternative", "cards", "checkout", "processing"].map((execution) => `${execution} completed 1`)
        )
        // What was in flight when the process died is done again, and what was not is done once.
        assert.deepStrictEqual(yield* effects, [
          { what: "cart", times: 1 },
          { what: "plain", times: 2 },
          { what: "receipt/shop/cards", times: 2 },
          { what: "receipt/shop/cart", times: 1 },
          { what: "receipt/shop/plain", times: 1 },
          { what: "receipt/shop/poor", times: 1 },
          { what: "shipment of cart", times: 2 }
        ])
        const { list } = yield* PaymentRepository
        const { payments } = yield* list({}, { limit: 10 })
        assert.deepStrictEqual(
          payments.map(({ capturedMinor, reference }) => `${reference} ${capturedMinor}`).toSorted(),
          ["cards 8000", "cart 8000", "plain 8000", "poor 0", "poor 8000"]
        )
        const { charges } = yield* SandboxBooks
        const captured = (yield* charges(undefined, 100))
          .map(({ capturedMinor }) => capturedMinor)
          .filter((minor) => minor > 0n)
        assert.deepStrictEqual(captured, [80_00n, 80_00n, 80_00n, 80_00n])
        const { onHand, reserved } = yield* Inventory.level(PayingOrders.beans)
        assert.deepStrictEqual([onHand, reserved], [6, 0])
      }).pipe(Effect.scoped, Effect.provide(layer)),
    90_000
  )
})
