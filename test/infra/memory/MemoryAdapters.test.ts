import { Layer } from "effect"
import * as MemoryAuditLog from "../../../src/infra/memory/MemoryAuditLog.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../../../src/infra/memory/MemoryEventBus.ts"
import * as MemoryIdempotencyStore from "../../../src/infra/memory/MemoryIdempotencyStore.ts"
import * as MemoryLock from "../../../src/infra/memory/MemoryLock.ts"
import * as MemoryOutbox from "../../../src/infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../../../src/infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../../../src/infra/memory/MemoryRiskScreen.ts"
import * as MemoryWebhookDeliveries from "../../../src/infra/memory/MemoryWebhookDeliveries.ts"
import * as MemoryWebhookEndpoints from "../../../src/infra/memory/MemoryWebhookEndpoints.ts"
import * as MemoryWebhookInbox from "../../../src/infra/memory/MemoryWebhookInbox.ts"
import * as AuditLogContract from "../../../src/testing/contract/AuditLogContract.ts"
import * as EventBusContract from "../../../src/testing/contract/EventBusContract.ts"
import * as IdempotencyStoreContract from "../../../src/testing/contract/IdempotencyStoreContract.ts"
import * as LockContract from "../../../src/testing/contract/LockContract.ts"
import * as OutboxContract from "../../../src/testing/contract/OutboxContract.ts"
import * as RiskScreenContract from "../../../src/testing/contract/RiskScreenContract.ts"
import * as WebhookDeliveriesContract from "../../../src/testing/contract/WebhookDeliveriesContract.ts"
import * as WebhookInboxContract from "../../../src/testing/contract/WebhookInboxContract.ts"

const repository = MemoryPaymentRepository.layer
const database = Layer.fresh(MemoryDatabase.layer)

AuditLogContract.suite("memory", MemoryAuditLog.layer.pipe(Layer.provide(database)))
IdempotencyStoreContract.suite("memory", MemoryIdempotencyStore.layer.pipe(Layer.provide(database)))
LockContract.suite("memory", MemoryLock.layer.pipe(Layer.provide(database)))
OutboxContract.suite("memory", Layer.mergeAll(MemoryOutbox.layer, repository).pipe(Layer.provide(database)))
EventBusContract.suite("memory", Layer.mergeAll(MemoryEventBus.layer, repository).pipe(Layer.provide(database)))
RiskScreenContract.suite(
  "memory",
  Layer.mergeAll(MemoryRiskScreen.layer(RiskScreenContract.rules), repository).pipe(Layer.provide(database))
)
WebhookInboxContract.suite("memory", MemoryWebhookInbox.layer.pipe(Layer.provide(database)))
WebhookDeliveriesContract.suite(
  "memory",
  Layer.mergeAll(MemoryWebhookDeliveries.layer, MemoryWebhookEndpoints.layer, repository).pipe(Layer.provide(database))
)
