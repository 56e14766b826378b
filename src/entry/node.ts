/**
 * `florin/node`: florin alive in a Node process. `Florin.start` for everyone;
 * layers over PostgreSQL, the HTTP service and its settings for users of Effect.
 */

// --- Without Effect --------------------------------------------------------

export * as Florin from "../edge/embed/Florin.ts"

// --- Payments as layers ----------------------------------------------------

export * as PaymentCore from "../edge/PaymentCore.ts"
export * as Stores from "../edge/Stores.ts"
export * as Operations from "../edge/Operations.ts"
export * as Sandbox from "../edge/Sandbox.ts"
export * as Database from "../edge/Database.ts"

// --- Clients' accounts as layers --------------------------------------------

export * as AccountCore from "../edge/AccountCore.ts"

// --- Sagas, subscriptions, stock ---------------------------------------------

export * as ShopCore from "../edge/ShopCore.ts"
export * as SagaCore from "../edge/SagaCore.ts"
export * as ShopSagas from "../edge/sagas/ShopSagas.ts"
export * as EngineOnDemand from "../edge/sagas/EngineOnDemand.ts"
export * as SagaCluster from "../infra/cluster/SagaCluster.ts"
export * as SubscriptionCore from "../edge/SubscriptionCore.ts"
export * as InventoryCore from "../edge/InventoryCore.ts"
export * as HttpShop from "../infra/http/HttpShop.ts"
export * as HttpSupplier from "../infra/http/HttpSupplier.ts"

// --- Flows -------------------------------------------------------------------

export * as FlowCore from "../edge/flows/FlowCore.ts"
export * as PersistedFlowQueue from "../infra/queue/PersistedFlowQueue.ts"

// --- Gateways ----------------------------------------------------------------

export * as Gateways from "../edge/Gateways.ts"
export * as GatewaySettings from "../edge/GatewaySettings.ts"
export * as AdyenGateway from "../infra/adyen/AdyenGateway.ts"
export * as AdyenWebhook from "../infra/adyen/AdyenWebhook.ts"

// --- Webhooks ----------------------------------------------------------------

export * as WebhookCore from "../edge/WebhookCore.ts"
export * as HttpWebhookSender from "../infra/http/HttpWebhookSender.ts"
export * as SqlWebhookInbox from "../infra/sql/SqlWebhookInbox.ts"
export * as SqlWebhookEndpoints from "../infra/sql/SqlWebhookEndpoints.ts"
export * as SqlWebhookDeliveries from "../infra/sql/SqlWebhookDeliveries.ts"

// --- The service -----------------------------------------------------------

export * as Service from "../edge/Service.ts"
export * as Settings from "../edge/Settings.ts"
export * as ShopSettings from "../edge/ShopSettings.ts"
export * as HttpService from "../edge/http/HttpService.ts"
export * as PaymentsClient from "../edge/http/PaymentsClient.ts"
export * as PaymentsApi from "../edge/http/PaymentsApi.ts"
export * as PaymentJson from "../edge/http/PaymentJson.ts"
export * as AccountJson from "../edge/http/AccountJson.ts"
export * as SagaJson from "../edge/http/SagaJson.ts"
export * as SubscriptionJson from "../edge/http/SubscriptionJson.ts"
export * as InventoryJson from "../edge/http/InventoryJson.ts"
export * as Problem from "../edge/http/Problem.ts"

// --- PostgreSQL ------------------------------------------------------------

export * as SqlDatabase from "../infra/sql/SqlDatabase.ts"
export * as EmbeddedPostgres from "../infra/embedded/EmbeddedPostgres.ts"
export * as EmbeddedPostgresError from "../infra/embedded/EmbeddedPostgresError.ts"
export * as SqlMigrations from "../infra/sql/SqlMigrations.ts"
export * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
export * as SqlSubscriptionRepository from "../infra/sql/SqlSubscriptionRepository.ts"
export * as SqlIdempotencyStore from "../infra/sql/SqlIdempotencyStore.ts"
export * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
export * as SqlEventBus from "../infra/sql/SqlEventBus.ts"
export * as SqlLock from "../infra/sql/SqlLock.ts"
export * as SqlRiskScreen from "../infra/sql/SqlRiskScreen.ts"
export * as SqlFlowStore from "../infra/sql/SqlFlowStore.ts"
export * as SqlSagaRuns from "../infra/sql/SqlSagaRuns.ts"
export * as SqlTurnstile from "../infra/sql/SqlTurnstile.ts"
export * as SqlAuditLog from "../infra/sql/SqlAuditLog.ts"
export * as SqlLedgerJournal from "../infra/sql/SqlLedgerJournal.ts"
export * as SqlLedgerSubscriptions from "../infra/sql/SqlLedgerSubscriptions.ts"

// --- The ledger -------------------------------------------------------------

export * as ColumnarBooks from "../infra/ledger/ColumnarBooks.ts"
export * as FileJournal from "../infra/ledger/FileJournal.ts"
export * as FileSnapshots from "../infra/ledger/FileSnapshots.ts"
export * as SqlLedgerSnapshots from "../infra/sql/SqlLedgerSnapshots.ts"
export * as SqlStockRepository from "../infra/sql/SqlStockRepository.ts"

// --- Redis ------------------------------------------------------------------

export * as RedisLock from "../infra/redis/RedisLock.ts"
export * as RedisFlowQueue from "../infra/redis/RedisFlowQueue.ts"

// --- Notices ---------------------------------------------------------------

export * as SmtpNotifier from "../infra/smtp/SmtpNotifier.ts"
export * as WebhookNotifier from "../infra/http/WebhookNotifier.ts"

// --- Logs ------------------------------------------------------------------

export * as RedactingLogger from "../infra/telemetry/RedactingLogger.ts"
