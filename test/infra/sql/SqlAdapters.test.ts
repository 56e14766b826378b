import { Layer } from "effect"
import * as SqlAuditLog from "../../../src/infra/sql/SqlAuditLog.ts"
import * as SqlEventBus from "../../../src/infra/sql/SqlEventBus.ts"
import * as SqlIdempotencyStore from "../../../src/infra/sql/SqlIdempotencyStore.ts"
import * as SqlLock from "../../../src/infra/sql/SqlLock.ts"
import * as SqlOutbox from "../../../src/infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import * as SqlRiskScreen from "../../../src/infra/sql/SqlRiskScreen.ts"
import * as SqlWebhookDeliveries from "../../../src/infra/sql/SqlWebhookDeliveries.ts"
import * as SqlWebhookEndpoints from "../../../src/infra/sql/SqlWebhookEndpoints.ts"
import * as SqlWebhookInbox from "../../../src/infra/sql/SqlWebhookInbox.ts"
import * as AuditLogContract from "../../../src/testing/contract/AuditLogContract.ts"
import * as EventBusContract from "../../../src/testing/contract/EventBusContract.ts"
import * as IdempotencyStoreContract from "../../../src/testing/contract/IdempotencyStoreContract.ts"
import * as LockContract from "../../../src/testing/contract/LockContract.ts"
import * as OutboxContract from "../../../src/testing/contract/OutboxContract.ts"
import * as RiskScreenContract from "../../../src/testing/contract/RiskScreenContract.ts"
import * as WebhookDeliveriesContract from "../../../src/testing/contract/WebhookDeliveriesContract.ts"
import * as WebhookInboxContract from "../../../src/testing/contract/WebhookInboxContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const repository = SqlPaymentRepository.layer
const database = Layer.fresh(FlorinDatabase.layer)

AuditLogContract.suite("PostgreSQL", SqlAuditLog.layer.pipe(Layer.provide(database)))
IdempotencyStoreContract.suite("PostgreSQL", SqlIdempotencyStore.layer.pipe(Layer.provide(database)))
LockContract.suite("PostgreSQL", SqlLock.layer.pipe(Layer.provide(database)))
OutboxContract.suite("PostgreSQL", Layer.mergeAll(SqlOutbox.layer, repository).pipe(Layer.provide(database)))
EventBusContract.suite("PostgreSQL", Layer.mergeAll(SqlEventBus.layer, repository).pipe(Layer.provide(database)))
RiskScreenContract.suite(
  "PostgreSQL",
  Layer.mergeAll(SqlRiskScreen.layer(RiskScreenContract.rules), repository).pipe(Layer.provide(database))
)
WebhookInboxContract.suite("PostgreSQL", SqlWebhookInbox.layer.pipe(Layer.provide(database)))
WebhookDeliveriesContract.suite(
  "PostgreSQL",
  Layer.mergeAll(SqlWebhookDeliveries.layer, SqlWebhookEndpoints.layer, repository).pipe(Layer.provide(database))
)
