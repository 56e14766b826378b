/**
 * What an operator's command works with: the payments that are there, and, where
 * it has to ask, their gateways. Nothing is migrated, and no worker is started.
 */
import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as SqlSandboxBooks from "../infra/simulated/SqlSandboxBooks.ts"
import * as SqlAuditLog from "../infra/sql/SqlAuditLog.ts"
import * as SqlEventBus from "../infra/sql/SqlEventBus.ts"
import * as SqlLedgerSubscriptions from "../infra/sql/SqlLedgerSubscriptions.ts"
import * as SqlFlowStore from "../infra/sql/SqlFlowStore.ts"
import * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
import * as SqlSagaRuns from "../infra/sql/SqlSagaRuns.ts"
import * as SqlStockRepository from "../infra/sql/SqlStockRepository.ts"
import * as SqlSubscriptionRepository from "../infra/sql/SqlSubscriptionRepository.ts"
import * as SqlWebhookDeliveries from "../infra/sql/SqlWebhookDeliveries.ts"
import * as SqlWebhookEndpoints from "../infra/sql/SqlWebhookEndpoints.ts"
import * as SqlWebhookInbox from "../infra/sql/SqlWebhookInbox.ts"
import * as AuditTrail from "../orchestration/AuditTrail.ts"
import * as Database from "./Database.ts"
import * as Gateways from "./Gateways.ts"
import * as PaymentCore from "./PaymentCore.ts"
import type * as Settings from "./Settings.ts"
import * as Stores from "./Stores.ts"

/** What is stored, to read and to repair; what is repaired goes on record. */
export const stores = (database: Settings.Database, redisUrl: Settings.Service["redisUrl"]) =>
  Layer.mergeAll(
    SqlPaymentRepository.layer,
    SqlOutbox.layer,
    SqlLedgerSubscriptions.layer,
    SqlEventBus.layer,
    SqlFlowStore.layer,
    SqlSagaRuns.layer,
    SqlSubscriptionRepository.layer,
    SqlStockRepository.layer,
    SqlWebhookInbox.layer,
    SqlWebhookEndpoints.layer,
    SqlWebhookDeliveries.layer,
    Stores.lock(redisUrl),
    SecureRandom.layerWebCrypto,
    AuditTrail.layer.pipe(Layer.provideMerge(SqlAuditLog.layer))
  ).pipe(Layer.provide(Database.existing(database)))

/** The same, and the gateways that the service would call. */
export const gateways = (database: Settings.Database, service: Settings.Service) =>
  PaymentCore.payments({ ...service, routing: service.gateways.routing }).pipe(
    Layer.provideMerge(Gateways.layer(service).pipe(Layer.provide(SqlSandboxBooks.layer))),
    Layer.provideMerge(Stores.sql({ rules: service.screening?.rules, redisUrl: service.redisUrl })),
    Layer.provide(Database.existing(database))
  )
