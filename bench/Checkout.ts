/**
 * One payment from the request to `succeeded`, twice: by florin, and by hand,
 * as a shop does it that has one table and no more.
 *
 * - `florin`: `Payments.create` over the SQL layers, with its breaker, timeout
 *   and leases. The outbox relay and the recovery do not run; in a service they
 *   share the machine.
 * - `naive`: INSERT a row that says "pending", call the same gateway, UPDATE the
 *   row to "succeeded". After a crash between the two nobody goes on with it, and
 *   no key keeps a repeated request from charging again.
 *
 * Both use one connection pool and a gateway that takes no time.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { SqlClient } from "effect/sql/SqlClient"
import type { PaymentRepository } from "../src/adapters/PaymentRepository.ts"
import type { RiskScreen } from "../src/adapters/RiskScreen.ts"
import { PaymentGateways } from "../src/adapters/PaymentGateway.ts"
import * as Idempotency from "../src/domain/Idempotency.ts"
import * as Operation from "../src/domain/payment/Operation.ts"
import { PaymentId } from "../src/domain/payment/PaymentEvent.ts"
import * as MemoryDatabase from "../src/infra/memory/MemoryDatabase.ts"
import * as MemoryPaymentRepository from "../src/infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../src/infra/memory/MemoryRiskScreen.ts"
import * as SqlPaymentRepository from "../src/infra/sql/SqlPaymentRepository.ts"
import * as SqlRiskScreen from "../src/infra/sql/SqlRiskScreen.ts"
import * as GatewayCall from "../src/orchestration/GatewayCall.ts"
import * as PaymentPolicy from "../src/orchestration/PaymentPolicy.ts"
import * as Payments from "../src/orchestration/Payments.ts"
import { gateway } from "./InstantGateway.ts"
import { merchant, request } from "./SamplePayment.ts"

// --- Florin -----------------------------------------------------------------

const policy: PaymentPolicy.Settings = {
  ...PaymentPolicy.defaults,
  routing: { gateways: [{ name: gateway.name, capabilities: gateway.capabilities }], rules: [] }
}

const calls = GatewayCall.layer.pipe(
  Layer.provide([
    CircuitBreaker.layerStoreMemory(),
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  ])
)

const stored = Layer.merge(SqlPaymentRepository.layer, SqlRiskScreen.layer([]))

/** As `edge/PaymentCore` puts it together. */
const over = <E, R>(stores: Layer.Layer<PaymentRepository | RiskScreen, E, R>) =>
  Payments.layer({ answerMillis: 10_000, drainMillis: 10_000 }).pipe(
    Layer.provide(calls),
    Layer.provide([
      stores,
      Layer.succeed(PaymentPolicy.PaymentPolicy, policy),
      Layer.succeed(PaymentGateways, new Map([[gateway.name, gateway]])),
      SecureRandom.layerWebCrypto
    ])
  )

let keys = 0

/** Processes that share a database must not share a key. */
const newKey = () => Idempotency.IdempotencyKey.make(`bench-${process.pid}-${keys++}`)

const florin = Effect.gen(function* () {
  const payments = yield* Payments.Payments
  const { settled, view } = yield* payments.create(merchant, newKey(), request)
  if (!settled || view.status !== "succeeded") return yield* Effect.die(new Error(`payment ended as ${view.status}`))
})

// --- By hand ----------------------------------------------------------------

/** What the gateway is asked; it looks at nothing but the amount. */
const payment = PaymentId.make("pay_1")
const order = { ...request, payment, merchant }
const authorization = {
  _tag: "Authorize",
  operation: Operation.idOf(payment, "authorize", 1),
  gateway: gateway.name,
  order,
  method: request.methods[0],
  challenge: false
} as const

const naive = Effect.gen(function* () {
  const sql = yield* SqlClient
  const { amount } = request
  const [row] = yield* sql<{ readonly id: bigint }>`
    insert into bench.payments (merchant, amount_minor, currency, status)
    values (${merchant}, ${amount.minor}, ${amount.currency}, 'pending') returning id`
  const held = yield* gateway.authorize(authorization)
  if (held._tag !== "Approved") return yield* Effect.die(new Error(`the gateway said ${held._tag}`))
  const { reference } = held
  const operation = Operation.idOf(payment, "capture", 1)
  yield* gateway.capture({ _tag: "Capture", operation, gateway: gateway.name, reference, amount, final: true })
  yield* sql`update bench.payments set status = 'succeeded', reference = ${reference} where id = ${row!.id}`
})

export type Side = "florin" | "naive"

/** Both, ready to run; florin's services end with the scope. */
export const build = Effect.map(
  Layer.build(over(stored)),
  (services): Readonly<Record<Side, Effect.Effect<void, unknown, SqlClient>>> => ({
    florin: Effect.provideContext(florin, services),
    naive
  })
)

/** The same orchestration over the memory adapters; each build has tables of its own. */
export const buildInMemory = Effect.map(
  Effect.suspend(() =>
    Layer.build(
      over(
        Layer.merge(MemoryPaymentRepository.layer, MemoryRiskScreen.layer([])).pipe(Layer.provide(MemoryDatabase.layer))
      )
    )
  ),
  (services) => Effect.provideContext(florin, services)
)
