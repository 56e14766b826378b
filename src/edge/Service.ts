/**
 * The service as one layer: HTTP in front, payments behind, and the two workers
 * that no request starts, recovery and the outbox relay.
 *
 * It ends in the order in which it can: no new requests, then the workers, then
 * the runs that are on their way, then the database.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import * as HttpSandboxGateway from "../infra/simulated/HttpSandboxGateway.ts"
import * as SandboxGateway from "../infra/simulated/SandboxGateway.ts"
import * as SandboxServer from "../infra/simulated/SandboxServer.ts"
import * as SqlSandboxBooks from "../infra/simulated/SqlSandboxBooks.ts"
import * as SqlAuditLog from "../infra/sql/SqlAuditLog.ts"
import * as SqlEventBus from "../infra/sql/SqlEventBus.ts"
import * as SqlIdempotencyStore from "../infra/sql/SqlIdempotencyStore.ts"
import * as SqlLock from "../infra/sql/SqlLock.ts"
import * as SqlMigrations from "../infra/sql/SqlMigrations.ts"
import * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
import * as SqlRiskScreen from "../infra/sql/SqlRiskScreen.ts"
import * as AuditTrail from "../orchestration/AuditTrail.ts"
import * as AuditedPayments from "../orchestration/AuditedPayments.ts"
import * as GatewayCall from "../orchestration/GatewayCall.ts"
import * as OutboxRelay from "../orchestration/OutboxRelay.ts"
import * as PaymentPolicy from "../orchestration/PaymentPolicy.ts"
import * as PaymentRecovery from "../orchestration/PaymentRecovery.ts"
import * as Payments from "../orchestration/Payments.ts"
import * as HttpService from "./http/HttpService.ts"
import { Merchant } from "./http/PaymentsHandlers.ts"
import { TrustedProxies } from "./http/RequestCaller.ts"
import type * as Settings from "./Settings.ts"

/** Two names for the sandbox, so that a payment has somewhere else to go. */
const gatewayNames = ["sandbox", "sandbox-backup"]

/** What the service needs in its database. */
export const migrate = Effect.andThen(SqlMigrations.migrate, SqlSandboxBooks.migrate)

// --- Gateways ---------------------------------------------------------------

/** Where the sandbox shows its books and its customers' pages. */
export class SandboxOrigin extends Context.Service<SandboxOrigin, string>()("florin/edge/Service/SandboxOrigin") {}

const sandboxOf = (origin: string, gateways: ReadonlyArray<PaymentGateway>) =>
  Context.make(SandboxOrigin, origin).pipe(
    Context.add(PaymentGateways, new Map(gateways.map((gateway) => [gateway.name, gateway])))
  )

/** A sandbox in this process, whose pages and books are served on a port of their own. */
const ownSandbox = Layer.effectContext(
  Effect.gen(function* () {
    const server = yield* HttpServer.HttpServer
    const pageOrigin = HttpServer.formatAddress(server.address)
    const gateways = yield* Effect.forEach(gatewayNames, (name) => SandboxGateway.make(name, { pageOrigin }))
    return sandboxOf(pageOrigin, gateways)
  })
).pipe(Layer.provide(Layer.fresh(SandboxServer.layer({ port: 0 }))), Layer.provide(SqlSandboxBooks.layer))

const remoteSandbox = ({ origin }: URL) =>
  Layer.effectContext(
    Effect.map(
      Effect.forEach(gatewayNames, (name) => HttpSandboxGateway.make(name, { url: origin })),
      (gateways) => sandboxOf(origin, gateways)
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

// --- Payments ---------------------------------------------------------------

const policy = (settings: Settings.Service) =>
  Layer.effect(
    PaymentPolicy.PaymentPolicy,
    Effect.map(PaymentGateways, (gateways) => ({
      ...PaymentPolicy.defaults,
      routing: {
        gateways: [...gateways.values()].map(({ capabilities, name }) => ({ name, capabilities })),
        rules: []
      },
      screening: settings.screening && { whenUnavailable: settings.screening.whenUnavailable, timeoutMillis: 5000 },
      leaseMillis: settings.leaseMillis
    }))
  )

const callPolicies = ({ gatewayMillis }: Settings.Service) =>
  Layer.effect(
    GatewayCall.CallPolicies,
    Effect.map(
      PaymentGateways,
      (gateways) =>
        new Map(
          [...gateways.keys()].map((name) => [name, { ...GatewayCall.defaultPolicy, timeoutMillis: gatewayMillis }])
        )
    )
  )

const stores = (settings: Settings.Service) =>
  Layer.mergeAll(
    SqlPaymentRepository.layer,
    SqlIdempotencyStore.layer,
    SqlOutbox.layer,
    SqlEventBus.layer,
    SqlLock.layer,
    SqlRiskScreen.layer(settings.screening?.rules ?? [])
  )

const payments = (settings: Settings.Service) => {
  const gateways = Option.match(settings.sandboxUrl, { onNone: () => ownSandbox, onSome: remoteSandbox })
  const calls = GatewayCall.layer.pipe(
    Layer.provide(callPolicies(settings)),
    Layer.provide([
      CircuitBreaker.layerStoreMemory(),
      RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
    ])
  )
  return AuditedPayments.layer.pipe(
    Layer.provide(Payments.layer(settings)),
    Layer.provide(AuditTrail.layer.pipe(Layer.provide(SqlAuditLog.layer))),
    Layer.provideMerge(calls),
    Layer.provideMerge(policy(settings)),
    Layer.provideMerge(gateways),
    Layer.provideMerge(stores(settings)),
    Layer.provideMerge(SecureRandom.layerWebCrypto)
  )
}

const workers = ({ recoveryMillis }: Settings.Service) =>
  Layer.mergeAll(
    Layer.effectDiscard(Effect.forkScoped(PaymentRecovery.daemon(recoveryMillis))),
    Layer.effectDiscard(Effect.forkScoped(OutboxRelay.daemon(OutboxRelay.defaults)))
  )

/** Everything over a database: the HTTP server is there when the layer is. */
export const layer = (settings: Settings.Service) =>
  HttpService.layer(settings).pipe(
    Layer.provideMerge(workers(settings)),
    Layer.provide([Layer.succeed(Merchant, settings.merchant), Layer.succeed(TrustedProxies, settings.trustedProxies)]),
    Layer.provideMerge(payments(settings))
  )
