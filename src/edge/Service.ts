/**
 * The service as one layer: HTTP in front; payments, sagas, subscriptions and
 * stock with their workers, and clients' accounts behind; over a database and
 * the gateways.
 *
 * It ends in the order in which it can: no new requests, then the workers and
 * the runs that are on their way, then the database.
 */
import { Effect, Layer, Option } from "effect"
import * as SqlMigrations from "../infra/sql/SqlMigrations.ts"
import * as SqlSandboxBooks from "../infra/simulated/SqlSandboxBooks.ts"
import * as AccountCore from "./AccountCore.ts"
import * as Gateways from "./Gateways.ts"
import * as HttpService from "./http/HttpService.ts"
import { Merchant } from "./http/Merchant.ts"
import { TrustedProxies } from "./http/RequestCaller.ts"
import * as PaymentCore from "./PaymentCore.ts"
import * as SagaCore from "./SagaCore.ts"
import type * as Settings from "./Settings.ts"
import * as ShopCore from "./ShopCore.ts"
import * as Stores from "./Stores.ts"
import * as WebhookCore from "./WebhookCore.ts"

/** What the service needs in its database. */
export const migrate = Effect.andThen(SqlMigrations.migrate, SqlSandboxBooks.migrate)

/** Everything over a database: the HTTP server is there when the layer is. */
export const layer = (settings: Settings.Service) =>
  HttpService.layer(settings).pipe(
    Layer.provide([Layer.succeed(Merchant, settings.merchant), Layer.succeed(TrustedProxies, settings.trustedProxies)]),
    Layer.provide(WebhookCore.layer(settings.webhookTargets)),
    Layer.provide(
      ShopCore.layer({
        ...settings.shop,
        supplier: ShopCore.supplier(settings.shop.supplier),
        drainMillis: settings.drainMillis
      }).pipe(
        Layer.provide([ShopCore.notifier(settings.shop.notices), ShopCore.shop(settings.shop)]),
        Layer.provideMerge(SagaCore.sql(settings))
      )
    ),
    Layer.provideMerge(
      PaymentCore.layer({ ...settings, routing: settings.gateways.routing }).pipe(Layer.provide(WebhookCore.queueing))
    ),
    Layer.provideMerge(
      AccountCore.accounts({
        drainMillis: settings.drainMillis,
        snapshotEvery: Option.getOrUndefined(settings.snapshotEvery)
      }).pipe(Layer.provideMerge(AccountCore.sql(settings.merchant)))
    ),
    Layer.provideMerge(Gateways.layer(settings).pipe(Layer.provide(SqlSandboxBooks.layer))),
    Layer.provideMerge(Stores.sql({ rules: settings.screening?.rules, redisUrl: settings.redisUrl }))
  )
