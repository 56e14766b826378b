/** All that florin keeps, in PostgreSQL or in memory. */
import type { PgClient } from "@effect/sql-pg/PgClient"
import { Layer } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { AuditLog } from "../adapters/AuditLog.ts"
import type { EventBus } from "../adapters/EventBus.ts"
import type { IdempotencyStore } from "../adapters/IdempotencyStore.ts"
import type { Lock } from "../adapters/Lock.ts"
import type { Outbox } from "../adapters/Outbox.ts"
import type { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import type { Rule } from "../domain/Risk.ts"
import * as MemoryAuditLog from "../infra/memory/MemoryAuditLog.ts"
import * as MemoryDatabase from "../infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../infra/memory/MemoryEventBus.ts"
import * as MemoryIdempotencyStore from "../infra/memory/MemoryIdempotencyStore.ts"
import * as MemoryLock from "../infra/memory/MemoryLock.ts"
import * as MemoryOutbox from "../infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../infra/memory/MemoryRiskScreen.ts"
import * as SqlAuditLog from "../infra/sql/SqlAuditLog.ts"
import * as SqlEventBus from "../infra/sql/SqlEventBus.ts"
import * as SqlIdempotencyStore from "../infra/sql/SqlIdempotencyStore.ts"
import * as SqlLock from "../infra/sql/SqlLock.ts"
import * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
import * as SqlRiskScreen from "../infra/sql/SqlRiskScreen.ts"

export type Stores = PaymentRepository | IdempotencyStore | Outbox | EventBus | Lock | RiskScreen | AuditLog

/** `rules` are the screen's; none of them lets everything pass. */
export const sql = (rules: ReadonlyArray<Rule>): Layer.Layer<Stores, never, PgClient | SqlClient> =>
  Layer.mergeAll(
    SqlPaymentRepository.layer,
    SqlIdempotencyStore.layer,
    SqlOutbox.layer,
    SqlEventBus.layer,
    SqlLock.layer,
    SqlAuditLog.layer,
    SqlRiskScreen.layer(rules)
  )

/** Gone with the process. */
export const memory = (rules: ReadonlyArray<Rule>): Layer.Layer<Stores> =>
  Layer.mergeAll(
    MemoryPaymentRepository.layer,
    MemoryIdempotencyStore.layer,
    MemoryOutbox.layer,
    MemoryEventBus.layer,
    MemoryLock.layer,
    MemoryAuditLog.layer,
    MemoryRiskScreen.layer(rules)
  ).pipe(Layer.provide(MemoryDatabase.layer))
