/** All that florin keeps, in PostgreSQL or in memory; locks may be on Redis. */
import type { PgClient } from "@effect/sql-pg/PgClient"
import type { Redacted } from "effect"
import { Effect, Layer, Option } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { AuditLog } from "../adapters/AuditLog.ts"
import type { EventBus } from "../adapters/EventBus.ts"
import type { IdempotencyStore } from "../adapters/IdempotencyStore.ts"
import type { Lock } from "../adapters/Lock.ts"
import type { Outbox } from "../adapters/Outbox.ts"
import type { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { WebhookDeliveries } from "../adapters/WebhookDeliveries.ts"
import type { WebhookEndpoints } from "../adapters/WebhookEndpoints.ts"
import type { WebhookInbox } from "../adapters/WebhookInbox.ts"
import type { SubscriptionRepository } from "../adapters/SubscriptionRepository.ts"
import type { Rule } from "../domain/Risk.ts"
import * as MemoryAuditLog from "../infra/memory/MemoryAuditLog.ts"
import * as MemoryDatabase from "../infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../infra/memory/MemoryEventBus.ts"
import * as MemoryIdempotencyStore from "../infra/memory/MemoryIdempotencyStore.ts"
import * as MemoryLock from "../infra/memory/MemoryLock.ts"
import * as MemoryOutbox from "../infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../infra/memory/MemoryRiskScreen.ts"
import * as MemoryWebhookDeliveries from "../infra/memory/MemoryWebhookDeliveries.ts"
import * as MemoryWebhookEndpoints from "../infra/memory/MemoryWebhookEndpoints.ts"
import * as MemoryWebhookInbox from "../infra/memory/MemoryWebhookInbox.ts"
import * as MemorySubscriptionRepository from "../infra/memory/MemorySubscriptionRepository.ts"
import type { RedisUrlError } from "../infra/redis/RedisUrl.ts"
import * as SqlAuditLog from "../infra/sql/SqlAuditLog.ts"
import * as SqlEventBus from "../infra/sql/SqlEventBus.ts"
import * as SqlIdempotencyStore from "../infra/sql/SqlIdempotencyStore.ts"
import * as SqlLock from "../infra/sql/SqlLock.ts"
import * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
import * as SqlRiskScreen from "../infra/sql/SqlRiskScreen.ts"
import * as SqlWebhookDeliveries from "../infra/sql/SqlWebhookDeliveries.ts"
import * as SqlWebhookEndpoints from "../infra/sql/SqlWebhookEndpoints.ts"
import * as SqlWebhookInbox from "../infra/sql/SqlWebhookInbox.ts"
import * as SqlSubscriptionRepository from "../infra/sql/SqlSubscriptionRepository.ts"

export type Stores =
  | PaymentRepository
  | SubscriptionRepository
  | IdempotencyStore
  | Outbox
  | EventBus
  | Lock
  | RiskScreen
  | AuditLog
  | WebhookInbox
  | WebhookEndpoints
  | WebhookDeliveries

/** On Redis when there is one, otherwise in the database. Redis's client is loaded only then. */
export const lock = (
  redisUrl: Option.Option<Redacted.Redacted>
): Layer.Layer<Lock, RedisUrlError | StorageUnavailable, PgClient | SqlClient> =>
  Option.match(redisUrl, {
    onNone: () => SqlLock.layer,
    onSome: (url) =>
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("../infra/redis/RedisLock.ts")),
          (RedisLock) => RedisLock.layer({ url })
        )
      )
  })

export interface SqlOptions {
  /** The screen's; without any, everything passes. */
  readonly rules?: ReadonlyArray<Rule> | undefined
  readonly redisUrl?: Option.Option<Redacted.Redacted>
}

/** Fails only where locks are to be on a Redis. */
export const sql = ({ redisUrl = Option.none(), rules = [] }: SqlOptions = {}): Layer.Layer<
  Stores,
  RedisUrlError | StorageUnavailable,
  PgClient | SqlClient
> =>
  Layer.mergeAll(
    SqlPaymentRepository.layer,
    SqlSubscriptionRepository.layer,
    SqlIdempotencyStore.layer,
    SqlOutbox.layer,
    SqlEventBus.layer,
    lock(redisUrl),
    SqlAuditLog.layer,
    SqlRiskScreen.layer(rules),
    SqlWebhookInbox.layer,
    SqlWebhookEndpoints.layer,
    SqlWebhookDeliveries.layer
  )

/** Gone with the process. */
export const memory = (rules: ReadonlyArray<Rule> = []): Layer.Layer<Stores> =>
  Layer.mergeAll(
    MemoryPaymentRepository.layer,
    MemorySubscriptionRepository.layer,
    MemoryIdempotencyStore.layer,
    MemoryOutbox.layer,
    MemoryEventBus.layer,
    MemoryLock.layer,
    MemoryAuditLog.layer,
    MemoryRiskScreen.layer(rules),
    MemoryWebhookInbox.layer,
    MemoryWebhookEndpoints.layer,
    MemoryWebhookDeliveries.layer
  ).pipe(Layer.provide(MemoryDatabase.layer))
