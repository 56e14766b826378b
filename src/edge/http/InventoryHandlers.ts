/** `/v1/inventory` over `Inventory`. Stock belongs to the database and not to a merchant: services on it share it. */
import { Clock, Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpApiBuilder } from "effect/http-api"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import { Lock } from "../../adapters/Lock.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import { explain } from "../../domain/reservation/StockCommand.ts"
import * as BulkInventory from "../../orchestration/inventory/BulkInventory.ts"
import * as Inventory from "../../orchestration/inventory/Inventory.ts"
import { StockTransfer, TransferId } from "../../orchestration/inventory/StockTransfer.ts"
import { Payments } from "../../orchestration/Payments.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import * as InventoryJson from "./InventoryJson.ts"
import { Merchant } from "./Merchant.ts"
import * as OnRecord from "./OnRecord.ts"
import { usualLimit } from "./PaymentList.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"
import * as SagaStart from "./SagaStart.ts"

type Needs = StockRepository | Lock | SecureRandom.SecureRandom | IdempotencyStore | SagaRunner

export const inventory = HttpApiBuilder.group(
  PaymentsApi,
  "inventory",
  Effect.fn(function* (handlers) {
    const stocks = yield* StockRepository
    const services = yield* Effect.context<Needs>()
    const { waits } = yield* Payments
    const onRecord = yield* OnRecord.recording
    const start = SagaStart.make({ merchant: yield* Merchant, answerMillis: waits.answerMillis, services, onRecord })

    return handlers.handleAll({
      list: ({ query }) =>
        Effect.gen(function* () {
          const { limit = usualLimit } = query
          const found = yield* stocks.list(InventoryJson.toPage(query))
          const now = yield* Clock.currentTimeMillis
          const page = found.slice(0, limit)
          const last = page.at(-1)
          return {
            stocks: page.map(({ id, stock }) => InventoryJson.fromStock(id, stock, now)),
            ...(found.length > limit && last !== undefined && { nextCursor: InventoryJson.cursorOf(last.id) })
          }
        }).pipe(Effect.catch(refuse)),

      levels: ({ params: { product } }) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const levels = yield* stocks.levels(product)
          return {
            stocks: levels.map(({ location, stock }) => InventoryJson.fromStock({ product, location }, stock, now))
          }
        }).pipe(Effect.catch(refuse)),

      get: ({ params: { location, product } }) =>
        Effect.gen(function* () {
          const id = { product, location }
          const { stock } = yield* stocks.load(id, {})
          return InventoryJson.toDetail(id, stock, yield* Clock.currentTimeMillis)
        }).pipe(Effect.catch(refuse)),

      operate: ({ headers, params: { location, product }, payload }) =>
        Effect.gen(function* () {
          const id = { product, location }
          const answer = yield* Inventory.perform(id, InventoryJson.toOperation(headers["idempotency-key"], payload))
          if (answer._tag === "Done") return InventoryJson.fromLevel(id, answer.level)
          const { refusal } = answer
          return yield* refusal._tag === "KeyReused"
            ? new Problem.KeyReused({ field: "payload", detail: explain(refusal) })
            : new Problem.StockRefused({ reason: refusal._tag, detail: explain(refusal) })
        }).pipe(
          (run) => onRecord(InventoryJson.named({ product, location, ...payload }), run),
          Effect.provideContext(services),
          Effect.catch(refuse)
        ),

      operateAll: ({ payload }) =>
        BulkInventory.performAll(InventoryJson.toBulk(payload)).pipe(
          // The contract has refused more than there may be.
          Effect.orDie,
          (run) => onRecord(payload.operations.map(InventoryJson.named).join("; "), run),
          Effect.map(InventoryJson.fromReport),
          Effect.provideContext(services),
          Effect.catch(refuse)
        ),

      transfer: ({ headers, payload }) =>
        start(StockTransfer, { ...payload, transfer: TransferId.make(payload.transfer) }, headers["idempotency-key"])
    })
  })
)
