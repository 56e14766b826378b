/**
 * A process that runs the paying sagas on a PostgreSQL database until it is killed.
 *
 *     node PayingProcess.ts SOCKET_DIR USERNAME DATABASE hold|go
 *
 * What the shop does of its own is a row in `effects`. With `hold` it begins one
 * run of each, and each comes to stand in its middle: `PaymentProcessing` when it
 * is put on record, `MultiAttempt` at its receipt, `Checkout` at its shipment,
 * `AlternativePayment` at its question. With `go` it takes up what there is, and
 * gives the answer.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import { Notifier } from "../../../src/adapters/Notifier.ts"
import { OperationKey } from "../../../src/domain/reservation/StockEvent.ts"
import * as PaymentCore from "../../../src/edge/PaymentCore.ts"
import * as Stores from "../../../src/edge/Stores.ts"
import * as SagaCluster from "../../../src/infra/cluster/SagaCluster.ts"
import * as SandboxGateway from "../../../src/infra/simulated/SandboxGateway.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as SqlStockRepository from "../../../src/infra/sql/SqlStockRepository.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import * as AlternativePayment from "../../../src/orchestration/paying/AlternativePayment.ts"
import * as Checkout from "../../../src/orchestration/paying/Checkout.ts"
import * as MultiAttempt from "../../../src/orchestration/paying/MultiAttempt.ts"
import * as PaymentProcessing from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as DurableSagas from "../../../src/orchestration/saga/DurableSagas.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as PayingOrders from "./PayingOrders.ts"

const [host = "", username = "", database = "", mode] = process.argv.slice(2)

/** Where each run comes to stand when it is to. */
const standing = mode === "hold" ? Effect.never : Effect.void

const effect = (what: string) =>
  Effect.andThen(
    Effect.orDie(Effect.flatMap(SqlClient, (sql) => sql`insert into effects (what) values (${what})`)),
    standing
  )

const shop = {
  fraud: { points: {}, threshold: 0 },
  record: ({ order }: PaymentProcessing.Sale) => effect(order.reference)
}

const processing = PaymentProcessing.make<SqlClient>(shop)
const checkout = Checkout.make<SqlClient>({
  ...shop,
  shipment: {
    write: ({ order }) => Effect.as(effect(`shipment of ${order.reference}`), { shipment: "sh-1" }),
    withdraw: () => effect("withdrawn")
  }
})
const alternative = AlternativePayment.make({ page: (correlation) => `https://shop.example/pay/${correlation}` })

const notifier = Layer.effect(
  Notifier,
  Effect.map(SqlClient, (sql) => ({
    // The question is asked only when the customer has been told of the decline.
    notify: ({ id, kind }) =>
      kind === "payment.declined" ? Effect.void : Effect.provideService(effect(id), SqlClient, sql)
  }))
)

const gateway = SandboxGateway.make("sandbox").pipe(
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(SqlSandboxBooks.layer)
)

const layer = Layer.mergeAll(
  SagaRunner.register(processing),
  SagaRunner.register(MultiAttempt.saga),
  SagaRunner.register(checkout),
  SagaRunner.register(alternative)
).pipe(
  Layer.provideMerge(SagaRunner.layer),
  Layer.provide(DurableSagas.layer),
  Layer.provide(SqlSagaRuns.layer),
  Layer.provide(SagaCluster.single()),
  Layer.provideMerge(PaymentCore.layer(PaymentCore.defaults)),
  Layer.provide(gateway),
  Layer.provideMerge(notifier),
  Layer.provideMerge(SqlStockRepository.layer),
  Layer.provideMerge(Stores.sql()),
  Layer.provideMerge(SecureRandom.layerWebCrypto),
  Layer.provideMerge(PgClient.layer({ host, username, database, maxConnections: 8 }))
)

const main = Effect.gen(function* () {
  const runner = yield* SagaRunner.SagaRunner
  yield* runner.recover
  if (mode === "hold") {
    const key = OperationKey.make("first")
    yield* Inventory.perform(PayingOrders.beans, { _tag: "ReceiveStock", key, quantity: PayingOrders.stocked })
    yield* runner.start(processing, PayingOrders.plain, { execution: "processing" })
    yield* runner.start(MultiAttempt.saga, PayingOrders.cards, { execution: "cards" })
    yield* runner.start(checkout, PayingOrders.cart, { execution: "checkout" })
    yield* runner.start(alternative, PayingOrders.poor, { execution: "alternative" })
  } else {
    yield* Effect.retry(
      runner.answer(AlternativePayment.name, PayingOrders.question, { method: "tok_visa" }),
      Schedule.spaced("100 millis")
    )
  }
  return yield* Effect.never
})

Effect.runFork(Effect.provide(main, layer))
